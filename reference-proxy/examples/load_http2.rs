//! Load over HTTP/2 for a CONNECT proxy: what its tunnels cost, in processor time and memory of the proxy.
//!
//! `load_http2 server` is what tunnels lead to; it takes a CONNECT for its own, so that it can stand behind a gateway in place of
//! the next proxy. `load_http2 bulk|connect|stand PROXY SERVER PID...` asks for tunnels to it, over cleartext HTTP/2, and prints one line.
//! `ci/bench-http2` starts proxies and puts the lines side by side.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "a program that prints figures"
)]

use std::{
    env,
    error::Error,
    fs,
    net::SocketAddr,
    process::ExitCode,
    time::{Duration, Instant},
};

use bytes::Bytes;
use h2::{
    Reason, RecvStream, SendStream,
    client::{self, SendRequest},
};
use http::{Method, Request, StatusCode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// What a client that does not hold back announces: a window of a stream, and of the connection.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;

/// What one direction carries at once.
const PIECE: usize = 64 * 1024;

/// What a tunnel begins with: how many octets the server is to send.
const WISH: usize = 8;

/// How many streams a connection carries; more than that, no proxy here allows.
const STREAMS: usize = 100;

/// A proxy at rest is one whose memory has stopped growing for so long.
const REST: Duration = Duration::from_millis(500);

/// How often that is asked: the memory of one that is never at rest is what it is then.
const REST_ASKED: usize = 40;

/// How long a tunnel may take to be opened, and to say its first octet. Envoy lets those that are more than 1024 wait until others end,
/// and nghttpx those that are more than 8.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load_http2: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Outcome<()> {
    const USAGE: &str = "usage: load_http2 server | bulk STREAMS MIB | connect COUNT | stand CONNECTIONS, then PROXY SERVER PID...";
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match &*words {
        ["server"] => serve().await,
        ["bulk", streams, mib, rest @ ..] => {
            let place = Place::of(rest).ok_or(USAGE)?;
            let each = mib.parse::<u64>()? * (1 << 20) / streams.parse::<u64>()?;
            bulk(&place, streams.parse()?, each).await
        }
        ["connect", count, rest @ ..] => {
            connect(&Place::of(rest).ok_or(USAGE)?, count.parse()?).await
        }
        ["stand", connections, rest @ ..] => {
            stand(&Place::of(rest).ok_or(USAGE)?, connections.parse()?).await
        }
        _ => Err(USAGE.into()),
    }
}

/// The proxy, the server, and the processes of the proxy.
struct Place {
    proxy: SocketAddr,
    server: SocketAddr,
    processes: Vec<u32>,
}

impl Place {
    fn of(words: &[&str]) -> Option<Self> {
        let [proxy, server, processes @ ..] = words else {
            return None;
        };
        Some(Self {
            proxy: proxy.parse().ok()?,
            server: server.parse().ok()?,
            processes: processes
                .iter()
                .map(|id| id.parse().ok())
                .collect::<Option<_>>()?,
        })
    }

    /// A connection of HTTP/2.
    async fn connection(&self) -> Outcome<SendRequest<Bytes>> {
        let stream = TcpStream::connect(self.proxy).await?;
        stream.set_nodelay(true)?;
        let (requests, connection) = client::Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .handshake(stream)
            .await?;
        // It ends when the last of its streams does.
        tokio::spawn(connection);
        Ok(requests)
    }

    /// A tunnel to the server, which is to send so many octets.
    async fn tunnel(
        &self,
        requests: &SendRequest<Bytes>,
        wish: u64,
    ) -> Outcome<(SendStream<Bytes>, RecvStream)> {
        let opened = timeout(PATIENCE, self.open(requests, wish)).await;
        opened.map_err(|_| "the proxy does not answer")?
    }

    async fn open(
        &self,
        requests: &SendRequest<Bytes>,
        wish: u64,
    ) -> Outcome<(SendStream<Bytes>, RecvStream)> {
        let request = Request::builder()
            .method(Method::CONNECT)
            .uri(self.server.to_string())
            .body(())?;
        let mut requests = requests.clone().ready().await?;
        let (answer, mut upward) = requests.send_request(request, false)?;
        let answer = answer.await?;
        if answer.status() != StatusCode::OK {
            return Err(format!("the proxy says {}", answer.status()).into());
        }
        upward.send_data(Bytes::copy_from_slice(&wish.to_be_bytes()), false)?;
        Ok((upward, answer.into_body()))
    }

    /// What the threads of the proxy have used of the processor. Those of a contender stay the same; what the kernel says of
    /// processes comes in steps of 10 ms, which is a tenth of what a thousand tunnels take.
    fn used(&self) -> Outcome<Duration> {
        let mut all = Duration::ZERO;
        for id in &self.processes {
            for thread in fs::read_dir(format!("/proc/{id}/task"))? {
                let text = fs::read_to_string(thread?.path().join("schedstat"))?;
                let running = text.split(' ').next().ok_or("a strange schedstat")?;
                all += Duration::from_nanos(running.parse()?);
            }
        }
        Ok(all)
    }

