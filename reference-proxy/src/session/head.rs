//! The head of a request: read within its limits, parsed, and told to the record. Or the preface of HTTP/2 in its place.

use crate::config::Server;
use crate::config::protocols::{H2, H2C};
use crate::log::Record;
use crate::net::Client;
use crate::proxy::Proxy;
use crate::refusal::Refusal;
use crate::request::{Request, Scan, Scanner};
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout_at};

/// How much is read at once while the head is incomplete; a usual one fits.
const PIECE: usize = 2048;

/// What a connection of HTTP/2 begins with (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a connection begins with.
pub(super) enum Begun {
    /// A request, and what came behind its head.
    Request(Box<Request>, Vec<u8>),
    /// The preface of HTTP/2, and what came behind it.
    Http2(Vec<u8>),
}

/// What the octets hold.
enum Complete {
    /// A head.
    Head { start: usize, end: usize },
    /// A preface.
    Preface,
}

/// Reads a request and what came behind its head, or the preface of HTTP/2.
///
/// # Errors
///
/// The refusal that the client is owed; `None` when it left without a word.
pub(super) async fn read(
    client: &mut Client,
    record: &mut Record,
    proxy: &Proxy,
) -> Result<Begun, Option<Refusal>> {
    let (mut octets, mut scanner) = (Vec::new(), Scanner::default());
    match complete(client, record, proxy, &mut octets, &mut scanner).await {
        Ok(Complete::Preface) => Ok(Begun::Http2(octets)),
        Ok(Complete::Head { start, end }) => {
            let early = octets.split_off(end);
            parse(&octets[start..], record, proxy)
                .map(|request| Begun::Request(Box::new(request), early))
                .map_err(Some)
        }
        Err(None) => Err(None),
        Err(Some(refusal)) => {
            proxy.log_to(record, proxy.config.server(record.ends.local, None));
            record.ask_malformed(scanner.request_line(&octets));
            Err(Some(refusal))
        }
    }
}

/// Whether this connection may begin with the preface of HTTP/2 although no handshake has chosen it.
fn hears_preface(client: &Client, server: &Server) -> bool {
    let (spoken, default) = match client {
        Client::Plain(_) => (H2C, true),
        Client::Secure(_) => (H2, false),
    };
    server.protocols.has(spoken) && server.http2.direct.unwrap_or(default)
}

/// Reads until the head, or the preface, is complete.
async fn complete(
    client: &mut Client,
    record: &mut Record,
    proxy: &Proxy,
    octets: &mut Vec<u8>,
    scanner: &mut Scanner,
) -> Result<Complete, Option<Refusal>> {
    // Which virtual host it is depends on the target; until it is known, the first one's limits hold.
    let server = proxy.config.server(record.ends.local, None);
    let hears_preface = hears_preface(client, server);
    let started = Instant::now();
    loop {
        octets.reserve(PIECE);
        let deadline = started + server.head_time.after(octets.len());
        let read = match timeout_at(deadline, client.read_buf(octets)).await {
            Ok(Ok(0) | Err(_)) | Err(_) if octets.is_empty() => return Err(None),
            Ok(Ok(0)) => {
                return Err(Some(Refusal::bad_request(
                    "the request ends before its head does",
                )));
            }
            Ok(Ok(read)) => read,
            Ok(Err(_)) => return Err(None),
            Err(_) => return Err(Some(Refusal::too_slow())),
        };
        if record.traffic.received == 0 {
            record.begin();
        }
        record.traffic.received += read as u64;
        if hears_preface && octets.starts_with(PREFACE) {
            return Ok(Complete::Preface);
        }
        if hears_preface && PREFACE.starts_with(octets) {
            continue;
        }
        match scanner.scan(octets, &server.head) {
            Scan::More => {}
            Scan::Head { start, end } => return Ok(Complete::Head { start, end }),
            Scan::Bad(refusal) => return Err(Some(refusal)),
        }
    }
}

/// Parses a complete head, picks the virtual host and tells the record of both.
fn parse(head: &[u8], record: &mut Record, proxy: &Proxy) -> Result<Request, Refusal> {
    let line = head
        .split(|&octet| octet == b'\r')
        .next()
        .unwrap_or_default();
    match Request::parse(head) {
        Ok(request) => {
            let server = proxy
                .config
                .server(record.ends.local, request.authority.as_ref());
            proxy.log_to(record, server);
            record.ask(line, &request);
            Ok(request)
        }
        Err(refusal) => {
            proxy.log_to(record, proxy.config.server(record.ends.local, None));
            record.ask_malformed(line);
            Err(refusal)
        }
    }
}
