//! Where names lead: what the name server says, and which addresses a proxy had better not dial for strangers.

mod address_policy;
mod lookalikes;
mod many;
mod name_limits;
mod name_policy;
mod requests;
mod resolution;
mod special_use;

use connectspec_harness::case::Suite;

/// The suites of this room.
pub(super) fn suites() -> Vec<Suite> {
    vec![
        resolution::suite(),
        name_policy::suite(),
        name_limits::suite(),
        many::suite(),
        lookalikes::suite(),
        special_use::suite(),
        address_policy::suite(),
    ]
}
