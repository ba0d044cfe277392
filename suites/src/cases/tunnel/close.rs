//! # Closing
//!
//! A tunnel ends when either side has closed. What was said before still has to arrive, and then both sides have to
//! learn that it is over.

use connectspec_harness::prelude::*;

use crate::cases::words::transfers::SMALL_BUFFER;

use crate::documents::RFC_9110;

/// Every case about the end of a tunnel.
pub(crate) fn suite() -> Suite {
    suite! {
        "close": "Closing", include_str!("close.rs");
        the_last_words_arrive,
        much_arrives_before_the_end_of_the_server,
        much_arrives_before_the_end_of_the_client,
        a_slow_server_gets_the_end_of_an_upload,
        a_slow_client_gets_the_end_of_a_download,
        a_tunnel_that_both_have_closed_is_over,
        a_tunnel_that_one_has_closed_comes_to_its_end,
        a_reset_of_the_server_ends_the_client,
        a_reset_of_the_client_ends_the_server,
        a_client_that_vanishes_ends_the_server,
        a_close_of_the_client,
        a_close_of_the_server,
        a_reset_of_the_server,
        a_reset_of_the_client,
    }
}

/// A proxy that drops everything at the first FIN cuts the end off every reply whose server closes to mark its end.
///
/// Also accepted: to keep the other direction open, or to close it once all has been delivered.
fn the_last_words_arrive() -> Case {
    must("Data sent before a close is delivered before the close")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["CLS-001"])
        .run(async |lab| {
            let server = lab.server(send(LAST_WORDS).then(close())).await?;
            let mut tunnel = lab.client().connect(&server).await?;

            tunnel.receives(LAST_WORDS).await?;
            ended(lab, &mut tunnel).await
        })
}

const LAST_WORDS: &[u8] = b"goodbye";

/// More than fits into a proxy's own buffer, so that some of it is still under way when the end comes.
const MUCH: u64 = 1 << 20;

/// A download that ends with its connection is complete only if the proxy empties its buffers before it closes.
///
/// Also accepted: to end the tunnel with a reset once every byte has been delivered.
fn much_arrives_before_the_end_of_the_server() -> Case {
    must("A megabyte that is followed by the server's close arrives before it")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["CLS-001"])
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            far.sends_to(&mut near, stream(lab.seed(), MUCH)).await?;
            far.finishes().await?;
            ended(lab, &mut near).await
        })
}

/// The same for an upload: the server must see its end, or it waits for more.
///
/// Also accepted: to end the tunnel with a reset once every byte has been delivered.
fn much_arrives_before_the_end_of_the_client() -> Case {
    must("A megabyte that is followed by the client's close arrives before it")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["CLS-002", "CLS-003"])
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            near.sends_to(&mut far, stream(lab.seed(), MUCH)).await?;
            near.finishes().await?;
            ended(lab, &mut far).await
        })
}

/// More than fits into all the kernel's buffers on the way, so that the proxy has to hold the rest, or to push back.
const PAST_THE_KERNEL: u64 = 8 << 20;

/// The end of an upload waits behind megabytes that a slow server has not read yet.
/// It takes over a second, for which the server does not read.
///
/// Also accepted: to push back instead of buffering. Nothing may be thrown away since the client has closed.
fn a_slow_server_gets_the_end_of_an_upload() -> Case {
    must("A slow server gets everything that the client sent before it closed")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["CLS-016"])
        .relying_on(["integrity/much_passes_unchanged[to_the_server]"])
        .waits()
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            sends_all_to_a_slow_reader(lab, &mut near, &mut far).await
        })
}

/// The mirror image: the end of a download behind megabytes that a slow client has not read yet.
/// It takes over a second, for which the client does not read.
///
/// Also accepted: to push back instead of buffering. Nothing may be thrown away since the server has closed.
fn a_slow_client_gets_the_end_of_a_download() -> Case {
    must("A slow client gets everything that the server sent before it closed")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["CLS-017"])
        .covers_over(Protocol::H2c, ["H2-CLS-009"])
        .covers_over(Protocol::H2, ["H2-CLS-009"])
        .relying_on(["integrity/much_passes_unchanged[to_the_client]"])
        .waits()
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            sends_all_to_a_slow_reader(lab, &mut far, &mut near).await
        })
}

async fn sends_all_to_a_slow_reader(lab: &Lab, from: &mut End, to: &mut End) -> Outcome {
    let payload = stream(lab.seed(), PAST_THE_KERNEL);
    // Otherwise its kernel may take all of it, and nothing is left for the proxy to hold.
    to.takes_little(SMALL_BUFFER)?;
    let mut writer = from.halves().1;
    let send = async {
        writer.sends(&payload).await?;
        writer.finishes().await
    };
    let read = async {
        pass(lab.patience().stall()).await;
        to.receives(&payload).await?;
        ended(lab, to).await
    };
    let (sent, received) = tokio::join!(send, read);
    received.and(sent)
}

/// A connection that is left open when both of its ends have closed is lost to the proxy until it is restarted.
///
/// Also accepted: to end either side with a reset.
fn a_tunnel_that_both_have_closed_is_over() -> Case {
    must("When both sides have closed, both see the end")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["CLS-005"])
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
                .await?;
            near.finishes().await?;
            far.finishes().await?;
            ended(lab, &mut near).await?;
            ended(lab, &mut far).await
        })
}

