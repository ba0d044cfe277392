//! The near side: exactly these bytes in exactly these pieces, and people's everyday client.

pub mod body;
mod connection;
mod exchange;
pub mod http1;
pub mod http2;
pub mod reqwest_client;
mod streams;

pub use crate::tunnel::{Fate, Http2};
pub use connection::Connection;
pub use exchange::Exchange;
pub use http1::Client;
