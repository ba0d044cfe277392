//! Closing behind a reply without erasing it.
//!
//! A close with unread octets in the socket makes the kernel send a reset, and a reset can destroy the reply
//! on its way (RFC 9112, section 9.6). So: a FIN at once, then read and discard, for a bounded time and a
//! bounded number of octets.

use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

/// How long silence is waited out; httpd's value.
const SILENCE: Duration = Duration::from_secs(2);
/// How long a client may go on sending.
const LONGEST: Duration = Duration::from_secs(8);
/// How much a client may go on sending; more than any head that it could have thought legal.
const OCTETS_MOST: usize = 16 << 20;

/// Ends the connection in both directions, without a reset if the client plays along.
pub async fn close<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    let end = Instant::now() + LONGEST;
    if timeout_at(end, stream.shutdown()).await.is_err() {
        return;
    }
    // On the heap: this buffer would otherwise be part of every connection's task.
    let mut discarded = vec![0; 4096];
    let mut left = OCTETS_MOST;
    loop {
        let silence = end.min(Instant::now() + SILENCE);
        match timeout_at(silence, stream.read(&mut discarded)).await {
            Ok(Ok(read)) if read > 0 && read < left => left -= read,
            _ => return,
        }
    }
}
