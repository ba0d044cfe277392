//! # HTTP/2: settings
//!
//! What a proxy says of itself before anybody has asked it for anything.

use connectspec_harness::{client::Http2, prelude::*};

use super::{
    requests::behind_method,
    words::{connection, is_refused, opened},
};
use crate::documents::{RFC_8441, RFC_9113};

/// Every case about settings in HTTP/2.
pub(crate) fn suite() -> Suite {
    suite! {
        "http2_settings": "HTTP/2: settings", include_str!("settings.rs");
        extended_connect_is_offered_or_not,
        a_protocol_is_malformed_where_none_is_offered,
    }
}

/// Whether a CONNECT may name a protocol (RFC 8441 §3).
const ENABLE_CONNECT_PROTOCOL: u16 = 8;

/// What the proxy has said so far about extended CONNECT, once it has said anything at all.
async fn offered(http2: &Http2) -> Outcome<Vec<u32>> {
    let offered = http2.until(|state| {
        let about_it =
            |(name, value): &(u16, u32)| (*name == ENABLE_CONNECT_PROTOCOL).then_some(*value);
        state
            .settled
            .then(|| state.settings.iter().filter_map(about_it).collect())
    });
    offered
        .await
        .ok_or_else(|| Finding::inconclusive("no SETTINGS have come"))
}

/// A client that has been told that it may ask for WebSockets keeps asking, and one that was told something else does not know.
///
/// Also accepted: no word about it, which means no.
fn extended_connect_is_offered_or_not() -> Case {
    must("The setting for extended CONNECT is 0 or 1, and not taken back")
        .over(HTTP_2)
        .cites(RFC_8441.section("3"))
        .covers(["WS-001"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let http2 = connection(lab).await?;
            // More SETTINGS come, if at all, with the first request.
            opened(lab, &http2, &server).await?;
            let said = offered(&http2).await?;
            if let Some(odd) = said.iter().find(|value| **value > 1) {
                return Err(Finding::none_of(["0", "1"], odd.to_string()));
            }
            match said.is_sorted() {
                true => Ok(()),
                false => Err(Finding::violation(
                    "1 is not taken back",
                    format!("first 1, then 0: {said:?}"),
                )),
            }
        })
}

/// A request for a WebSocket that is taken for one for a tunnel leads a browser's data to where no policy has looked.
///
/// Also accepted: any refusal, and any end. A proxy that offers extended CONNECT in its SETTINGS is not asked.
fn a_protocol_is_malformed_where_none_is_offered() -> Case {
    should("Without the setting for it, a CONNECT with a protocol is malformed")
        .over(HTTP_2)
        .cites(RFC_8441.section("3"))
        .cites(RFC_9113.section("8.3"))
        .covers(["WS-002"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let http2 = connection(lab).await?;
            let offered = offered(&http2).await?;
            if offered.contains(&1) {
                return Err(Finding::absent("the proxy offers extended CONNECT"));
            }
            let right = http2.request(server.authority());
            let more: [(&[u8], &[u8]); 3] = [
                (b":protocol", b"websocket"),
                (b":scheme", b"https"),
                (b":path", b"/"),
            ];
            let id = http2.opens(&behind_method(&right, &more), false);
            is_refused(lab, &http2, id).await
        })
}
