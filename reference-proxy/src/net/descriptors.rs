//! What the open files of the process are for, so that nobody uses up what others need.

use crate::relay;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files that are not connections: pipes of the relay, questions to name servers, attempts to connect, and logs,
/// listeners, the runtime. Where few files are allowed, a third of them.
const RESERVED: u64 = 1536;
/// What a question about a name costs besides the descriptor of the client's way on, which waits for it: two kinds of address,
/// each asked for up to three times.
const LOOKUP: u64 = 5;
/// The relay has no use for more pipes.
const PIPES_MOST: usize = 64;
/// The most connections where the system has no limit on files.
const EVER: u64 = 1 << 20;

/// How many of each there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptors {
    /// Connections of clients; each has a second descriptor for its way on.
    connections: usize,
    /// Pipes of the relay, two descriptors each.
    pipes: usize,
    /// Names that are looked up at once.
    pub lookups: usize,
    /// Attempts to connect that a client makes besides its first one.
    pub attempts: usize,
}

impl Descriptors {
    /// Asks the system for as many as it gives, and shares them out.
    #[must_use]
    pub fn of_this_process() -> Self {
        let limit = getrlimit(Resource::Nofile);
        let raised = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        let files = match setrlimit(Resource::Nofile, raised) {
            Ok(()) => limit.maximum,
            Err(_) => limit.current,
        };
        Self::of(files.unwrap_or(EVER).min(EVER))
    }

    /// Lets the relay have its pipes.
    pub fn share_out(self) {
        relay::allow_pipes(self.pipes);
    }

    /// Open files for both ends of tunnels.
    #[must_use]
    pub const fn tunnels(self) -> usize {
        2 * self.connections
    }

    fn of(files: u64) -> Self {
        let reserved = RESERVED.min(files / 3);
        let count = |files: u64| usize::try_from(files).unwrap_or(1).max(1);
        Self {
            connections: count((files - reserved) / 2),
            pipes: usize::try_from(reserved / 8).unwrap_or(0).min(PIPES_MOST),
            lookups: count(reserved / 2 / LOOKUP),
            attempts: count(reserved / 8),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_shares_together_leave_some_for_everything_else() {
        for (files, least) in [(64, 4), (1024, 40), (20_000, 256)] {
            let shares = Descriptors::of(files);
            let lookups = shares.lookups * LOOKUP as usize;
            let shared = 2 * shares.connections + 2 * shares.pipes + lookups + shares.attempts;
            assert!(shared + least <= files as usize, "{shares:?} of {files}");
        }
        assert_eq!(Descriptors::of(1024).tunnels(), 682);
    }
}
