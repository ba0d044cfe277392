//! One connection, from the side of the harness: what was said on it, what may still be said, and what waits to be sent.
//!
//! No octet is read or written here: a driver does that, and whoever waits for something is woken when anything has happened.
//! What a proxy may make this side keep is limited by the windows that it was given, and by the constants below.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
    time::Duration,
};

use tokio::time::timeout;

use crate::http2::{
    ErrorCode, Fields, Frame, FrameReader, Manners,
    field::FieldDecoder,
    frame::{MAX_PAYLOAD, PREFACE, flag, kind, setting},
    inbox::Inbox,
};

/// What each side may send before anything else was agreed on (RFC 9113 §6.9.2).
pub const WINDOW: i64 = 65_535;

/// What a window may never exceed (RFC 9113 §6.9.1).
pub const WINDOW_LIMIT: i64 = 0x7fff_ffff;

/// What waits to be sent at most, before more is taken from whoever sends.
pub(super) const UNSENT_LIMIT: usize = 128 * 1024;

/// Writes down what passes, frame by frame.
pub trait Recorder: Send {
    /// A frame was sent (`out`) or has come.
    fn note(&mut self, out: bool, frame: &Frame, fields: Option<&Fields>);

    /// What has come is not what HTTP/2 allows, and why.
    fn odd(&mut self, why: &str) {
        let _ = why;
    }
}

/// What is said of a connection whose frames cannot be understood any more, before the reason.
pub const BROKEN: &str = "HTTP/2 is broken by";

/// How a connection has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Over {
    /// The proxy has closed it.
    Closed,
    /// The proxy has reset it.
    Reset,
    /// What the system said otherwise.
    Failed(String),
    /// The proxy has said what HTTP/2 does not allow, so that nothing after it can be understood.
    Broken(String),
}

/// What is known of one stream.
#[derive(Debug)]
pub struct Stream {
    /// Field sections, in the order in which they came, each with whether it was the last word.
    pub sections: Vec<(Fields, bool)>,
    /// What came as DATA.
    pub(super) inbox: Inbox,
    /// Whether the proxy has ended its direction, with END_STREAM.
    pub ended: bool,
    /// The code of the first RST_STREAM that has come.
    pub reset: Option<ErrorCode>,
    /// What may be sent on it.
    pub(super) may_send: i64,
    /// Whether nothing more may be sent, since its end was.
    pub(super) finished: bool,
    /// Whether it was reset from here.
    pub(super) abandoned: bool,
}

impl Stream {
    /// How many octets of DATA have come, and the largest payload of one frame.
    #[must_use]
    pub const fn received(&self) -> (u64, usize) {
        (self.inbox.received, self.inbox.largest)
    }

    /// What all DATA that has come has taken of the window, padding and all.
    #[must_use]
    pub const fn used(&self) -> u64 {
        self.inbox.used
    }

    /// What may still be sent on it.
    #[must_use]
    pub const fn may_send(&self) -> i64 {
        self.may_send
    }
}

/// A connection. Clones share it.
#[derive(Clone)]
pub struct Session(Arc<Mutex<State>>);

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

/// All that is known of a connection.
pub struct State {
    /// Each stream that was opened: by the client of the two.
    pub streams: BTreeMap<u32, Stream>,
    /// Whether the proxy's first SETTINGS have come.
    pub settled: bool,
    /// What the proxy's SETTINGS have said, in order: names and values.
    pub settings: Vec<(u16, u32)>,
    /// How many SETTINGS of ours are not acknowledged.
    pub unacknowledged: usize,
    /// How many streams the proxy allows at once; `None`: as many as one likes.
    pub max_streams: Option<u32>,
    /// The largest payload that it takes.
    pub max_payload: usize,
    /// What may be sent on all streams together.
    pub may_send: i64,
    /// Payloads of PING that have come back.
    pub pongs: Vec<Vec<u8>>,
    /// The code of the last GOAWAY.
    pub goaway: Option<ErrorCode>,
    /// How it has ended, if it has.
    pub over: Option<Over>,
    /// What it does by itself.
    pub manners: Manners,
    pub(super) role: Role,
    pub(super) unsent: Vec<u8>,
    pub(super) leaving: Option<Leave>,
    /// Whether it stays when whoever used it has gone.
    pub(super) lingers: bool,
    /// Whether nothing more can be sent.
    pub(super) mute: bool,
    pub(super) driver: Option<Waker>,
    waiting: Vec<Waker>,
    pub(super) recorder: Box<dyn Recorder>,
    pub(super) reader: FrameReader,
    pub(super) decoder: FieldDecoder,
    /// A field block that has begun: its stream, whether it is the last word, and the octets so far.
    pub(super) block: Option<(u32, bool, Vec<u8>)>,
    /// What the proxy allows on a fresh stream.
    pub(super) initial_out: i64,
    /// What it may send on a fresh stream, and on all together.
    pub(super) initial_in: i64,
    pub(super) may_receive: i64,
    pub(super) uncredited: u32,
    /// Windows that were announced, and take effect with the acknowledgement of their SETTINGS.
    pub(super) announced: Vec<Option<i64>>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("streams", &self.streams)
            .field("goaway", &self.goaway)
            .field("over", &self.over)
            .finish_non_exhaustive()
    }
}

/// Which side of a connection this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The one that opens streams.
    Client,
    /// The one that answers on them.
    Server {
        /// How much of the connection preface has come.
        preface: usize,
    },
}

/// In which way this side goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// It closes the connection behind what waits to be sent.
    Close,
    /// It resets the connection.
    Reset,
}

