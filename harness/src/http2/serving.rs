//! A connection from the server's side: what a client begins it with, and the streams that it opens.

use crate::http2::{
    Fields, Frame, Manners, Recorder, Session, State,
    frame::{PREFACE, kind},
    session::Role,
};

/// Streams that one connection may have had; more of them are a flood.
const STREAMS_LIMIT: usize = 4096;

impl Session {
    /// A connection that a client has made, and to which this side says these SETTINGS at once; what passes is told to `recorder`.
    #[must_use]
    pub fn serve(recorder: Box<dyn Recorder>, settings: &[(u16, u32)], manners: Manners) -> Self {
        let state = State::new(recorder, manners, Role::Server { preface: 0 });
        Self::of(state, settings)
    }
}

impl State {
    /// Takes what begins a connection off the front of what has come, where this side serves: what is left.
    ///
    /// # Errors
    /// What came in its place.
    pub(super) fn take_preface<'a>(&mut self, octets: &'a [u8]) -> Result<&'a [u8], String> {
        let Role::Server { preface: come } = &mut self.role else {
            return Ok(octets);
        };
        let due = &PREFACE[*come..];
        let length = due.len().min(octets.len());
        let (begins, rest) = octets.split_at(length);
        if !due.starts_with(begins) {
            let shown = begins.escape_ascii();
            return Err(format!("{shown} in place of the connection preface"));
        }
        *come += length;
        Ok(rest)
    }

    /// Knows a stream from now on that the client opens with this frame.
    ///
    /// # Errors
    /// Why it may not.
    pub(super) fn is_opened_by(&mut self, frame: &Frame) -> Result<(), String> {
        let wrong = |how: &str| Err(format!("{} {how}", frame.describe(None)));
        let last = self.streams.last_key_value().map_or(0, |(last, _)| *last);
        match frame.stream {
            even if even.is_multiple_of(2) => wrong("on a stream that no client opens"),
            past if past <= last => wrong("on a stream that lies behind others already"),
            _ if self.streams.len() >= STREAMS_LIMIT => wrong("after many other streams"),
            id => {
                self.adopt(id);
                Ok(())
            }
        }
    }

    /// The first stream behind that one on which a whole request has come.
    #[must_use]
    pub fn asked_behind(&self, last: u32) -> Option<u32> {
        let mut later = self.streams.range(last + 1..);
        later
            .find(|(_, stream)| !stream.sections.is_empty())
            .map(|(id, _)| *id)
    }

    /// Says a field section on a stream that is open: the last word on it, if it says so.
    pub fn answer(&mut self, id: u32, fields: &Fields, last: bool) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.finished |= last;
        }
        for frame in Frame::section(id, &fields.block(), last) {
            let fields = (frame.kind == kind::HEADERS).then_some(fields);
            self.send_described(&frame, fields);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http2::{ErrorCode, Over, frame::flag};

    struct Deaf;

    impl Recorder for Deaf {
        fn note(&mut self, _: bool, _: &Frame, _: Option<&Fields>) {}
    }

    fn serving() -> Session {
        Session::serve(Box::new(Deaf), &[], Manners::default())
    }

    fn octets(frames: &[Frame]) -> Vec<u8> {
        let mut octets = PREFACE.to_vec();
        octets.extend([0; 0]);
        frames.iter().for_each(|frame| frame.encode(&mut octets));
        octets
    }

    fn request() -> Vec<u8> {
        let fields = Fields::new().with(":method", "CONNECT");
        fields.with(":authority", "a.example:443").block()
    }

    #[test]
    fn a_request_is_heard_however_it_is_cut() {
        let hello = [Frame::settings(&[]), Frame::headers(1, request(), false)];
        let hello = octets(&hello);
        for cut in 1..hello.len() {
            let session = serving();
            let asked = session.with(|state| {
                hello.chunks(cut).for_each(|piece| state.feed(piece));
                assert_eq!(state.over, None, "in pieces of {cut}");
                state.asked_behind(0)
            });
            assert_eq!(asked, Some(1), "in pieces of {cut}");
        }
    }

    #[test]
    fn what_is_no_client_of_http_2_is_said() {
        let broken = |come: &[u8]| {
            let session = serving();
            session.with(|state| {
                state.feed(come);
                match state.over.clone() {
                    Some(Over::Broken(why)) => why,
                    other => panic!("{other:?}"),
                }
            })
        };
        let why = broken(b"CONNECT a.example:443 HTTP/1.1\r\n\r\n");
        assert!(why.contains("in place of the connection preface"), "{why}");
        let hello = |frame: Frame| broken(&octets(&[Frame::settings(&[]), frame]));
        for (frame, expected) in [
            (Frame::headers(2, request(), false), "no client opens"),
            (Frame::data(1, *b"x", false), "nobody has opened"),
            (Frame::reset(5, ErrorCode::CANCEL), "nobody has opened"),
            (Frame::settings(&[(2, 2)]), "ENABLE_PUSH"),
        ] {
            let why = hello(frame);
            assert!(why.contains(expected), "{why}");
        }
        let why = broken(&octets(&[Frame::ping([0; 8])]));
        assert!(why.contains("before the first SETTINGS"), "{why}");
    }

    #[test]
    fn an_answer_is_the_last_word_if_it_says_so() {
        let session = serving();
        let hello = [Frame::settings(&[]), Frame::headers(1, request(), false)];
        session.with(|state| {
            state.feed(&octets(&hello));
            state.unsent.clear();
            state.answer(1, &Fields::new().with(":status", "403"), true);
            assert_eq!(
                state.unsent[3..5],
                [kind::HEADERS, flag::END_HEADERS | flag::END_STREAM]
            );
            assert!(state.streams[&1].finished);
        });
    }
}
