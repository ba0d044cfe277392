//! The far side: servers behind the proxy, played from scripts.

mod acceptor;
pub mod script;
mod server;

pub use acceptor::Secrecy;
pub use script::Script;
pub(crate) use server::Shared;
pub use server::{Server, Visit};
