//! How long a proxy holds what is small.

use std::time::{Duration, Instant};

use connectspec_harness::prelude::*;

use crate::documents::RFC_9110;

/// Somebody types through the tunnel, and the server's answers come in small pieces. A proxy that waits for more before it sends
/// on, or whose kernel does, adds a fifth of a second to every one of them.
///
/// Also accepted: twenty milliseconds more than twice what a question and an answer of four kilobytes take, through the same
/// tunnel at the same time: a proxy that has to wait for a busy processor waits in both.
pub(super) fn small_writes_are_not_held_back() -> Case {
    practice("Two small writes in a row are passed on without a pause")
        .cites(RFC_9110.section("9.3.6"))
        .covers(["INT-021"])
        .relying_on(["target/an_ordinary_request_opens_a_tunnel"])
        .run(async |lab| {
            let mut tunnel = lab.tunnel().await?;
            tunnel
                .0
                .exchanges_with(&mut tunnel.1, lab.nonce(), lab.nonce())
                .await?;
            let (mut small, mut large) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                large.push(round(&mut tunnel, &[&[b'x'; LARGE]]).await?);
                small.push(round(&mut tunnel, &[b"a", b"b"]).await?);
            }
            let (small, large) = (ordinary(small), ordinary(large));
            let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
            let seen = format!(
                "{:.1} ms, and {:.1} ms where much is said at once",
                milliseconds(small),
                milliseconds(large)
            );
            let limit = large * 2 + APART + TOLERATED;
            if small <= limit {
                lab.note(seen);
                return Ok(());
            }
            Err(Finding::violation(
                format!("at most {:.1} ms", milliseconds(limit)),
                seen,
            ))
        })
}

/// Enough for a quarter of them that a busy machine lets pass.
const ROUNDS: usize = 30;

/// More than anybody waits with.
const LARGE: usize = 4096;

/// Between the two writes: longer than they would take to become one segment.
const APART: Duration = Duration::from_millis(2);

/// Half of the shortest time for which kernels delay an acknowledgement.
const TOLERATED: Duration = Duration::from_millis(20);

/// A question in these writes, and an answer as long as the first of them.
async fn round((near, far): &mut (End, End), writes: &[&[u8]]) -> Outcome<Duration> {
    let began = Instant::now();
    for (index, write) in writes.iter().enumerate() {
        if index > 0 {
            pass(APART).await;
        }
        near.sends(*write).await?;
    }
    far.receives(writes.concat()).await?;
    far.sends(writes[0]).await?;
    near.receives(writes[0]).await?;
    Ok(began.elapsed())
}

/// What a quarter of the rounds does not exceed: a kernel that holds a write back does so in nearly each of them, and a busy
/// processor adds to the others.
fn ordinary(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 4]
}
