//! A connection of which each stream is a request: what a proxy asks on it, and what it is told.

use std::time::Duration;

use crate::{
    http2::{Fields, Manners, Session},
    tunnel::{End, Http2},
    verdict::{Finding, Outcome},
};

/// No case lasts so long, and nothing else ends the wait for another stream.
const FOR_EVER: Duration = Duration::from_secs(24 * 3600);

/// HTTP/2 on the connection of `end`, to which this side says these SETTINGS: an end of no stream yet.
pub(super) fn speaks_http2(end: End, settings: &[(u16, u32)], manners: Manners) -> Outcome<End> {
    let (side, patience) = (end.side, end.patience);
    let begin = |recorder| Session::serve(recorder, settings, manners);
    let stream = end.stream.speaks_http2(begin, NONE);
    let stream = stream.map_err(|error| Finding::harness(error.to_string()))?;
    Ok(End::new(stream, side, patience))
}

/// The number of no stream.
const NONE: u32 = 0;

/// Every stream that the proxy opens on the connection of `end`, in order, until that is over.
pub(super) async fn each(end: End, mut opened: impl FnMut(End)) -> Outcome {
    let http2 = Http2::of(end)?;
    let mut last = NONE;
    loop {
        let next = http2.until_within(FOR_EVER, |state| match state.asked_behind(last) {
            Some(id) => Some(Some(id)),
            None => state.over.as_ref().map(|_| None),
        });
        match next.await.flatten() {
            Some(id) => {
                last = id;
                opened(http2.end(id));
            }
            None => return Ok(()),
        }
    }
}

/// Grants what is asked on the stream of that end.
pub(super) fn grant(end: &End) {
    if let Some(handle) = end.stream.handle() {
        let granted = Fields::new().with(":status", "200");
        let id = handle.id();
        handle
            .session()
            .with(|state| state.answer(id, &granted, false));
    }
}

impl Http2 {
    /// The connection of an end that is a stream of it, as the case speaks on it.
    ///
    /// # Errors
    /// The harness's, where that speaks no HTTP/2.
    pub fn of(end: End) -> Outcome<Self> {
        let handle = end.stream.handle().cloned();
        let handle = handle.ok_or_else(|| Finding::harness("this connection speaks no HTTP/2"))?;
        Ok(Self {
            stream: end.stream,
            handle,
            side: end.side,
            patience: end.patience,
            fields: Fields::new(),
        })
    }

