//! What the proxy does with a request, as verbs: refuses, carries, tolerates.
//!
//! Each verb knows every server of its case, so that a connection to any of them is seen, and each has the catalogue's
//! rule for what is held, violated, or says nothing.

mod either;
mod leftovers;
mod reconfigure;
mod refusals;
mod tunnels;
mod visits;

pub use leftovers::Refused;
pub use refusals::NAMED_BY_HOST;
pub use visits::TO_NOBODY;
use visits::{OTHER_REASONS, Visits, silence};
