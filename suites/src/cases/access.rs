//! Who may go where: ports, credentials, and what goes around them.

mod abuse;
mod admission;
mod challenges;
mod credentials;
mod default_list;
mod denials;
mod port_list;
mod port_policy;
mod secrets;

use connectspec_harness::case::Suite;

/// The suites of this room.
pub(super) fn suites() -> Vec<Suite> {
    vec![
        port_policy::suite(),
        port_list::suite(),
        default_list::suite(),
        denials::suite(),
        abuse::suite(),
        challenges::suite(),
        credentials::suite(),
        admission::suite(),
        secrets::suite(),
    ]
}
