//! One connection that speaks HTTP/2, of which a case says every frame, and hears each.

use std::time::Duration;

use crate::{
    http2::{BROKEN, ErrorCode, Fields, Frame, Handle, Leave, Over, Session, State},
    patience::Patience,
    tunnel::{End, Side},
    verdict::{Finding, Outcome},
    wire::Stream,
};

/// A connection of many streams.
#[derive(Debug)]
pub struct Http2 {
    pub(crate) stream: Stream,
    pub(crate) handle: Handle,
    pub(crate) side: Side,
    pub(crate) patience: Patience,
    /// What every request carries.
    pub(crate) fields: Fields,
}

/// What has become of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The proxy has ended its direction, with END_STREAM.
    Ended,
    /// The proxy has reset it.
    Reset {
        /// With this code.
        code: ErrorCode,
        /// After it had ended its direction.
        after_the_end: bool,
    },
    /// The whole connection has come to its end.
    Connection {
        /// The code of GOAWAY, where there was one.
        goaway: Option<ErrorCode>,
        /// How it came to its end; `None` where GOAWAY alone was said.
        over: Option<Over>,
    },
    /// It goes on.
    Open,
}

impl Fate {
    /// For a reader.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Ended => "END_STREAM".to_owned(),
            Self::Reset {
                code,
                after_the_end: false,
            } => format!("RST_STREAM({code})"),
            Self::Reset { code, .. } => format!("END_STREAM, then RST_STREAM({code})"),
            Self::Connection { goaway, over } => {
                let said = goaway.map(|code| format!("GOAWAY({code})"));
                let how = over.as_ref().map(|over| match over {
                    Over::Closed => "the end of the connection".to_owned(),
                    Over::Reset => "a reset of the connection".to_owned(),
                    Over::Failed(why) => why.clone(),
                    Over::Broken(why) => format!("{BROKEN} {why}"),
                });
                let all: Vec<String> = said.into_iter().chain(how).collect();
                all.join(", then ")
            }
            Self::Open => "the stream goes on".to_owned(),
        }
    }

    /// Whether the proxy has called it an error: of the stream, or of all the connection.
    #[must_use]
    pub const fn is_error(&self) -> bool {
        matches!(self, Self::Reset { .. } | Self::Connection { .. })
    }
}

impl Http2 {
    /// Sends a frame, whatever it says. DATA is counted against the windows, and may exceed them.
    pub fn sends(&self, frame: &Frame) {
        self.session().with(|state| match frame.kind {
            crate::http2::frame::kind::DATA => state.send_data(frame),
            _ => state.send(frame),
        });
    }

    /// Sends DATA as soon as the windows have room for all of it, padding and all.
    ///
    /// # Errors
    /// A violation where they get none, or the stream has ended before.
    pub async fn sends_when_allowed(&self, frame: &Frame) -> Outcome {
        let (id, length) = (frame.stream, frame.payload.len());
        let room = self.until(|state| match state.has_room(id, length) {
            Some(false) => None,
            other => Some(other.is_some()),
        });
        let observed = match room.await {
            Some(true) => {
                self.sends(frame);
                return Ok(());
            }
            Some(false) => self.fate_so_far(id).describe(),
            None => self.session().with(|state| {
                let stream = state.streams.get(&id);
                let left = stream.map_or(0, |stream| stream.may_send());
                let limit = self.patience.progress();
                format!(
                    "no more room within {limit:?}: {left} on the stream, {} on the connection",
                    state.may_send
                )
            }),
        };
        Err(Finding::violation(
            format!("room for {length} octets of DATA"),
            observed,
        ))
    }

    /// Allows the proxy to send so many octets more on a stream; on stream 0, on all together.
    pub fn grants(&self, id: u32, more: u32) {
        self.session().with(|state| state.grant(id, more));
    }

    /// How many octets of DATA have come on a stream, without padding.
    #[must_use]
    pub fn received(&self, id: u32) -> u64 {
        self.session().with(|state| {
            let stream = state.streams.get(&id);
            stream.map_or(0, |stream| stream.received().0)
        })
    }

    /// Every SETTINGS that was sent counts from now on: the proxy has acknowledged them.
    ///
    /// # Errors
    /// Nothing follows where it has not.
    pub async fn is_settled(&self) -> Outcome {
        let settled = self.until(|state| match &state.over {
            _ if state.unacknowledged == 0 => Some(Ok(())),
            Some(over) => Some(Err(over.finding())),
            None => None,
        });
        settled
            .await
            .unwrap_or_else(|| Err(Finding::inconclusive("SETTINGS are not acknowledged")))
    }

