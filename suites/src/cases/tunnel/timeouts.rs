//! # Time
//!
//! How long a proxy waits: for a server that does not answer, for a head that does not come, for a tunnel in which nothing
//! moves. Too short, and it cuts what is only slow; without a limit, and it fills up with what is dead.

mod others;

use std::time::{Duration, Instant};

use connectspec_harness::prelude::*;

use crate::{
    cases::tunnel::timeouts::others::{
        a_receiver_that_pauses_gets_everything, a_slow_receiver_is_not_idle,
        a_tunnel_in_use_outlives_every_timer, an_idle_tunnel_lives_as_long_as_declared,
        an_idle_tunnel_that_is_left_alone,
    },
    cases::words::transfers::{DIRECTIONS, SMALL_BUFFER},
    documents::{RFC_9110, RFC_9112, RFC_9209},
};

/// Every case about timers.
pub(crate) fn suite() -> Suite {
    suite! {
        "idle": "Timeouts", concat!(include_str!("timeouts.rs"), include_str!("timeouts/others.rs"));
        an_idle_tunnel_ends_in_time,
        an_idle_tunnel_ends_without_a_word,
        a_tunnel_that_moves_one_way_is_not_idle,
        what_a_timeout_cuts_off_does_not_look_whole,
        a_tunnel_that_is_idle_for_half_a_minute,
        a_server_that_never_answers_is_given_up,
        a_server_that_never_answers,
        a_head_that_comes_slowly_is_cut_off,
        a_client_that_says_nothing_is_cut_off,
        a_head_that_does_not_come,
        a_tunnel_in_use_outlives_every_timer,
        a_receiver_that_pauses_gets_everything,
        a_slow_receiver_is_not_idle,
        an_idle_tunnel_that_is_left_alone,
        an_idle_tunnel_lives_as_long_as_declared,
    }
}

/// What the subject is told to allow, in seconds: short, so that a case ends; long enough to tell it from no time at all.
const TIMEOUT: u32 = 2;

/// How much later than it says a proxy may be: timers are coarse, and some linger on one side.
const LATE: Duration = Duration::from_secs(35);

const fn timeout() -> Duration {
    Duration::from_secs(TIMEOUT as u64)
}

/// An operator who has set a limit relies on it, in both directions: to keep what is only quiet, and to get rid of what is
/// dead.
///
/// Also accepted: to end up to a fifth of the time early, up to 35 s late, with a FIN or a reset, and one side before the
/// other.
fn an_idle_tunnel_ends_in_time() -> Case {
    should("A tunnel that is idle for as long as the configuration allows ends, and not before")
        .over(EVERY)
        .cites(RFC_9112.section("9.5"))
        .covers(["CLS-014"])
        .under(idle_timeout(TIMEOUT))
        .seen_in(
            "goproxy #724",
            "https://github.com/elazarl/goproxy/issues/724",
        )
        .slow()
        .run(async |lab| {
            for (name, (_, ended)) in idle_ends(lab).await? {
                let Some(after) = ended else {
                    let observed = format!("none at {name} within {:?}", timeout() + LATE);
                    return Err(Finding::violation("the end of the tunnel", observed));
                };
                lab.note(format!("{name} after {:.1} s", after.as_secs_f64()));
                let soonest = timeout().mul_f64(0.8);
                if after < soonest {
                    let observed = format!("an end at {name} after {:.1} s", after.as_secs_f64());
                    return Err(Finding::violation(
                        format!("no end before {soonest:?}"),
                        observed,
                    ));
                }
            }
            Ok(())
        })
}

/// A page about the timeout becomes part of what the server said, or of what the client did.
///
/// Only this conforms; a proxy that does not end the tunnel adds nothing either.
fn an_idle_tunnel_ends_without_a_word() -> Case {
    must("Nothing is added to a tunnel that has been idle for too long")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["CLS-015", "INT-016"])
        .under(idle_timeout(TIMEOUT))
        .slow()
        .run(async |lab| {
            for (name, (heard, _)) in idle_ends(lab).await? {
                if heard > 0 {
                    let observed = format!("{heard} bytes at {name} that nobody has sent");
                    return Err(Finding::violation("nothing but the end", observed));
                }
            }
            Ok(())
        })
}

/// How many bytes came at an end of an idle tunnel, and after what time its own end.
type Idle = (u64, Option<Duration>);

