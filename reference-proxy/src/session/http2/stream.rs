//! One stream: its request, the decision, the tunnel. Everything that decides is shared with HTTP/1.1.

use super::live::One;
use crate::http2::{Carrier, Piece, StreamPort, letter};
use crate::log::error::Level;
use crate::log::{Ends, Record};
use crate::proxy::Proxy;
use crate::refusal::Refusal;
use crate::relay::{Early, Ended};
use crate::request::{Request, Section};
use crate::session::onward::{self, Onward};
use crate::session::{TIMED_OUT, told};
use crate::sessions::Seat;
use crate::upstream::{Answer, Asker, NextHop};
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A stream that was opened, and is not yet answered.
pub(super) struct Asked {
    /// `None`: it is longer than any may be.
    section: Option<Section>,
    receiving: RecvStream,
    respond: Respond,
}

/// The way to its answer.
struct Respond(SendResponse<Piece>);

/// What has become of a stream.
enum Opened {
    /// It is a tunnel, which may be silent for so long.
    Tunnel(Box<Tunnel>, Duration),
    /// It was refused.
    Answered,
    /// The client has reset it before there was an answer.
    GivenUp,
}

/// Both ends, connected, and what of the configuration a standing tunnel needs.
struct Tunnel {
    record: Record,
    /// By itself, since small pieces fit into the gaps that the alignment of tasks leaves.
    port: Box<StreamPort>,
    server: NextHop,
    /// Most often nothing.
    early: Option<Box<Early>>,
}

impl Asked {
    pub(super) fn new(request: http::Request<RecvStream>, respond: SendResponse<Piece>) -> Self {
        let (parts, receiving) = request.into_parts();
        let letter = parts.headers.get(letter::NAME);
        Self {
            section: letter.and_then(|letter| letter::read(letter.as_bytes())),
            receiving,
            respond: Respond(respond),
        }
    }

    /// Reads the request, picks the virtual host and tells the record of both.
    fn request(&self, record: &mut Record, proxy: &Proxy) -> Result<Request, Refusal> {
        record.begin();
        let first = proxy.config.server(record.ends.local, None);
        let too_long = || Refusal::head_too_large("the fields are too long");
        let read = match &self.section {
            Some(section) => Request::of_stream(section, &first.head),
            None => Err(too_long()),
        };
        let line = self.section.as_ref().map(Section::line).unwrap_or_default();
        match read {
            Ok(request) => {
                let server = proxy
                    .config
                    .server(record.ends.local, request.authority.as_ref());
                proxy.log_to(record, server);
                record.ask(&line, &request);
                Ok(request)
            }
            Err(refusal) => {
                proxy.log_to(record, first);
                record.ask_malformed(&line);
                Err(refusal)
            }
        }
    }

    /// Says no. The answer is whole, so that the client is asked to send no more (RFC 9113, section 8.1).
    fn refuse(mut self, refusal: &Refusal, record: &mut Record, proxy: &Proxy) {
        let (head, body) = refusal.to_response(SystemTime::now());
        record.status = refusal.status;
        told(refusal, record, proxy);
        let method = self.section.as_ref().and_then(Section::method);
        let without_content = method == Some(b"HEAD");
        let Ok(mut sending) = self.respond.0.send_response(head, without_content) else {
            return;
        };
        if !without_content {
            record.body_sent = body.len() as u64;
            record.traffic.sent += record.body_sent;
            // A client that is gone meanwhile has no use for it.
            let _ = sending.send_data(Piece::from(body), true);
        }
    }
}

/// Serves one stream to its end. The access line is written when this future ends or is dropped. `one` and `seat` are given back with
/// it.
///
/// A standing tunnel holds one box and the state of its relay: what only its beginning needed is gone, and the future that is made
/// here is not itself one that remembers what it was given.
pub(super) fn serve(
    asked: Asked,
    ends: Arc<Ends>,
    proxy: Arc<Proxy>,
    carrier: Arc<Carrier>,
    one: One,
    seat: Seat,
) -> impl Future<Output = ()> + Send {
    let record = Record::new(ends);
    let opening = Box::pin(open(asked, record, proxy, carrier));
    async move {
        match opening.await {
            Opened::Tunnel(mut tunnel, idle) => {
                one.note(true);
                tunnel.stand(idle).await;
                tunnel.end().leave().await;
            }
            Opened::Answered => one.note(true),
            Opened::GivenUp => one.note(false),
        }
        drop(one);
        drop(seat);
    }
}

