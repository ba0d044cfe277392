//! Transfers that several suites ask for, over one kind of connection or another.

use connectspec_harness::prelude::*;

/// What the kernel of a side that reads late, or not at all, takes in its name. Its own limit is tens of megabytes on some
/// machines, and then nothing is left for the proxy to hold.
pub(in crate::cases) const SMALL_BUFFER: usize = 64 * 1024;

/// Which way bytes go, and whether that is towards the server.
pub(in crate::cases) const DIRECTIONS: &[(&str, bool)] =
    &[("to_the_server", true), ("to_the_client", false)];

/// What was sent while nobody read arrives complete, once somebody reads.
pub(in crate::cases) async fn arrives_where_reading_begins_late(
    lab: &Lab,
    upwards: bool,
    length: u64,
) -> Outcome {
    let (mut near, mut far) = lab.tunnel().await?;
    let (from, to) = if upwards {
        (&mut near, &mut far)
    } else {
        (&mut far, &mut near)
    };
    to.takes_little(SMALL_BUFFER)?;
    let payload = stream(lab.seed(), length);
    let (mut writer, mut reader) = (from.halves().1, to.halves().0);
    let late = async {
        pass(lab.patience().stall()).await;
        reader.receives(&payload).await
    };
    let (sent, received) = tokio::join!(writer.sends(&payload), late);
    received.and(sent)
}

/// TLS through a tunnel is one session: bytes pass both ways, and both ends hold the same keys.
pub(in crate::cases) async fn one_session_reaches_from_end_to_end(lab: &Lab) -> Outcome {
    let server = lab.tls_server(hand_over()).await?;
    let tunnel = lab.client().connect(&server).await?;
    let (near, far) = tokio::join!(lab.tls_over(tunnel, server.host()), server.accepts());
    let (mut near, mut far) = (near?, far?);
    near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
        .await?;

    if near.session()?.keying_material == far.session()?.keying_material {
        return Ok(());
    }
    Err(Finding::violation(
        "the same keying material at both ends",
        "two different ones",
    ))
}
