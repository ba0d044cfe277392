//! # HTTP/2: closing
//!
//! A FIN is END_STREAM, and a reset is RST_STREAM, in both directions. What a proxy makes of the one and of the other tells the
//! far side whether what it has is whole.

use connectspec_harness::{client::Fate, http2::Frame, prelude::*, tunnel::NO_END};

use super::{
    flow::is_an_error,
    words::{Tunnel, afterwards, connection, tunnel},
};
use crate::documents::{RFC_9110, RFC_9113};

mod connections;
mod errors;

use connections::{
    a_lost_client_ends_its_servers, a_lost_client_resets_its_servers, a_proxy_that_stops_says_so,
};
use errors::{
    a_servers_reset_is_a_connect_error, a_servers_reset_is_no_clean_end,
    an_error_of_the_client_ends_the_server, an_error_of_the_client_resets_the_server,
};

/// Every case about the end of a tunnel in HTTP/2.
pub(crate) fn suite() -> Suite {
    suite! {
        "http2_closing": "HTTP/2: closing", concat!(include_str!("closing.rs"), include_str!("closing/connections.rs"), include_str!("closing/errors.rs"));
        the_end_of_the_clients_stream_is_a_fin,
        an_answer_behind_the_clients_end_is_not_lost_in_silence,
        a_servers_fin_is_the_end_of_the_stream,
        a_connect_that_ends_its_stream,
        a_servers_reset_is_no_clean_end,
        a_servers_reset_is_a_connect_error,
        an_error_of_the_client_ends_the_server,
        an_error_of_the_client_resets_the_server,
        data_behind_the_clients_end_is_an_error,
        data_behind_the_clients_end_is_not_relayed,
        a_lost_client_ends_its_servers,
        a_lost_client_resets_its_servers,
        a_proxy_that_stops_says_so,
    }
}

/// Where END_STREAM stands.
const PLACES: &[(&str, bool)] = &[("beside_the_data", true), ("behind_the_data", false)];

const LAST_WORDS: &[u8] = b"goodbye";

/// Libraries put the flag on the last frame of data, or on an empty one behind it. A server that does not see the end waits.
///
/// Only this conforms: all of it, and then a FIN; a reset would say that something is missing.
fn the_end_of_the_clients_stream_is_a_fin() -> Family {
    each(PLACES, |&(_, beside)| {
        must("The end of the client's stream is a FIN at the server, behind all data")
            .over(HTTP_2)
            .cites(RFC_9113.section("8.5"))
            .covers(["H2-CLS-001"])
            .run(async move |lab| {
                let http2 = connection(lab).await?;
                let Tunnel { id, mut far, near } = tunnel(lab, &http2).await?;
                http2.sends(&Frame::data(id, LAST_WORDS, beside));
                if !beside {
                    http2.sends(&Frame::data(id, [], true));
                }
                far.receives(LAST_WORDS).await?;
                far.ends().await?;
                drop(near);
                Ok(())
            })
    })
}

/// A client that has asked everything waits for the answer. It may be told that there will be none; it may not be left
/// waiting.
///
/// Also accepted: to end the stream, in order or with a reset, in place of the answer.
fn an_answer_behind_the_clients_end_is_not_lost_in_silence() -> Case {
    must("Behind the client's end, what the server says arrives, or the stream ends")
        .over(HTTP_2)
        .cites(RFC_9113.section("8.5"))
        .cites(RFC_9110.section("9.3.6"))
        .covers(["H2-CLS-001"])
        .relying_on(["http2_closing/the_end_of_the_clients_stream_is_a_fin"])
        .run(async |lab| {
            let http2 = connection(lab).await?;
            let Tunnel {
                id,
                mut far,
                mut near,
            } = tunnel(lab, &http2).await?;
            near.finishes().await?;
            far.ends().await?;
            let nonce = lab.nonce();
            // A proxy that has closed both directions takes nothing more.
            let _ = far.sends(&nonce).await;
            let before = http2.received(id);
            let heard = http2.until_within(lab.patience().end(), |state| {
                let stream = state.streams.get(&id)?;
                let ended = stream.ended || stream.reset.is_some() || state.over.is_some();
                (ended || stream.received().0 > before).then_some(())
            });
            if heard.await.is_none() {
                return Err(Finding::violation(
                    "the server's answer, or the end of the stream",
                    format!("neither within {:?}", lab.patience().end()),
                ));
            }
            match near.receives(&nonce).await {
                Ok(()) => lab.note("kept"),
                Err(_) => lab.note(format!("closes both: {}", http2.fate_so_far(id).describe())),
            }
            Ok(())
        })
}

