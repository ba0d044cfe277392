//! One connection of a client: its request, the decision, the tunnel.

mod admission;
mod head;
mod onward;
mod variables;

use crate::log::Record;
use crate::log::error::{ErrorLog, Level};
use crate::net::{Client, linger};
use crate::proxy::Proxy;
use crate::refusal::Refusal;
use crate::relay::{Early, Ended};
use onward::Onward;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// What a client gets when its tunnel stands. No fields: RFC 9110, section 9.3.6, forbids the ones that
/// frame, and nobody needs the others.
const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection Established\r\n\r\n";

/// Serves one connection to its end. The access line is written when this future ends or is dropped.
pub async fn serve(client: TcpStream, peer: SocketAddr, local: SocketAddr, proxy: Arc<Proxy>) {
    let mut record = Record::new(peer, local);
    // Boxed, so that a standing tunnel does not carry what only its beginning needed; and with the proxy in the
    // box, so that it keeps no configuration which a reload has replaced.
    let Some(tunnel) = Box::pin(open(client, &mut record, proxy)).await else {
        return;
    };
    let Tunnel {
        client,
        server,
        early,
        idle_time,
        error_log,
    } = tunnel;
    let ended = client
        .relay(server, early, &mut record.traffic, idle_time)
        .await;
    if matches!(ended, Ended::Idle | Ended::Stalled) {
        error_log.write(Level::Info, Some(&record), "AH10224: tunnel timed out");
    }
}

/// Both sides, connected, and what of the configuration a standing tunnel needs.
struct Tunnel {
    client: Client,
    server: TcpStream,
    early: Early,
    idle_time: Duration,
    error_log: Arc<ErrorLog>,
}

/// Everything up to the tunnel; `None`: there is none, and the client knows.
async fn open(client: TcpStream, record: &mut Record, proxy: Arc<Proxy>) -> Option<Tunnel> {
    let proxy = &*proxy;
    let mut client = greet(client, record, proxy).await?;
    let refusal = match head::read(&mut client, record, proxy).await {
        Ok((request, early)) => match onward::connect(&request, &mut client, record, proxy).await {
            Ok(onward) => return establish(client, onward, early, record, proxy).await,
            Err(refusal) => refusal,
        },
        Err(refusal) => refusal,
    };
    refuse(client, &refusal?, record, proxy).await;
    None
}

/// The handshake, where one is configured.
async fn greet(client: TcpStream, record: &Record, proxy: &Proxy) -> Option<Client> {
    let server = proxy.config.server(record.local, None);
    let Some(tls) = &server.tls else {
        return Some(Client::Plain(client));
    };
    let handshake = TlsAcceptor::from(Arc::clone(tls)).accept(client);
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
    proxy: &Proxy,
) -> Option<Tunnel> {
    let Onward {
        server,
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
            let _ = server.set_zero_linger();
            return None;
        }
    }
    record.traffic.sent += ESTABLISHED.len() as u64;
    Some(Tunnel {
        client,
        server,
        early: Early { up, down },
        idle_time: settings.idle_time,
        error_log: Arc::clone(proxy.error_log(Some(record))),
    })
}

/// Says no, and ends the connection so that the answer arrives (RFC 9931, section 8: nothing behind a
/// refused CONNECT is ever read as a request).
async fn refuse(mut client: Client, refusal: &Refusal, record: &mut Record, proxy: &Proxy) {
    let reply = refusal.to_bytes(SystemTime::now());
    record.status = refusal.status;
    record.body_sent = reply.body_length as u64;
    record.traffic.sent += reply.octets.len() as u64;
    let target = record
        .request
        .as_ref()
        .map_or(&[][..], |asked| &asked.target);
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
    let limit = proxy.config.server(record.local, None).idle_time;
    let replied = timeout(limit, client.write_all(&reply.octets)).await;
    // The exchange is over, also when the client lingers.
    record.write();
    if matches!(replied, Ok(Ok(()))) {
        linger::close(client).await;
    }
}
