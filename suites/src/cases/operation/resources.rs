//! # Resources
//!
//! A proxy runs for months: what it loses with each tunnel, or burns while it waits, it has lost or burnt long before
//! somebody looks. Each case has a process of its own, so that nobody else's tunnels are counted.

use connectspec_harness::{prelude::*, subject::process::vitals::Vitals};

mod held;
mod quick;

use crate::{
    cases::{
        operation::resources::{
            held::{at_rest, costs_no_time, given_back, leaves_nothing, once},
            quick::{fifty_tunnels_keep_no_memory, forty_of_each_end_leave_nothing},
        },
        words::{
            transfers::{DIRECTIONS, SMALL_BUFFER},
            tunnel_ends::{TunnelEnd, WAYS, Way},
        },
    },
    documents::{RFC_9110, RFC_9112, RFC_9113},
};

/// Every case about what a proxy holds and uses.
pub(crate) fn suite() -> Suite {
    suite! {
        "resources": "Resources", concat!(include_str!("resources.rs"), include_str!("resources/quick.rs"));
        what_a_tunnel_took_is_given_back,
        forty_of_each_end_leave_nothing,
        fifty_tunnels_keep_no_memory,
        ten_thousand_tunnels_leave_nothing,
        tunnels_that_have_ended_keep_no_memory,
        clients_that_left_while_connecting_leave_nothing,
        sides_that_died_behind_their_end_leave_nothing,
        a_tunnel_at_a_standstill_costs_no_time,
        connections_that_have_ended_cost_no_time,
        a_slow_reader_costs_no_memory,
        what_an_idle_tunnel_costs,
    }
}

/// One file lost with each tunnel: a proxy of a thousand clients is full within the hour.
///
/// Also accepted: to keep things for reuse, up to a few; and to take up to forty seconds, as proxies linger. Five hundred
/// tunnels before the measurement have filled every pool.
fn what_a_tunnel_took_is_given_back() -> Family {
    each(WAYS, |&(_, way)| {
        practice("Five hundred tunnels that have ended leave no open files behind")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("9.5"))
            .covers(["CLS-013"])
            .needs([Need::Launched])
            .seen_in(
                "pacproxy #18",
                "https://github.com/williambailey/pacproxy/issues/18",
            )
            .slow()
            .run(async move |lab| leaves_nothing(lab, way, 500).await)
    })
}

/// What is lost once in a hundred tunnels takes longer to show.
///
/// Also accepted: as for five hundred tunnels.
fn ten_thousand_tunnels_leave_nothing() -> Case {
    practice("Ten thousand tunnels, one after the other, leave no open files behind")
        .cites(RFC_9112.section("9.5"))
        .covers(["CLS-013"])
        .needs([Need::Launched])
        .slow()
        .run(async |lab| leaves_nothing(lab, Way::Tunnel(TunnelEnd::ClientCloses), 10_000).await)
}

/// What any runtime may keep of its heap, and less than a large buffer for each of two hundred tunnels.
const MEMORY_TOLERATED: u64 = 128 << 20;

/// A buffer that is forgotten with each tunnel fills the machine, and the kernel ends whom it likes.
///
/// Also accepted: to keep memory for reuse. Two hundred tunnels before the measurement have made the heap as large as it
/// has to be.
fn tunnels_that_have_ended_keep_no_memory() -> Case {
    practice("Two hundred tunnels that have ended keep less than 128 MiB of memory")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("17.5"))
        .covers(["CLS-019"])
        .needs([Need::Launched])
        .slow()
        .run(async |case| {
            let lab = case.relaunched(&Setup::default()).await?;
            let server = lab.server(hand_over()).await?;
            let mut held = Vec::new();
            for _ in 0..2 {
                for _ in 0..200 {
                    TunnelEnd::ClientCloses.ends(&lab, &server).await?;
                }
                held.push(at_rest(&lab).await?.rss);
            }
            let growth = held[1].saturating_sub(held[0]);
            let seen = format!("{} MiB more after 200 tunnels", growth >> 20);
            if growth < MEMORY_TOLERATED {
                case.note(seen);
                return Ok(());
            }
            Err(Finding::violation("at most 128 MiB more", seen))
        })
}

