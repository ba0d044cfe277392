//! HTTP/1.1 as octets: what a client sends, what a proxy answers, what an upstream proxy is sent.

mod answer;
mod ask;
mod forwarded_request;
pub mod head;
pub mod reply;
pub mod reply_reader;
pub mod request;

pub use answer::{Answer, NO_RESPONSE};
pub use ask::Ask;
pub use forwarded_request::Forwarded;
pub use reply::Reply;
pub use request::Request;
