//! One direction of a tunnel at a time.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf},
    time::timeout,
};

use crate::{
    patience::Patience,
    tunnel::{Ending, Side, Stopped},
    verdict::{Finding, Outcome},
    wire::{
        Payload, Stream,
        payload::{count, quote},
    },
};

/// The size of one read or write: as large as a proxy's own buffers are, or larger.
const PIECE: usize = 64 * 1024;

/// What is said of an end that does not come.
pub const NO_END: &str = "no end within";

/// The direction in which bytes arrive.
#[derive(Debug)]
pub struct Reader<'a> {
    stream: ReadHalf<&'a mut Stream>,
    side: Side,
    patience: Patience,
}

/// The direction in which bytes are sent.
#[derive(Debug)]
pub struct Writer<'a> {
    stream: WriteHalf<&'a mut Stream>,
    side: Side,
    patience: Patience,
}

/// What one read gave.
enum Read {
    Bytes(usize),
    End(Ending),
    Silence(Duration),
    Error(io::Error),
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(
        stream: ReadHalf<&'a mut Stream>,
        side: Side,
        patience: Patience,
    ) -> Self {
        Self {
            stream,
            side,
            patience,
        }
    }

    /// Receives exactly `payload`.
    ///
    /// # Errors
    /// A violation where others come, or not all of them.
    pub async fn receives(&mut self, payload: impl Into<Payload>) -> Outcome {
        let payload = payload.into();
        let mut source = payload.source();
        let mut expected = vec![0; PIECE.min(usize::try_from(payload.length()).unwrap_or(PIECE))];
        let mut actual = expected.clone();
        let mut passed = 0;
        let wrong = |observed: String| {
            let side = self.side.name();
            Finding::violation(format!("{side} receives {}", payload.describe()), observed)
        };
        loop {
            let due = source.next(&mut expected);
            if due == 0 {
                return Ok(());
            }
            let mut got = 0;
            while got < due {
                let limit = self.patience.progress();
                match read(&mut self.stream, &mut actual[got..due], limit).await {
                    Read::Bytes(fresh) => {
                        let range = got..got + fresh;
                        if let Some(at) = first_difference(&expected[range.clone()], &actual[range])
                        {
                            let at = got + at;
                            let shown = |bytes: &[u8]| quote(&bytes[at..due.min(at + 16)]);
                            return Err(wrong(format!(
                                "a wrong byte at offset {}: {} instead of {}",
                                passed + at as u64,
                                quote(&actual[at..(got + fresh).min(at + 16)]),
                                shown(&expected),
                            )));
                        }
                        got += fresh;
                    }
                    other => return Err(wrong(other.after(passed + got as u64))),
                }
            }
            passed += due as u64;
        }
    }

    /// Receives `length` bytes, whatever they are.
    ///
    /// # Errors
    /// A violation where fewer come.
    pub async fn receives_any(&mut self, length: usize) -> Outcome<Vec<u8>> {
        let mut bytes = vec![0; length];
        let mut got = 0;
        while got < length {
            match read(
                &mut self.stream,
                &mut bytes[got..],
                self.patience.progress(),
            )
            .await
            {
                Read::Bytes(fresh) => got += fresh,
                other => {
                    let side = self.side.name();
                    let expected = format!("{side} receives {}", count(length as u64));
                    return Err(Finding::violation(expected, other.after(got as u64)));
                }
            }
        }
        Ok(bytes)
    }

