//! A client that speaks HTTP/2: each request a stream, and each stream that a CONNECT has opened an end of a tunnel.

use std::time::Duration;

use tokio::{io::AsyncWriteExt, time::timeout};

use crate::{
    client::{Client, Connection},
    http1::{Answer, Ask, Reply},
    http2::{BROKEN, Fields, Handle, Manners, Over, Session, State},
    verdict::{Finding, Outcome},
    wire::{ALPN, Stream},
};

impl Client {
    /// HTTP/2 on `stream`, beginning with these SETTINGS: the stream on which the first request is made.
    ///
    /// # Errors
    /// The set-up's, where TLS has agreed on something else; the harness's, where the connection is unknown to the system.
    pub(super) fn multiplexes(
        &self,
        stream: Stream,
        settings: &[(u16, u32)],
        manners: Manners,
    ) -> Outcome<Stream> {
        let agreed = stream.session().map(|tls| tls.get_ref().1.alpn_protocol());
        if let Some(other) = agreed.filter(|agreed| *agreed != Some(ALPN)) {
            let other = other.map_or_else(
                || "nothing".into(),
                |name| String::from_utf8_lossy(name).into_owned(),
            );
            return Err(Finding::setup(format!(
                "TLS was to agree on h2, and has agreed on {other}"
            )));
        }
        let begin = |recorder| Session::begin(recorder, settings, manners);
        let stream = stream.speaks_http2(begin, FIRST);
        stream.map_err(|error| Finding::harness(error.to_string()))
    }
}

/// The number of a client's first stream; those after it are odd, too.
const FIRST: u32 = 1;

/// The number of the next stream that this side opens.
pub(super) fn next_stream(state: &State) -> u32 {
    let last = state.streams.last_key_value();
    last.map_or(FIRST, |(last, _)| last + 2)
}

impl Connection {
    /// Asks on a stream of its own, and hears the answer.
    pub(super) async fn asks_on_a_stream(&mut self, request: &Ask) -> Answer {
        let early = self.opens_a_stream(request);
        let limit = self.patience.reply();
        if early.is_empty() {
            return self.hears_on_its_stream(limit).await;
        }
        let Some(mut writer) = self.stream.handle().cloned() else {
            return Answer::Closed;
        };
        let write = async {
            // What is not taken shows in the answer.
            let _ = timeout(limit, writer.write_all(&early)).await;
            let _ = timeout(limit, writer.flush()).await;
        };
        let (answer, ()) = tokio::join!(self.hears_on_its_stream(limit), write);
        answer
    }

    /// A stream of HTTP/2 begins with a request.
    ///
    /// # Panics
    /// Where there was none: octets of HTTP/1.1 were sent, or are to be, and such a case is not asked over HTTP/2.
    pub(super) fn has_asked(&self) {
        let is_open = |handle: &Handle| {
            let id = handle.id();
            handle
                .session()
                .with(|state| state.streams.contains_key(&id))
        };
        let right = self.stream.handle().is_none_or(is_open);
        assert!(right, "no stream of HTTP/2 begins with octets of HTTP/1.1");
    }

    /// Opens a stream with a request, and hands back what is to follow it.
    ///
    /// # Panics
    /// Where the request cannot be said over HTTP/2: such a case is not asked over it.
    pub(super) fn opens_a_stream(&mut self, request: &Ask) -> Vec<u8> {
        let (fields, early) = match request.section() {
            Ok(section) => section,
            Err(why) => panic!("{why}"),
        };
        if let Some(handle) = self.stream.handle() {
            let id = handle.session().with(|state| {
                let id = next_stream(state);
                state.open(id, &fields, false);
                id
            });
            self.stream.goes_on_as(id);
        }
        early.to_vec()
    }

    /// Hears the answer on the stream of the last request.
    pub(super) async fn hears_on_its_stream(&self, limit: Duration) -> Answer {
        self.has_asked();
        let Some(handle) = self.stream.handle() else {
            return Answer::Closed;
        };
        let heard = handle
            .session()
            .until(limit, |state| answer(state, handle.id()));
        heard.await.unwrap_or(Answer::Silence)
    }
}

/// The answer on a stream, once there is one.
pub(super) fn answer(state: &State, id: u32) -> Option<Answer> {
    let stream = state.streams.get(&id);
    let sections = stream.map_or(&[][..], |stream| &stream.sections);
    let is_interim = |fields: &Fields| fields.status().is_some_and(|status| status < 200);
    if let Some(at) = sections.iter().position(|(fields, _)| !is_interim(fields)) {
        let interim = sections[..at]
            .iter()
            .filter_map(|(fields, _)| reply(fields));
        let interim = interim.collect();
        let fields = &sections[at].0;
        return Some(match reply(fields) {
            Some(reply) => Answer::Reply(Reply { interim, ..reply }),
            None => Answer::Garbage {
                bytes: fields.describe().into_bytes(),
                why: "its status is none".to_owned(),
            },
        });
    }
    if stream.is_some_and(|stream| stream.reset.is_some()) {
        return Some(Answer::Reset);
    }
    Some(match state.over.as_ref()? {
        Over::Closed => Answer::Closed,
        Over::Reset | Over::Failed(_) => Answer::Reset,
        Over::Broken(why) => Answer::Garbage {
            bytes: Vec::new(),
            why: format!("{BROKEN} {why}"),
        },
    })
}

/// A response of these fields, with a head as HTTP/1.1 would have it for whoever reads about it.
fn reply(fields: &Fields) -> Option<Reply> {
    let status = fields.status()?;
    let named = fields.iter().filter(|(name, _)| !name.starts_with(b":"));
    let mut head = format!("HTTP/2 {status}\r\n").into_bytes();
    let mut lines = Vec::new();
    for (name, value) in named {
        head.extend([name, b": ", value, b"\r\n"].concat());
        lines.push((String::from_utf8_lossy(name).into_owned(), value.to_vec()));
    }
    head.extend(b"\r\n");
    Some(Reply {
        head,
        minor: 0,
        status,
        reason: String::new(),
        fields: lines,
        interim: Vec::new(),
    })
}
