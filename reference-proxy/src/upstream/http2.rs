//! A tunnel through an upstream proxy that is spoken to over HTTP/2: `ProxyRemote … h2c://` and `h2://`.
//!
//! Each tunnel has a connection of its own with one stream on it. So no tunnel waits for another one's window or lost segment,
//! each has a source port of its own in the log as it has over HTTP/1.1, credentials and policy are those of its own client, and
//! whatever a proxy does to a whole connection costs one tunnel.
//!
//! One task drives the connection: frames and windows. It ends with the tunnel, when all that was said has left, and in time.

use super::{Answer, Asker, broken, gone, refusal, silent};
use crate::config::Http2;
use crate::http2::{
    Carrier, Link, Oversight, Piece, SECTION_LONGEST, Screen, Shared, StreamPort, UNSENT_MOST,
    Wire, letter,
};
use crate::net::linger;
use crate::refusal::Refusal;
use crate::relay::Port as _;
use h2::client::{Builder, Connection, ResponseFuture};
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, Request};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

/// What a connection to an upstream proxy goes over.
pub(crate) type AnyLink = Box<dyn Link>;

/// Octets that frames of a single octet may take besides what the window counts, until they are relayed.
const OVERHEAD_MOST: usize = 32 << 20;
/// What is read at once of what nobody wants any more.
const DISCARDED: usize = 4096;

/// A stream whose request was answered with 2xx, and its connection.
#[derive(Debug)]
pub struct Stream {
    port: StreamPort,
    driver: Driver,
}

/// What is known of the task that drives a connection.
#[derive(Debug)]
struct Driver {
    /// Dropped when nobody wants the stream any more.
    wanted: oneshot::Sender<()>,
    task: JoinHandle<()>,
    /// How long the end may take.
    limit: Duration,
}

/// A request that is on its way.
struct Asked {
    answers: ResponseFuture,
    sending: SendStream<Piece>,
    oversight: Arc<Oversight>,
}

/// Asks for the tunnel over a connection that was made for it.
///
/// Interim answers go to `client` where it `understands` them. `idle` is how long a tunnel may be silent.
///
/// # Errors
///
/// What the client is told instead; `None` when it is gone.
pub(crate) async fn ask<C: Asker>(
    link: AnyLink,
    request: Request<()>,
    (client, understands): (&mut C, bool),
    (deadline, idle): (Instant, Duration),
    http2: &Http2,
) -> Result<Stream, Option<Refusal>> {
    let (shared, oversight) = (Shared::new(link), Arc::new(Oversight::default()));
    let beneath = shared.beneath();
    let wire = shared.wire(Vec::new(), Screen::of_answers(Arc::clone(&oversight)));
    let handshake = timeout_at(deadline, builder(http2).handshake(wire));
    let begun = tokio::select! {
        begun = handshake => begun.map_err(|_| silent())?,
        () = client.lost() => return Err(None),
    };
    let (mut requests, frames) = begun.map_err(|error| failed(&error, &oversight))?;
    let driver = Driver::of(frames, shared, Arc::clone(&oversight), idle);
    let sent = requests.send_request(request, false);
    let (answers, sending) = sent.map_err(|error| failed(&error, &oversight))?;
    // The only request of this connection, which ends with its stream.
    drop(requests);
    let mut asked = Asked {
        answers,
        sending,
        oversight,
    };
    let receiving = granted(&mut asked, client, understands, deadline).await?;
    let Asked {
        sending, oversight, ..
    } = asked;
    let carrier = Arc::new(Carrier { beneath, oversight });
    Ok(Stream {
        port: StreamPort::new(receiving, sending, http2.data_most, carrier).answered(),
        driver,
    })
}

fn builder(http2: &Http2) -> Builder {
    let mut builder = Builder::new();
    builder
        .enable_push(false)
        .initial_window_size(http2.window)
        .initial_connection_window_size(http2.window)
        .max_header_list_size(SECTION_LONGEST as u32)
        .data_frame_budget(OVERHEAD_MOST)
        .max_send_buffer_size(UNSENT_MOST);
    builder
}