/// What both ends of a tunnel see in which nothing is said.
async fn idle_ends(lab: &Lab) -> Outcome<[(&'static str, Idle); 2]> {
    let (mut near, mut far) = lab.tunnel().await?;
    near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
        .await?;
    let began = Instant::now();
    let idle = async |mut end: End| {
        let (heard, ending) = end.halves().0.takes_until_quiet(timeout() + LATE).await;
        (heard, ending.map(|_| began.elapsed()))
    };
    let (near, far) = tokio::join!(idle(near), idle(far));
    Ok([("the client", near), ("the server", far)])
}

/// A timer that looks at one direction only cuts long downloads, or long uploads.
///
/// Also accepted: to end it all the same, since no specification says what idle means; that is noted.
fn a_tunnel_that_moves_one_way_is_not_idle() -> Family {
    each(DIRECTIONS, |&(_, upwards)| {
        survey("A tunnel in which bytes go one way only, for three times the idle timeout,")
            .over(EVERY)
            .cites(RFC_9112.section("9.5"))
            .covers(["INT-015"])
            .under(idle_timeout(TIMEOUT))
            .seen_in(
                "Squid bug 3659",
                "https://bugs.squid-cache.org/show_bug.cgi?id=3659",
            )
            .slow()
            .run(async move |lab| {
                let (near, far) = lab.tunnel().await?;
                let (mut from, mut to) = if upwards { (near, far) } else { (far, near) };
                let began = Instant::now();
                while began.elapsed() < 3 * timeout() {
                    if from.sends_to(&mut to, "x").await.is_err() {
                        lab.note(format!(
                            "is cut after {:.1} s",
                            began.elapsed().as_secs_f64()
                        ));
                        return Ok(());
                    }
                    pass(timeout() / 4).await;
                }
                lab.note("lives");
                Ok(())
            })
    })
}

/// Whoever reads to the end of a connection takes a file that ends with a FIN for a whole one.
///
/// Also accepted: to keep the tunnel, or to deliver everything before the FIN. No specification asks for the reset, and
/// many proxies send none.
fn what_a_timeout_cuts_off_does_not_look_whole() -> Family {
    each(DIRECTIONS, |&(_, upwards)| {
        practice("A tunnel that is ended with bytes on their way ends with a reset")
            .over(EVERY)
            .cites(RFC_9112.section("8"))
            .covers(["CLS-020"])
            .under(idle_timeout(TIMEOUT))
            .slow()
            .run(async move |lab| {
                let (near, far) = lab.tunnel().await?;
                let (mut from, mut to) = if upwards { (near, far) } else { (far, near) };
                to.takes_little(SMALL_BUFFER)?;
                let endless = stream(lab.seed(), u64::MAX);
                let (mut reader, mut writer) = from.halves();
                let (sent, stopped) = writer.offers_within(&endless, lab.patience().stall()).await;
                let stands_still = matches!(stopped, Some(Stopped::Standstill(_)));
                if stands_still && reader.takes_until_quiet(timeout() + LATE).await.1.is_none() {
                    lab.note("the tunnel is kept");
                    return Ok(());
                }
                let (taken, ending) = to.halves().0.takes_until_quiet(lab.patience().end()).await;
                let seen = format!("{taken} of {sent} bytes");
                match ending {
                    Some(Ending::Orderly) if taken < sent => {
                        let observed = format!("a FIN after {seen}");
                        Err(Finding::violation("a reset, or every byte", observed))
                    }
                    Some(ending) => {
                        lab.note(format!("{} after {seen}", ending.describe()));
                        Ok(())
                    }
                    None => {
                        lab.note(format!("no end after {seen}"));
                        Ok(())
                    }
                }
            })
    })
}

/// Chat, remote shells and databases are quiet for longer than that at night.
///
/// Also accepted: any time, also none.
fn a_tunnel_that_is_idle_for_half_a_minute() -> Case {
    survey("Without a word, a tunnel lives for")
        .over(EVERY)
        .cites(RFC_9112.section("9.5"))
        .covers(["INT-014"])
        .slow()
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            let began = Instant::now();
            let ended = near
                .halves()
                .0
                .takes_until_quiet(Duration::from_secs(30))
                .await;
            if let (_, Some(ending)) = ended {
                let lived = began.elapsed().as_secs_f64();
                lab.note(format!("{lived:.1} s, then {}", ending.describe()));
                return Ok(());
            }
            near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
                .await?;
            lab.note("more than half a minute, and works after it");
            Ok(())
        })
}

