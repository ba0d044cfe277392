//! Ctrl-C and SIGTERM: the first ends what goes on, with a report of what there is; the second ends the process.

use std::{sync::OnceLock, thread};

use connectspec_harness::run::Stop;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a shell reports of a program that Ctrl-C has ended.
const OF_INTERRUPT: i32 = 130;

/// The same of SIGTERM.
const OF_TERMINATE: i32 = 143;

/// Asked for by the first signal, whichever run goes on then: a command may have several, one after the other.
pub(super) fn stop() -> Stop {
    static STOP: OnceLock<Stop> = OnceLock::new();
    STOP.get_or_init(|| {
        let stop = Stop::default();
        let ours = stop.clone();
        thread::spawn(move || listen(&ours));
        stop
    })
    .clone()
}

fn listen(stop: &Stop) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else { return };
    runtime.block_on(async {
        let (Ok(mut interrupt), Ok(mut terminate)) = (
            signal(SignalKind::interrupt()),
            signal(SignalKind::terminate()),
        ) else {
            return;
        };
        next(&mut interrupt, &mut terminate).await;
        anstream::eprintln!("the run is ended; the next signal ends this process at once");
        // On a thread of its own: whatever that takes, the next signal is heard.
        let asked = stop.clone();
        thread::spawn(move || asked.now());
        // What was launched is taken down by its guards, with its files.
        std::process::exit(next(&mut interrupt, &mut terminate).await);
    });
}

/// What a process ends with that the next signal has ended.
async fn next(interrupt: &mut Signal, terminate: &mut Signal) -> i32 {
    tokio::select! {
        _ = interrupt.recv() => OF_INTERRUPT,
        _ = terminate.recv() => OF_TERMINATE,
    }
}
