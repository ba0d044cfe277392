//! # What replies tell
//!
//! A reply tells the client what it needs, and whoever listens what it should not. Words of the request that come back in
//! a page are the request's, not the proxy's; and no reply is anybody else's.

use connectspec_harness::prelude::*;

use crate::{
    cases::words::{
        addresses::private_address,
        refusal_kinds::{RefusalKind, replies},
    },
    documents::{RFC_9110, RFC_9112},
};

/// Every case about what replies say beside their status.
pub(crate) fn suite() -> Suite {
    suite! {
        "disclosure": "What replies tell", include_str!("disclosure.rs");
        no_answer_is_used_twice,
        no_field_is_made_of_the_request,
        no_script_is_made_of_the_request,
        no_reply_names_an_internal_address,
        a_success_is_short,
        a_denial_differs_from_an_outage,
        a_refusal_explains_itself,
        a_tunnel_is_granted_with,
        a_refusal_is_dated,
        a_redirect,
    }
}

/// Two users who ask for the same server would get one session between them, or yesterday's.
///
/// Only this conforms.
fn no_answer_is_used_twice() -> Case {
    must("The same request twice leads to two connections, each with its own bytes")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["H1-RSP-012"])
        .run(async |lab| {
            let server = lab.server(hand_over()).await?;
            for _ in 0..2 {
                let said = lab.nonce();
                let (mut near, mut far) = lab.tunnel_to(&server).await?;
                far.sends_to(&mut near, said).await?;
                // Whether the end is passed on is for another case.
                far.finishes().await?;
                let _ = near.ends_somehow().await;
            }
            Ok(())
        })
}

/// What is done to a right request.
type Change = fn(Request) -> Request;

/// How a line end is hidden, and in which part of the request.
const INJECTIONS: &[(&str, Change)] = &[
    ("encoded_in_the_target", |request| {
        request
            .target(format!("host%0d%0a{INJECTED}:%20x.invalid:443"))
            .host("a.invalid")
    }),
    ("encoded_in_a_path", |request| {
        request
            .target(format!("/%0d%0a{INJECTED}:%20x"))
            .host("a.invalid")
    }),
    ("encoded_in_the_host", |request| {
        request.host(format!("a%0d%0a{INJECTED}: x"))
    }),
    ("bare_line_feed_in_the_host", |request| {
        request.host(format!("a\n{INJECTED}: x\r\nX: y"))
    }),
    ("bare_carriage_return_in_the_host", |request| {
        request.host(format!("a\r{INJECTED}: x\r\nX: y"))
    }),
    ("in_a_method", |request| {
        request.line(format!(
            "CON\r{INJECTED}: x\rNECT host.invalid:443 HTTP/1.1"
        ))
    }),
];

/// A field that no proxy sends.
const INJECTED: &str = "X-Injected-By-The-Request";

/// A cookie, a redirect or a whole second response that somebody has written into a link.
///
/// Also accepted: any reply, or none. The words in a page are for another case.
fn no_field_is_made_of_the_request() -> Family {
    each(INJECTIONS, |&(_, injected)| {
        must("No line end of the request ends a line of the reply")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("2.2"))
            .cites(RFC_9110.section("5.5"))
            .cites(RFC_9112.section("11.1"))
            .covers(["H1-ERR-009"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let answer = lab
                    .client()
                    .asks(injected(lab.request(&server)))
                    .await?
                    .answer;
                lab.note(answer.describe());
                match answer {
                    Answer::Reply(reply) => reply.expect_no_field(INJECTED),
                    Answer::Garbage { .. } => {
                        Err(Finding::violation("an HTTP response", answer.describe()))
                    }
                    _ => Ok(()),
                }
            })
    })
}

