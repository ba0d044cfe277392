//! One exchange, and all that can be seen of it.

use super::{PATIENCE, Running};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Instant;

/// What an exchange came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The status on the wire; 0: none.
    pub(crate) status: u16,
    /// Whether octets passed both ways.
    pub(crate) tunnel: bool,
    /// The access line, split at the bars.
    pub(crate) line: Vec<String>,
    /// The whole answer, the tunnel's octets aside.
    pub(crate) answer: String,
}

impl Running {
    /// Sends `request`, tries the tunnel if there is one, closes, and waits for the access line.
    pub(crate) fn exchange(&self, request: &[u8]) -> Seen {
        let before = self.lines().len();
        let mut stream = TcpStream::connect(self.home.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // A refusal may come, and the connection go, before all is sent.
        let _ = stream.write_all(request);
        let answer = head(&mut stream);
        let status = answer
            .get(9..12)
            .and_then(|status| status.parse().ok())
            .unwrap_or(0);
        let (mut tunnel, mut body) = (false, String::new());
        if (200..300).contains(&status) {
            let mut echoed = [0; 5];
            tunnel = stream
                .write_all(b"nonce")
                .and_then(|()| stream.read_exact(&mut echoed))
                .is_ok()
                && echoed == *b"nonce";
        } else if let Some(length) = length(&answer) {
            let _ = (&mut stream).take(length).read_to_string(&mut body);
        }
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
        drop(stream);
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(line) = self.lines().get(before) {
                let line = line.split('|').map(str::to_owned).collect();
                return Seen {
                    status,
                    tunnel,
                    line,
                    answer: answer + &body,
                };
            }
            assert!(
                Instant::now() < end,
                "{:?} wrote no access line",
                self.home.who
            );
            std::thread::yield_now();
        }
    }
}

pub(super) fn head(stream: &mut impl Read) -> String {
    let (mut head, mut octet) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut octet), Ok(1)) {
        head.push(octet[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

fn length(head: &str) -> Option<u64> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.parse().ok())
}
