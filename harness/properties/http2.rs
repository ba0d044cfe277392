//! What a proxy says in HTTP/2, to a client or to an upstream proxy: no octets make the session panic, what it keeps is bounded, and where the network cuts them
//! changes nothing.

use std::sync::{Arc, Mutex};

use connectspec_harness::http2::{
    Fields, Frame, Manners, Over, Recorder, Session, field::SECTION_LIMIT, frame::PREFACE,
};

/// Streams that are open when the octets come.
const STREAMS: [u32; 2] = [1, 3];

/// All that a session has made of the octets.
#[derive(Debug, PartialEq)]
struct Seen {
    frames: Vec<String>,
    over: Option<Over>,
    streams: Vec<SeenStream>,
}

/// What a session knows of a stream.
#[derive(Debug, PartialEq)]
struct SeenStream {
    sections: Vec<(Fields, bool)>,
    received: u64,
    ended: bool,
    reset: Option<u32>,
}

/// Whether the input was accepted. Panics where the property does not hold; `cuts` are the lengths of the first pieces.
pub(crate) fn holds(cuts: &[u8], octets: &[u8]) -> bool {
    let mut rest = octets;
    let mut pieces = Vec::new();
    for cut in cuts {
        let (piece, behind) = rest.split_at(rest.len().min(usize::from(*cut)));
        pieces.push(piece);
        rest = behind;
    }
    pieces.push(rest);
    let sides: [Begin; 2] = [client, server];
    let accepted = sides.map(|begin| {
        let whole = seen(begin, &[octets]);
        assert_eq!(whole, seen(begin, &pieces));
        whole.over.is_none() && !whole.frames.is_empty()
    });
    accepted.contains(&true)
}

/// A session that writes down what it hears.
type Begin = fn(Box<dyn Recorder>) -> Session;

/// One whose streams are open.
fn client(recorder: Box<dyn Recorder>) -> Session {
    let session = Session::begin(recorder, &[], Manners::default());
    session.with(|state| STREAMS.iter().for_each(|id| state.adopt(*id)));
    session
}

/// One to which the octets open streams, behind what begins a connection.
fn server(recorder: Box<dyn Recorder>) -> Session {
    let session = Session::serve(recorder, &[], Manners::default());
    session.with(|state| state.feed(PREFACE));
    session
}

fn seen(begin: Begin, pieces: &[&[u8]]) -> Seen {
    let frames = Arc::new(Mutex::new(Vec::new()));
    let session = begin(Box::new(Heard(Arc::clone(&frames))));
    session.with(|state| {
        pieces.iter().for_each(|piece| state.feed(piece));
        let streams = state.streams.values().map(|stream| {
            for (fields, _) in &stream.sections {
                let size: usize = fields.iter().map(|(n, v)| n.len() + v.len()).sum();
                assert!(size <= SECTION_LIMIT, "{size} octets of one section");
            }
            SeenStream {
                sections: stream.sections.clone(),
                received: stream.received().0,
                ended: stream.ended,
                reset: stream.reset.map(|code| code.0),
            }
        });
        Seen {
            streams: streams.collect(),
            over: state.over.clone(),
            frames: std::mem::take(&mut *frames.lock().expect("nobody panics here")),
        }
    })
}

/// What was heard, as a transcript has it.
struct Heard(Arc<Mutex<Vec<String>>>);

impl Recorder for Heard {
    fn note(&mut self, out: bool, frame: &Frame, fields: Option<&Fields>) {
        if !out {
            let mut frames = self.0.lock().expect("nobody panics here");
            frames.push(frame.describe(fields));
        }
    }
}
