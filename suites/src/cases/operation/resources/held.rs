//! What a proxy holds and uses, before and after.

use std::time::Instant;

use connectspec_harness::{prelude::*, subject::process::vitals::Vitals};

use crate::cases::words::tunnel_ends::{Way, fails, is_refused};

/// Open files that are no loss: a log that was opened again, a spare worker.
const FILES_TOLERATED: usize = 20;

pub(super) async fn leaves_nothing(case: &Lab, way: Way, times: usize) -> Outcome {
    let lab = case.relaunched(&Setup::default()).await?;
    let server = lab.server(hand_over()).await?;
    let closed = format!("{}:{}", lab.host(), lab.refusing_port().await?);
    for _ in 0..500 {
        once(&lab, way, &server, &closed).await?;
    }
    let before = at_rest(&lab).await?;
    let began = Instant::now();
    let mut ended = 0;
    // A proxy that takes its time for each of them is judged on fewer.
    while ended < times && began.elapsed() < lab.patience().lingering() {
        once(&lab, way, &server, &closed).await?;
        ended += 1;
    }
    case.note(format!("{ended} tunnels"));
    given_back(&lab, &before, ended).await
}

/// One connection that comes to its end in this way.
pub(super) async fn once(lab: &Lab, way: Way, server: &Server, closed: &str) -> Outcome {
    match way {
        Way::Fails => fails(lab, closed).await,
        Way::Refused => is_refused(lab).await,
        Way::Tunnel(way) => way.ends(lab, server).await,
    }
}

/// The proxy has no more files open than `before`, or comes back to that.
pub(super) async fn given_back(lab: &Lab, before: &Vitals, tunnels: usize) -> Outcome {
    let limit = before.open_fds + FILES_TOLERATED;
    let began = Instant::now();
    loop {
        let after = lab.vitals()?;
        if after.open_fds <= limit {
            return Ok(());
        }
        if began.elapsed() > lab.patience().lingering() {
            return Err(Finding::violation(
                format!(
                    "{} open files, or up to {FILES_TOLERATED} more",
                    before.open_fds
                ),
                format!("{} open files after {tunnels} tunnels", after.open_fds),
            ));
        }
        pass(lab.patience().quiet()).await;
    }
}

/// The proxy's vitals once it has held the same files for a while.
pub(super) async fn at_rest(lab: &Lab) -> Outcome<Vitals> {
    let began = Instant::now();
    let (mut last, mut since) = (lab.vitals()?, began);
    while since.elapsed() < lab.patience().stall() * 3
        && began.elapsed() < lab.patience().lingering()
    {
        pass(lab.patience().quiet()).await;
        let now = lab.vitals()?;
        if now.open_fds != last.open_fds {
            since = Instant::now();
        }
        last = now;
    }
    Ok(last)
}

/// From now on, the proxy uses no more processor time than one that is at rest.
pub(super) async fn costs_no_time(lab: &Lab) -> Outcome {
    let before = lab.vitals()?;
    let period = lab.patience().standstill();
    pass(period).await;
    let spent = lab.vitals()?.cpu.saturating_sub(before.cpu);
    if spent <= period / 20 {
        lab.note(format!("{spent:?} of processor time in {period:?}"));
        return Ok(());
    }
    Err(Finding::violation(
        format!("at most {:?} of processor time in {period:?}", period / 20),
        format!("{spent:?}"),
    ))
}
