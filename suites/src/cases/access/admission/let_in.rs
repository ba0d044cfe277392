//! Whom the rules let in, without which nothing follows from those whom they keep out; and whom the rule about clients keeps out.

use connectspec_harness::prelude::*;

use crate::{
    cases::words::bad_credentials::basic,
    documents::{RFC_7617, RFC_9110, VU_150227},
};

/// A proxy that looks for the credentials in another field, or not at all, keeps out everybody, and whoever has to get through
/// switches the question off.
///
/// Also accepted: a refusal by the list of ports, which says nothing.
pub(super) fn right_credentials_are_let_in() -> Case {
    must("A request with the right Proxy-Authorization gets its tunnel")
        .cites(RFC_9110.section("11.7.1"))
        .cites(RFC_7617.section("2"))
        .covers(["H1-AUTH-005"])
        .under(credentials())
        .about_the_control()
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let exchange = lab.client().asks(lab.request(&server)).await?;
            match &exchange.answer {
                Answer::Reply(reply) if reply.is_success() => Ok(()),
                Answer::Reply(reply) if reply.status == 403 => {
                    Err(Finding::inconclusive(exchange.answer.describe()))
                }
                other => Err(Finding::violation("a 2xx", other.describe())),
            }
        })
}

/// A text that ends at a zero byte for one reader goes on behind it for another. The right password is not in it: one more byte
/// is.
///
/// Also accepted: any refusal, and a close without an answer.
pub(super) fn a_password_does_not_end_at_a_zero_byte() -> Case {
    must("A right password with a zero byte after it opens no tunnel")
        .cites(RFC_9110.section("11.4"))
        .cites(RFC_7617.section("2"))
        .covers(["H1-AUTH-001", "H1-AUTH-009"])
        .under(credentials())
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let known = lab.mistaken_user()?;
            let line = basic(format!("{}:{}\0", known.username, known.password));
            let request = Request::connect(server.authority()).field(line);
            lab.opens_no_tunnel_from(&lab.client_of_its_own(), &request)
                .await?;
            Ok(())
        })
}

/// A rule that names a client is there to let it in.
///
/// Only this conforms: the rule names 127.0.0.1, and that is where this client is.
pub(super) fn a_client_that_the_rule_names_is_served() -> Case {
    must("A client whose address the rule names gets its tunnel")
        .cites(VU_150227.section(""))
        .covers(["POL-021"])
        .under(few_clients())
        .about_the_control()
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let answer = lab.client().asks(lab.request(&server)).await?.answer;
            match &answer {
                Answer::Reply(reply) if reply.is_success() => Ok(()),
                other => Err(Finding::violation("a 2xx", other.describe())),
            }
        })
}

/// A proxy for one house is a door for the whole street if its rule is asked too late.
///
/// Also accepted: any refusal, a close without an answer, and not to take the connection at all.
pub(super) fn a_client_that_the_rule_leaves_out_is_refused() -> Case {
    practice("A client whose address the rule leaves out is refused, and nobody contacted for it")
        .over(EVERY)
        .cites(VU_150227.section(""))
        .covers(["POL-017"])
        .under(few_clients())
        .run(async |lab| refuses_another_client(lab, &[]).await)
}

/// Fields in which proxies tell the next one whom they speak for.
const NAMES_OF_CLIENTS: &[(&str, &[&str])] = &[
    ("x_forwarded_for", &["X-Forwarded-For: 127.0.0.1"]),
    ("forwarded", &["Forwarded: for=127.0.0.1"]),
    (
        "others",
        &[
            "X-Real-IP: 127.0.0.1",
            "Client-IP: 127.0.0.1",
            "True-Client-IP: 127.0.0.1",
        ],
    ),
];

/// After a gateway the client's address stands in a field. Without one, whoever likes writes it there.
///
/// Also accepted: any refusal, a close without an answer, and not to take the connection at all. A proxy that was told to
/// trust every client's word lists it.
pub(super) fn nobody_passes_for_another_client() -> Family {
    each(NAMES_OF_CLIENTS, |&(_, fields)| {
        practice(
            "A client whose address the rule leaves out is refused, whoever it says that it is",
        )
        .over(EVERY)
        .cites(VU_150227.section(""))
        .covers(["POL-017"])
        .under(few_clients())
        .run(async move |lab| refuses_another_client(lab, fields).await)
    })
}

/// A client at an address that the rule leaves out is refused, with these fields in its request.
async fn refuses_another_client(lab: &Lab, fields: &[&str]) -> Outcome {
    let server = lab.server(echo()).await?;
    let request = fields.iter().fold(lab.request(&server), Request::field);
    match lab.refuses_from(&lab.client_of_its_own(), &request).await {
        Ok(_) => Ok(()),
        // It does not even take the connection; that there is a way in, the control tunnel has shown.
        Err(Finding::Setup { reason, .. }) => {
            lab.note(reason);
            Ok(())
        }
        Err(finding) => Err(finding),
    }
}
