//! One connection to the proxy: what is sent on it, as it is, and what is heard.

use std::{
    io,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, timeout, timeout_at},
};

use crate::{
    http1::{
        Answer, Ask,
        reply_reader::{Heard, Hearing},
    },
    patience::{Patience, pass},
    tunnel::{End, Ending, Side},
    wire::Stream,
};

/// How often the time for an answer may pass until one that has begun is whole: who drips it has not answered.
const ANSWER_LASTS: u32 = 3;

/// What may come before the end of a connection that a case waits for; more is a flood.
const LAST_BYTES_LIMIT: usize = 1024 * 1024;

/// A connection to the proxy.
#[derive(Debug)]
pub struct Connection {
    pub(crate) stream: Stream,
    pub(super) patience: Patience,
}

impl Connection {
    /// Sends bytes. A proxy may close at any time, so what cannot be sent is no error; it shows in the answer.
    pub async fn sends(&mut self, bytes: impl AsRef<[u8]>) {
        self.has_asked();
        let limit = self.patience.progress();
        let _ = timeout(limit, write(&mut self.stream, bytes.as_ref())).await;
    }

    /// Sends pieces, each a segment of its own.
    pub async fn sends_in_pieces<P: AsRef<[u8]>>(&mut self, pieces: impl IntoIterator<Item = P>) {
        for (index, piece) in pieces.into_iter().enumerate() {
            if index > 0 {
                pass(self.patience.pace()).await;
            }
            self.sends(piece).await;
        }
    }

    /// Says that nothing more is coming (FIN), and goes on listening.
    pub async fn finishes(&mut self) {
        let _ = timeout(self.patience.progress(), self.stream.shutdown()).await;
    }

    /// Makes a request, and waits for nothing. Over HTTP/2, on a stream of its own.
    pub async fn requests(&mut self, request: impl Into<Ask>) {
        let request = request.into();
        let octets = match self.stream.handle() {
            Some(_) => self.opens_a_stream(&request),
            None => request.octets(),
        };
        self.sends(octets).await;
    }

    /// Sends bytes and hears the answer, reading while it writes: a proxy that refuses early and resets would
    /// otherwise destroy its own answer.
    ///
    /// Over HTTP/2, on a stream of its own of the same connection.
    pub async fn asks(&mut self, request: impl Into<Ask>) -> Answer {
        let request = request.into();
        if self.stream.handle().is_some() {
            return self.asks_on_a_stream(&request).await;
        }
        let request = request.octets();
        let (mut reader, mut writer) = tokio::io::split(&mut self.stream);
        let patience = self.patience;
        // The time for an answer begins once the request is there: a large one takes its own on a busy machine.
        let sent = LastSent::now();
        let write = async {
            for piece in request.chunks(PIECE) {
                let written = timeout(patience.progress(), write(&mut writer, piece)).await;
                if !matches!(written, Ok(Ok(()))) {
                    break;
                }
                sent.again();
            }
        };
        let limit = patience.reply();
        let (heard, ()) = tokio::join!(hear(&mut reader, limit, patience, &sent), write);
        self.settle(heard)
    }

    /// Hears a final response; interim ones before it are kept with it.
    pub async fn hears(&mut self) -> Answer {
        self.hears_within(self.patience.reply()).await
    }

    /// As [`Connection::hears`], with a limit of its own for its first byte. An answer that has begun may go on: who
    /// reads the half of one calls a slow proxy a broken one.
    pub async fn hears_within(&mut self, limit: Duration) -> Answer {
        if self.stream.handle().is_some() {
            return self.hears_on_its_stream(limit).await;
        }
        let sent = LastSent::now();
        let heard = hear(&mut self.stream, limit, self.patience, &sent).await;
        self.settle(heard)
    }

    fn settle(&mut self, heard: Heard) -> Answer {
        self.stream.unread(&heard.rest);
        heard.answer
    }

    /// Waits until the proxy says something, or ends the connection, and leaves it to be heard.
    pub async fn speaks(&mut self) {
        let mut piece = [0; 4096];
        if let Ok(fresh) = self.stream.read(&mut piece).await {
            self.stream.unread(&piece[..fresh]);
        }
    }

    /// Whether it does so within `limit`.
    pub async fn speaks_within(&mut self, limit: Duration) -> bool {
        timeout(limit, self.speaks()).await.is_ok()
    }

    /// How the proxy ends this connection, with whatever it still sends before; `None` if it does not.
    pub async fn ends_within(&mut self, limit: Duration) -> (Vec<u8>, Option<Ending>) {
        let deadline = Instant::now() + limit;
        let mut bytes = Vec::new();
        let mut piece = [0; 4096];
        while bytes.len() < LAST_BYTES_LIMIT {
            match timeout_at(deadline, self.stream.read(&mut piece)).await {
                Ok(Ok(0)) => return (bytes, Some(Ending::Orderly)),
                Ok(Ok(fresh)) => bytes.extend_from_slice(&piece[..fresh]),
                Ok(Err(error)) => {
                    return (bytes, Some(Ending::by(&error).unwrap_or(Ending::Abrupt)));
                }
                Err(_) => break,
            }
        }
        (bytes, None)
    }

    /// The protocol that was agreed on in the TLS handshake (ALPN), if one was.
    #[must_use]
    pub fn protocol(&self) -> Option<Vec<u8>> {
        let session = self.stream.session()?.get_ref().1;
        session.alpn_protocol().map(<[u8]>::to_vec)
    }

    /// The client's end of the tunnel that the proxy has granted on this connection.
    #[must_use]
    pub fn into_tunnel(self) -> End {
        End::new(self.stream, Side::Client, self.patience)
    }
}

/// What is written at once of a request.
const PIECE: usize = 64 * 1024;

/// When something was sent last.
#[derive(Debug)]
struct LastSent(Mutex<Instant>);

impl LastSent {
    fn now() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    fn again(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn at(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes all of `bytes`, down to the system: TLS keeps what a connection does not take at once.
async fn write<W: AsyncWriteExt + Unpin>(stream: &mut W, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// Hears an answer from `stream` whose first byte comes within `limit` of what was `sent` last, each other one soon after it, and the last one
/// before a head of any length could do with [`ANSWER_LASTS`] times that.
async fn hear<R: AsyncReadExt + Unpin>(
    stream: &mut R,
    limit: Duration,
    patience: Patience,
    sent: &LastSent,
) -> Heard {
    let mut deadline = sent.at() + limit;
    let mut latest = deadline + patience.reply() * ANSWER_LASTS;
    let mut hearing = Hearing::default();
    let mut piece = [0; 4096];
    loop {
        let end = match timeout_at(deadline, stream.read(&mut piece)).await {
            Ok(Ok(fresh)) if fresh > 0 => match hearing.feed(&piece[..fresh]) {
                Some(heard) => return heard,
                None => {
                    deadline = deadline.max(Instant::now() + patience.reply()).min(latest);
                    continue;
                }
            },
            Ok(Ok(_)) => Answer::Closed,
            Ok(Err(error)) => match Ending::by(&error) {
                Some(Ending::Orderly) => Answer::Closed,
                Some(Ending::Abrupt) | None => Answer::Reset,
            },
            Err(_) if sent.at() + limit > deadline => {
                deadline = sent.at() + limit;
                latest = latest.max(deadline + patience.reply() * ANSWER_LASTS);
                continue;
            }
            Err(_) => Answer::Silence,
        };
        return hearing.ends(end);
    }
}