    /// Receives until what has come ends with `mark`, and hands back what came before it.
    ///
    /// # Errors
    /// A violation where it does not come.
    pub async fn receives_up_to(&mut self, mark: &[u8]) -> Outcome<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut piece = vec![0; PIECE];
        loop {
            match read(&mut self.stream, &mut piece, self.patience.progress()).await {
                Read::Bytes(fresh) => bytes.extend_from_slice(&piece[..fresh]),
                other => {
                    let expected = format!("{} receives {}", self.side.name(), quote(mark));
                    return Err(Finding::violation(
                        expected,
                        other.after(bytes.len() as u64),
                    ));
                }
            }
            if bytes.ends_with(mark) {
                bytes.truncate(bytes.len() - mark.len());
                return Ok(bytes);
            }
        }
    }

    /// Receives everything until the end of the stream, at most `limit` bytes.
    ///
    /// # Errors
    /// A violation where more comes, or no end.
    pub async fn receives_to_the_end(&mut self, limit: usize) -> Outcome<(Vec<u8>, Ending)> {
        let mut bytes = Vec::new();
        let mut piece = vec![0; PIECE];
        while bytes.len() <= limit {
            match read(&mut self.stream, &mut piece, self.patience.end()).await {
                Read::Bytes(fresh) => bytes.extend_from_slice(&piece[..fresh]),
                Read::End(ending) => return Ok((bytes, ending)),
                other => {
                    let expected = format!("the stream ends at {}", self.side.name());
                    return Err(Finding::violation(
                        expected,
                        other.after(bytes.len() as u64),
                    ));
                }
            }
        }
        let expected = format!("at most {} before the end", count(limit as u64));
        Err(Finding::violation(
            expected,
            format!("{} and more", count(bytes.len() as u64)),
        ))
    }

    /// Receives and counts until the end, or until nothing has come for `pause`.
    pub async fn takes_until_quiet(&mut self, pause: Duration) -> (u64, Option<Ending>) {
        let mut piece = vec![0; PIECE];
        let mut taken = 0;
        loop {
            match read(&mut self.stream, &mut piece, pause).await {
                Read::Bytes(fresh) => taken += fresh as u64,
                Read::End(ending) => return (taken, Some(ending)),
                Read::Silence(_) | Read::Error(_) => return (taken, None),
            }
        }
    }

    /// The other side has ended in order, and nothing more arrives before it.
    ///
    /// # Errors
    /// A violation where it has not, or with a reset.
    pub async fn ends(&mut self) -> Outcome {
        match self.ends_somehow().await? {
            Ending::Orderly => Ok(()),
            Ending::Abrupt => {
                let expected = format!("the end of the stream at {}", self.side.name());
                Err(Finding::violation(expected, "a reset"))
            }
        }
    }

    /// The other side has ended, in order or with a reset, and nothing more arrives before it.
    ///
    /// # Errors
    /// A violation where it has not.
    pub async fn ends_somehow(&mut self) -> Outcome<Ending> {
        let mut piece = [0; 256];
        let expected = || format!("the end of the stream at {}", self.side.name());
        match read(&mut self.stream, &mut piece, self.patience.end()).await {
            Read::End(ending) => Ok(ending),
            Read::Bytes(fresh) => Err(Finding::violation(
                expected(),
                format!(
                    "{} more: {}",
                    count(fresh as u64),
                    quote(&piece[..fresh.min(64)])
                ),
            )),
            Read::Silence(limit) => Err(Finding::violation(
                expected(),
                format!("{NO_END} {limit:?}"),
            )),
            Read::Error(error) => Err(Finding::violation(expected(), error.to_string())),
        }
    }

    /// Nothing arrives for `period`, and the stream does not end.
    ///
    /// # Errors
    /// A violation where something arrives, or the end.
    pub async fn stays_silent(&mut self, period: Duration) -> Outcome {
        let mut piece = [0; 256];
        let expected = || format!("nothing arrives at {} for {period:?}", self.side.name());
        match read(&mut self.stream, &mut piece, period).await {
            Read::Silence(_) => Ok(()),
            Read::Bytes(fresh) => Err(Finding::violation(
                expected(),
                format!(
                    "{}: {}",
                    count(fresh as u64),
                    quote(&piece[..fresh.min(64)])
                ),
            )),
            Read::End(ending) => Err(Finding::violation(expected(), ending.describe())),
            Read::Error(error) => Err(Finding::violation(expected(), error.to_string())),
        }
    }
}

