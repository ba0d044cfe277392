//! What a client's Connection names, and the proxy needs itself towards the upstream proxy.

use connectspec_harness::prelude::*;

use crate::documents::{RFC_9110, RFC_9112};

/// A field that a forwarded CONNECT has to have, and the case that asks for it where nobody names it.
const NEEDED: &[(&str, &str, &str)] = &[
    ("host", "Host", "upstream/host_names_the_target"),
    ("via", "Via", "upstream/via_has_an_entry_of_the_proxy"),
];

/// Connection speaks of what the client has said. A proxy that drops by name what it has to say itself leaves the next one
/// without it: without Host, a filter there judges something else, and without Via, a loop goes on.
///
/// Also accepted: to refuse such a request, and no Host field in a request of HTTP/1.0. A proxy that passes nothing of its
/// client's request on forwards no message: then nothing follows for Via.
pub(super) fn what_connection_names_is_still_said() -> Family {
    each(NEEDED, |&(_, field, relied_on)| {
        must("What a forwarded CONNECT has to have is there also where the client's Connection names it")
            .cites(RFC_9110.section("7.6.1"))
            .cites(RFC_9112.section("3.2"))
            .covers(["H1-CONN-018"])
            .relying_on([relied_on])
            .under(upstream())
            .run(async move |lab| {
                let (server, nonce) = (lab.server(hold()).await?, lab.nonce());
                let request = lab
                    .request(&server)
                    .field(format!("X-Unknown: {nonce}"))
                    .field(format!("Connection: {field}"));
                let upstream = lab.upstream(hand_over()).await?;
                let asked = lab.chains(&upstream, &request).await?.asked;
                if asked.values(field).next().is_some() {
                    return Ok(());
                }
                if field == "Host" && asked.version() == "HTTP/1.0" {
                    lab.note("HTTP/1.0, without Host");
                    return Ok(());
                }
                if field == "Via" && !asked.contains(&nonce) {
                    let reason = "nothing of the client's request is passed on: a tunnel of the proxy's own";
                    return Err(Finding::inconclusive(reason));
                }
                let expected = format!("{field} in the forwarded request");
                Err(Finding::violation(expected, format!("no {field}")))
            })
    })
}

/// To an upstream proxy that is about to refuse, what follows a head without a length is the next request: whoever wrote the
/// content has made this proxy ask for it.
///
/// Also accepted: to refuse such a request; to pass the length on with the content; to send the content once there is a tunnel;
/// and a connection that is for one request, by HTTP/1.0 or by its Connection field: there, nothing is the next one.
pub(super) fn content_does_not_follow_without_its_length() -> Case {
    must("Content whose Content-Length Connection names does not go on behind a head that lacks it")
        .cites(RFC_9110.section("7.6.1"))
        .cites(RFC_9112.section("6.3"))
        .covers(["H1-CONN-018"])
        .relying_on(["upstream_grants/early_data_waits_for_the_2xx"])
        .under(upstream())
        .run(async |lab| {
            let (server, hidden) = (lab.server(hold()).await?, lab.server(hold()).await?);
            let content = lab.request(&hidden).bytes();
            let request = lab
                .request(&server)
                .field(format!("Content-Length: {}", content.len()))
                .field("Connection: Content-Length")
                .followed_by(content);
            let upstream = lab.upstream(hand_over()).await?;
            let mut chain = lab.chains(&upstream, &request).await?;
            let asked = &chain.asked;
            let closes = asked.members("Connection");
            let ends_anyway = match asked.version() {
                "HTTP/1.0" => true,
                _ => closes
                    .iter()
                    .any(|option| option.eq_ignore_ascii_case("close")),
            };
            if ends_anyway || asked.values("Content-Length").next().is_some() {
                lab.note(match ends_anyway {
                    true => "the connection to the upstream proxy is for one request",
                    false => "the length goes on, too",
                });
                return Ok(());
            }
            let quiet = lab.patience().quiet();
            match chain.far.halves().0.takes_until_quiet(quiet).await {
                (0, _) => Ok(()),
                (heard, _) => Err(Finding::violation(
                    "nothing behind the head at an upstream proxy that has not answered",
                    format!("{heard} bytes, without a length in front of them"),
                )),
            }
        })
}
