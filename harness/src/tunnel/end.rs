//! One end of a tunnel: the client's, or the server's.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use crate::{
    http1::{head::end_of_head, reply::HEAD_LIMIT},
    patience::Patience,
    tunnel::{
        Ending, Side,
        half::{Reader, Writer},
    },
    verdict::{Finding, Outcome},
    wire::{Payload, Stream, payload::count},
};

/// One end of a tunnel.
#[derive(Debug)]
pub struct End {
    pub(crate) stream: Stream,
    pub(crate) side: Side,
    pub(crate) patience: Patience,
}

impl End {
    pub(crate) const fn new(stream: Stream, side: Side, patience: Patience) -> Self {
        Self {
            stream,
            side,
            patience,
        }
    }

    /// Sends `payload`; the proxy has to take all of it.
    ///
    /// # Errors
    /// A violation where not all of it is taken.
    pub async fn sends(&mut self, payload: impl Into<Payload>) -> Outcome {
        self.halves().1.sends(payload).await
    }

    /// Receives exactly `payload`: these bytes and no others, in this order.
    ///
    /// # Errors
    /// A violation where others come, or not all of them.
    pub async fn receives(&mut self, payload: impl Into<Payload>) -> Outcome {
        self.halves().0.receives(payload).await
    }

    /// Receives `length` bytes, whatever they are.
    ///
    /// # Errors
    /// A violation where fewer come.
    pub async fn receives_any(&mut self, length: usize) -> Outcome<Vec<u8>> {
        self.halves().0.receives_any(length).await
    }

    /// Waits until the other side says something, and leaves it to be received; whether it did so before its end.
    pub async fn speaks(&mut self) -> bool {
        self.speaks_within(self.patience.progress()).await
    }

    /// As [`End::speaks`], with a limit of its own.
    pub async fn speaks_within(&mut self, limit: Duration) -> bool {
        let mut piece = [0; 4096];
        let read = timeout(limit, self.stream.read(&mut piece)).await;
        let fresh = read.ok().and_then(Result::ok).unwrap_or_default();
        self.stream.unread(&piece[..fresh]);
        fresh > 0
    }

    /// Receives the head of an HTTP message, whatever it says, and not a byte after it.
    ///
    /// # Errors
    /// A violation where none comes.
    pub async fn receives_head(&mut self) -> Outcome<Vec<u8>> {
        let limit = self.patience.progress();
        let side = self.side.name();
        let wrong = |observed: String| {
            Finding::violation(format!("{side} receives an HTTP head"), observed)
        };
        let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
        while bytes.len() < HEAD_LIMIT {
            let read = timeout(limit, self.stream.read(&mut piece)).await;
            let read = read.map_err(|_| wrong(format!("silence for {limit:?}")))?;
            match read.map_err(|error| wrong(error.to_string()))? {
                0 => return Err(wrong("the end".to_owned())),
                fresh => bytes.extend_from_slice(&piece[..fresh]),
            }
            if let Some(head) = end_of_head(&bytes) {
                self.stream.unread(&bytes[head..]);
                bytes.truncate(head);
                return Ok(bytes);
            }
        }
        Err(wrong("a head without end".to_owned()))
    }

    /// Receives until what has come ends with `mark`, and hands back what came before it.
    ///
    /// # Errors
    /// A violation where it does not come.
    pub async fn receives_up_to(&mut self, mark: impl AsRef<[u8]>) -> Outcome<Vec<u8>> {
        self.halves().0.receives_up_to(mark.as_ref()).await
    }

    /// Receives everything until the end of the stream, at most `limit` bytes.
    ///
    /// # Errors
    /// A violation where more comes, or no end.
    pub async fn receives_to_the_end(&mut self, limit: usize) -> Outcome<(Vec<u8>, Ending)> {
        self.halves().0.receives_to_the_end(limit).await
    }

    /// Sends `payload` and receives the very same bytes: for a server that echoes.
    ///
    /// # Errors
    /// A violation where others come back, or not all of them.
    pub async fn echoes(&mut self, payload: impl Into<Payload>) -> Outcome {
        let payload = payload.into();
        let (mut reader, mut writer) = self.halves();
        let (sent, received) = tokio::join!(writer.sends(&payload), reader.receives(&payload));
        // What did not come back says more than what could not be sent.
        received.and(sent)
    }

