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
