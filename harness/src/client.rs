//! The near side: exactly these bytes in exactly these pieces, and people's everyday client.

pub mod body;
mod exchange;
pub mod http1;
pub mod reqwest_client;

pub use exchange::{Answer, Exchange};
pub use http1::{Client, Connection};
