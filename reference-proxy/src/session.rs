//! One connection of a client: its request, the decision, the tunnel.
//!
//! The order of the checks: head, method, virtual host, whether CONNECT is served, who asks, where to. Names
//! are resolved and servers contacted only when the policy has said yes.

use crate::config::access::Client;
use crate::config::{Connects, Server};
use crate::log::{self, Record};
use crate::net::{dial, linger};
use crate::proxy::Proxy;
use crate::refusal::Refusal;
use crate::relay::{self, Ended};
use crate::request::{Method, Request, Scan, Scanner, Version};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

/// What a client gets when its tunnel stands. No fields: RFC 9110, section 9.3.6, forbids the ones that
/// frame, and nobody needs the others.
const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection Established\r\n\r\n";
/// How much is read at once while the head is incomplete; a usual one fits.
const HEAD_PIECE: usize = 2048;

/// Serves one connection to its end. The access line is written when this future ends or is dropped.
pub async fn serve(mut client: TcpStream, peer: SocketAddr, local: SocketAddr, proxy: Arc<Proxy>) {
    let mut record = Record::new(peer, local);
    // Boxed, so that a standing tunnel does not carry what only its beginning needed.
    let opened = Box::pin(open(&mut client, &mut record, &proxy)).await;
    match opened {
        Opened::Tunnel(server, early, settings) => {
            tunnel(client, server, early, &settings, &mut record).await;
        }
        Opened::Refused(refusal) => Box::pin(refuse(client, &refusal, &mut record, &proxy)).await,
        Opened::Gone => {}
    }
}

/// What came of a request.
enum Opened {
    Tunnel(TcpStream, Vec<u8>, Arc<Server>),
    Refused(Refusal),
    Gone,
}

async fn open(client: &mut TcpStream, record: &mut Record, proxy: &Proxy) -> Opened {
    let first = proxy.config.server(record.local, None);
    let (request, early) = match head(client, record, first).await {
        Ok(Some((head, early))) => match read_request(&head, record, proxy) {
            Ok(request) => (request, early),
            Err(refusal) => return Opened::Refused(refusal),
        },
        Ok(None) => return Opened::Gone,
        Err(refusal) => {
            proxy.log_to(record, first);
            return Opened::Refused(refusal);
        }
    };
    match onward(&request, record, proxy).await {
        Ok((server, settings)) => {
            record.source_port = server.local_addr().ok().map(|address| address.port());
            record.status = 200;
            match timeout(settings.idle_time, client.write_all(ESTABLISHED)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return Opened::Gone,
            }
            record.traffic.sent += ESTABLISHED.len() as u64;
            Opened::Tunnel(server, early, settings)
        }
        Err(refusal) => Opened::Refused(refusal),
    }
}

/// Reads up to the end of the head; returns it and what came behind it. `None`: the client left without a
/// word.
async fn head(
    client: &mut TcpStream,
    record: &mut Record,
    server: &Server,
) -> Result<Option<(Vec<u8>, Vec<u8>)>, Refusal> {
    let deadline = Instant::now() + server.head_time;
    let (mut octets, mut scanner) = (Vec::new(), Scanner::default());
    loop {
        octets.reserve(HEAD_PIECE);
        let read = match timeout_at(deadline, client.read_buf(&mut octets)).await {
            Ok(Ok(0)) if octets.is_empty() => return Ok(None),
            Ok(Ok(0)) => Err(Refusal::bad_request(
                "the request ends before its head does",
            )),
            Ok(Ok(read)) => Ok(read),
            Ok(Err(_)) => return Ok(None),
            Err(_) if octets.is_empty() => return Ok(None),
            Err(_) => Err(Refusal::too_slow()),
        };
        let read = read.inspect_err(|_| record.ask_malformed(scanner.request_line(&octets)))?;
        if record.traffic.received == 0 {
            record.begin();
        }
        record.traffic.received += read as u64;
        match scanner.scan(&octets, &server.head) {
            Scan::More => {}
            Scan::Head { start, end } => {
                let early = octets.split_off(end);
                return Ok(Some((octets.split_off(start), early)));
            }
            Scan::Bad(refusal) => {
                record.ask_malformed(scanner.request_line(&octets));
                return Err(refusal);
            }
        }
    }
}

/// Parses a complete head, picks the virtual host and tells the record of both.
fn read_request(head: &[u8], record: &mut Record, proxy: &Proxy) -> Result<Request, Refusal> {
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
            record.ask(line, &request, proxy.logs(server));
            Ok(request)
        }
        Err(refusal) => {
            proxy.log_to(record, proxy.config.server(record.local, None));
            record.ask_malformed(line);
            Err(refusal)
        }
    }
}

/// Decides, and connects when the answer is yes.
async fn onward(
    request: &Request,
    record: &Record,
    proxy: &Proxy,
) -> Result<(TcpStream, Arc<Server>), Refusal> {
    let Some(target) = &request.authority else {
        return Err(match request.line.method {
            Method::Unknown => Refusal::not_implemented("the method is not known"),
            Method::Known | Method::Connect => Refusal::method_not_allowed("CONNECT"),
        });
    };
    let server = proxy.config.server(record.local, Some(target));
    match server.connects {
        Connects::Yes => {}
        Connects::ProxyOff => return Err(Refusal::method_not_allowed("")),
        Connects::NoModule => return Err(Refusal::forbidden("no module serves CONNECT")),
    }
    let expectation = request.fields.first("expect");
    if request.line.version == Version::Http11
        && expectation.is_some_and(|value| !value.eq_ignore_ascii_case(b"100-continue"))
    {
        return Err(Refusal::expectation_unknown());
    }
    let client = Client {
        address: record.client.ip(),
        local: record.local.ip(),
    };
    if !server.access.allows(client, &target.to_string()) {
        return Err(Refusal::forbidden("this client may not use the proxy"));
    }
    if !server.allow.contains(target.port) {
        return Err(Refusal::forbidden("Connect to remote machine blocked"));
    }
    let onward = dial::dial(target, server.connect_time).await?;
    let _ = onward.set_nodelay(true);
    Ok((onward, Arc::clone(server)))
}

async fn tunnel(
    client: TcpStream,
    server: TcpStream,
    early: Vec<u8>,
    settings: &Server,
    record: &mut Record,
) {
    let idle = settings.idle_time;
    let ended = relay::run(
        &mut &client,
        Some(&client),
        &server,
        early,
        &mut record.traffic,
        idle,
    )
    .await;
    match ended {
        Ended::Closed | Ended::Idle => {}
        // Closing with linger 0 sends a reset: what broke on one side must not look whole on the other.
        Ended::ClientReset => drop(server.set_zero_linger()),
        Ended::ServerReset => drop(client.set_zero_linger()),
    }
}

/// Answers no, and ends the connection so that the answer arrives (RFC 9931, section 8: nothing behind a
/// refused CONNECT is ever read as a request).
async fn refuse(mut client: TcpStream, refusal: &Refusal, record: &mut Record, proxy: &Proxy) {
    let reply = refusal.to_bytes(SystemTime::now());
    record.status = refusal.status;
    record.body_sent = reply.body_length as u64;
    record.traffic.sent += reply.octets.len() as u64;
    let target = record.request.as_ref().map_or("", |asked| &*asked.target);
    let text = format!("{} returned by {target}", refusal.reason);
    log::error::write(proxy.error_log(record), "info", Some(record.client), &text);
    let limit = proxy.config.server(record.local, None).idle_time;
    if matches!(
        timeout(limit, client.write_all(&reply.octets)).await,
        Ok(Ok(()))
    ) {
        linger::close(client).await;
    }
}
