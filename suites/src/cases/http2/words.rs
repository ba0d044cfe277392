//! What the cases of this room are written in.

use std::time::Duration;

use connectspec_harness::{
    client::{Fate, Http2},
    http2::Manners,
    prelude::*,
};

/// A connection that speaks HTTP/2, and does everything by itself that is usual.
pub(super) async fn connection(lab: &Lab) -> Outcome<Http2> {
    lab.client().dial_http2(&[], Manners::default()).await
}

/// A tunnel on a stream of its own.
#[derive(Debug)]
pub(super) struct Tunnel {
    /// Its stream.
    pub(super) id: u32,
    pub(super) near: End,
    pub(super) far: End,
}

/// A tunnel that has carried something both ways.
pub(super) async fn tunnel(lab: &Lab, http2: &Http2) -> Outcome<Tunnel> {
    let server = lab.server(hand_over()).await?;
    let (id, mut near) = http2.connects(&server).await?;
    let (there, back) = (lab.nonce(), lab.nonce());
    near.sends(&there).await?;
    let mut far = server.accepts_who_speaks().await?;
    far.receives(there).await?;
    far.sends(&back).await?;
    near.receives(back).await?;
    Ok(Tunnel { id, near, far })
}

/// Opens a tunnel to a server that echoes, and sees that it works.
///
/// # Errors
/// The set-up's, where there is none.
pub(super) async fn opened(lab: &Lab, http2: &Http2, server: &Server) -> Outcome {
    let (_, mut near) = http2.connects(server).await?;
    near.echoes(lab.nonce()).await
}

impl Tunnel {
    /// It carries something both ways.
    pub(super) async fn carries(&mut self, lab: &Lab) -> Outcome {
        self.near
            .exchanges_with(&mut self.far, lab.nonce(), lab.nonce())
            .await
    }
}

/// How long an end without an error has, to bring one along.
pub(super) fn afterwards(lab: &Lab) -> Duration {
    lab.patience().quiet()
}

/// What becomes of a stream within the time of an end.
pub(super) async fn fate(lab: &Lab, http2: &Http2, id: u32) -> Fate {
    http2.fate(id, lab.patience().end(), afterwards(lab)).await
}

/// A request to a denied port is refused. Silence is no answer, and a 2xx is for other cases.
pub(super) fn is_a_refusal(answer: &Answer) -> Outcome {
    match answer.status() {
        Some(200..300) => Err(Finding::inconclusive(answer.describe())),
        _ => is_heard(answer),
    }
}

/// There is an answer of some kind: of silence nothing follows.
pub(super) fn is_heard(answer: &Answer) -> Outcome {
    match answer {
        Answer::Silence => Err(Finding::inconclusive("silence")),
        _ => Ok(()),
    }
}

/// The request on a stream is refused as malformed: with a reset, with a response that is no 2xx, or with the end of the
/// connection. Silence says nothing: a case of its own asks for an answer.
pub(super) async fn is_refused(lab: &Lab, http2: &Http2, id: u32) -> Outcome {
    let answer = http2.hears(id).await;
    match &answer {
        Answer::Reply(reply) if reply.is_success() || reply.status == 101 => {
            return Err(Finding::violation("no tunnel", answer.describe()));
        }
        Answer::Garbage { .. } => {
            return Err(Finding::violation("an HTTP response", answer.describe()));
        }
        Answer::Silence => return is_heard(&answer),
        Answer::Reply(_) => lab.note(answer.describe()),
        Answer::Closed | Answer::Reset => lab.note(fate(lab, http2, id).await.describe()),
    }
    Ok(())
}
