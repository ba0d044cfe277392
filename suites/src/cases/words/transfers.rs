//! Transfers that several suites ask for, over one kind of connection or another.

/// What the kernel of a side that reads late, or not at all, takes in its name. Its own limit is tens of megabytes on some
/// machines, and then nothing is left for the proxy to hold.
pub(in crate::cases) const SMALL_BUFFER: usize = 64 * 1024;

/// Which way bytes go, and whether that is towards the server.
pub(in crate::cases) const DIRECTIONS: &[(&str, bool)] =
    &[("to_the_server", true), ("to_the_client", false)];