/// Waits for the final answer, and returns what comes behind it if it is a yes.
async fn granted<C: Asker>(
    asked: &mut Asked,
    client: &mut C,
    understands: bool,
    deadline: Instant,
) -> Result<RecvStream, Option<Refusal>> {
    loop {
        let heard = tokio::select! {
            heard = timeout_at(deadline, asked.hear()) => heard.map_err(|_| silent())?,
            () = client.lost() => return Err(None),
        };
        let (fields, receiving) = heard.map_err(|error| failed(&error, &asked.oversight))?;
        let Some(answer) = answer(&fields) else {
            asked.sending.send_reset(Reason::PROTOCOL_ERROR);
            return Err(Some(broken(
                "the answer of the upstream proxy is malformed",
            )));
        };
        match (answer.status, receiving) {
            (100 | 102..=199, None) if understands => {
                let passed = timeout_at(deadline, client.hear(&answer)).await;
                if !matches!(passed, Ok(Ok(()))) {
                    return Err(None);
                }
            }
            (100 | 102..=199, None) => {}
            (200..=299, Some(receiving)) => return Ok(receiving),
            (200.., Some(_)) if !answer.has_no_end() => return Err(Some(refusal(&answer))),
            _ => {
                asked.sending.send_reset(Reason::PROTOCOL_ERROR);
                return Err(Some(broken(
                    "the answer of the upstream proxy is malformed",
                )));
            }
        }
    }
}

/// What the fields say that the connection was read as.
fn answer(fields: &HeaderMap) -> Option<Answer> {
    let section = letter::read(fields.get(letter::NAME)?.as_bytes())?;
    Answer::of_stream(&section)
}

/// What the client is told when the stream or the connection is lost before the answer.
fn failed(error: &h2::Error, oversight: &Oversight) -> Refusal {
    if oversight.violation().is_some() || error.is_library() {
        return broken("the upstream proxy does not keep to HTTP/2, if that is what it speaks");
    }
    match error.reason().filter(|_| error.is_remote()) {
        Some(reason) => Refusal::bad_gateway(
            "connection_terminated",
            format!("the upstream proxy gave the request up: {reason}"),
        ),
        None => gone(),
    }
}

impl Asked {
    /// The next answer, and what comes behind it if it is the final one.
    async fn hear(&mut self) -> Result<(HeaderMap, Option<RecvStream>), h2::Error> {
        poll_fn(|cx| {
            // Only behind the last interim answer: asking for the final one throws those away.
            if let Some(interim) = ready!(self.answers.poll_informational(cx)) {
                return Poll::Ready(interim.map(|head| (head.into_parts().0.headers, None)));
            }
            let answered = Pin::new(&mut self.answers).poll(cx);
            answered.map_ok(|answer| {
                let (head, receiving) = answer.into_parts();
                (head.headers, Some(receiving))
            })
        })
        .await
    }
}

impl Stream {
    /// The stream, as the server's end of a tunnel.
    pub(super) const fn port(&mut self) -> &mut StreamPort {
        &mut self.port
    }

    /// Breaks it off (RFC 9113, section 8.5: as a reset of the connection that it stands for).
    pub(super) fn cut(&mut self) {
        self.port.reset(Reason::CANCEL);
    }

    /// Waits for the other side's end, so that nothing overtakes what was said, and throws away what still comes.
    pub(super) async fn end(&mut self) {
        let mut discarded = vec![0; DISCARDED];
        let end = poll_fn(|cx| {
            while let Poll::Ready(read) = self.port.poll_receive(cx, &mut discarded) {
                if matches!(read, Ok(0) | Err(_)) {
                    return Poll::Ready(());
                }
            }
            Poll::Pending
        });
        // Whoever takes longer has had the time of a silent tunnel.
        let _ = timeout(self.driver.limit, end).await;
    }

    /// Gives up the stream, and waits until the connection has ended.
    pub(super) async fn leave(self) {
        let Self { port, driver } = self;
        drop(port);
        drop(driver.wanted);
        // It ends in time by itself.
        let _ = driver.task.await;
    }
}

impl Driver {
    fn of(
        frames: Connection<Wire<AnyLink>, Piece>,
        shared: Shared<AnyLink>,
        oversight: Arc<Oversight>,
        limit: Duration,
    ) -> Self {
        let (wanted, unwanted) = oneshot::channel();
        let task = tokio::spawn(async move {
            let whole = {
                let driven = pin!(driven(frames, &oversight));
                let mut driven = pin!(shared.driving(driven, &oversight));
                tokio::select! {
                    whole = &mut driven => whole,
                    _ = unwanted => timeout(limit, driven).await.unwrap_or(false),
                }
            };
            if whole {
                let _ = timeout(limit, shared.drained()).await;
            }
            if let Some(link) = shared.into_link().filter(|_| whole) {
                linger::close(link).await;
            }
        });
        Self {
            wanted,
            task,
            limit,
        }
    }
}

/// Drives a connection to its end; whether it ended in words.
async fn driven(mut frames: Connection<Wire<AnyLink>, Piece>, oversight: &Oversight) -> bool {
    poll_fn(|cx| {
        let ended = Pin::new(&mut frames).poll(cx);
        if oversight.violation().is_some() {
            return Poll::Ready(false);
        }
        ended.map(|ended| !ended.is_err_and(|error| error.is_io()))
    })
    .await
}
