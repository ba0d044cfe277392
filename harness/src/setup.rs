//! What the subject is configured to for a case.

mod hosts;
mod port_placeholders;
mod port_range;
mod product;
mod setup;

pub use hosts::{CONTROL_HOST, FOREIGN_LABEL, HostKind, HostRules, Hosts};
pub(crate) use port_placeholders::PLACEHOLDERS;
pub use port_placeholders::PortPlaceholders;
pub use port_range::{PortListError, PortRange};
pub use product::{Product, Text};
pub use setup::{
    Allow, Setup, WEB, allowing, allowing_as_written, allowing_hosts, allowing_itself,
    allowing_the_web, connect_timeout, credentials, denying_hosts, excepting_hosts, few_clients,
    header_timeout, idle_timeout, log_that_stands_still, no_list, refusing_private, through_itself,
    tls_listener, upstream, upstream_over, websocket,
};