impl Tunnel {
    /// Relays to the end.
    async fn stand(&mut self, idle: Duration) {
        let relay = {
            let own = (&mut *self.port, None);
            let early = self
                .early
                .take()
                .map_or_else(Early::default, |early| *early);
            let traffic = &mut self.record.traffic;
            self.server.relay(own, early, traffic, idle)
        };
        let ended = relay.await;
        match ended {
            Ended::Closed => self.server.finish(),
            Ended::Idle => {
                self.port.finish();
                self.server.finish();
            }
            // RFC 9113, section 8.5: an error of the TCP connection.
            Ended::ServerReset | Ended::Stalled => {
                self.port.reset(Reason::CONNECT_ERROR);
                self.server.stays_cut();
            }
            // It had ended its direction before it was gone: what is on its way to the server arrives.
            Ended::ClientReset if self.port.is_lost_behind_its_end() => self.server.deliver().await,
            Ended::ClientReset => self.server.stays_cut(),
        }
        if matches!(ended, Ended::Idle | Ended::Stalled) {
            self.record.tell(Level::Info, TIMED_OUT);
        }
    }

    /// Ends the stream; the server is left to go.
    fn end(self) -> NextHop {
        self.server
    }
}

/// Answers a stream for which there is no place.
pub(super) fn turn_away(asked: Asked, ends: Arc<Ends>, proxy: &Proxy) {
    let mut record = Record::new(ends);
    let refusal = asked
        .request(&mut record, proxy)
        .err()
        .unwrap_or_else(|| Refusal::new(503, "there is no place for one more tunnel"));
    asked.refuse(&refusal, &mut record, proxy);
}

/// Everything up to the tunnel.
async fn open(
    mut asked: Asked,
    mut record: Record,
    proxy: Arc<Proxy>,
    carrier: Arc<Carrier>,
) -> Opened {
    let outcome = match asked.request(&mut record, &proxy) {
        Ok(request) => onward::connect(&request, &mut asked.respond, &mut record, &proxy).await,
        Err(refusal) => Err(Some(refusal)),
    };
    let Onward {
        mut server,
        early: down,
        settings,
    } = match outcome {
        Ok(onward) => onward,
        Err(None) => return Opened::GivenUp,
        Err(Some(refusal)) => {
            asked.refuse(&refusal, &mut record, &proxy);
            return Opened::Answered;
        }
    };
    record.status = 200;
    let Asked {
        receiving,
        mut respond,
        ..
    } = asked;
    let Ok(sending) = respond.0.send_response(Response::new(()), false) else {
        // The client has reset the stream.
        server.cut();
        return Opened::GivenUp;
    };
    let tunnel = Tunnel {
        record,
        port: Box::new(StreamPort::new(
            receiving,
            sending,
            settings.http2.data_most,
            carrier,
        )),
        server,
        early: (!down.is_empty()).then(|| {
            let up = Vec::new();
            Box::new(Early { up, down })
        }),
    };
    Opened::Tunnel(Box::new(tunnel), settings.http2.idle_time)
}

impl Asker for Respond {
    async fn hear(&mut self, answer: &Answer) -> io::Result<()> {
        let mut head = Response::new(());
        *head.status_mut() = StatusCode::from_u16(answer.status).map_err(io::Error::other)?;
        for (name, value) in answer.passed_on() {
            // What HTTP/2 cannot hold is left out.
            if let (Ok(name), Ok(value)) = (
                HeaderName::from_bytes(name.as_bytes()),
                HeaderValue::from_bytes(value),
            ) {
                head.headers_mut().append(name, value);
            }
        }
        self.0.send_informational(head).map_err(io::Error::other)
    }

    async fn lost(&mut self) {
        let _ = poll_fn(|cx| self.0.poll_reset(cx)).await;
    }
}
