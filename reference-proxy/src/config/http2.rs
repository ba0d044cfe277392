//! How HTTP/2 is spoken: `H2…` and `KeepAliveTimeout`.

use super::settings::Settings;
use std::time::Duration;

/// What one server says about its connections of HTTP/2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Http2 {
    /// Streams of one connection at once (`H2MaxSessionStreams`).
    pub streams_most: u32,
    /// Octets that a client may send on a stream before the server takes them (`H2WindowSize`).
    pub window: u32,
    /// The most octets in a DATA frame of this proxy (`H2MaxDataFrameLen`).
    pub data_most: usize,
    /// Whether the preface is looked for where no handshake has chosen HTTP/2 (`H2Direct`); `None`: in the clear.
    pub direct: Option<bool>,
    /// How long a tunnel may be silent in both directions (`H2StreamTimeout`, else as over HTTP/1.1).
    pub idle_time: Duration,
    /// How long a connection without streams stays (`KeepAliveTimeout`).
    pub spare_time: Duration,
    /// How long one stays that has not yet had a stream (`Timeout`).
    pub first_time: Duration,
}

/// httpd's `H2MaxSessionStreams`.
const STREAMS: u32 = 100;
/// httpd's `H2WindowSize`, and that of RFC 9113.
const WINDOW: u32 = 65_535;
/// httpd's `KeepAliveTimeout`.
const SPARE: Duration = Duration::from_secs(5);

impl Http2 {
    /// What both say, with the times that tunnels over HTTP/1.1 have.
    #[must_use]
    pub fn join(
        main: &Settings,
        own: &Settings,
        timeout: Duration,
        proxy_timeout: Duration,
    ) -> Self {
        let (main, own, spare) = (
            &main.http2,
            &own.http2,
            own.keep_alive.or(main.keep_alive).unwrap_or(SPARE),
        );
        let silence = own.stream_timeout.or(main.stream_timeout);
        Self {
            streams_most: own.streams_most.or(main.streams_most).unwrap_or(STREAMS),
            window: own.window.or(main.window).unwrap_or(WINDOW),
            data_most: own.data_most.or(main.data_most).unwrap_or(usize::MAX),
            direct: own.direct.or(main.direct),
            idle_time: silence.unwrap_or(timeout).max(proxy_timeout),
            spare_time: spare,
            first_time: timeout,
        }
    }
}
