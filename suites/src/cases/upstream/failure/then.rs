//! What an upstream proxy does to a request that it has read, and what the client may hear of it.

use connectspec_harness::prelude::*;

/// What an upstream proxy does once it has read a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Then {
    /// Says this, and closes.
    Says(&'static [u8]),
    /// Closes.
    Ends,
    /// Resets.
    Resets,
}

use Then::{Ends, Resets, Says};

/// What the client hears once the upstream proxy has read its request and done `then`.
pub(super) async fn after(lab: &Lab, then: Then) -> Outcome<Answer> {
    let server = lab.server(hold()).await?;
    let upstream = lab.upstream(hand_over()).await?;
    let chain = lab.chains(&upstream, &lab.request(&server)).await?;
    Ok(end(chain, then).await?.hears().await)
}

/// The client's connection, once the upstream proxy has ended its own.
async fn end(chain: Chain, then: Then) -> Outcome<Connection> {
    let Chain { near, mut far, .. } = chain;
    match then {
        Says(bytes) => {
            far.sends(bytes).await?;
            far.finishes().await?;
        }
        Ends => far.finishes().await?,
        Resets => return far.resets().map(|()| near),
    }
    Ok(near)
}

/// The client was told in HTTP that there is no tunnel, or was cut off.
pub(super) fn refused_or_closed(lab: &Lab, answer: &Answer) -> Outcome {
    match answer {
        Answer::Reply(reply) if reply.is_success() => {}
        Answer::Garbage { .. } => {}
        Answer::Silence => return Err(Finding::inconclusive("silence")),
        other => {
            lab.note(other.describe());
            return Ok(());
        }
    }
    let expected = [
        "a final status that is not 2xx",
        "a close without an answer",
    ];
    Err(Finding::none_of(expected, answer.describe()))
}

/// The client was told that it is not to blame.
pub(super) fn server_error(lab: &Lab, answer: &Answer) -> Outcome {
    match answer.status() {
        Some(500..600) => {
            lab.note(answer.describe());
            Ok(())
        }
        _ => Err(Finding::violation("a 5xx", answer.describe())),
    }
}