/// An attempt to connect outlives its client, and what it opens belongs to nobody.
///
/// Also accepted: to give the attempts up with their clients, or to close what they open.
fn clients_that_left_while_connecting_leave_nothing() -> Case {
    practice("Clients that leave while the proxy is connecting leave no open files behind")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("9.5"))
        .covers(["CLS-009"])
        .needs([Need::Launched])
        .seen_in(
            "konnectivity #789",
            "https://github.com/kubernetes-sigs/apiserver-network-proxy/pull/789",
        )
        .slow()
        .run(async |case| {
            let lab = case.relaunched(&Setup::default()).await?;
            let server = lab.server(hand_over()).await?;
            let before = after_a_crowd(&lab, &server).await?;
            let mut silent = lab.black_hole().await?;
            let mut waiting = Vec::new();
            for _ in 0..LEAVING {
                let mut connection = lab.client().dial().await?;
                connection
                    .sends(lab.client().request(silent.authority()).bytes())
                    .await;
                waiting.push(connection);
            }
            pass(lab.patience().stall()).await;
            for connection in waiting {
                connection.into_tunnel().resets()?;
            }
            let late = silent.opens(lab.patience().retried_syn()).await?;
            case.note(format!("{} connections came late", late.len()));
            drop(late);
            given_back(&lab, &before, LEAVING).await
        })
}

/// Clients that leave at the same time.
const LEAVING: usize = 50;

/// What a proxy holds once so many tunnels have stood at the same time: it has the workers that it needs for them.
async fn after_a_crowd(lab: &Lab, server: &Server) -> Outcome<Vitals> {
    let mut crowd = Vec::new();
    for _ in 0..LEAVING {
        let near = lab.client().connect(server).await?;
        crowd.push((near, server.accepts().await?));
    }
    for (near, far) in crowd {
        TunnelEnd::ClientCloses.of(near, far).await?;
    }
    at_rest(lab).await
}

/// Which side ends and then dies, while the other one waits.
const DYING: &[(&str, bool)] = &[("the_client", true), ("the_server", false)];

/// Whoever waits for a slow answer of the other side finds out too late that nobody is left to read it.
///
/// Also accepted: to end both sides when one of them has ended.
fn sides_that_died_behind_their_end_leave_nothing() -> Family {
    each(DYING, |&(_, client_dies)| {
        practice("Tunnels of which one side was closed and then reset leave no open files behind")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("9.3.6"))
            .covers(["CLS-013"])
            .needs([Need::Launched])
            .slow()
            .run(async move |case| {
                let lab = case.relaunched(&Setup::default()).await?;
                let server = lab.server(hand_over()).await?;
                let before = after_a_crowd(&lab, &server).await?;
                let mut waiting = Vec::new();
                for _ in 0..LEAVING {
                    let near = lab.client().connect(&server).await?;
                    let far = server.accepts().await?;
                    let (mut dies, mut waits) = match client_dies {
                        true => (near, far),
                        false => (far, near),
                    };
                    dies.finishes().await?;
                    waits.ends_somehow().await?;
                    dies.resets()?;
                    waiting.push(waits);
                }
                given_back(&lab, &before, LEAVING).await
            })
    })
}

/// What a tunnel does while nothing moves in it.
const AT_A_STANDSTILL: &[(&str, Standstill)] = &[
    ("idle", Standstill::Idle),
    ("closed_by_the_client", Standstill::ClosedByClient),
    ("closed_by_the_server", Standstill::ClosedByServer),
    ("full_to_the_server", Standstill::FullToServer),
    ("full_to_the_client", Standstill::FullToClient),
];

#[derive(Clone, Copy, Debug)]
enum Standstill {
    Idle,
    ClosedByClient,
    ClosedByServer,
    FullToServer,
    FullToClient,
}

/// A loop that asks again and again for what cannot happen burns a processor for each such tunnel, and nobody sees why.
///
/// Also accepted: up to five percent of one processor, for timers and housekeeping; and to end the tunnel.
fn a_tunnel_at_a_standstill_costs_no_time() -> Family {
    each(AT_A_STANDSTILL, |&(_, standstill)| {
        practice("A tunnel in which nothing moves costs no processor time")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("17.5"))
            .covers(["CLS-005"])
            .needs([Need::Launched])
            .seen_in(
                "httpd bug 65521",
                "https://bz.apache.org/bugzilla/show_bug.cgi?id=65521",
            )
            .seen_in("hyper #4085", "https://github.com/hyperium/hyper/pull/4085")
            .slow()
            .run(async move |lab| {
                let lab_of_its_own = lab.relaunched(&Setup::default()).await?;
                let (mut near, mut far) = lab_of_its_own.tunnel().await?;
                near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
                    .await?;
                let much = stream(lab.seed(), u64::MAX);
                let pause = lab.patience().stall();
                match standstill {
                    Standstill::Idle => {}
                    Standstill::ClosedByClient => near.finishes().await?,
                    Standstill::ClosedByServer => far.finishes().await?,
                    Standstill::FullToServer => {
                        near.halves().1.offers_within(&much, pause).await;
                    }
                    Standstill::FullToClient => {
                        far.halves().1.offers_within(&much, pause).await;
                    }
                }
                costs_no_time(&lab_of_its_own).await
            })
    })
}