/// Whoever closes has to learn when the other side has, too: else both wait for ever.
///
/// Also accepted: to close both sides at once, or to wait for the other side to close.
fn a_tunnel_that_one_has_closed_comes_to_its_end() -> Family {
    each(FIRST, |&(_, row, client_first)| {
        must("After one side has closed and then the other, the first sees the end")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers([row])
            .run(async move |lab| {
                let (near, far) = lab.tunnel().await?;
                let (mut first, mut second) = if client_first {
                    (near, far)
                } else {
                    (far, near)
                };
                first
                    .exchanges_with(&mut second, lab.nonce(), lab.nonce())
                    .await?;
                first.finishes().await?;
                ended(lab, &mut second).await?;
                second.finishes().await?;
                ended(lab, &mut first).await
            })
    })
}

const FIRST: &[(&str, &str, bool)] = &[
    ("the_client_first", "CLS-003", true),
    ("the_server_first", "CLS-004", false),
];

/// A client that is not told of its server's crash waits for an answer that never comes.
///
/// Also accepted: a FIN in place of the reset; no specification of HTTP/1.1 asks for more.
fn a_reset_of_the_server_ends_the_client() -> Case {
    must("When the server resets, the client's connection ends")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["CLS-006"])
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
                .await?;
            far.resets()?;
            ended(lab, &mut near).await
        })
}

/// A server that is not told of its client's crash keeps what it holds for it.
///
/// Also accepted: a FIN in place of the reset; no specification of HTTP/1.1 asks for more.
fn a_reset_of_the_client_ends_the_server() -> Case {
    must("When the client resets, the server's connection ends")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["CLS-007"])
        .covers_over(Protocol::H2c, ["H2-CLS-005"])
        .covers_over(Protocol::H2, ["H2-CLS-005"])
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
                .await?;
            near.resets()?;
            ended(lab, &mut far).await
        })
}

/// A proxy that goes on taking what nobody reads any more keeps a server busy for nothing.
///
/// Also accepted: to read on and throw away for a while, as long as the server sees the end.
fn a_client_that_vanishes_ends_the_server() -> Case {
    practice("When the client goes away, a server that is still sending sees the end")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["CLS-008"])
        .seen_in(
            "httpd 596940ef40",
            "https://github.com/apache/httpd/commit/596940ef40",
        )
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            far.sends_to(&mut near, lab.nonce()).await?;
            let endless = stream(lab.seed(), u64::MAX);
            let (mut reader, mut writer) = far.halves();
            let vanish = async {
                near.receives_any(SOME).await?;
                near.leaves();
                reader.ends_somehow().await
            };
            tokio::select! {
                // Nothing more can be sent: that is an end, too.
                (_, stopped) = writer.offers(&endless) => {
                    lab.note(stopped.map_or_else(String::new, |why| why.to_string()));
                    Ok(())
                }
                ending = vanish => {
                    lab.note(ending?.describe());
                    Ok(())
                }
            }
        })
}

/// Enough to know that the server is sending.
const SOME: usize = 256 * 1024;

/// HTTP's specifications disagree about a tunnel of which one direction has ended: some close both, some keep the other.
/// Protocols such as rsync need it to be kept.
///
/// Also accepted: either.
fn a_close_of_the_client() -> Case {
    survey("When the client closes, the direction from the server")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .cites(RFC_9110.section("3.7"))
        .covers(["CLS-003"])
        .covers_over(Protocol::H2c, ["H2-CLS-001"])
        .covers_over(Protocol::H2, ["H2-CLS-001"])
        .seen_in(
            "bitchat #1495",
            "https://github.com/permissionlesstech/bitchat/issues/1495",
        )
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            one_closes(lab, &mut near, &mut far).await
        })
}

/// The same with the server as the one that closes first.
///
/// Also accepted: either.
fn a_close_of_the_server() -> Case {
    survey("When the server closes, the direction from the client")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .cites(RFC_9110.section("3.7"))
        .covers(["CLS-004"])
        .covers_over(Protocol::H2c, ["H2-CLS-002"])
        .covers_over(Protocol::H2, ["H2-CLS-002"])
        .seen_in(
            "haproxy #3205",
            "https://github.com/haproxy/haproxy/issues/3205",
        )
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            one_closes(lab, &mut far, &mut near).await
        })
}

/// `first` closes; does what `second` says later still arrive?
async fn one_closes(lab: &Lab, first: &mut End, second: &mut End) -> Outcome {
    let nonce = lab.nonce();
    first
        .exchanges_with(second, lab.nonce(), lab.nonce())
        .await?;
    first.finishes().await?;
    ended(lab, second).await?;
    pass(lab.patience().settle()).await;
    // It may be closed already: what cannot be sent does not arrive.
    let sent = second.sends(&nonce).await;
    match first.receives(&nonce).await {
        Ok(()) => lab.note("stays open"),
        Err(_) if sent.is_err() => lab.note("is closed at both ends"),
        Err(_) => lab.note("is closed"),
    }
    Ok(())
}

/// With a FIN in place of a reset, what was cut off looks complete.
///
/// Also accepted: either.
fn a_reset_of_the_server() -> Case {
    survey("When the server resets, the client sees")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["CLS-006"])
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
                .await?;
            far.resets()?;
            lab.note(near.ends_somehow().await?.describe());
            Ok(())
        })
}

/// The same with the client as the one that resets.
///
/// Also accepted: either.
fn a_reset_of_the_client() -> Case {
    survey("When the client resets, the server sees")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["CLS-007"])
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
                .await?;
            near.resets()?;
            lab.note(far.ends_somehow().await?.describe());
            Ok(())
        })
}

/// The stream has ended, with nothing more before; a reset is noted, and no violation.
async fn ended(lab: &Lab, end: &mut End) -> Outcome {
    if end.ends_somehow().await? == Ending::Abrupt {
        lab.note("ended with a reset");
    }
    Ok(())
}
