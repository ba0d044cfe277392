//! The far side: servers beyond the proxy, played from scripts.

mod acceptor;
pub mod script;
mod server;
mod streams;
mod visits;

pub use acceptor::Secrecy;
pub use script::Script;
pub use server::Server;
pub(crate) use visits::Shared;
pub use visits::Visit;