/// Where a script may stand in a request that is refused.
const SCRIPTS: &[(&str, Change)] = &[
    ("in_the_target", |request| {
        request.target(format!("/{SCRIPT}")).host("a.invalid")
    }),
    ("in_an_authority", |request| {
        request
            .target(format!("{SCRIPT}.invalid:443"))
            .host("a.invalid")
    }),
    ("in_the_host", |request| request.target("/").host(SCRIPT)),
    ("in_the_method", |request| {
        request.method(SCRIPT).target("/").host("a.invalid")
    }),
    ("in_a_field_name", |request| {
        request.target("/").field(format!("{SCRIPT}: x"))
    }),
    ("in_the_version", |request| {
        request.version(format!("HTTP/1.1{SCRIPT}"))
    }),
];

/// What a browser would run if it stood in a page.
const SCRIPT: &str = "\"><script>connectspec()</script>";

/// A page of the proxy is shown with the rights of the site that the user wanted to see.
///
/// Also accepted: to escape it, not to repeat it, and to send it as plain text.
fn no_script_is_made_of_the_request() -> Family {
    each(SCRIPTS, |&(_, written)| {
        practice("What a page of HTML repeats of the request is escaped")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("17.4"))
            .covers(["H1-ERR-008"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let mut exchange = lab.client().asks(written(lab.request(&server))).await?;
                let Answer::Reply(reply) = &exchange.answer else {
                    lab.note(exchange.answer.describe());
                    return Ok(());
                };
                if reply.is_success() {
                    return Err(Finding::inconclusive("it was not refused"));
                }
                let body = exchange.connection.body(reply).await.content;
                let script = b"<script>connectspec";
                let raw = body.windows(script.len()).any(|window| window == script);
                if raw && !is_plain(reply) {
                    let observed = format!("{} with the script as it stood", reply.status_line());
                    return Err(Finding::violation(
                        "the script escaped, or left out",
                        observed,
                    ));
                }
                lab.note(reply.status_line());
                Ok(())
            })
    })
}

/// Whether a reply says that its body is plain text. Without a word, browsers guess.
fn is_plain(reply: &Reply) -> bool {
    reply
        .values("Content-Type")
        .any(|kind| kind.to_ascii_lowercase().starts_with(b"text/plain"))
}

/// Names and addresses behind the proxy are the beginning of a map for whoever is outside.
///
/// Also accepted: the address that the client has asked for, and names of any kind.
fn no_reply_names_an_internal_address() -> Case {
    practice("No field of a reply names a private address but the one that was asked for")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("17.12"))
        .covers(["H1-RSP-014", "SEC-009"])
        .run(async |lab| {
            for (name, reply) in replies(lab).await? {
                for (field, value) in &reply.fields {
                    let text = String::from_utf8_lossy(value);
                    if let Some(address) = private_address(&text, lab.host()) {
                        let observed = format!("{field}: {address}");
                        return Err(Finding::violation("no private address", observed).at(&name));
                    }
                }
            }
            Ok(())
        })
}

/// Clients read the head of a 2xx into a buffer of a fixed size.
///
/// Also accepted: any fields, as long as they are fewer than 8 kB.
fn a_success_is_short() -> Case {
    practice("The head of a 2xx is shorter than 8 kB")
        .over(EVERY)
        .cites(RFC_9110.section("17.5"))
        .covers(["H1-RSP-014"])
        .run(async |lab| {
            let exchange = RefusalKind::Granted.asks(lab).await?;
            let length = exchange.success()?.head.len();
            if length < 8_000 {
                return Ok(());
            }
            Err(Finding::violation(
                "less than 8 kB",
                format!("{length} bytes"),
            ))
        })
}

