//! # Tunnels as httpd keeps them
//!
//! How httpd ends a tunnel, how long it waits for what, and how much it takes. Asked only of proxies that are like httpd.

use std::time::{Duration, Instant};

use connectspec_harness::prelude::*;

use crate::{
    cases::words::{
        httpd::{HTTPD, allow_connect, httpd},
        transfers::SMALL_BUFFER,
    },
    documents::{HTTPD_CORE, MOD_PROXY, MOD_PROXY_CONNECT},
};

/// Every case about the life of httpd's tunnels.
pub(crate) fn suite() -> Suite {
    suite! {
        "httpd_tunnels": "Tunnels as httpd keeps them", include_str!("tunnels.rs");
        a_half_that_is_left_goes_on,
        a_switch_ends_both_halves_at_once,
        takes_no_more_than_is_read,
        an_idle_tunnel_lives_for_the_longer_timeout,
        a_tunnel_in_which_something_moves_lives_on,
        an_idle_tunnel_ends_at_the_server_first,
        after_its_end_the_server_is_still_heard,
        a_connection_attempt_has_the_timeout_of_the_proxy,
    }
}

/// Who ends first.
const FIRST: &[(&str, bool)] = &[("the_client", true), ("the_server", false)];

/// Programs that end their input and wait for the output, as ssh does with a pipe, rely on it.
///
/// Only this conforms for a proxy like httpd, though HTTP's specifications let it close both.
fn a_half_that_is_left_goes_on() -> Family {
    each(FIRST, |&(_, client_first)| {
        httpd("When one side has ended, what the other says still arrives")
            .over(HTTP_1_1)
            .cites(MOD_PROXY_CONNECT.section(""))
            .covers(["REF-HC"])
            .needs([Need::ConfigLines])
            .run(async move |lab| {
                let (near, far) = lab.tunnel().await?;
                let (mut first, mut second) = match client_first {
                    true => (near, far),
                    false => (far, near),
                };
                first
                    .exchanges_with(&mut second, lab.nonce(), lab.nonce())
                    .await?;
                first.finishes().await?;
                second.ends().await?;
                second.sends_to(&mut first, lab.nonce()).await?;
                second.finishes().await?;
                first.ends().await
            })
    })
}

/// Some servers never close their half; with this switch of httpd they do not hold a worker for that.
///
/// Only this conforms for a proxy like httpd. The switch is in no manual, so one that does not know it lists this as a
/// deviation.
fn a_switch_ends_both_halves_at_once() -> Case {
    httpd("With proxy-nohalfclose, the end of the client ends the tunnel")
        .over(HTTP_1_1)
        .cites(MOD_PROXY_CONNECT.section(""))
        .covers(["REF-HC"])
        .needs([Need::ConfigCheck, Need::ConfigLines])
        .under(allow_connect("{a}"))
        .run(async |lab| {
            let switched = allow_connect("{a}").with_lines(HTTPD, "SetEnv proxy-nohalfclose 1");
            let lab = lab.reconfigured(&switched).await?;
            let server = lab.server_at(lab.port('a')?, hand_over()).await?;
            let mut near = lab.client().connect(&server).await?;
            let mut far = server.accepts().await?;
            near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
                .await?;
            near.finishes().await?;
            far.ends_somehow().await?;
            // The server keeps its half, and does not say that it has ended.
            near.ends_somehow().await.map(drop)
        })
}

/// What may be taken of a stream that nobody reads: buffers of the kernel, which grow to some megabytes each, and one of
/// the proxy's.
const TAKEN_MAX: u64 = 64 << 20;

