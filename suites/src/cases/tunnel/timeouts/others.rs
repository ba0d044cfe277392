//! Timers that are for something else than the tunnel that they meet.

use std::time::{Duration, Instant};

use connectspec_harness::prelude::*;

use crate::{
    cases::{
        tunnel::timeouts::{TIMEOUT, timeout},
        words::transfers::{DIRECTIONS, SMALL_BUFFER},
    },
    documents::{RFC_9110, RFC_9112},
};

/// A timer that is set short, each by its name.
/// A set-up with that timer, of so many seconds.
type Timed = fn(u32) -> Setup;

const TIMERS: &[(&str, Timed)] = &[
    ("connect", connect_timeout),
    ("header", header_timeout),
    ("idle", idle_timeout),
];

/// A timer that was meant for the connection to the server, or for a head, and that nobody stops, cuts long downloads; so does
/// an idle timer that nobody winds.
///
/// Only this conforms: bytes go both ways all the time.
pub(super) fn a_tunnel_in_use_outlives_every_timer() -> Family {
    each(TIMERS, |&(_, setup)| {
        must("A tunnel in which bytes go both ways lives on for three times the timer")
            .cites(RFC_9110.section("9.3.6"))
            .covers(["TIM-001"])
            .under(setup(TIMEOUT))
            .slow()
            .run(async |lab| {
                let (mut near, mut far) = lab.tunnel().await?;
                let began = Instant::now();
                while began.elapsed() < timeout() * 3 {
                    near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
                        .await?;
                    pass(timeout() / 4).await;
                }
                near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
                    .await
            })
    })
}

/// Much, so that the sender has to wait for the receiver.
const MUCH: u64 = 8 << 20;

/// Somebody looks at a film, and stops it for a moment: the receiver does not read, and the sender has to wait.
///
/// Only this conforms: the timers that were set are for other things.
pub(super) fn a_receiver_that_pauses_gets_everything() -> Family {
    let timers = &TIMERS[..2];
    let rows = |&(_, setup): &'static (&'static str, fn(u32) -> Setup)| {
        must("A receiver that reads on after a pause gets everything")
            .cites(RFC_9110.section("9.3.6"))
            .covers(["TIM-002"])
            .under(setup(TIMEOUT))
            .slow()
            .run(async |lab| {
                for &(_, upwards) in DIRECTIONS {
                    pauses(lab, upwards).await?;
                }
                Ok(())
            })
    };
    each(timers, rows)
}

async fn pauses(lab: &Lab, upwards: bool) -> Outcome {
    let (mut near, mut far) = lab.tunnel().await?;
    let (from, to) = match upwards {
        true => (&mut near, &mut far),
        false => (&mut far, &mut near),
    };
    to.takes_little(SMALL_BUFFER)?;
    let much = stream(lab.seed(), MUCH);
    let (mut reader, mut writer) = (to.halves().0, from.halves().1);
    let late = async {
        pass(timeout() * 3).await;
        reader.receives(&much).await
    };
    let (received, sent) = tokio::join!(late, writer.sends(&much));
    received.and(sent)
}

/// Seconds. As to a limit of a minute a reader of ten kilobytes a second is.
const SLOW_TIMEOUT: u32 = 10;

/// So much is read at a time, and so often: more than a window, and less than what a kernel takes before it says again that
/// there is room.
const PIECE: usize = 16 * 1024;
const EVERY: Duration = Duration::from_millis(250);

/// On a slow line a large file takes minutes, and the buffers of kernels hide that anything moves: a proxy that looks at its own
/// reads and writes alone takes such a reader for a dead one, and throws away what he was promised.
///
/// Also accepted: to end a tunnel in which bytes go one way only: then nothing follows.
pub(super) fn a_slow_receiver_is_not_idle() -> Family {
    each(DIRECTIONS, |&(_, upwards)| {
        practice(
            "A tunnel whose receiver reads slowly, and all the time, is not ended for being idle",
        )
        .cites(RFC_9112.section("9.5"))
        .covers(["TIM-004"])
        .under(idle_timeout(SLOW_TIMEOUT))
        .slow()
        .run(async move |lab| {
            let Err(cut) = reads_slowly(lab, upwards).await else {
                return Ok(());
            };
            if trickles(lab, upwards).await.is_err() {
                let reason = "a tunnel in which bytes go one way only is idle to it";
                return Err(Finding::inconclusive(reason));
            }
            Err(cut)
        })
    })
}