    /// Resets a stream.
    pub fn resets(&self, id: u32, code: ErrorCode) {
        self.session().with(|state| state.reset(id, code));
    }

    /// Sends SETTINGS, and waits until they are acknowledged.
    ///
    /// # Errors
    /// Nothing follows where they are not.
    pub async fn settles(&self, settings: &[(u16, u32)]) -> Outcome {
        self.session().with(|state| state.announce(settings));
        self.is_settled().await
    }

    /// This end of the tunnel on a stream.
    #[must_use]
    pub fn end(&self, id: u32) -> End {
        End::new(self.stream.beside(id), self.side, self.patience)
    }

    /// What becomes of a stream within `limit`: an error is waited for, also where it comes after the end; an end without one
    /// has `pause` to bring it along.
    pub async fn fate(&self, id: u32, limit: Duration, pause: Duration) -> Fate {
        let ended = self
            .until_within(limit, |state| {
                let fate = fate(state, id);
                (fate != Fate::Open).then_some(fate)
            })
            .await;
        let Some(first) = ended else {
            return Fate::Open;
        };
        if first != Fate::Ended {
            return first;
        }
        let later = self.until_within(pause, |state| {
            let fate = fate(state, id);
            (fate != Fate::Ended).then_some(fate)
        });
        later.await.unwrap_or(first)
    }

    /// What has become of a stream up to now.
    #[must_use]
    pub fn fate_so_far(&self, id: u32) -> Fate {
        self.session().with(|state| fate(state, id))
    }

    /// Everything that was sent before has been seen by the proxy: it answers a PING that came behind. A fence, where a quiet
    /// period would have to do otherwise.
    ///
    /// # Errors
    /// A violation where the proxy has said what HTTP/2 does not allow; nothing follows where it does not answer.
    pub async fn fence(&self) -> Outcome {
        let answers = self.answers_a_ping().await;
        match self.session().with(|state| state.over.clone()) {
            Some(over @ Over::Broken(_)) => Err(over.finding()),
            _ if answers => Ok(()),
            Some(over) => Err(over.finding()),
            None => Err(Finding::inconclusive("PING is not answered")),
        }
    }

    /// Waits for what `look` finds, for as long as bytes that are on their way are waited for.
    pub async fn until<T>(&self, look: impl FnMut(&State) -> Option<T>) -> Option<T> {
        self.until_within(self.patience.progress(), look).await
    }

    /// As [`Http2::until`], with a limit of its own.
    pub async fn until_within<T>(
        &self,
        limit: Duration,
        look: impl FnMut(&State) -> Option<T>,
    ) -> Option<T> {
        self.session().until(limit, look).await
    }

    /// What is known of the connection, to be looked at or changed.
    #[must_use]
    pub fn session(&self) -> &Session {
        self.handle.session()
    }

    /// Whether the proxy still answers on this connection: PING comes back.
    pub async fn answers_a_ping(&self) -> bool {
        let octets = *b"alive ?!";
        self.session().with(|state| state.pongs.clear());
        self.sends(&Frame::ping(octets));
        let pong = self.until(|state| {
            let came = state.pongs.iter().any(|pong| *pong == octets);
            (came || state.over.is_some()).then_some(came)
        });
        pong.await.unwrap_or(false)
    }

    /// Ends the connection below: with a reset, or behind what waits to be sent.
    pub fn leaves(self, how: Leave) {
        self.session().with(|state| state.leave(how));
    }
}

impl Over {
    /// What follows for whoever had more to ask: a violation where the proxy has said what HTTP/2 does not allow.
    fn finding(&self) -> Finding {
        match self {
            Self::Broken(_) => {
                Finding::violation("frames that HTTP/2 allows", self.error().to_string())
            }
            over => Finding::inconclusive(format!("the connection is over: {}", over.error())),
        }
    }
}

/// What has become of a stream so far.
fn fate(state: &State, id: u32) -> Fate {
    let stream = state.streams.get(&id);
    let ended = stream.is_some_and(|stream| stream.ended);
    if let Some(code) = stream.and_then(|stream| stream.reset) {
        return Fate::Reset {
            code,
            after_the_end: ended,
        };
    }
    if ended {
        return Fate::Ended;
    }
    let failed = state.goaway.filter(|code| *code != ErrorCode::NO_ERROR);
    if failed.is_some() || state.over.is_some() {
        return Fate::Connection {
            goaway: state.goaway,
            over: state.over.clone(),
        };
    }
    Fate::Open
}
