//! A connection of HTTP/2: each CONNECT on it is a stream, decided about like a connection of HTTP/1.1.
//!
//! One task drives the connection: frames, windows, and the beginning of streams; what it has to say leaves together when it waits.
//! Each stream is a task of its own, on the list of what is served, so that it has a place, an access line and an end of its own.
//! What a client may send on a stream before the server has taken it is held down by the window of the stream; the window of the
//! connection is that of all streams together, so that a server which takes nothing holds up its own stream and no other.
//!
//! A reload, and the end of the process, are announced by a GOAWAY. Streams that stand go on; what begins nevertheless is decided
//! by the configuration that is in force then.

mod live;
mod stream;

use super::Service;
use crate::config::Http2;
use crate::http2::{Carrier, Oversight, Piece, SECTION_LONGEST, Screen, Shared, UNSENT_MOST, Wire};
use crate::log::Ends;
use crate::log::error::Level;
use crate::net::{Client, linger};
use crate::sessions::{FULL, Kind};
use h2::server::{Connection, SendResponse};
use h2::{Reason, RecvStream};
use live::Live;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use stream::Asked;
use tokio::time::{Instant, sleep_until, timeout};

/// Octets that frames of a single octet may take besides what windows count, until their streams have taken them, which they do at
/// once. Half of the window, as the crate has it, ends the connection of a client that sends little at a time to a busy machine.
const OVERHEAD_MOST: usize = 32 << 20;
/// Streams that a client opens and resets before they are answered, one after the other: a browser that loses its patience with all
/// of its servers does not come near. Each has cost an attempt to connect, which is given up with it.
const GIVEN_UP_MOST: usize = 500;
/// How often a connection is looked at, at least and at most: whether it is idle, and whether a field block comes to an end.
const GLANCES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(5)];

/// Serves a connection to its end, from its preface on. `before` was read to know that it is one, `head_time` is how long the rest
/// of the preface, and each field block, may take.
pub(super) async fn serve(
    client: Client,
    before: Vec<u8>,
    ends: Arc<Ends>,
    http2: Http2,
    head_time: Duration,
    service: Service,
) {
    let shared = Shared::new(client);
    let oversight = Arc::new(Oversight::default());
    let wire = shared.wire(before, Screen::new(Arc::clone(&oversight)));
    let carrier = Arc::new(Carrier {
        beneath: shared.beneath(),
        oversight,
    });
    let driver = async {
        let handshake = timeout(head_time, builder(&http2).handshake(wire));
        let Ok(Ok(connection)) = handshake.await else {
            return;
        };
        let driven = Driven {
            carrier: &carrier,
            ends,
            http2,
            head_time,
        };
        driven.drive(connection, service).await;
    };
    shared.driving(pin!(driver), &carrier.oversight).await;
    // Its last words, if it takes them: for as long as one would stay on which nothing happens.
    let _ = timeout(http2.spare_time, shared.drained()).await;
    if let Some(client) = shared.into_link() {
        linger::close(client).await;
    }
}

fn builder(http2: &Http2) -> h2::server::Builder {
    let together = http2.window.saturating_mul(http2.streams_most);
    let mut builder = h2::server::Builder::new();
    builder
        .max_concurrent_streams(http2.streams_most)
        .initial_window_size(http2.window)
        .initial_connection_window_size(together.min(i32::MAX as u32))
        .max_pending_accept_reset_streams(http2.streams_most as usize)
        .max_header_list_size(SECTION_LONGEST as u32)
        .data_frame_budget(OVERHEAD_MOST)
        .max_send_buffer_size(UNSENT_MOST);
    builder
}

/// A connection, and what it is driven by.
struct Driven<'a> {
    carrier: &'a Arc<Carrier>,
    ends: Arc<Ends>,
    http2: Http2,
    head_time: Duration,
}

