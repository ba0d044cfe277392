//! What a server does with a connection, step by step.

use crate::{
    http2::Manners,
    server::streams,
    tunnel::End,
    verdict::{Finding, Outcome},
    wire::Payload,
};

/// Steps, joined by [`Script::then`].
#[derive(Clone, Debug, Default)]
pub struct Script {
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Send(Payload),
    Receive(Payload),
    ReceiveHead,
    ReceiveToTheEnd,
    Echo,
    Finish,
    Close,
    Reset,
    Hold,
    HandOver,
    SpeakHttp2(Vec<(u16, u32)>, Manners),
    HandOverStreams,
    EchoOnStreams,
}

/// Sends `payload`.
#[must_use]
pub fn send(payload: impl Into<Payload>) -> Script {
    Step::Send(payload.into()).into()
}

/// Receives exactly `payload`.
#[must_use]
pub fn receive(payload: impl Into<Payload>) -> Script {
    Step::Receive(payload.into()).into()
}

/// Receives the head of an HTTP message, whatever it says, and not a byte after it.
#[must_use]
pub fn receive_head() -> Script {
    Step::ReceiveHead.into()
}

/// Reads to the end of the stream, whatever comes.
#[must_use]
pub fn receive_to_the_end() -> Script {
    Step::ReceiveToTheEnd.into()
}

/// Sends back whatever arrives, and ends when the other side has ended.
#[must_use]
pub fn echo() -> Script {
    Step::Echo.into()
}

/// Says that nothing more is coming (FIN), and goes on.
#[must_use]
pub fn finish() -> Script {
    Step::Finish.into()
}

/// Ends in order: FIN, then reads to the end. A server that closed at once would make its kernel reset the connection
/// and throw away what it had still to send.
#[must_use]
pub fn close() -> Script {
    Step::Close.into()
}

/// Ends with a reset.
#[must_use]
pub fn reset() -> Script {
    Step::Reset.into()
}

/// Says nothing and reads nothing, until the case is over.
#[must_use]
pub fn hold() -> Script {
    Step::Hold.into()
}

/// Leaves the connection to the case, which takes it with [`Server::accepts`](super::Server::accepts).
#[must_use]
pub fn hand_over() -> Script {
    Step::HandOver.into()
}

/// Speaks HTTP/2 from here on, and begins with these SETTINGS: what follows is about its streams.
#[must_use]
pub fn speak_http2(settings: &[(u16, u32)], manners: Manners) -> Script {
    Step::SpeakHttp2(settings.to_vec(), manners).into()
}

/// Leaves each stream that the proxy opens to the case, which takes it with [`Server::accepts`](super::Server::accepts).
#[must_use]
pub fn hand_over_streams() -> Script {
    Step::HandOverStreams.into()
}

/// Grants what is asked on each stream, and sends back whatever arrives there.
#[must_use]
pub fn echo_on_streams() -> Script {
    Step::EchoOnStreams.into()
}

impl Script {
    /// Goes on with `next`.
    #[must_use]
    pub fn then(mut self, next: Self) -> Self {
        self.steps.extend(next.steps);
        self
    }

    /// Plays the steps on `end`. What is left of the connection is handed to `over`, if a step says so.
    pub(super) async fn play(self, mut end: End, over: impl Fn(End)) -> Outcome {
        for step in self.steps {
            match step {
                Step::Send(payload) => end.sends(payload).await?,
                Step::Receive(payload) => end.receives(payload).await?,
                Step::ReceiveHead => {
                    end.receives_head().await?;
                }
                Step::ReceiveToTheEnd => {
                    end.receives_to_the_end(usize::MAX - 1).await?;
                }
                Step::Echo => echo_on(&mut end).await?,
                Step::Finish => end.finishes().await?,
                Step::Close => return end.closes().await,
                Step::Reset => return end.resets(),
                Step::Hold => return std::future::pending().await,
                Step::HandOver => {
                    over(end);
                    return Ok(());
                }
                Step::SpeakHttp2(settings, manners) => {
                    end = streams::speaks_http2(end, &settings, manners)?;
                }
                Step::HandOverStreams => return streams::each(end, over).await,
                Step::EchoOnStreams => {
                    let echo = |end| drop(tokio::spawn(grant_and_echo(end)));
                    return streams::each(end, echo).await;
                }
            }
        }
        Ok(())
    }
}

impl From<Step> for Script {
    fn from(step: Step) -> Self {
        Self { steps: vec![step] }
    }
}

/// Grants what a stream asks for, and echoes on it.
async fn grant_and_echo(mut end: End) -> Outcome {
    streams::grant(&end);
    echo_on(&mut end).await
}

/// Echoes to the end of the stream, then ends its own.
async fn echo_on(end: &mut End) -> Outcome {
    let (mut reader, mut writer) = tokio::io::split(&mut end.stream);
    let failed = |error: std::io::Error| {
        Finding::violation(
            "the server can echo to the end of the stream",
            error.to_string(),
        )
    };
    tokio::io::copy(&mut reader, &mut writer)
        .await
        .map_err(failed)?;
    end.finishes().await
}
