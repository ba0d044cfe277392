//! The near side: exactly these bytes in exactly these pieces, and people's everyday client.

pub mod body;
pub mod everyday;
mod exchange;
pub mod hearing;
pub mod raw;
pub mod reply;
pub mod request;

pub use exchange::{Answer, Exchange};
pub use raw::{Client, Connection};
pub use reply::Reply;
pub use request::Request;
