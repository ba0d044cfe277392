//! What the kernel may hold for a peer and has not even sent: TCP_NOTSENT_LOWAT.
//!
//! Without it a peer that reads nothing fills its send buffer, four megabytes by default, and 130 downloads that nobody reads
//! hold a gigabyte and a half. What is on its way is not counted, so that a long way is not slowed down, as it would be by a
//! fixed SO_SNDBUF. Being told that there is room so much more often makes bulk cost about a seventh more, so that the limit is
//! lifted for a peer that has taken more than it could without reading. The receive buffer of the other side stays as the
//! kernel has it, unless `ProxyReceiveBufferSize` or `ReceiveBufferSize` fix it, which a long way would pay for.

use tokio::net::TcpStream;

/// Enough for the time between being told that there is room and filling it.
const UNSENT_MOST: u32 = 256 << 10;
/// Who has been sent less is sent little, and the limit would be a system call for nothing.
const LITTLE: u64 = 64 << 10;
/// Who has taken so much reads: it is more than buffers take, but for those that somebody has made larger on his own side.
const READS: u64 = 8 << 20;

/// What has been done about one peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Unsent {
    #[default]
    AsItIs,
    Limited,
    Lifted,
}

impl Unsent {
    /// Does what is to be done about a peer that was sent so many octets.
    pub(super) fn follow(&mut self, octets: u64, socket: Option<&TcpStream>) {
        let (now, done): (_, fn(&TcpStream)) = match (*self, octets) {
            (Self::AsItIs, LITTLE..READS) => (Self::Limited, limit),
            (Self::AsItIs | Self::Limited, READS..) => (Self::Lifted, lift),
            _ => return,
        };
        *self = now;
        if let Some(socket) = socket {
            done(socket);
        }
    }
}

/// Holds the send buffer of `socket` down.
pub fn limit(socket: &TcpStream) {
    set(socket, UNSENT_MOST);
}

/// Leaves it to the system again.
fn lift(socket: &TcpStream) {
    set(socket, 0);
}

#[cfg(target_os = "linux")]
fn set(socket: &TcpStream, most: u32) {
    // A socket that is lost already has no use for it.
    let _ = socket2::SockRef::from(socket).set_tcp_notsent_lowat(most);
}

/// Other systems bound send buffers by themselves.
#[cfg(not(target_os = "linux"))]
fn set(_: &TcpStream, _: u32) {}
