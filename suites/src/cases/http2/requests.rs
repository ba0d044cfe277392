//! # HTTP/2: requests
//!
//! CONNECT in HTTP/2 has a method and an authority, and nothing else that begins with a colon. A request that is malformed is
//! not to be processed: who does it all the same lets two proxies in a row understand different things.

mod malformed;

use connectspec_harness::{
    http2::{ErrorCode, Fields},
    prelude::*,
};

use self::malformed::MALFORMED;
pub(super) use self::malformed::behind_method;
use super::words::{connection, is_heard, is_refused, tunnel};
use crate::documents::RFC_9113;

/// Every case about requests in HTTP/2.
pub(crate) fn suite() -> Suite {
    suite! {
        "http2_requests": "HTTP/2: requests", include_str!("requests.rs");
        a_malformed_connect_opens_no_tunnel,
        a_malformed_connect_is_answered,
        a_malformed_connect_is_called_an_error,
        a_malformed_connect_reaches_no_server,
        a_malformed_connect_leaves_other_tunnels_alone,
        an_end_of_the_connection_is_announced,
    }
}

/// What is malformed, and tolerated by one proxy, is understood in another way by the next: a scheme and a path make an
/// ordinary request of it, a second authority another target, a line break in a value a second field in HTTP/1.1.
///
/// Also accepted: RST_STREAM with any code, any response but a 2xx, GOAWAY, the end of the connection. Silence says nothing here.
fn a_malformed_connect_opens_no_tunnel() -> Family {
    each(MALFORMED, |&(_, row, section, make)| {
        must("A malformed CONNECT opens no tunnel")
            .over(HTTP_2)
            .cites(RFC_9113.section("8.1.1"))
            .cites(RFC_9113.section(section))
            .covers([row])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let http2 = connection(lab).await?;
                let right = http2.request(server.authority());
                let id = http2.opens(&make(right, &server.authority()), false);
                is_refused(lab, &http2, id).await
            })
    })
}

/// A right request with a scheme beside its authority.
fn with_a_scheme(right: &Fields) -> Fields {
    behind_method(right, &[(b":scheme", b"https")])
}

/// A client that is told nothing waits, and shows its user nothing but that.
///
/// Also accepted: any answer, any reset, the end of the connection.
fn a_malformed_connect_is_answered() -> Case {
    practice("A malformed CONNECT is answered in some way")
        .over(HTTP_2)
        .cites(RFC_9113.section("8.1.1"))
        .covers(["H2-TGT-003"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let http2 = connection(lab).await?;
            let right = http2.request(server.authority());
            let id = http2.opens(&with_a_scheme(&right), false);
            match http2.hears(id).await {
                Answer::Silence => Err(Finding::violation("an answer", "silence")),
                answer => {
                    lab.note(answer.describe());
                    Ok(())
                }
            }
        })
}

/// A client that hears of a cancelled stream, or of one that was refused before anything happened, asks again.
///
/// Also accepted: a response, with any reset behind it; INTERNAL_ERROR, which fits whatever is wrong; the end of the connection.
fn a_malformed_connect_is_called_an_error() -> Case {
    should("Where a malformed CONNECT is reset, the code is PROTOCOL_ERROR")
        .over(HTTP_2)
        .cites(RFC_9113.section("8.1.1"))
        .cites(RFC_9113.section("5.4"))
        .covers(["H2-TGT-003"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let http2 = connection(lab).await?;
            let right = http2.request(server.authority());
            let id = http2.opens(&with_a_scheme(&right), false);
            let answer = http2.hears(id).await;
            is_heard(&answer)?;
            if answer != Answer::Reset {
                return Ok(());
            }
            let reset = http2.session().with(|state| state.streams.get(&id)?.reset);
            match reset {
                Some(ErrorCode::PROTOCOL_ERROR | ErrorCode::INTERNAL_ERROR) | None => Ok(()),
                Some(code) => Err(Finding::none_of(
                    ["RST_STREAM(PROTOCOL_ERROR)", "RST_STREAM(INTERNAL_ERROR)"],
                    format!("RST_STREAM({code})"),
                )),
            }
        })
}

/// A proxy that connects before it looks can be made to open connections by whoever cannot even ask.
///
/// Also accepted: nothing else is good practice, though a request may be processed while it is being read.
fn a_malformed_connect_reaches_no_server() -> Family {
    each(UNREACHED, |&(_, row, make)| {
        practice("A malformed CONNECT opens no connection to a server")
            .over(HTTP_2)
            .cites(RFC_9113.section("8.1.1"))
            .covers([row])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let http2 = connection(lab).await?;
                let right = http2.request(server.authority());
                let id = http2.opens(&make(&right), false);
                is_refused(lab, &http2, id).await?;
                server.stays_unvisited().await
            })
    })
}

type Malform = fn(&Fields) -> Fields;

const UNREACHED: &[(&str, &str, Malform)] = &[
    ("scheme", "H2-TGT-003", with_a_scheme),
    ("unknown_pseudo_field", "H2-TGT-013", |right| {
        behind_method(right, &[(b":foo", b"bar")])
    }),
    ("connection", "H2-TGT-015", |right| {
        right.clone().with("connection", "keep-alive")
    }),
];

/// Tunnels that live beside a malformed request: as many as any proxy serves at once on one connection.
const BESIDE: usize = 5;

/// Browsers put all their tunnels on one connection: one odd request must not end all of them.
///
/// Only this conforms to good practice; to end the connection is allowed.
fn a_malformed_connect_leaves_other_tunnels_alone() -> Case {
    practice("A malformed CONNECT costs one stream")
        .over(HTTP_2)
        .cites(RFC_9113.section("5.4"))
        .covers(["H2-RSP-006"])
        .run(async |lab| {
            let http2 = connection(lab).await?;
            let mut tunnels = Vec::new();
            for _ in 0..BESIDE {
                tunnels.push(tunnel(lab, &http2).await?);
            }
            let server = lab.server(echo()).await?;
            let right = http2.request(server.authority());
            let id = http2.opens(&behind_method(&right, &[(b":path", b"/")]), false);
            http2.hears(id).await;
            let mut alive = 0;
            for tunnel in &mut tunnels {
                alive += usize::from(tunnel.carries(lab).await.is_ok());
            }
            match alive {
                BESIDE => Ok(()),
                _ => Err(Finding::violation(
                    format!("{BESIDE} tunnels live on"),
                    format!("{alive} of them"),
                )),
            }
        })
}

/// Without GOAWAY a client cannot know which of its requests were seen, and whether it may repeat them.
///
/// Also accepted: everything. A connection that does not end says nothing.
fn an_end_of_the_connection_is_announced() -> Case {
    survey("A connection that ends with a malformed CONNECT is ended with GOAWAY")
        .over(HTTP_2)
        .cites(RFC_9113.section("5.4.1"))
        .covers(["H2-TGT-003"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let http2 = connection(lab).await?;
            let right = http2.request(server.authority());
            let id = http2.opens(&with_a_scheme(&right), false);
            http2.hears(id).await;
            let (goaway, over) = http2
                .session()
                .with(|state| (state.goaway, state.over.is_some()));
            match (goaway, over) {
                (Some(code), _) => lab.note(format!("GOAWAY({code})")),
                (None, false) => lab.note("the connection goes on"),
                (None, true) => {
                    return Err(Finding::violation("GOAWAY", "the end without a word"));
                }
            }
            Ok(())
        })
}
