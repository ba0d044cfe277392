//! The error log: one line for what went wrong, in httpd's default shape.

use super::Sink;
use super::escape::push_escaped;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::SystemTime;

/// Writes a line about `client`. `text` may hold octets from the wire.
pub fn write(sink: &Sink, level: &str, client: Option<SocketAddr>, text: &str) {
    let now = jiff::Timestamp::try_from(SystemTime::now()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let now = now.strftime("%a %b %d %H:%M:%S.%6f %Y");
    let mut line = format!(
        "[{now}] [proxy_connect:{level}] [pid {}] ",
        std::process::id()
    );
    if let Some(client) = client {
        let _ = write!(line, "[client {client}] ");
    }
    push_escaped(&mut line, text.as_bytes());
    sink.write(line);
}