/// Whoever reads to the end waits for one. A reset in its place says that something is missing.
///
/// Also accepted: RST_STREAM behind END_STREAM, which tells the client that nothing of it is read any more.
fn a_servers_fin_is_the_end_of_the_stream() -> Case {
    must("A server's FIN is END_STREAM at the client, behind all data")
        .over(HTTP_2)
        .cites(RFC_9113.section("8.5"))
        .covers(["H2-CLS-002"])
        .run(async |lab| {
            let http2 = connection(lab).await?;
            let Tunnel {
                id,
                mut far,
                mut near,
            } = tunnel(lab, &http2).await?;
            far.sends(LAST_WORDS).await?;
            far.finishes().await?;
            near.receives(LAST_WORDS).await?;
            match ends(lab, &http2, id).await {
                Fate::Ended => Ok(()),
                fate @ Fate::Reset {
                    after_the_end: true,
                    ..
                } => {
                    lab.note(fate.describe());
                    Ok(())
                }
                Fate::Open => Err(Finding::violation(
                    "END_STREAM",
                    format!("{NO_END} {:?}", lab.patience().end()),
                )),
                fate => Err(Finding::violation("END_STREAM", fate.describe())),
            }
        })
}

/// The first thing that becomes of a stream, within the time of an end.
async fn ends(lab: &Lab, http2: &connectspec_harness::client::Http2, id: u32) -> Fate {
    http2
        .fate(id, lab.patience().end(), std::time::Duration::ZERO)
        .await
}

/// The flag is for DATA; on the request itself it may mean a FIN, or nothing that makes sense.
///
/// Also accepted: whatever comes of it.
fn a_connect_that_ends_its_stream() -> Case {
    survey("A CONNECT that ends its own stream")
        .over(HTTP_2)
        .cites(RFC_9113.section("8.5"))
        .covers(["H2-CLS-003"])
        .run(async |lab| {
            let server = lab.server(hand_over()).await?;
            let http2 = connection(lab).await?;
            let id = http2.opens(&http2.request(server.authority()), true);
            let answer = http2.hears(id).await;
            if answer.status().is_none_or(|status| status / 100 != 2) {
                lab.note(format!("is refused: {}", answer.describe()));
                return Ok(());
            }
            let (mut near, mut far) = (http2.end(id), server.accepts().await?);
            let is_open = far.stays_silent(lab.patience().quiet()).await.is_ok();
            let nonce = lab.nonce();
            let sent = far.sends(&nonce).await;
            let arrives = sent.is_ok() && near.receives(&nonce).await.is_ok();
            lab.note(format!(
                "is granted; the server sees {}; what it says {}",
                if is_open { "no end" } else { "the end" },
                if arrives {
                    "arrives"
                } else {
                    "does not arrive"
                },
            ));
            Ok(())
        })
}

/// A client that says something behind its own end has lost count. Nobody knows what else is wrong with what it says.
///
/// Also accepted: any code; an error of the connection. Where the proxy has ended its own direction as well, nothing follows.
fn data_behind_the_clients_end_is_an_error() -> Case {
    must("DATA behind the end of the client's stream is an error")
        .over(HTTP_2)
        .cites(RFC_9113.section("5.1"))
        .cites(RFC_9113.section("6.1"))
        .covers(["H2-CLS-007"])
        .relying_on(["http2_closing/the_end_of_the_clients_stream_is_a_fin"])
        .run(async |lab| {
            let http2 = connection(lab).await?;
            let Tunnel {
                id,
                mut far,
                mut near,
            } = tunnel(lab, &http2).await?;
            near.finishes().await?;
            far.ends().await?;
            let nonce = lab.nonce();
            let sent = far.sends(&nonce).await;
            if sent.is_err() || near.receives(&nonce).await.is_err() {
                return Err(Finding::inconclusive("both directions are closed at once"));
            }
            http2.sends(&Frame::data(id, *b"more", false));
            is_an_error(lab, &http2, id).await
        })
}

/// What comes behind the end is not a part of what was said, whoever put it there.
///
/// Also accepted: to lose what stood before the end, where the stream ends in an error.
fn data_behind_the_clients_end_is_not_relayed() -> Case {
    must("DATA behind the end of the client's stream does not reach the server")
        .over(HTTP_2)
        .cites(RFC_9113.section("5.1"))
        .covers(["H2-CLS-007"])
        .run(async |lab| {
            let http2 = connection(lab).await?;
            let Tunnel { id, mut far, near } = tunnel(lab, &http2).await?;
            http2.sends(&Frame::data(id, LAST_WORDS, true));
            http2.sends(&Frame::data(id, *b"more", false));
            http2
                .fence()
                .await
                .or_else(|finding| match http2.fate_so_far(id) {
                    // An error of the connection leaves nobody to answer.
                    Fate::Connection { .. } => Ok(()),
                    _ => Err(finding),
                })?;
            let mut heard = Vec::new();
            while far.speaks_within(afterwards(lab)).await {
                heard.extend(far.receives_any(1).await?);
            }
            drop(near);
            match LAST_WORDS.starts_with(&heard) {
                true => Ok(()),
                false => Err(Finding::violation(
                    format!("{:?}, or a part of it", String::from_utf8_lossy(LAST_WORDS)),
                    format!("{:?}", String::from_utf8_lossy(&heard)),
                )),
            }
        })
}