/// A proxy that reads on while nobody takes what it has read needs memory without end.
///
/// Only this conforms for a proxy like httpd, which has a few KiB for each direction; what is more is the kernels'.
fn takes_no_more_than_is_read() -> Family {
    each(FIRST, |&(_, upwards)| {
        httpd("While one side does not read, a bounded amount is taken from the other, and then all arrives")
            .cites(MOD_PROXY_CONNECT.section(""))
            .covers(["REF-BUF"])
            .needs([Need::ConfigLines])
            .slow()
            .run(async move |lab| {
                let (near, far) = lab.tunnel().await?;
                let (mut from, mut to) = if upwards { (near, far) } else { (far, near) };
                to.takes_little(SMALL_BUFFER)?;
                let flood = stream(lab.seed(), 2 * TAKEN_MAX);
                let (_, mut writer) = from.halves();
                let (taken, _) = writer.offers_within(&flood, lab.patience().stall()).await;
                if taken > TAKEN_MAX {
                    let observed = format!("{taken} bytes are taken");
                    let expected = format!("no more than {TAKEN_MAX} bytes are taken");
                    return Err(Finding::violation(expected, observed));
                }
                lab.note(format!("{taken} bytes"));
                to.receives(stream(lab.seed(), taken)).await
            })
    })
}

/// The two timeouts of httpd, the shorter and the longer, in seconds.
const SHORT: u32 = 2;
const LONG: u32 = 4;

/// Timeout and ProxyTimeout.
const TIMEOUTS: &[(&str, u32, u32)] = &[
    ("of_the_client", LONG, SHORT),
    ("of_the_server", SHORT, LONG),
];

/// How much later than it says a proxy may be: timers are coarse, machines are busy, and httpd lingers.
const LATE: Duration = Duration::from_secs(35);

const fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds as u64)
}

fn timeouts(timeout: u32, proxy_timeout: u32) -> Setup {
    Setup {
        idle: Some(timeout),
        connect: Some(proxy_timeout),
        ..Setup::default()
    }
}

/// Whoever shortens one of them wonders why tunnels live on.
///
/// Also accepted: to end either side some seconds late.
fn an_idle_tunnel_lives_for_the_longer_timeout() -> Family {
    each(TIMEOUTS, |&(_, timeout, proxy_timeout)| {
        httpd("An idle tunnel lives for the longer one of Timeout and ProxyTimeout")
            .over(HTTP_1_1)
            .cites(HTTPD_CORE.section("timeout"))
            .cites(MOD_PROXY.section("proxytimeout"))
            .covers(["REF-TMO-T"])
            .needs([Need::ConfigLines])
            .under(timeouts(timeout, proxy_timeout))
            .slow()
            .run(async |lab| {
                let [server, client] = idle_ends(lab).await?;
                for (name, after) in [("the server", server), ("the client", client)] {
                    let soonest = seconds(LONG).mul_f64(0.8);
                    if after < soonest || after > seconds(LONG) + LATE {
                        return Err(Finding::violation(
                            format!("the end after {LONG} s"),
                            format!("{:.1} s at {name}", after.as_secs_f64()),
                        ));
                    }
                }
                Ok(())
            })
    })
}

/// A download moves one way only, and its client says nothing until it has it all.
///
/// Only this conforms for a proxy like httpd, whose timeout begins anew with all that it reads.
fn a_tunnel_in_which_something_moves_lives_on() -> Family {
    each(FIRST, |&(_, upwards)| {
        httpd("A tunnel in which bytes move one way lives on for longer than its timeout")
            .over(HTTP_1_1)
            .cites(HTTPD_CORE.section("timeout"))
            .covers(["REF-TMO-M"])
            .needs([Need::ConfigLines])
            .under(timeouts(SHORT, SHORT))
            .slow()
            .run(async move |lab| {
                let (near, far) = lab.tunnel().await?;
                let (mut from, mut to) = if upwards { (near, far) } else { (far, near) };
                let began = Instant::now();
                while began.elapsed() < seconds(LONG) {
                    from.sends_to(&mut to, lab.nonce()).await?;
                    pass(seconds(SHORT) / 8).await;
                }
                Ok(())
            })
    })
}