impl<'a> Writer<'a> {
    pub(crate) const fn new(
        stream: WriteHalf<&'a mut Stream>,
        side: Side,
        patience: Patience,
    ) -> Self {
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
        let payload = payload.into();
        let (taken, stopped) = self.offers(&payload).await;
        let Some(stopped) = stopped else {
            return Ok(());
        };
        let side = self.side.name();
        let expected = format!("{side} can send {}", payload.describe());
        Err(Finding::violation(
            expected,
            format!("{stopped} after {}", count(taken)),
        ))
    }

    /// Sends as much of `payload` as the proxy takes: how much that was, and what stopped it.
    pub async fn offers(&mut self, payload: &Payload) -> (u64, Option<Stopped>) {
        let limit = self.patience.progress();
        self.offers_within(payload, limit).await
    }

    /// As [`Writer::offers`], giving up once nothing was taken for `pause`.
    pub async fn offers_within(
        &mut self,
        payload: &Payload,
        pause: Duration,
    ) -> (u64, Option<Stopped>) {
        let mut source = payload.source();
        let mut piece = vec![0; PIECE.min(usize::try_from(payload.length()).unwrap_or(PIECE))];
        let mut taken = 0;
        loop {
            let due = source.next(&mut piece);
            let mut rest = &piece[..due];
            if rest.is_empty() {
                break;
            }
            while !rest.is_empty() {
                match timeout(pause, self.stream.write(rest)).await {
                    Ok(Ok(0)) => return (taken, Some(Stopped::End)),
                    Ok(Ok(fresh)) => {
                        taken += fresh as u64;
                        rest = &rest[fresh..];
                    }
                    Ok(Err(error)) => return (taken, Some(Stopped::by(&error))),
                    Err(_) => return (taken, Some(Stopped::Standstill(pause))),
                }
            }
        }
        match timeout(pause, self.stream.flush()).await {
            Ok(Ok(())) => (taken, None),
            Ok(Err(error)) => (taken, Some(Stopped::by(&error))),
            Err(_) => (taken, Some(Stopped::Standstill(pause))),
        }
    }

    /// Says that nothing more is coming.
    ///
    /// # Errors
    /// A violation where the connection has gone.
    pub async fn finishes(&mut self) -> Outcome {
        let limit = self.patience.progress();
        let expected = || format!("{} can end its stream", self.side.name());
        match timeout(limit, self.stream.shutdown()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Finding::violation(
                expected(),
                Stopped::by(&error).to_string(),
            )),
            Err(_) => Err(Finding::violation(
                expected(),
                Stopped::Standstill(limit).to_string(),
            )),
        }
    }
}

impl Read {
    fn after(&self, bytes: u64) -> String {
        let what = match self {
            Self::Bytes(fresh) => format!("{} more", count(*fresh as u64)),
            Self::End(ending) => ending.describe().to_owned(),
            Self::Silence(limit) => format!("silence for {limit:?}"),
            Self::Error(error) => Stopped::by(error).to_string(),
        };
        format!("{what} after {}", count(bytes))
    }
}

async fn read(stream: &mut ReadHalf<&mut Stream>, buffer: &mut [u8], limit: Duration) -> Read {
    match timeout(limit, stream.read(buffer)).await {
        Ok(Ok(0)) => Read::End(Ending::Orderly),
        Ok(Ok(fresh)) => Read::Bytes(fresh),
        Ok(Err(error)) => Ending::by(&error).map_or(Read::Error(error), Read::End),
        Err(_) => Read::Silence(limit),
    }
}

/// Where two slices of one length differ first. Comparing them whole is what is fast.
fn first_difference(expected: &[u8], actual: &[u8]) -> Option<usize> {
    if expected == actual {
        return None;
    }
    expected.iter().zip(actual).position(|(a, b)| a != b)
}