/// A helpdesk that cannot tell a forbidden port from a server that is down sends its users to the wrong people.
///
/// Also accepted: the same status with different fields, or another page.
fn a_denial_differs_from_an_outage() -> Case {
    practice("A denied port is answered differently than one that is closed")
        .over(EVERY)
        .cites(RFC_9110.section("15.5.4"))
        .cites(RFC_9110.section("15.6.3"))
        .covers(["H1-ERR-011", "H1-ERR-001"])
        .needs([Need::PortList])
        .seen_in(
            "smokescreen #194",
            "https://github.com/stripe/smokescreen/issues/194",
        )
        .seen_in("curl #9513", "https://github.com/curl/curl/issues/9513")
        .run(async |lab| {
            let (denied, _) = RefusalKind::Denied.refusal(lab).await?;
            let (closed, _) = RefusalKind::ClosedPort.refusal(lab).await?;
            let told = format!("{} and {}", denied.status_line(), closed.status_line());
            let reasons = |reply: &Reply| {
                let fields = reply.fields.iter();
                let said = fields
                    .filter(|(name, _)| !CHANGING.contains(&name.to_ascii_lowercase().as_str()));
                (
                    reply.status,
                    reply.reason.clone(),
                    said.cloned().collect::<Vec<_>>(),
                )
            };
            if reasons(&denied) == reasons(&closed) {
                return Err(Finding::violation("two different answers", told));
            }
            lab.note(told);
            Ok(())
        })
}

/// Fields that differ from one reply to the next, and tell no reason.
const CHANGING: [&str; 3] = ["date", "content-length", "connection"];

/// People see the page, or the one line that their program makes of it.
///
/// Also accepted: nothing but the status.
fn a_refusal_explains_itself() -> Case {
    survey("A denial explains itself with")
        .over(EVERY)
        .cites(RFC_9110.section("15.5"))
        .cites(RFC_9110.section("15.6"))
        .covers(["H1-ERR-007"])
        .needs([Need::PortList])
        .seen_in(
            "iron-proxy #230",
            "https://github.com/ironsh/iron-proxy/issues/230",
        )
        .run(async |lab| {
            let (reply, mut connection) = RefusalKind::Denied.refusal(lab).await?;
            let length = connection.body(&reply).await.content.len();
            let mut said = vec![match length {
                0 => "no body".to_owned(),
                length => format!("{length} bytes"),
            }];
            let telling = reply.fields.iter().map(|(name, _)| name.as_str());
            said.extend(
                telling
                    .filter(|name| {
                        let name = name.to_ascii_lowercase();
                        name == "proxy-status" || name.contains("error") || name.contains("reason")
                    })
                    .map(ToOwned::to_owned),
            );
            lab.note(said.join(", "));
            Ok(())
        })
}

/// What a proxy says when it has nothing to say.
///
/// Also accepted: any 2xx, with any fields but those about a body.
fn a_tunnel_is_granted_with() -> Case {
    survey("A tunnel is granted with")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .cites(RFC_9110.section("7.6.1"))
        .covers(["H1-RSP-008", "H1-RSP-011"])
        .run(async |lab| {
            let exchange = RefusalKind::Granted.asks(lab).await?;
            let reply = exchange.success()?;
            let names: Vec<_> = reply.fields.iter().map(|(name, _)| name.as_str()).collect();
            lab.note(reply.status_line());
            lab.note(if names.is_empty() {
                "no fields".to_owned()
            } else {
                names.join(", ")
            });
            Ok(())
        })
}

/// Only origin servers have to date what they say.
///
/// Also accepted: either.
fn a_refusal_is_dated() -> Case {
    survey("A refusal is dated")
        .over(EVERY)
        .cites(RFC_9110.section("6.6.1"))
        .covers(["H1-RSP-013"])
        .run(async |lab| {
            let (reply, _) = RefusalKind::BadTarget.refusal(lab).await?;
            lab.note(if reply.has("Date") { "yes" } else { "no" });
            Ok(())
        })
}

/// A redirect is no tunnel, and clients that follow one leave what they were told to use.
///
/// Also accepted: either; a malformed request-line may be answered with one.
fn a_redirect() -> Case {
    survey("Redirects are answered to")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("9.3.6"))
        .cites(RFC_9112.section("3.2"))
        .covers(["H1-ERR-015"])
        .run(async |lab| {
            let replies = replies(lab).await?;
            let redirected = replies
                .iter()
                .filter(|(_, reply)| (300..400).contains(&reply.status));
            let names: Vec<_> = redirected.map(|(name, _)| name.as_str()).collect();
            lab.note(if names.is_empty() {
                "nothing".to_owned()
            } else {
                names.join("; ")
            });
            Ok(())
        })
}
