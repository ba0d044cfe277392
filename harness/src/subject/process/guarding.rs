//! Which program guards subjects, and as what it is started.

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

/// The first argument that turns a program which embeds the harness into a guard.
pub(super) const ARGUMENT: &str = "__connectspec-guard";

/// Set for a guard, and never for a subject: a program that finds it and is asked to launch something is
/// a guard that was not diverted, and would start itself again and again.
pub(super) const MARK: &str = "CONNECTSPEC_GUARD";

/// What a guard is asked to be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    /// The parent of the subject.
    Supervise,
    /// The subject itself.
    Become,
    /// Whoever removes folders that have no guard yet.
    Keep,
}

impl Stage {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Supervise => "supervise",
            Self::Become => "become",
            Self::Keep => "keep",
        }
    }
}

/// The program that guards: this one unless said otherwise.
pub(super) fn guard_program() -> PathBuf {
    let chosen = GUARD.lock().unwrap_or_else(PoisonError::into_inner).clone();
    // Not its name: the file may have been replaced by a newer build meanwhile.
    chosen.unwrap_or_else(|| PathBuf::from("/proc/self/exe"))
}

/// Lets another program guard the subjects, for programs that cannot call
/// [`guard_main_if_asked`](super::guard_main_if_asked) before anything else, such as plain `#[test]`
/// functions. The program has to call it.
pub fn set_guard(program: impl Into<PathBuf>) {
    *GUARD.lock().unwrap_or_else(PoisonError::into_inner) = Some(program.into());
}

static GUARD: Mutex<Option<PathBuf>> = Mutex::new(None);