    /// The other side has ended in order, and nothing more arrives before it.
    ///
    /// # Errors
    /// A violation where it has not, or with a reset.
    pub async fn ends(&mut self) -> Outcome {
        self.halves().0.ends().await
    }

    /// The other side has ended, in order or with a reset, and nothing more arrives before it.
    ///
    /// # Errors
    /// A violation where it has not.
    pub async fn ends_somehow(&mut self) -> Outcome<Ending> {
        self.halves().0.ends_somehow().await
    }

    /// Nothing arrives for `period`, and the stream does not end.
    ///
    /// # Errors
    /// A violation where something arrives, or the end.
    pub async fn stays_silent(&mut self, period: Duration) -> Outcome {
        self.halves().0.stays_silent(period).await
    }

    /// Says that nothing more is coming (FIN), and goes on listening.
    ///
    /// # Errors
    /// A violation where the connection has gone.
    pub async fn finishes(&mut self) -> Outcome {
        let limit = self.patience.progress();
        match timeout(limit, self.stream.shutdown()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Finding::violation(
                format!("{} can end its stream", self.side.name()),
                format!("{error}"),
            )),
            Err(_) => Err(Finding::violation(
                format!("{} can end its stream", self.side.name()),
                format!("no progress within {limit:?}"),
            )),
        }
    }

    /// Ends in order: FIN, then reads to the end, so that the kernel has no reason to reset.
    ///
    /// # Errors
    /// A violation where the connection has gone, or does not end.
    pub async fn closes(mut self) -> Outcome {
        self.finishes().await?;
        let (bytes, _) = self.receives_to_the_end(LAST_BYTES).await?;
        if bytes.is_empty() {
            return Ok(());
        }
        Err(Finding::violation(
            "nothing more before the end",
            format!("{} more", count(bytes.len() as u64)),
        ))
    }

    /// Ends with a reset. Nothing may be left unread that the reset would throw away unseen: what a proxy adds on its own
    /// is for other cases to judge.
    ///
    /// # Errors
    /// Nothing follows where more came than was read; the harness's, where the system refuses.
    pub fn resets(self) -> Outcome {
        if self.stream.has_pending() {
            return Err(Finding::inconclusive("more came than was asked for"));
        }
        self.stream
            .reset()
            .map_err(|error| Finding::harness(format!("could not reset: {error}")))
    }

    /// Sends a byte as TCP urgent data: a mark that a reader may skip.
    ///
    /// # Errors
    /// The harness's, where it cannot be sent.
    pub fn sends_urgent(&self, byte: u8) -> Outcome {
        let tap = self.stream.tap();
        let tap = tap.ok_or_else(|| Finding::harness("one stream of HTTP/2 has no urgent data"))?;
        let sent = tap.send_urgent(byte);
        sent.map_err(|error| Finding::harness(format!("could not send urgent data: {error}")))
    }

    /// Goes away at once, whatever is unread or still on its way. The kernel sends a FIN, or a reset where bytes were
    /// left unread, and answers with a reset whatever comes later.
    pub fn leaves(self) {
        drop(self);
    }

    /// Both directions, to be used at the same time.
    pub fn halves(&mut self) -> (Reader<'_>, Writer<'_>) {
        let (side, patience) = (self.side, self.patience);
        let (reader, writer) = tokio::io::split(&mut self.stream);
        (
            Reader::new(reader, side, patience),
            Writer::new(writer, side, patience),
        )
    }

    /// The address of this end.
    ///
    /// # Errors
    /// The harness's, where the system does not know.
    pub fn local(&self) -> Outcome<SocketAddr> {
        self.stream
            .local()
            .map_err(|error| Finding::harness(error.to_string()))
    }

    /// The proxy's address on this connection.
    ///
    /// # Errors
    /// The harness's, where the system does not know.
    pub fn peer(&self) -> Outcome<SocketAddr> {
        self.stream
            .peer()
            .map_err(|error| Finding::harness(error.to_string()))
    }

    /// Makes the kernel's receive buffer small, so that a reader that stops is felt soon.
    ///
    /// # Errors
    /// The harness's, where the system refuses.
    pub fn takes_little(&self, bytes: usize) -> Outcome {
        self.stream.narrow(bytes).map_err(|error| {
            Finding::harness(format!(
                "could not set the size of a receive buffer: {error}"
            ))
        })
    }
}

/// Enough to show what came where nothing should have.
const LAST_BYTES: usize = 64 * 1024;