/// Servers see a timeout of httpd two seconds before their clients do.
///
/// Only this conforms for a proxy like httpd; one that ends both at once lists this as a deviation.
fn an_idle_tunnel_ends_at_the_server_first() -> Case {
    httpd("After a timeout the server's connection ends, and the client's about two seconds later")
        .over(HTTP_1_1)
        .cites(MOD_PROXY_CONNECT.section(""))
        .covers(["REF-TMO-T", "REF-LNG"])
        .needs([Need::ConfigLines])
        .under(timeouts(SHORT, SHORT))
        .slow()
        .run(async |lab| {
            let [server, client] = idle_ends(lab).await?;
            let later = client.saturating_sub(server);
            lab.note(format!("{:.1} s later", later.as_secs_f64()));
            if later < Duration::from_secs(1) || later > LATE {
                let expected = "the client's end about two seconds later";
                let observed = format!("{:.1} s later", later.as_secs_f64());
                return Err(Finding::violation(expected, observed));
            }
            Ok(())
        })
}

/// When each end of an idle tunnel sees its FIN: the server, the client.
async fn idle_ends(lab: &Lab) -> Outcome<[Duration; 2]> {
    let (mut near, mut far) = lab.tunnel().await?;
    near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
        .await?;
    let began = Instant::now();
    let ended = async |name: &str, end: &mut End| {
        let limit = seconds(LONG) + LATE;
        let observed = match end.halves().0.takes_until_quiet(limit).await {
            (_, Some(Ending::Orderly)) => return Ok(began.elapsed()),
            (_, Some(Ending::Abrupt)) => "a reset".to_owned(),
            (_, None) => format!("none within {limit:?}"),
        };
        Err(Finding::violation(format!("a FIN at {name}"), observed))
    };
    let (server, client) = tokio::join!(
        ended("the server", &mut far),
        ended("the client", &mut near)
    );
    Ok([server?, client?])
}

/// What a server sends after the end of its tunnel would otherwise come back to it as a reset, which may erase what it
/// has not read yet.
///
/// Only this conforms for a proxy like httpd, which reads on for two seconds and throws away; one that closes at once
/// lists this as a deviation.
fn after_its_end_the_server_is_still_heard() -> Case {
    httpd("After a timeout the proxy reads for a while what the server still sends, and nobody hears of it")
        .over(HTTP_1_1)
        .cites(MOD_PROXY_CONNECT.section(""))
        .covers(["REF-LNG"])
        .needs([Need::ConfigLines])
        .under(timeouts(SHORT, SHORT))
        .slow()
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
                .await?;
            far.ends().await?;
            // The first of them would bring a reset about, the second would meet it.
            for _ in 0..2 {
                far.sends(lab.nonce()).await?;
                pass(lab.patience().quiet()).await;
            }
            far.finishes().await?;
            near.ends_somehow().await.map(drop)
        })
}

/// Timeout and ProxyTimeout, of which the second is not always set.
const ATTEMPTS: &[(&str, u32, Option<u32>)] = &[
    ("proxy_timeout", 60, Some(SHORT)),
    ("else_timeout", SHORT, None),
];

/// Kernels try for two minutes; users do not.
///
/// Also accepted: any status, up to some seconds late.
fn a_connection_attempt_has_the_timeout_of_the_proxy() -> Family {
    each(ATTEMPTS, |&(_, timeout, proxy_timeout)| {
        httpd("A connection attempt is given up after ProxyTimeout, or else after Timeout")
            .over(HTTP_1_1)
            .cites(MOD_PROXY.section("proxytimeout"))
            .covers(["REF-TMO-C"])
            .needs([Need::ConfigLines])
            .under(Setup {
                idle: Some(timeout),
                connect: proxy_timeout,
                ..Setup::default()
            })
            .slow()
            .run(async |lab| {
                let silent = lab.black_hole().await?;
                let mut connection = lab.client().dial().await?;
                let began = Instant::now();
                connection
                    .sends(lab.client().request(silent.authority()).bytes())
                    .await;
                let answer = connection.hears_within(seconds(SHORT) + LATE).await;
                let after = began.elapsed();
                let seen = format!("{} after {:.1} s", answer.describe(), after.as_secs_f64());
                match answer.status() {
                    Some(500..600) if after >= seconds(SHORT).mul_f64(0.8) => {
                        lab.note(seen);
                        Ok(())
                    }
                    _ => {
                        let expected = format!("a 5xx after {SHORT} s");
                        Err(Finding::violation(expected, seen))
                    }
                }
            })
    })
}
