//! A connection that speaks HTTP/2, of which every frame is written down.

use std::io;

use crate::{
    http2::{Fields, Frame, Handle, Leave, Owner, Recorder, Session, driver::drive},
    wire::{Stream, Transcript, Way, transcript::Place},
};

/// The protocol that is agreed on in a TLS handshake (RFC 9113 §3.2).
pub(crate) const ALPN: &[u8] = b"h2";

/// Writes frames into the transcript of a case.
struct Frames {
    transcript: Transcript,
    place: Place,
}

impl Recorder for Frames {
    fn note(&mut self, out: bool, frame: &Frame, fields: Option<&Fields>) {
        let way = if out { Way::Out } else { Way::In };
        self.transcript
            .frame(self.place, way, frame.describe(fields));
    }

    fn odd(&mut self, why: &str) {
        self.transcript.odd_frame(why);
    }
}

impl Stream {
    /// HTTP/2 on this connection, which a task carries from now on: its stream of that number, which is open or will be.
    ///
    /// # Errors
    /// What the system said of a connection that it does not know.
    pub(crate) fn speaks_http2(
        self,
        begin: impl FnOnce(Box<dyn Recorder>) -> Session,
        id: u32,
    ) -> io::Result<Self> {
        let ends = [self.local()?, self.peer()?];
        let (transcript, place) = self.within(self.layer());
        let transcript = transcript.clone();
        let session = begin(Box::new(Frames {
            transcript: transcript.clone(),
            place,
        }));
        let driven = session.clone();
        tokio::spawn(async move {
            if let (stream, Leave::Reset) = drive(driven, self).await {
                // A connection that is gone needs no reset.
                let _ = stream.reset();
            }
        });
        let handle = Handle::new(Owner::of(session), id);
        Ok(Self::multiplexed(handle, (&transcript, place), ends))
    }
}