/// A loop that takes the end of a connection for news burns a processor until the proxy is restarted, or until a timer
/// ends it.
///
/// Also accepted: up to five percent of one processor, for timers and housekeeping.
fn connections_that_have_ended_cost_no_time() -> Family {
    each(WAYS, |&(_, way)| {
        practice("Connections that have ended cost no processor time")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("17.5"))
            .covers(["CLS-021"])
            .needs([Need::Launched])
            .slow()
            .run(async move |case| {
                let lab = case.relaunched(&Setup::default()).await?;
                let server = lab.server(hand_over()).await?;
                let closed = format!("{}:{}", lab.host(), lab.refusing_port().await?);
                at_rest(&lab).await?;
                for _ in 0..ENDED {
                    once(&lab, way, &server, &closed).await?;
                }
                costs_no_time(&lab).await
            })
    })
}

/// One would do: not every connection may meet the loop.
const ENDED: usize = 10;

/// What a proxy may take of a stream that nobody reads at the other end: its own buffers and four of the kernel's, which
/// grow to some megabytes each.
const TAKEN_MAX: u64 = 80 << 20;

/// What it may need for them. The kernel's buffers are no memory of the process.
const GROWTH_MAX: u64 = 64 << 20;

/// One user with a slow line and a fast server fills the memory of everybody's proxy.
///
/// Also accepted: any amount of buffering up to 80 MiB taken and 64 MiB more of memory; and to end a tunnel that does
/// not move.
fn a_slow_reader_costs_no_memory() -> Family {
    each(DIRECTIONS, |&(_, upwards)| {
        let row = if upwards { "INT-009" } else { "INT-010" };
        practice("What nobody reads is not taken without limit")
            .over(HTTP_1_1)
            .cites(RFC_9113.section("10.5.2"))
            .cites(RFC_9110.section("17.5"))
            .covers([row])
            .seen_in(
                "proxy.py #67",
                "https://github.com/abhinavsingh/proxy.py/issues/67",
            )
            .needs([Need::Launched])
            .seen_in("bun #43490", "https://github.com/oven-sh/bun/issues/43490")
            .seen_in("h2o #2741", "https://github.com/h2o/h2o/issues/2741")
            .slow()
            .run(async move |lab| {
                let lab_of_its_own = lab.relaunched(&Setup::default()).await?;
                let (near, far) = lab_of_its_own.tunnel().await?;
                let (mut from, to) = if upwards { (near, far) } else { (far, near) };
                to.takes_little(SMALL_BUFFER)?;
                let before = lab_of_its_own.vitals()?.rss;
                let flood = stream(lab.seed(), 2 * TAKEN_MAX);
                let (mut reader, mut writer) = from.halves();
                let taken = tokio::select! {
                    (taken, _) = writer.offers_within(&flood, lab.patience().stall() * 3) => taken,
                    ended = reader.ends_somehow() => {
                        lab.note(format!("{} while it stalled", ended?.describe()));
                        return Ok(());
                    }
                };
                let growth = lab_of_its_own.vitals()?.rss.saturating_sub(before);
                let seen = format!(
                    "{} MiB taken, {} MiB more memory",
                    taken >> 20,
                    growth >> 20
                );
                if taken <= TAKEN_MAX && growth <= GROWTH_MAX {
                    lab.note(seen);
                    return Ok(());
                }
                let limits = (TAKEN_MAX >> 20, GROWTH_MAX >> 20);
                let expected = format!(
                    "at most {} MiB taken and {} MiB more memory",
                    limits.0, limits.1
                );
                Err(Finding::violation(expected, seen))
            })
    })
}

/// Tunnels that are held at the same time, as many as any proxy has workers for.
const IDLE: usize = 100;

/// What an operator has to multiply by the number of users.
///
/// Also accepted: any amount.
fn what_an_idle_tunnel_costs() -> Case {
    survey("An idle tunnel costs")
        .cites(RFC_9110.section("17.5"))
        .covers(["INT-012"])
        .needs([Need::Launched])
        .slow()
        .run(async |lab| {
            let lab_of_its_own = lab.relaunched(&Setup::default()).await?;
            let server = lab_of_its_own.server(hand_over()).await?;
            let first = lab_of_its_own.client().connect(&server).await?;
            let before = at_rest(&lab_of_its_own).await?;
            let mut held = vec![(first, server.accepts().await?)];
            for _ in 0..IDLE {
                let near = lab_of_its_own.client().connect(&server).await?;
                held.push((near, server.accepts().await?));
            }
            let after = at_rest(&lab_of_its_own).await?;
            let each = |before: usize, after: usize| after.saturating_sub(before) / IDLE;
            lab.note(format!(
                "{} KiB of memory, {} open files, {} threads",
                after.rss.saturating_sub(before.rss) / 1024 / IDLE as u64,
                each(before.open_fds, after.open_fds),
                each(before.threads, after.threads),
            ));
            Ok(())
        })
}
