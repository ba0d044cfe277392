//! One stream as something that is read and written, like a connection of its own.
//!
//! END_STREAM is its end; RST_STREAM, and the loss of the connection, are a reset.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::http2::{
    ErrorCode, Frame, Leave, Over, Session, State,
    session::{CREDIT, UNSENT_LIMIT},
};

/// Whoever holds one uses the connection; when the last one is gone, it is closed.
#[derive(Debug)]
pub struct Owner {
    session: Session,
}

impl Owner {
    /// The first one.
    #[must_use]
    pub fn of(session: Session) -> Arc<Self> {
        Arc::new(Self { session })
    }

    /// The connection.
    #[must_use]
    pub const fn session(&self) -> &Session {
        &self.session
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.session.with(|state| {
            if !state.lingers {
                state.leaving.get_or_insert(Leave::Close);
            }
        });
    }
}

/// One stream of a connection.
#[derive(Clone, Debug)]
pub struct Handle {
    owner: Arc<Owner>,
    id: u32,
}

impl Handle {
    /// The stream of that number, which is open or will be.
    #[must_use]
    pub const fn new(owner: Arc<Owner>, id: u32) -> Self {
        Self { owner, id }
    }

    /// Its number.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// Its connection.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.owner.session
    }

    /// Whoever holds the connection.
    #[must_use]
    pub const fn owner(&self) -> &Arc<Owner> {
        &self.owner
    }

    /// Ends it with RST_STREAM, and leaves the connection as it is: its end would say something else.
    pub fn reset(self, code: ErrorCode) {
        self.session().with(|state| {
            state.reset(self.id, code);
            // The driver holds the connection as long as the case lasts.
            state.lingers = true;
        });
    }
}

impl State {
    /// What a reader of the stream gets now; `None`: nothing yet.
    fn read(&mut self, id: u32, buffer: &mut ReadBuf<'_>) -> Option<io::Result<()>> {
        let over = self.over.clone();
        let credits = self.manners.credits;
        let Some(stream) = self.streams.get_mut(&id) else {
            return Some(Err(io::ErrorKind::NotConnected.into()));
        };
        if !stream.inbox.is_empty() {
            let taken = stream.inbox.read(buffer.initialize_unfilled());
            buffer.advance(taken);
            self.credit(u32::try_from(taken).unwrap_or(u32::MAX));
            let stream = self.streams.get_mut(&id)?;
            // Who has had the last word needs no more room.
            if credits && !stream.ended && stream.reset.is_none() {
                let more = stream.inbox.credit(CREDIT);
                more.into_iter().for_each(|more| self.grant(id, more));
            }
            return Some(Ok(()));
        }
        match (stream.ended, stream.reset, over) {
            (true, ..) => Some(Ok(())),
            (false, Some(_), _) => Some(Err(io::ErrorKind::ConnectionReset.into())),
            (false, None, Some(over)) => Some(Err(over.error())),
            (false, None, None) => None,
        }
    }

    /// How much of `octets` the stream takes now; `None`: nothing yet.
    fn write(&mut self, id: u32, octets: &[u8]) -> Option<io::Result<usize>> {
        let over = self.over.clone();
        let room = UNSENT_LIMIT.saturating_sub(self.unsent.len());
        let Some(stream) = self.streams.get(&id) else {
            return Some(Err(io::ErrorKind::NotConnected.into()));
        };
        if stream.finished || stream.abandoned {
            return Some(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if stream.reset.is_some() {
            return Some(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if let Some(over) = over {
            return Some(Err(over.error()));
        }
        if octets.is_empty() {
            return Some(Ok(0));
        }
        let window = usize::try_from(self.may_send.min(stream.may_send)).unwrap_or_default();
        let taken = octets.len().min(window).min(room).min(self.max_payload);
        if taken == 0 {
            return None;
        }
        self.send_data(&Frame::data(id, &octets[..taken], false));
        Some(Ok(taken))
    }

    /// Whether all was sent, or never will be.
    fn flush(&self) -> Option<io::Result<()>> {
        match (&self.over, self.unsent.is_empty()) {
            (_, true) => Some(Ok(())),
            (Some(over), false) => Some(Err(over.error())),
            (None, false) => None,
        }
    }

    /// Ends the direction to the proxy, once.
    fn finish(&mut self, id: u32) {
        let goes_on = |stream: &crate::http2::Stream| {
            !stream.finished && !stream.abandoned && stream.reset.is_none()
        };
        if self.streams.get(&id).is_some_and(goes_on) {
            self.send_data(&Frame::data(id, [], true));
        }
    }
}

impl Over {
    /// What somebody learns who reads or writes.
    #[must_use]
    pub fn error(&self) -> io::Error {
        match self {
            // A stream that is not ended was cut off.
            Self::Closed | Self::Reset => io::ErrorKind::ConnectionReset.into(),
            Self::Failed(why) => io::Error::other(why.clone()),
            Self::Broken(why) => io::Error::other(format!("HTTP/2 is broken by {why}")),
        }
    }
}

impl AsyncRead for Handle {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let id = self.id;
        poll(self.session(), cx, |state| state.read(id, buffer))
    }
}

impl AsyncWrite for Handle {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let id = self.id;
        poll(self.session(), cx, |state| state.write(id, octets))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        poll(self.session(), cx, |state| state.flush())
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let id = self.id;
        poll(self.session(), cx, |state| {
            state.finish(id);
            state.flush()
        })
    }
}

/// What `act` gives, or waits until something has happened.
fn poll<T>(
    session: &Session,
    cx: &Context<'_>,
    act: impl FnOnce(&mut State) -> Option<T>,
) -> Poll<T> {
    let mut state = session.lock();
    let unsent = state.unsent.len();
    let done = act(&mut state);
    if state.unsent.len() != unsent {
        state.wake();
    }
    match done {
        Some(done) => Poll::Ready(done),
        None => {
            state.wait(cx.waker());
            Poll::Pending
        }
    }
}