/// A host behind a filter that drops packets: kernels ask for two minutes, and keep the client waiting for as long.
///
/// Also accepted: any 5xx; 504 is the one for it. 403 and 407 say that another check came first.
fn a_server_that_never_answers_is_given_up() -> Case {
    practice("A server that does not answer is given up in the time that the configuration says")
        .over(EVERY)
        .cites(RFC_9110.section("15.6.5"))
        .cites(RFC_9209.section("2.3.9"))
        .covers(["H1-ERR-003", "ROB-010"])
        .under(connect_timeout(TIMEOUT))
        .seen_in(
            "openclaw #109269",
            "https://github.com/openclaw/openclaw/issues/109269",
        )
        .slow()
        .run(async |lab| {
            let silent = lab.black_hole().await?;
            let mut connection = lab.client().dial().await?;
            let began = Instant::now();
            connection
                .requests(lab.client().request(silent.authority()))
                .await;
            let answer = connection.hears_within(timeout() + LATE).await;
            let after = format!(
                "{} after {:.1} s",
                answer.describe(),
                began.elapsed().as_secs_f64()
            );
            match answer.status() {
                Some(500..600) => {
                    lab.note(after);
                    Ok(())
                }
                Some(403 | 407) => Err(Finding::inconclusive(after)),
                _ => Err(Finding::violation("a 5xx", after)),
            }
        })
}

/// The same without a word in the configuration: what the proxy does by itself.
///
/// Also accepted: any time.
fn a_server_that_never_answers() -> Case {
    survey("A server that does not answer is given up with")
        .over(EVERY)
        .cites(RFC_9110.section("15.6.5"))
        .covers(["H1-ERR-003"])
        .slow()
        .run(async |lab| {
            let silent = lab.black_hole().await?;
            let mut connection = lab.client().dial().await?;
            let began = Instant::now();
            connection
                .requests(lab.client().request(silent.authority()))
                .await;
            let answer = connection.hears_within(Duration::from_secs(75)).await;
            lab.note(format!(
                "{} after {:.1} s",
                answer.describe(),
                began.elapsed().as_secs_f64()
            ));
            Ok(())
        })
}

/// One client with a hundred connections and a byte now and then on each keeps a worker for each of them.
///
/// Also accepted: 408, another refusal, a close, or a reset, up to 35 s late.
fn a_head_that_comes_slowly_is_cut_off() -> Case {
    practice("A head that comes byte by byte is not waited for longer than the configuration says")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("17.5"))
        .cites(RFC_9110.section("15.5.9"))
        .covers(["ROB-001"])
        .under(header_timeout(TIMEOUT))
        .slow()
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let mut connection = lab.client().dial().await?;
            let mut head = lab.request(&server).bytes();
            head.truncate(head.len() - 2);
            head.extend_from_slice(b"X-Slow: ");
            connection.sends(head).await;
            let began = Instant::now();
            while began.elapsed() < timeout() + LATE {
                connection.sends("x").await;
                let answer = connection.hears_within(timeout() / 4).await;
                if answer != Answer::Silence {
                    let after = began.elapsed().as_secs_f64();
                    lab.note(format!("{} after {after:.1} s", answer.describe()));
                    return Ok(());
                }
            }
            let observed = format!("none within {:?}", timeout() + LATE);
            Err(Finding::violation("an answer or the end", observed))
        })
}

/// The same for a client that does not even begin.
///
/// Also accepted: 408, another refusal, a close, or a reset, up to 35 s late.
fn a_client_that_says_nothing_is_cut_off() -> Case {
    practice("A client that says nothing is not waited for longer than the configuration says")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("9.5"))
        .covers(["ROB-002"])
        .under(header_timeout(TIMEOUT))
        .slow()
        .run(async |lab| {
            let mut connection = lab.client().dial().await?;
            let began = Instant::now();
            match connection.hears_within(timeout() + LATE).await {
                Answer::Silence => {
                    let observed = format!("none within {:?}", timeout() + LATE);
                    Err(Finding::violation("an answer or the end", observed))
                }
                answer => {
                    let after = began.elapsed().as_secs_f64();
                    lab.note(format!("{} after {after:.1} s", answer.describe()));
                    Ok(())
                }
            }
        })
}

/// Whether a client whose head did not come whole is told so.
///
/// Also accepted: to close without a word.
fn a_head_that_does_not_come() -> Case {
    survey("Half a head is answered with")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("15.5.9"))
        .cites(RFC_9112.section("8"))
        .covers(["H1-ERR-013"])
        .under(header_timeout(TIMEOUT))
        .slow()
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let mut connection = lab.client().dial().await?;
            let head = lab.request(&server).bytes();
            connection.sends(&head[..head.len() / 2]).await;
            lab.note(connection.hears_within(timeout() + LATE).await.describe());
            Ok(())
        })
}
