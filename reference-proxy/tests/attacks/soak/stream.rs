//! Tunnels that are streams of one connection, each used like a socket of its own.

use crate::support::PATIENCE;
use bytes::Bytes;
use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::{Reason, RecvStream, SendStream};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Handle, Runtime};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Slow readers leave what has come for them unread, and must not hold up the streams beside them.
const WINDOW_OF_ALL: u32 = 64 << 20;
/// How often a request is sent again: a proxy that reloads says GOAWAY, and refuses what it has not begun.
const TRIES: usize = 5;

/// A connection that all tunnels share, and that is made anew when the proxy has said that it goes.
pub(super) struct Shared {
    runtime: Runtime,
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
    requests: Arc<Mutex<Option<SendRequest<Bytes>>>>,
}

/// One of its streams.
pub(super) struct Stream {
    runtime: Handle,
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
    requests: Arc<Mutex<Option<SendRequest<Bytes>>>>,
    tunnel: Option<(SendStream<Bytes>, RecvStream)>,
    /// What has come, and was not read yet.
    rest: Bytes,
}

impl Shared {
    pub(super) fn new(address: SocketAddr, tls: Option<Arc<ClientConfig>>) -> Self {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        Self {
            runtime: runtime.worker_threads(1).enable_all().build().unwrap(),
            address,
            tls,
            requests: Arc::default(),
        }
    }

    pub(super) fn stream(&self) -> Stream {
        Stream {
            runtime: self.runtime.handle().clone(),
            address: self.address,
            tls: self.tls.clone(),
            requests: Arc::clone(&self.requests),
            tunnel: None,
            rest: Bytes::new(),
        }
    }
}

impl Stream {
    /// Asks for a tunnel; returns the status of the answer.
    pub(super) fn ask(&mut self, target: SocketAddr) -> u16 {
        let mut why = None;
        for _ in 0..TRIES {
            let (answer, sending) = match self.runtime.block_on(self.request(target)) {
                Ok(sent) => sent,
                Err(error) => {
                    why = Some(error);
                    continue;
                }
            };
            let answer = async { timeout(PATIENCE, answer).await };
            match self.runtime.block_on(answer).unwrap() {
                Ok(answer) => {
                    let status = answer.status().as_u16();
                    self.tunnel = Some((sending, answer.into_body()));
                    return status;
                }
                // Nothing was done for it.
                Err(error)
                    if error.reason() == Some(Reason::REFUSED_STREAM) || error.is_go_away() =>
                {
                    why = Some(error);
                }
                Err(error) => panic!("no answer: {error}"),
            }
        }
        panic!("refused {TRIES} times: {why:?}");
    }

    /// Sends a request, on a fresh connection where the old one takes none.
    async fn request(
        &self,
        target: SocketAddr,
    ) -> Result<(ResponseFuture, SendStream<Bytes>), h2::Error> {
        let known = self.requests.lock().unwrap().clone();
        let ready = match known {
            Some(requests) => requests.ready().await.ok(),
            None => None,
        };
        let mut requests = match ready {
            Some(requests) => requests,
            None => self.connect().await.ready().await?,
        };
        let request = http::Request::connect(target.to_string());
        requests.send_request(request.body(()).unwrap(), false)
    }

    async fn connect(&self) -> SendRequest<Bytes> {
        let stream = tokio::net::TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let requests = match &self.tls {
            None => handshake(stream).await,
            Some(tls) => {
                let name = ServerName::try_from("localhost").unwrap();
                let secure = TlsConnector::from(Arc::clone(tls)).connect(name, stream);
                handshake(secure.await.unwrap()).await
            }
        };
        *self.requests.lock().unwrap() = Some(requests.clone());
        requests
    }

    fn tunnel(&mut self) -> &mut (SendStream<Bytes>, RecvStream) {
        self.tunnel.as_mut().expect("a tunnel was asked for")
    }

    pub(super) fn finish(&mut self) {
        self.tunnel().0.send_data(Bytes::new(), true).unwrap();
    }

    pub(super) fn reset(mut self) {
        self.tunnel().0.send_reset(Reason::INTERNAL_ERROR);
    }
}

async fn handshake(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> SendRequest<Bytes> {
    let mut builder = Builder::new();
    builder.initial_connection_window_size(WINDOW_OF_ALL);
    let (requests, connection) = builder.handshake(stream).await.unwrap();
    // How it ends is seen on its streams.
    tokio::spawn(async { drop(connection.await) });
    requests
}

fn failed(error: h2::Error) -> io::Error {
    io::Error::other(error)
}

fn stalled() -> io::Error {
    io::Error::from(io::ErrorKind::TimedOut)
}

impl Read for Stream {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        let runtime = self.runtime.clone();
        while self.rest.is_empty() {
            let (_, receiving) = self.tunnel();
            let come = runtime.block_on(async { timeout(PATIENCE, receiving.data()).await });
            match come.map_err(|_| stalled())? {
                None => return Ok(0),
                Some(data) => {
                    let data = data.map_err(failed)?;
                    let window = receiving.flow_control();
                    window.release_capacity(data.len()).map_err(failed)?;
                    self.rest = data;
                }
            }
        }
        let length = octets.len().min(self.rest.len());
        octets[..length].copy_from_slice(&self.rest.split_to(length));
        Ok(length)
    }
}

impl Write for Stream {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let runtime = self.runtime.clone();
        let (sending, _) = self.tunnel();
        sending.reserve_capacity(octets.len());
        let mut length = 0;
        while length == 0 {
            let room = runtime.block_on(async {
                timeout(PATIENCE, poll_fn(|cx| sending.poll_capacity(cx))).await
            });
            let room = room.map_err(|_| stalled())?;
            let room = room.ok_or_else(|| io::Error::from(io::ErrorKind::BrokenPipe))?;
            length = room.map_err(failed)?.min(octets.len());
        }
        let piece = Bytes::copy_from_slice(&octets[..length]);
        sending.send_data(piece, false).map_err(failed)?;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
