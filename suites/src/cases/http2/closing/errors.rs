//! Resets, of one stream or of what is behind it.

use connectspec_harness::{client::Fate, http2::ErrorCode, prelude::*};

use crate::{
    cases::http2::words::{Tunnel, connection, fate, tunnel},
    documents::RFC_9113,
};

/// A server that resets a tunnel on which nothing is on its way, and what becomes of the stream.
async fn server_resets(lab: &Lab) -> Outcome<Fate> {
    let http2 = connection(lab).await?;
    let Tunnel { id, far, near } = tunnel(lab, &http2).await?;
    far.resets()?;
    let fate = fate(lab, &http2, id).await;
    drop(near);
    Ok(fate)
}

/// With a clean end, a file that was cut off looks whole.
///
/// Also accepted: RST_STREAM with any code; END_STREAM and then RST_STREAM(CONNECT_ERROR); an error of the connection.
pub(super) fn a_servers_reset_is_no_clean_end() -> Case {
    must("A server's reset is an error of the stream, and no clean end")
        .over(HTTP_2)
        .cites(RFC_9113.section("8.5"))
        .covers(["H2-CLS-004"])
        .run(async |lab| {
            let fate = server_resets(lab).await?;
            lab.note(fate.describe());
            match fate {
                Fate::Reset {
                    after_the_end: false,
                    ..
                }
                | Fate::Connection { .. } => Ok(()),
                Fate::Reset {
                    code: ErrorCode::CONNECT_ERROR,
                    ..
                } => Ok(()),
                Fate::Ended | Fate::Open | Fate::Reset { .. } => Err(Finding::violation(
                    "RST_STREAM(CONNECT_ERROR)",
                    fate.describe(),
                )),
            }
        })
}

/// The code tells a client that it is the server that is gone, and not the proxy that has a problem with its stream.
///
/// Also accepted: INTERNAL_ERROR and PROTOCOL_ERROR, which fit everything.
pub(super) fn a_servers_reset_is_a_connect_error() -> Case {
    should("A server's reset is RST_STREAM(CONNECT_ERROR)")
        .over(HTTP_2)
        .cites(RFC_9113.section("8.5"))
        .covers(["H2-CLS-004"])
        .relying_on(["http2_closing/a_servers_reset_is_no_clean_end"])
        .run(async |lab| match server_resets(lab).await? {
            Fate::Reset {
                code:
                    ErrorCode::CONNECT_ERROR | ErrorCode::INTERNAL_ERROR | ErrorCode::PROTOCOL_ERROR,
                after_the_end: false,
            } => Ok(()),
            fate => Err(Finding::violation("RST_STREAM(CONNECT_ERROR)", fate.describe())),
        })
}

/// What a client says of a stream that has gone wrong.
const ERRORS: &[(&str, ErrorCode)] = &[
    ("internal_error", ErrorCode::INTERNAL_ERROR),
    ("protocol_error", ErrorCode::PROTOCOL_ERROR),
];

/// A server that is not told keeps what it holds for a client that is gone. What CANCEL does is asked of every version.
///
/// Also accepted: a FIN; a case of its own asks for a reset.
pub(super) fn an_error_of_the_client_ends_the_server() -> Family {
    each(ERRORS, |&(_, code)| {
        must("RST_STREAM with an error ends the server's connection")
            .over(HTTP_2)
            .cites(RFC_9113.section("8.5"))
            .cites(RFC_9113.section("6.4"))
            .covers(["H2-CLS-005"])
            .run(async move |lab| {
                let ending = client_resets(lab, code).await?;
                lab.note(ending.describe());
                Ok(())
            })
    })
}

/// With a FIN, an upload that was cut off looks whole to the server.
///
/// Only this conforms.
pub(super) fn an_error_of_the_client_resets_the_server() -> Family {
    each(ERRORS, |&(_, code)| {
        should("RST_STREAM with an error is a reset at the server")
            .over(HTTP_2)
            .cites(RFC_9113.section("8.5"))
            .covers(["H2-CLS-005"])
            .relying_on(["http2_closing/an_error_of_the_client_ends_the_server"])
            .run(async move |lab| match client_resets(lab, code).await? {
                Ending::Abrupt => Ok(()),
                Ending::Orderly => Err(Finding::violation("a reset", "a FIN")),
            })
    })
}

/// The end that a server sees whose client has reset the stream.
async fn client_resets(lab: &Lab, code: ErrorCode) -> Outcome<Ending> {
    let http2 = connection(lab).await?;
    let Tunnel { id, mut far, near } = tunnel(lab, &http2).await?;
    http2.resets(id, code);
    let ending = far.ends_somehow().await;
    drop(near);
    ending
}
