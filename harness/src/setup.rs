//! What the subject is configured to for a case, and what that needs of it.

mod capability;
mod port_letters;
mod port_range;
mod setup;

pub use capability::Need;
pub(crate) use port_letters::LETTERS;
pub use port_letters::Letters;
pub use port_range::{PortListError, PortRange};
pub use setup::{
    Allow, Setup, allow_connect, allowing, allowing_itself, connect_timeout, credentials,
    few_clients, header_timeout, idle_timeout, no_list, through_itself, tls_listener, upstream,
};
