//! A tunnel through another proxy: `ProxyRemote`. Over HTTP/1.1 here, and over HTTP/2 in `http2`.
//!
//! The request is forwarded as RFC 9110, section 7.6, wants it: authority-form and Host of the target, the
//! client's end-to-end fields, `Via` with this proxy's entry. The answer is parsed, never relayed: a 2xx
//! becomes this proxy's own 200, interim answers are written anew, everything else becomes a refusal of this
//! proxy. Nothing of the client's tunnel goes to the upstream before its 2xx (RFC 9931, section 8), a request
//! that was sent is not sent again, and when the upstream is down there is no tunnel.

pub(crate) mod http2;
mod next_hop;
pub mod reply;
pub mod request;

pub use http2::Stream;
pub use next_hop::NextHop;
pub use reply::{Answer, Reply};

use crate::refusal::Refusal;
use std::borrow::Cow;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// The longest head that an upstream may send; four times what most servers allow.
const HEAD_LONGEST: usize = 32 << 10;
/// The most interim answers before the final one.
const INTERIM_MOST: usize = 16;

/// Who has asked, and hears of interim answers.
pub trait Asker: Send {
    /// Passes `answer` on.
    ///
    /// # Errors
    ///
    /// The client is gone.
    fn hear(&mut self, answer: &Answer) -> impl Future<Output = io::Result<()>> + Send;

    /// Ends when the client has given up, so that nobody works for it any more.
    fn lost(&mut self) -> impl Future<Output = ()> + Send;
}

/// Asks `upstream` for the tunnel and returns what it sent behind its 2xx.
///
/// Interim answers go to `client` where it `understands` them.
///
/// # Errors
///
/// What the client is told instead; `None` when it is gone.
pub async fn ask<C: Asker>(
    upstream: &mut TcpStream,
    request: &[u8],
    client: &mut C,
    understands: bool,
    deadline: Instant,
) -> Result<Vec<u8>, Option<Refusal>> {
    match timeout_at(deadline, upstream.write_all(request)).await {
        Ok(Ok(())) => {}
        Ok(Err(_)) => return Err(Some(gone())),
        Err(_) => return Err(Some(silent())),
    }
    let mut octets = Vec::new();
    for _ in 0..INTERIM_MOST {
        let answer = tokio::select! {
            answer = answer(upstream, &mut octets, deadline) => answer?,
            () = client.lost() => return Err(None),
        };
        match answer.status {
            100 | 102..=199 if understands => {
                let passed = timeout_at(deadline, client.hear(&answer)).await;
                if !matches!(passed, Ok(Ok(()))) {
                    return Err(None);
                }
            }
            100 | 102..=199 => {}
            200..=299 => return Ok(octets),
            _ if answer.has_no_end() => {
                return Err(Some(broken("the answer of the upstream proxy has no end")));
            }
            _ => return Err(Some(refusal(&answer))),
        }
    }
    Err(Some(broken("the upstream proxy sends no final answer")))
}

/// The next answer; its octets are taken from `octets`, to which is read as needed.
async fn answer(
    upstream: &mut TcpStream,
    octets: &mut Vec<u8>,
    deadline: Instant,
) -> Result<Answer, Refusal> {
    loop {
        match reply::parse(octets) {
            Reply::More if octets.len() >= HEAD_LONGEST => {
                return Err(broken("the answer of the upstream proxy is too long"));
            }
            Reply::More => {}
            Reply::Malformed => {
                return Err(broken("the answer of the upstream proxy is not HTTP/1"));
            }
            Reply::Answer(answer, length) => {
                octets.drain(..length);
                return Ok(answer);
            }
        }
        match timeout_at(deadline, upstream.read_buf(octets)).await {
            Ok(Ok(0)) | Ok(Err(_)) => return Err(gone()),
            Ok(Ok(_)) => {}
            Err(_) => return Err(silent()),
        }
    }
}

/// What the client is told when the upstream says no: its status where that says something about the target
/// or the upstream's policy; 502 where it is about this proxy's own standing there, as 407 is.
fn refusal(answer: &Answer) -> Refusal {
    let status = match answer.status {
        status @ (403 | 404 | 429 | 500 | 503 | 504) => status,
        _ => 502,
    };
    let own = format!(
        "{}; received-status={}",
        crate::refusal::PROXY,
        answer.status
    );
    let mut refusal = Refusal::new(
        status,
        format!("the upstream proxy answered {}", answer.status),
    );
    refusal.proxy_status = Some(Cow::Owned(match answer.proxy_status() {
        Some(earlier) => format!("{earlier}, {own}"),
        None => own,
    }));
    refusal
}

fn gone() -> Refusal {
    Refusal::bad_gateway(
        "connection_terminated",
        "the upstream proxy closed without an answer",
    )
}

fn silent() -> Refusal {
    Refusal::gateway_timeout(
        "connection_read_timeout",
        "the upstream proxy does not answer",
    )
}

fn broken(reason: &'static str) -> Refusal {
    Refusal::bad_gateway("http_protocol_error", reason)
}