const fn slow_timeout() -> Duration {
    Duration::from_secs(SLOW_TIMEOUT as u64)
}

/// For three times the timeout, there is always more to read than the receiver takes.
async fn reads_slowly(lab: &Lab, upwards: bool) -> Outcome {
    let (mut near, mut far) = lab.tunnel().await?;
    let (from, to) = match upwards {
        true => (&mut near, &mut far),
        false => (&mut far, &mut near),
    };
    to.takes_little(SMALL_BUFFER)?;
    let endless = stream(lab.seed(), u64::MAX);
    let (mut reader, mut writer) = (to.halves().0, from.halves().1);
    let reads = async {
        let began = Instant::now();
        while began.elapsed() < slow_timeout() * 3 {
            reader.receives_any(PIECE).await?;
            pass(EVERY).await;
        }
        Ok(())
    };
    tokio::select! {
        read = reads => read,
        (taken, stopped) = writer.offers_within(&endless, slow_timeout() * 4) => {
            let stopped = stopped.map_or_else(|| "nothing more to send".to_owned(), |it| it.to_string());
            Err(Finding::violation(
                "a tunnel that goes on",
                format!("{stopped} after {} KiB at the sender", taken >> 10),
            ))
        }
    }
}

/// One byte now and then, the same way, for longer than the timeout.
async fn trickles(lab: &Lab, upwards: bool) -> Outcome {
    let (near, far) = lab.tunnel().await?;
    let (mut from, mut to) = if upwards { (near, far) } else { (far, near) };
    let began = Instant::now();
    while began.elapsed() < slow_timeout() * 3 / 2 {
        from.sends_to(&mut to, "x").await?;
        pass(slow_timeout() / 8).await;
    }
    Ok(())
}

/// How long a tunnel is left without a word: a little longer than the limits that are set most often.
const IDLE: &[(&str, u64)] = &[("35_seconds", 35), ("65_seconds", 65)];

/// What an operator has to know who lets people work through it: a terminal is idle for longer than that.
///
/// Also accepted: any time.
pub(super) fn an_idle_tunnel_that_is_left_alone() -> Family {
    each(IDLE, |&(_, seconds)| {
        survey("A tunnel that nobody uses for that long")
            .cites(RFC_9112.section("9.5"))
            .covers(["TIM-003"])
            .slow()
            .run(async move |lab| {
                let lived = lives(lab, Duration::from_secs(seconds)).await?;
                lab.note(lived.map_or_else(
                    || "lives on".to_owned(),
                    |after| format!("ends after {:.1} s", after.as_secs_f64()),
                ));
                Ok(())
            })
    })
}

/// Longer than the case waits.
const DECLARED: u32 = 45;

/// A proxy that was told how long a tunnel may be idle, and ends it sooner by a limit that nobody has set, cannot be relied on.
///
/// Also accepted: what ends within the last fifth of the time that was declared.
pub(super) fn an_idle_tunnel_lives_as_long_as_declared() -> Case {
    practice("A tunnel is not ended for being idle before the time that the configuration says")
        .cites(RFC_9112.section("9.5"))
        .covers(["TIM-003"])
        .under(idle_timeout(DECLARED))
        .slow()
        .run(async |lab| {
            let waited = Duration::from_secs(u64::from(DECLARED)).mul_f64(0.8);
            match lives(lab, waited).await? {
                None => Ok(()),
                Some(after) => Err(Finding::violation(
                    format!("a tunnel that lives on for {waited:?}"),
                    format!("its end after {:.1} s", after.as_secs_f64()),
                )),
            }
        })
}

/// When a tunnel ends in which nothing is said for so long, if it does.
async fn lives(lab: &Lab, idle: Duration) -> Outcome<Option<Duration>> {
    let (mut near, mut far) = lab.tunnel().await?;
    near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
        .await?;
    let began = Instant::now();
    if let (_, Some(_)) = near.halves().0.takes_until_quiet(idle).await {
        return Ok(Some(began.elapsed()));
    }
    let works = near
        .exchanges_with(&mut far, lab.nonce(), lab.nonce())
        .await;
    Ok(works.err().map(|_| began.elapsed()))
}
