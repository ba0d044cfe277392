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
    BROKEN, ErrorCode, Frame, Leave, Over, Session, State,
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
            Self::Broken(why) => io::Error::other(format!("{BROKEN} {why}")),
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;
    use crate::http2::{
        Fields, FrameReader, Manners, Recorder,
        driver::drive,
        frame::{PREFACE, flag, kind, setting},
    };

    struct Deaf;

    impl Recorder for Deaf {
        fn note(&mut self, _: bool, _: &Frame, _: Option<&Fields>) {}
    }

    /// The proxy, played frame by frame.
    struct Proxy {
        octets: DuplexStream,
        reader: FrameReader,
    }

    impl Proxy {
        async fn says(&mut self, frames: &[Frame]) {
            let mut octets = Vec::new();
            frames.iter().for_each(|frame| frame.encode(&mut octets));
            self.octets.write_all(&octets).await.unwrap();
        }

        /// The next frame of that type.
        async fn hears(&mut self, wanted: u8) -> Frame {
            loop {
                while let Some(frame) = self.reader.frame().unwrap() {
                    if frame.kind == wanted {
                        return frame;
                    }
                }
                let mut piece = [0; 4096];
                let fresh = self.octets.read(&mut piece).await.unwrap();
                assert!(fresh > 0, "the end in place of {wanted}");
                self.reader.feed(&piece[..fresh]);
            }
        }
    }

    /// A stream that was granted, and the proxy, which allows so much on it.
    async fn granted(window: u32) -> (Handle, Proxy) {
        let (near, octets) = duplex(1 << 20);
        let session = Session::begin(Box::new(Deaf), &[], Manners::default());
        let handle = Handle::new(Owner::of(session.clone()), 1);
        let fields = Fields::new().with(":method", "CONNECT");
        session.with(|state| state.open(1, &fields, false));
        tokio::spawn(drive(session, near));
        let reader = FrameReader::default();
        let mut proxy = Proxy { octets, reader };
        let mut preface = [0; PREFACE.len()];
        proxy.octets.read_exact(&mut preface).await.unwrap();
        assert_eq!(preface, PREFACE);
        let status = Fields::new().with(":status", "200").block();
        proxy
            .says(&[
                Frame::settings(&[(setting::INITIAL_WINDOW_SIZE, window)]),
                Frame::headers(1, status, false),
            ])
            .await;
        assert_eq!(proxy.hears(kind::HEADERS).await.stream, 1);
        while !proxy.hears(kind::SETTINGS).await.has(flag::ACK) {}
        (handle, proxy)
    }

    async fn read_error(handle: &mut Handle) -> io::ErrorKind {
        handle.read(&mut [0; 8]).await.unwrap_err().kind()
    }

    #[tokio::test]
    async fn end_stream_is_the_end_and_comes_after_the_data() {
        let (mut handle, mut proxy) = granted(100).await;
        proxy.says(&[Frame::padded_data(1, b"bye", 7)]).await;
        proxy.says(&[Frame::data(1, [], true)]).await;
        let mut heard = String::new();
        handle.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "bye");
        handle.write_all(b"still here").await.unwrap();
        handle.shutdown().await.unwrap();
        assert_eq!(proxy.hears(kind::DATA).await.payload, b"still here");
        assert!(proxy.hears(kind::DATA).await.has(flag::END_STREAM));
    }

    #[tokio::test]
    async fn a_reset_and_the_loss_of_the_connection_cut_off() {
        let (mut handle, mut proxy) = granted(100).await;
        proxy
            .says(&[
                Frame::data(1, *b"x", false),
                Frame::reset(1, ErrorCode::NO_ERROR),
            ])
            .await;
        assert_eq!(handle.read(&mut [0; 8]).await.unwrap(), 1);
        assert_eq!(
            read_error(&mut handle).await,
            io::ErrorKind::ConnectionReset
        );

        let (mut handle, proxy) = granted(100).await;
        drop(proxy);
        assert_eq!(
            read_error(&mut handle).await,
            io::ErrorKind::ConnectionReset
        );
    }

    #[tokio::test]
    async fn no_more_is_sent_than_the_windows_allow() {
        let (mut handle, mut proxy) = granted(4).await;
        let writes = tokio::spawn(async move {
            handle.write_all(b"0123456789").await.unwrap();
            handle
        });
        assert_eq!(proxy.hears(kind::DATA).await.payload, b"0123");
        proxy.says(&[Frame::window_update(1, 5)]).await;
        assert_eq!(proxy.hears(kind::DATA).await.payload, b"45678");
        let more = [(setting::INITIAL_WINDOW_SIZE, 5)];
        proxy.says(&[Frame::settings(&more)]).await;
        assert_eq!(proxy.hears(kind::DATA).await.payload, b"9");
        writes.await.unwrap();
    }

    #[tokio::test]
    async fn who_sends_past_the_window_is_not_listened_to() {
        let (mut handle, mut proxy) = granted(100).await;
        for _ in 0..5 {
            proxy.says(&[Frame::data(1, [7; 16 * 1024], false)]).await;
        }
        let mut heard = Vec::new();
        // What is read is given back; the proxy does not wait for that.
        handle.session().with(|state| state.manners.credits = false);
        let error = handle.read_to_end(&mut heard).await.unwrap_err();
        assert!(error.to_string().contains("past the window"), "{error}");
        assert!(heard.len() < 65_536, "{}", heard.len());
    }

    #[tokio::test]
    async fn a_stream_that_is_reset_leaves_the_connection_open() {
        let (handle, mut proxy) = granted(100).await;
        handle.reset(ErrorCode::CANCEL);
        assert_eq!(proxy.hears(kind::RST_STREAM).await.payload, [0, 0, 0, 8]);
        proxy.says(&[Frame::ping([1; 8])]).await;
        assert!(proxy.hears(kind::PING).await.has(flag::ACK));
    }

    #[tokio::test]
    async fn the_last_to_go_closes_the_connection() {
        let (mut handle, mut proxy) = granted(100).await;
        handle.write_all(b"last").await.unwrap();
        drop(handle);
        assert_eq!(proxy.hears(kind::DATA).await.payload, b"last");
        assert_eq!(proxy.octets.read(&mut [0; 1]).await.unwrap(), 0);
    }
}
