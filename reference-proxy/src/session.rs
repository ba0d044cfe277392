//! One connection of a client: its request, the decision, the tunnel. Or, over HTTP/2, its streams.

mod admission;
mod head;
pub mod http2;
mod onward;
mod variables;

use crate::config::protocols::H2;
use crate::log::error::Level;
use crate::log::{Ends, Record};
use crate::net::{Client, linger};
use crate::proxy::Proxy;
use crate::refusal::Refusal;
use crate::relay::{Early, Ended};
use crate::sessions::Sessions;
use crate::tls;
use crate::upstream::NextHop;
use head::Begun;
use onward::Onward;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

/// What a client gets when its tunnel stands. No fields: RFC 9110, section 9.3.6, forbids the ones that
/// frame, and nobody needs the others.
const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection Established\r\n\r\n";

/// Said when a tunnel has been silent for too long.
const TIMED_OUT: &str = "AH10224: tunnel timed out";

/// What a connection that may begin something more needs to know of the process.
#[derive(Clone, Debug)]
pub struct Service {
    /// The configuration in force.
    pub current: watch::Receiver<Arc<Proxy>>,
    /// What is being served.
    pub sessions: Arc<Sessions>,
}

/// Serves one connection to its end. The access line is written when this future ends or is dropped.
pub async fn serve(
    client: TcpStream,
    peer: SocketAddr,
    local: SocketAddr,
    proxy: Arc<Proxy>,
    service: Service,
) {
    let mut record = Record::new(Arc::new(Ends { peer, local }));
    // Boxed, so that a standing tunnel does not carry what only its beginning needed; and with the proxy in the
    // box, so that it keeps no configuration which a reload has replaced.
    let Some(tunnel) = Box::pin(open(client, &mut record, proxy, service)).await else {
        return;
    };
    let Tunnel {
        client,
        mut server,
        mut early,
        idle_time,
    } = tunnel;
    let ended = client
        .relay(&mut server, &mut early, &mut record.traffic, idle_time)
        .await;
    if matches!(ended, Ended::Idle | Ended::Stalled) {
        record.tell(Level::Info, TIMED_OUT);
    }
    // The exchange is over, also when an upstream proxy is still told so.
    drop(record);
    server.leave().await;
}

/// Both sides, connected, and what of the configuration a standing tunnel needs.
struct Tunnel {
    client: Client,
    server: NextHop,
    early: Early,
    idle_time: Duration,
}

/// Everything up to the tunnel; `None`: there is none, and the client knows.
async fn open(
    client: TcpStream,
    record: &mut Record,
    proxy: Arc<Proxy>,
    service: Service,
) -> Option<Tunnel> {
    let mut client = greet(client, record, &proxy).await?;
    if client.chose(H2) {
        streams(client, Vec::new(), record, proxy, service).await;
        return None;
    }
    let refusal = match head::read(&mut client, record, &proxy).await {
        Ok(Begun::Http2(before)) => {
            streams(client, before, record, proxy, service).await;
            return None;
        }
        Ok(Begun::Request(request, early)) => {
            match onward::connect(&request, &mut client, record, &proxy).await {
                Ok(onward) => return establish(client, onward, early, record).await,
                Err(refusal) => refusal,
            }
        }
        Err(refusal) => refusal,
    };
    refuse(client, &refusal?, record, &proxy).await;
    None
}

/// Serves the streams of a connection. It keeps no configuration: each stream has the one that is in force when it begins.
async fn streams(
    client: Client,
    before: Vec<u8>,
    record: &Record,
    proxy: Arc<Proxy>,
    service: Service,
) {
    let server = proxy.config.server(record.ends.local, None);
    let (http2, preface_time) = (server.http2, server.head_time.most());
    drop(proxy);
    let ends = Arc::clone(&record.ends);
    Box::pin(http2::serve(
        client,
        before,
        ends,
        http2,
        preface_time,
        service,
    ))
    .await;
}

/// The handshake, where one is configured.
async fn greet(client: TcpStream, record: &Record, proxy: &Proxy) -> Option<Client> {
    let server = proxy.config.server(record.ends.local, None);
    let Some(tls) = &server.tls else {
        return Some(Client::Plain(client));
    };
    let handshake = tls::accept(client, tls, &server.protocols);
    let failure = match timeout(server.head_time.most(), handshake).await {
        Ok(Ok(stream)) => return Some(Client::Secure(Box::new(stream))),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it took too long".to_owned(),
    };
    let text = format!("the TLS handshake failed: {failure}");
    proxy
        .error_log(Some(record))
        .write(Level::Info, Some(record), &text);
    None
}

/// Says yes.
async fn establish(
    mut client: Client,
    onward: Onward,
    up: Vec<u8>,
    record: &mut Record,
) -> Option<Tunnel> {
    let Onward {
        mut server,
        early: down,
        settings,
    } = onward;
    record.status = 200;
    let established = async {
        client.write_all(ESTABLISHED).await?;
        client.flush().await
    };
    match timeout(settings.idle_time, established).await {
        Ok(Ok(())) => {}
        Ok(Err(_)) | Err(_) => {
            // The client is gone without a FIN that anybody could pass on.
            server.cut();
            return None;
        }
    }
    record.traffic.sent += ESTABLISHED.len() as u64;
    Some(Tunnel {
        client,
        server,
        early: Early { up, down },
        idle_time: settings.idle_time,
    })
}

/// Says no, and ends the connection so that the answer arrives (RFC 9931, section 8: nothing behind a
/// refused CONNECT is ever read as a request).
async fn refuse(mut client: Client, refusal: &Refusal, record: &mut Record, proxy: &Proxy) {
    let reply = refusal.to_bytes(SystemTime::now());
    record.status = refusal.status;
    record.body_sent = reply.body_length as u64;
    record.traffic.sent += reply.octets.len() as u64;
    told(refusal, record, proxy);
    let limit = proxy.config.server(record.ends.local, None).idle_time;
    let replied = timeout(limit, client.write_all(&reply.octets)).await;
    // The exchange is over, also when the client lingers.
    record.write();
    if matches!(replied, Ok(Ok(()))) {
        linger::close(client).await;
    }
}

/// Tells the error log of a refusal.
fn told(refusal: &Refusal, record: &Record, proxy: &Proxy) {
    let target = record
        .request
        .as_ref()
        .map_or(&[][..], |asked| asked.target());
    let target = String::from_utf8_lossy(target);
    let text = format!("{} returned by {target}", refusal.reason);
    // As in httpd: what the policy or the way forbids is an error, what the client got wrong is not.
    let level = match refusal.status {
        403 | 500.. => Level::Error,
        _ => Level::Info,
    };
    proxy
        .error_log(Some(record))
        .write(level, Some(record), &text);
}