impl Driven<'_> {
    /// Serves streams until the connection is over.
    async fn drive(&self, mut connection: Connection<Wire<Client>, Piece>, mut service: Service) {
        let live = Arc::new(Live::default());
        // Whatever was reloaded before is what it begins with.
        service.current.mark_unchanged();
        let mut leaving = service.sessions.leaving();
        // Whoever arrived while the process was told to end.
        let mut leaves = *leaving.borrow_and_update();
        if leaves {
            connection.graceful_shutdown();
        }
        let mut broken = false;
        let mut timer = pin!(sleep_until(Instant::now() + self.glance()));
        loop {
            if let Some(reason) = self.carrier.oversight.violation().filter(|_| !broken) {
                broken = true;
                self.end(&mut connection, reason, &service);
            }
            tokio::select! {
                biased;
                () = self.violated(), if !broken => {}
                accepted = connection.accept() => match accepted {
                    Some(Ok(_)) if live.given_up() > GIVEN_UP_MOST && !broken => {
                        broken = true;
                        self.end(&mut connection, Reason::ENHANCE_YOUR_CALM, &service);
                    }
                    Some(Ok((request, respond))) => {
                        self.begin(request, respond, &service, &live);
                    }
                    Some(Err(error)) => return self.tell(&service, &error),
                    None => return,
                },
                _ = leaving.changed(), if !leaves => {
                    leaves = true;
                    connection.graceful_shutdown();
                }
                _ = service.current.changed(), if !leaves => {
                    leaves = true;
                    connection.graceful_shutdown();
                }
                () = timer.as_mut() => {
                    let now = Instant::now();
                    let stays_until = live.stays_until(&self.http2, connection.has_streams());
                    let block = self.carrier.oversight.block_began();
                    if block.is_some_and(|began| now >= began + self.head_time) && !broken {
                        broken = true;
                        self.end(&mut connection, Reason::ENHANCE_YOUR_CALM, &service);
                    } else if stays_until <= now && (leaves || broken) {
                        // It was told, and does not go.
                        return;
                    } else if stays_until <= now {
                        leaves = true;
                        connection.graceful_shutdown();
                    }
                    timer.as_mut().reset(now + self.glance());
                }
            }
        }
    }

    /// Ends when something is wrong with the connection as a whole. Whoever notes that wakes this task.
    async fn violated(&self) {
        poll_fn(|_| match self.carrier.oversight.violation() {
            Some(_) => Poll::Ready(()),
            None => Poll::Pending,
        })
        .await;
    }

    /// Ends the connection with this code, and its streams with it.
    fn end(
        &self,
        connection: &mut Connection<Wire<Client>, Piece>,
        reason: Reason,
        service: &Service,
    ) {
        self.tell(service, &reason.into());
        connection.abrupt_shutdown(reason);
    }

    /// Tells the error log why a connection ends, unless it is merely gone.
    fn tell(&self, service: &Service, error: &h2::Error) {
        if error.is_io() || error.is_remote() {
            return;
        }
        let text = format!("HTTP/2 with {} ends: {error}", self.ends.peer);
        let proxy = service.current.borrow();
        proxy.error_log(None).write(Level::Info, None, &text);
    }

    fn glance(&self) -> Duration {
        let [least, most] = GLANCES;
        self.http2.spare_time.min(self.head_time).clamp(least, most)
    }

    /// Gives a stream a task of its own, or turns it away where there is no place.
    fn begin(
        &self,
        request: http::Request<RecvStream>,
        respond: SendResponse<Piece>,
        service: &Service,
        live: &Arc<Live>,
    ) {
        let (ends, proxy) = (
            Arc::clone(&self.ends),
            Arc::clone(&service.current.borrow()),
        );
        let asked = Asked::new(request, respond);
        let Some(place) = service.sessions.free_place(Kind::Stream) else {
            proxy.tell(&proxy.shared.shortages.places, FULL);
            return stream::turn_away(asked, ends, &proxy);
        };
        let (one, carrier) = (live.one_more(), Arc::clone(self.carrier));
        service.sessions.spawn(place, move |seat| {
            stream::serve(asked, ends, proxy, carrier, one, seat)
        });
    }
}