impl Session {
    /// A connection that begins with these SETTINGS; what passes is told to `recorder`.
    #[must_use]
    pub fn begin(recorder: Box<dyn Recorder>, settings: &[(u16, u32)], manners: Manners) -> Self {
        let mut state = State::new(recorder, manners, Role::Client);
        state.unsent = PREFACE.to_vec();
        let mut all = vec![(setting::ENABLE_PUSH, 0)];
        all.extend(settings);
        Self::of(state, &all)
    }

    /// The connection of that state, which these SETTINGS begin.
    pub(super) fn of(mut state: State, settings: &[(u16, u32)]) -> Self {
        state.announce(settings);
        let more = state.manners.connection_window;
        if more > 0 {
            state.grant(0, more);
        }
        Self(Arc::new(Mutex::new(state)))
    }

    /// What is known, to be looked at or changed; whoever waits looks again afterwards.
    pub fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let done = act(&mut state);
        state.wake();
        done
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `look` finds something, for at most `limit`.
    pub async fn until<T>(
        &self,
        limit: Duration,
        mut look: impl FnMut(&State) -> Option<T>,
    ) -> Option<T> {
        let found = std::future::poll_fn(|cx| {
            let mut state = self.lock();
            match look(&state) {
                Some(found) => std::task::Poll::Ready(found),
                None => {
                    state.wait(cx.waker());
                    std::task::Poll::Pending
                }
            }
        });
        timeout(limit, found).await.ok()
    }
}

impl State {
    /// Nothing has been said yet.
    pub(super) fn new(recorder: Box<dyn Recorder>, manners: Manners, role: Role) -> Self {
        Self {
            streams: BTreeMap::new(),
            settled: false,
            settings: Vec::new(),
            unacknowledged: 0,
            max_streams: None,
            max_payload: MAX_PAYLOAD,
            may_send: WINDOW,
            pongs: Vec::new(),
            goaway: None,
            over: None,
            manners,
            role,
            unsent: Vec::new(),
            leaving: None,
            lingers: false,
            mute: false,
            driver: None,
            waiting: Vec::new(),
            recorder,
            reader: FrameReader::default(),
            decoder: FieldDecoder::new(),
            block: None,
            initial_out: WINDOW,
            initial_in: WINDOW,
            may_receive: WINDOW,
            uncredited: 0,
            announced: Vec::new(),
        }
    }

    /// Remembers who is to be woken when anything has happened.
    pub(super) fn wait(&mut self, waker: &Waker) {
        if !self.waiting.iter().any(|known| known.will_wake(waker)) {
            self.waiting.push(waker.clone());
        }
    }

    /// Wakes all who wait, and the driver.
    pub(super) fn wake(&mut self) {
        self.wake_others();
        self.driver.take().into_iter().for_each(Waker::wake);
    }

    /// Wakes all who wait but the driver.
    pub(super) fn wake_others(&mut self) {
        self.waiting.drain(..).for_each(Waker::wake);
    }

    /// Leaves the connection, in which way it is.
    pub fn leave(&mut self, how: Leave) {
        self.leaving = Some(how);
    }

    /// Sends a frame, whatever it says.
    pub fn send(&mut self, frame: &Frame) {
        self.send_described(frame, None);
    }

    pub(super) fn send_described(&mut self, frame: &Frame, fields: Option<&Fields>) {
        if self.mute {
            return;
        }
        self.recorder.note(true, frame, fields);
        frame.encode(&mut self.unsent);
    }

    /// Opens a stream with a field section.
    pub fn open(&mut self, id: u32, fields: &Fields, last: bool) {
        self.adopt(id);
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.finished = last;
        }
        for frame in Frame::section(id, &fields.block(), last) {
            let fields = (frame.kind == kind::HEADERS).then_some(fields);
            self.send_described(&frame, fields);
        }
    }

    /// Knows a stream from now on, which a frame of the case's own opens.
    pub fn adopt(&mut self, id: u32) {
        let stream = Stream {
            sections: Vec::new(),
            inbox: Inbox::new(self.initial_in),
            ended: false,
            reset: None,
            may_send: self.initial_out,
            finished: false,
            abandoned: false,
        };
        self.streams.insert(id, stream);
    }

    /// Sends DATA and counts it against the windows, whether they allow it or not.
    pub fn send_data(&mut self, frame: &Frame) {
        let length = i64::try_from(frame.payload.len()).unwrap_or(i64::MAX);
        self.may_send -= length;
        if let Some(stream) = self.streams.get_mut(&frame.stream) {
            stream.may_send -= length;
            stream.finished |= frame.has(flag::END_STREAM);
        }
        self.send(frame);
    }

    /// Whether DATA of so many octets, padding and all, may be sent on a stream now; `None`: it never may.
    #[must_use]
    pub fn has_room(&self, id: u32, octets: usize) -> Option<bool> {
        let stream = self.streams.get(&id)?;
        if stream.reset.is_some() || stream.abandoned || self.over.is_some() {
            return None;
        }
        let window = self.may_send.min(stream.may_send);
        let fits = i64::try_from(octets).is_ok_and(|octets| octets <= window);
        Some(fits && self.unsent.len() < UNSENT_LIMIT)
    }

    /// Resets a stream.
    pub fn reset(&mut self, id: u32, code: ErrorCode) {
        let mut unread = 0;
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.abandoned = true;
            unread = stream.inbox.forget();
        }
        self.credit(unread);
        self.send(&Frame::reset(id, code));
    }
}

/// What is worth a WINDOW_UPDATE.
pub(super) const CREDIT: u32 = 16 * 1024;
