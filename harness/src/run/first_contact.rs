//! Whether somebody is there: an ordinary tunnel, before anything else is asked.

mod remedy;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    lab::{Lab, Running, World},
    patience::pass,
    protocol::HttpVersion,
    run::{event::Subject, plan::Plan},
    setup::Setup,
    subject::Who,
    transcript::{ciphertext::without_ciphertext, columns, redact::Secrets, steps},
    verdict::{Finding, Outcome},
};

/// Proves that the subject is a working CONNECT proxy, or says in one line and a transcript why not.
pub(super) fn first_contact(plan: &Plan, world: &Arc<World>) -> Result<(Subject, Running), String> {
    let mut setup = plan.options.first.clone();
    let versions = plan.who.versions();
    if !versions.has_http_1() && setup.listener.version() == HttpVersion::Http1 {
        setup.listener = versions.first_listener();
    }
    let running = Running::start(world, &plan.who, &setup, world.ports.placeholders(0))
        .map_err(|error| error.to_string())?;
    let running = Arc::new(running);
    let lab = Lab::open(world, &running, "control");
    let control = control(&lab, &setup, world.patience.reply());
    let events = lab.transcript().events();
    drop(lab);
    if let Err(finding) = control {
        let steps = steps::steps(&events, &Secrets::new(running.secrets()));
        let steps = without_ciphertext(&events, steps);
        let lines = columns::lines(&steps, 0, &columns::Layout::default());
        let evidence: String = lines.iter().map(|line| format!("\n  {line}")).collect();
        let name = plan.who.name();
        return Err(format!(
            "{name} is no working CONNECT proxy: {finding}{evidence}{}",
            remedy::of(&plan.who, &finding, &events)
        ));
    }
    let process = running.process();
    let subject = Subject {
        profile: plan.who.name().to_owned(),
        title: match &*plan.who {
            Who::Profile(profile) => profile.title.clone(),
            Who::Remote(remote) => format!("the proxy at {}", remote.address),
        },
        version: process.and_then(crate::subject::process::Subject::version),
        command: process
            .map(crate::subject::process::Subject::command)
            .unwrap_or_default(),
        again: plan.options.again.clone(),
    };
    let running = Arc::into_inner(running).ok_or("the control tunnel is still in use")?;
    Ok((subject, running))
}

/// The control tunnel of a set-up, from a thread that waits for it; each of its steps may take so long.
pub(super) fn control(lab: &Lab, setup: &Setup, limit: Duration) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Finding::harness(format!("could not make a runtime: {error}")))?;
    runtime.block_on(async {
        tokio::select! {
            outcome = lab.control_of(setup, limit) => outcome,
            () = lab.stopped() => Err(Finding::harness("the run was ended")),
        }
    })
}

/// The control tunnel of a set-up whose subject has just been seen to serve nobody: it may be busy with what a case has left
/// it, and is asked until it has had the time to get rid of that.
pub(super) fn patient_control(
    world: &Arc<World>,
    running: &Arc<Running>,
    setup: &Setup,
) -> Outcome {
    let began = Instant::now();
    loop {
        let lab = Lab::open(world, running, "control");
        let last = control(&lab, setup, world.patience.reply() / 2);
        let is_certain = !matches!(last, Err(Finding::Setup { .. }));
        if is_certain || began.elapsed() > world.patience.reply() {
            return last;
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|error| Finding::harness(format!("could not make a runtime: {error}")))?;
        runtime.block_on(pass(world.patience.quiet()));
    }
}