    /// KiB of it that are in memory.
    fn resident(&self) -> Outcome<u64> {
        let mut all = 0;
        for id in &self.processes {
            let text = fs::read_to_string(format!("/proc/{id}/smaps_rollup"))?;
            let line = text.lines().find(|line| line.starts_with("Rss:"));
            let number = line.and_then(|line| line.split_whitespace().nth(1));
            all += number.ok_or("no Rss")?.parse::<u64>()?;
        }
        Ok(all)
    }

    /// The same, when it does not change any more.
    #[expect(clippy::disallowed_methods, reason = "memory has no event to wait for")]
    async fn at_rest(&self) -> Outcome<u64> {
        let mut last = self.resident()?;
        for _ in 0..REST_ASKED {
            tokio::time::sleep(REST).await;
            let now = self.resident()?;
            if now == last {
                break;
            }
            last = now;
        }
        Ok(last)
    }
}

/// Downloads at once over one connection.
async fn bulk(place: &Place, streams: usize, each: u64) -> Outcome<()> {
    let requests = place.connection().await?;
    let (before, begin) = (place.used()?, Instant::now());
    let mut all = JoinSet::new();
    for _ in 0..streams {
        let (upward, downward) = place.tunnel(&requests, each).await?;
        all.spawn(download(upward, downward, each));
    }
    while let Some(one) = all.join_next().await {
        one??;
    }
    let gib = (each * streams as u64) as f64 / f64::from(1 << 30);
    let used = place.used()?.saturating_sub(before).as_secs_f64();
    let speed = gib * 1024.0 / begin.elapsed().as_secs_f64();
    println!("{:.3} CPU s/GiB, {speed:.0} MiB/s", used / gib);
    Ok(())
}

async fn download(
    mut upward: SendStream<Bytes>,
    mut downward: RecvStream,
    wanted: u64,
) -> Outcome<()> {
    let mut got = 0;
    while got < wanted {
        let piece = downward.data().await.ok_or("the tunnel has ended")??;
        got += piece.len() as u64;
        downward.flow_control().release_capacity(piece.len())?;
    }
    // Not in order: proxies differ in what they make of ends, and that is not what is measured.
    upward.send_reset(Reason::CANCEL);
    match got == wanted {
        true => Ok(()),
        false => Err(format!("more than {wanted} octets arrived").into()),
    }
}

/// Tunnels one after the other over one connection: each opens, carries an octet, and is reset.
async fn connect(place: &Place, count: u64) -> Outcome<()> {
    let requests = place.connection().await?;
    let (before, begin) = (place.used()?, Instant::now());
    for _ in 0..count {
        let (upward, downward) = place.tunnel(&requests, 1).await?;
        download(upward, downward, 1).await?;
    }
    let thousands = count as f64 / 1000.0;
    let used = place.used()?.saturating_sub(before).as_secs_f64() * 1000.0;
    let speed = count as f64 / begin.elapsed().as_secs_f64();
    println!("{:.1} CPU ms/1k, {speed:.0} tunnels/s", used / thousands);
    Ok(())
}

/// Tunnels that stand, a hundred on each connection.
async fn stand(place: &Place, connections: usize) -> Outcome<()> {
    let first = place.connection().await?;
    let (upward, downward) = place.tunnel(&first, 1).await?;
    let mut kept = vec![(upward, downward)];
    let before = place.at_rest().await?;
    let mut all = Vec::new();
    for _ in 0..connections {
        let requests = place.connection().await?;
        for _ in 0..STREAMS {
            kept.push(place.tunnel(&requests, 1).await?);
        }
        all.push(requests);
    }
    let after = place.at_rest().await?;
    let mut alive = 0;
    for (_, downward) in &mut kept {
        let said = timeout(PATIENCE, downward.data()).await.ok().flatten();
        alive += usize::from(said.is_some_and(|piece| piece.is_ok()));
    }
    let tunnels = kept.len() - 1;
    let each = after.saturating_sub(before) as f64 / tunnels as f64;
    println!("{alive} of {} alive, {each:.2} KiB each", kept.len());
    Ok(())
}

/// What tunnels lead to.
async fn serve() -> Outcome<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    loop {
        let (client, _) = listener.accept().await?;
        tokio::spawn(async move {
            // A client that goes is not this server's matter.
            let _ = answer(client).await;
        });
    }
}

async fn answer(mut client: TcpStream) -> Outcome<()> {
    client.set_nodelay(true)?;
    let mut begin = Vec::new();
    while begin.len() < WISH || (begin.starts_with(b"CONNECT ") && !begin.ends_with(b"\r\n\r\n")) {
        if client.read_buf(&mut begin).await? == 0 {
            return Ok(());
        }
    }
    if begin.starts_with(b"CONNECT ") {
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
        begin.clear();
        while begin.len() < WISH {
            if client.read_buf(&mut begin).await? == 0 {
                return Ok(());
            }
        }
    }
    let wish: [u8; WISH] = begin.get(..WISH).ok_or("short")?.try_into()?;
    let mut left = u64::from_be_bytes(wish);
    let piece = vec![0x5a; PIECE];
    while left > 0 {
        let now = usize::try_from(left).map_or(PIECE, |left| left.min(PIECE));
        client
            .write_all(piece.get(..now).unwrap_or_default())
            .await?;
        left -= now as u64;
    }
    // It stands until its client ends it.
    client.read_to_end(&mut begin).await?;
    Ok(())
}
