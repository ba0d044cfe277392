//! Small and quick versions of what the slow cases count: a leak with each tunnel shows at once.

use connectspec_harness::{prelude::*, subject::process::vitals::Vitals};

use crate::{
    cases::{
        operation::resources::held::{at_rest, given_back, once},
        words::tunnel_ends::{TunnelEnd, WAYS},
    },
    documents::{RFC_9110, RFC_9112},
};

/// Threads that are no loss: a worker that was started for a crowd.
const THREADS_TOLERATED: usize = 20;

/// One file or one thread for each tunnel is enough to end a proxy within the hour.
///
/// Also accepted: to keep things for reuse, up to twenty, and to take up to forty seconds for it, as proxies linger. As many
/// tunnels before the measurement have filled every pool.
pub(super) fn forty_of_each_end_leave_nothing() -> Case {
    practice(
        "Forty tunnels that ended in each of the ways leave no open files and no threads behind",
    )
    .cites(RFC_9112.section("9.5"))
    .covers(["CLS-013", "ROB-019"])
    .needs([Need::Launched])
    .waits()
    .is_a_crowd()
    .run(async |case| {
        let lab = case.relaunched(&Setup::default()).await?;
        forty_of_each(&lab).await?;
        let before = at_rest(&lab).await?;
        forty_of_each(&lab).await?;
        given_back(&lab, &before, FORTY * WAYS.len()).await?;
        threads_given_back(&lab, &before).await
    })
}

const FORTY: usize = 40;

async fn forty_of_each(lab: &Lab) -> Outcome {
    let server = lab.server(hand_over()).await?;
    let closed = format!("{}:{}", lab.host(), lab.refusing_port().await?);
    for (_, way) in WAYS {
        for _ in 0..FORTY {
            // How a tunnel ends is for other cases.
            let ended = once(lab, *way, &server, &closed).await;
            ended.map_err(not_here)?;
        }
    }
    Ok(())
}

fn not_here(finding: Finding) -> Finding {
    match finding {
        Finding::Violation { observed, .. } => Finding::inconclusive(observed),
        other => other,
    }
}

async fn threads_given_back(lab: &Lab, before: &Vitals) -> Outcome {
    let limit = before.threads + THREADS_TOLERATED;
    let began = std::time::Instant::now();
    loop {
        let after = lab.vitals()?.threads;
        if after <= limit {
            return Ok(());
        }
        if began.elapsed() > lab.patience().lingering() {
            let expected = format!(
                "{} threads, or up to {THREADS_TOLERATED} more",
                before.threads
            );
            return Err(Finding::violation(expected, format!("{after} threads")));
        }
        pass(lab.patience().quiet()).await;
    }
}

/// What fifty tunnels may add to a heap that has already seen as many, each time anew.
const MEMORY_TOLERATED: u64 = 24 << 20;

/// A buffer that is forgotten with each tunnel shows after fifty of them, and after fifty more.
///
/// Also accepted: to keep memory for reuse, and a heap that grows once.
pub(super) fn fifty_tunnels_keep_no_memory() -> Case {
    practice("Memory does not grow again and again by half a megabyte a tunnel")
        .cites(RFC_9110.section("17.5"))
        .covers(["CLS-019"])
        .needs([Need::Launched])
        .waits()
        .is_a_crowd()
        .run(async |case| {
            let lab = case.relaunched(&Setup::default()).await?;
            let server = lab.server(hand_over()).await?;
            let mut growths = Vec::new();
            let mut held = 0;
            for _ in 0..ROUNDS {
                for _ in 0..FIFTY {
                    let ended = TunnelEnd::ClientCloses.ends(&lab, &server).await;
                    ended.map_err(not_here)?;
                }
                pass(lab.patience().stall()).await;
                let now = lab.vitals()?.rss;
                growths.push(now.saturating_sub(held));
                held = now;
            }
            let seen = growths[1..]
                .iter()
                .map(|growth| format!("{} MiB", growth >> 20));
            let seen = format!(
                "{} more, each after {FIFTY} tunnels",
                seen.collect::<Vec<_>>().join(", ")
            );
            if growths[1..].iter().any(|growth| *growth < MEMORY_TOLERATED) {
                case.note(seen);
                return Ok(());
            }
            Err(Finding::violation("a heap that grows no more", seen))
        })
}

const FIFTY: usize = 50;

/// The first fills what is kept for reuse.
const ROUNDS: usize = 3;
