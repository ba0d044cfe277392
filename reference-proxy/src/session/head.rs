//! The head of a request: read within its limits, parsed, and told to the record.

use crate::log::Record;
use crate::net::Client;
use crate::proxy::Proxy;
use crate::refusal::Refusal;
use crate::request::{Request, Scan, Scanner};
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout_at};

/// How much is read at once while the head is incomplete; a usual one fits.
const PIECE: usize = 2048;

/// Reads a request and what came behind its head.
///
/// # Errors
///
/// The refusal that the client is owed; `None` when it left without a word.
pub(super) async fn read(
    client: &mut Client,
    record: &mut Record,
    proxy: &Proxy,
) -> Result<(Request, Vec<u8>), Option<Refusal>> {
    let (mut octets, mut scanner) = (Vec::new(), Scanner::default());
    match complete(client, record, proxy, &mut octets, &mut scanner).await {
        Ok((start, end)) => {
            let early = octets.split_off(end);
            parse(&octets[start..], record, proxy)
                .map(|request| (request, early))
                .map_err(Some)
        }
        Err(None) => Err(None),
        Err(Some(refusal)) => {
            proxy.log_to(record, proxy.config.server(record.local, None));
            record.ask_malformed(scanner.request_line(&octets));
            Err(Some(refusal))
        }
    }
}

/// Reads until the head is complete; returns where it starts and ends.
async fn complete(
    client: &mut Client,
    record: &mut Record,
    proxy: &Proxy,
    octets: &mut Vec<u8>,
    scanner: &mut Scanner,
) -> Result<(usize, usize), Option<Refusal>> {
    // Which virtual host it is depends on the target; until it is known, the first one's limits hold.
    let server = proxy.config.server(record.local, None);
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
        match scanner.scan(octets, &server.head) {
            Scan::More => {}
            Scan::Head { start, end } => return Ok((start, end)),
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
                .server(record.local, request.authority.as_ref());
            proxy.log_to(record, server);
            record.ask(line, &request, proxy.logged_fields(server));
            Ok(request)
        }
        Err(refusal) => {
            proxy.log_to(record, proxy.config.server(record.local, None));
            record.ask_malformed(line);
            Err(refusal)
        }
    }
}