    /// The stream that it was made of.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.handle.id()
    }

    /// The first field section on a stream: the request, where the proxy has opened it.
    #[must_use]
    pub fn asked(&self, id: u32) -> Fields {
        self.session().with(|state| {
            let stream = state.streams.get(&id);
            let first = stream.and_then(|stream| stream.sections.first());
            first.map(|(fields, _)| fields.clone()).unwrap_or_default()
        })
    }

    /// Answers on a stream, with the last word if it says so.
    pub fn answers(&self, id: u32, fields: &Fields, last: bool) {
        self.session().with(|state| state.answer(id, fields, last));
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::{
        http2::{ErrorCode, Frame, Leave, frame::setting},
        patience::Patience,
        server::{
            Script, Secrecy, Server, Shared,
            script::{echo_on_streams, hand_over_streams, speak_http2},
        },
        tunnel::{Ending, Fate, Side},
        wire::{Leg, Stream, Tap, Transcript, What},
    };

    /// A server that follows `script`, and a client that has opened two streams on a connection to it.
    async fn asked(script: Script, transcript: &Transcript) -> (Server, Http2) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Shared::new(transcript, Leg::Upstream, Patience::default());
        let host = "127.0.0.1".to_owned();
        let server = Server::serve(host, vec![listener], &script, &Secrecy::Plain, shared);
        let socket = TcpStream::connect(address).await.unwrap();
        let tap = Tap::on(socket, Leg::Client, transcript).unwrap();
        let begin = |recorder| Session::begin(recorder, &[], Manners::default());
        let stream = Stream::plain(tap).speaks_http2(begin, 1).unwrap();
        let client = Http2::of(End::new(stream, Side::Client, Patience::default())).unwrap();
        client.session().with(|state| {
            for (id, port) in [(1, "1"), (3, "3")] {
                let request = Fields::new()
                    .with(":method", "CONNECT")
                    .with(":authority", format!("a.example:{port}"));
                state.open(id, &request, false);
            }
        });
        (server.unwrap(), client)
    }

    fn status(status: &str) -> Fields {
        Fields::new().with(":status", status)
    }

    #[tokio::test]
    async fn each_stream_is_handed_over_with_what_it_asks_for() {
        let transcript = Transcript::begin();
        let script = speak_http2(&[], Manners::default()).then(hand_over_streams());
        let (server, client) = asked(script, &transcript).await;
        let first = Http2::of(server.accepts().await.unwrap()).unwrap();
        let second = Http2::of(server.accepts().await.unwrap()).unwrap();
        assert_eq!((first.id(), second.id()), (1, 3));
        let asked = first.asked(3).describe();
        assert_eq!(asked, ":method: CONNECT, :authority: a.example:3");

        first.answers(1, &status("200"), false);
        second.answers(3, &status("403"), true);
        let (mut near, mut far) = (client.end(1), first.end(1));
        near.exchanges_with(&mut far, "up", "down").await.unwrap();
        near.finishes().await.unwrap();
        far.ends().await.unwrap();
        first.resets(1, ErrorCode::CONNECT_ERROR);
        assert_eq!(near.ends_somehow().await, Ok(Ending::Abrupt));
        let limit = Patience::default().soon();
        let fate = client.fate(3, limit, Duration::ZERO).await;
        assert_eq!(fate, Fate::Ended);

        let events = transcript.events();
        let said: Vec<&str> = events
            .iter()
            .filter_map(|event| match &event.what {
                What::Frame(said) if event.leg == Leg::Upstream => Some(said.as_str()),
                _ => None,
            })
            .collect();
        assert!(
            said.contains(&"RST_STREAM on 1 (4): CONNECT_ERROR"),
            "{said:?}"
        );
    }

    #[tokio::test]
    async fn windows_of_a_server_hold_its_client_back() {
        let transcript = Transcript::begin();
        let manners = Manners {
            credits: false,
            ..Manners::default()
        };
        let settings = [(setting::INITIAL_WINDOW_SIZE, 3)];
        let script = speak_http2(&settings, manners).then(hand_over_streams());
        let (server, client) = asked(script, &transcript).await;
        let http2 = Http2::of(server.accepts().await.unwrap()).unwrap();
        http2.answers(1, &status("200"), false);
        http2.is_settled().await.unwrap();
        let (mut near, mut far) = (client.end(1), http2.end(1));
        let sends = async { near.sends("0123456789").await };
        let receives = async {
            far.receives("012").await?;
            assert_eq!(http2.received(1), 3);
            http2.grants(1, 100);
            far.receives("3456789").await
        };
        let (sent, received) = tokio::join!(sends, receives);
        sent.and(received).unwrap();
        // Who exceeds them is not listened to.
        client.sends(&Frame::data(1, [7; 200], false));
        let why = http2.fence().await.unwrap_err().to_string();
        assert!(why.contains("past the window of the stream"), "{why}");
    }

    #[tokio::test]
    async fn every_stream_is_granted_and_echoes_until_the_connection_ends() {
        let transcript = Transcript::begin();
        let script = speak_http2(&[], Manners::default()).then(echo_on_streams());
        let (server, client) = asked(script, &transcript).await;
        for id in [1, 3] {
            client.end(id).echoes("word").await.unwrap();
        }
        client.leaves(Leave::Close);
        server.played_by_one().await.unwrap();
    }
}
