//! Through an upstream proxy whose frames are written by hand, most of which no proxy should send.

use crate::client::{H2C, run};
use crate::next::{TARGET, chained};
use crate::raw::*;
use crate::support::{PATIENCE, Proxy, head};
use connectspec_reference_proxy::hpack::Decoder;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use tokio::net::TcpListener;

pub(crate) const REQUEST: &[u8] =
    b"CONNECT name.invalid:443 HTTP/1.1\r\nHost: name.invalid\r\nX-Kept: 1\r\n\r\n";
/// `:status: 200`, as an upstream says it.
pub(crate) const YES: &[u8] = &[STATUS_200];

/// The upstream's end of the next connection, before a word was said.
pub(crate) async fn reached(upstream: &TcpListener) -> TcpStream {
    let (stream, _) = upstream.accept().await.unwrap();
    let stream = stream.into_std().unwrap();
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// The same, behind the preface of the proxy and this side's SETTINGS.
async fn begun(upstream: &TcpListener, settings: &[u8]) -> Raw {
    let mut stream = reached(upstream).await;
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).unwrap();
    assert_eq!(&preface, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    let mut raw = Raw(stream);
    raw.sends(SETTINGS, 0, 0, settings);
    raw
}

/// The same, behind the request; returns its field block.
pub(crate) async fn asked(upstream: &TcpListener) -> (Raw, Vec<u8>) {
    let mut raw = begun(upstream, &[]).await;
    let request = raw.of_stream(1);
    assert_eq!((request.kind, request.flags), (HEADERS, END_HEADERS));
    (raw, request.payload)
}

/// A client of HTTP/1.1 that has asked.
pub(crate) fn asking(proxy: &Proxy) -> TcpStream {
    let mut near = proxy.dial();
    near.write_all(REQUEST).unwrap();
    near
}

/// A tunnel: the client's end, and the upstream's.
async fn tunnel(proxy: &Proxy, upstream: &TcpListener) -> (TcpStream, Raw) {
    let mut near = asking(proxy);
    let (mut raw, _) = asked(upstream).await;
    raw.sends(HEADERS, END_HEADERS, 1, YES);
    assert!(head(&mut near).starts_with("HTTP/1.1 200 "));
    (near, raw)
}

/// Everything up to the end, and whether that is an end.
fn rest(near: &mut TcpStream) -> (Vec<u8>, bool) {
    let mut octets = Vec::new();
    let whole = near.read_to_end(&mut octets).is_ok();
    (octets, whole)
}

#[test]
fn a_request_has_the_fields_of_a_connect_and_no_others() {
    run(async {
        let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = upstream.local_addr().unwrap();
        let lines = format!("{H2C}ProxyRemote * h2c://{address} ann:secret\nAllowCONNECT 443\n");
        let proxy = Proxy::with(&lines);
        let mut near = proxy.dial();
        let request = "CONNECT Name.invalid:0443 HTTP/1.1\r\nHost: name.invalid\r\nX-Kept: 1\r\n\
            Proxy-Authorization: Basic eA==\r\nProxy-Connection: keep-alive\r\nKeep-Alive: 5\r\nTE: trailers\r\n\
            Upgrade: x\r\nConnection: close, x-hop, te\r\nX-Hop: 1\r\n\r\n";
        near.write_all(request.as_bytes()).unwrap();
        let (_raw, block) = asked(&upstream).await;
        let mut fields = Vec::new();
        let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
        let read = |name: &[u8], value: &[u8]| fields.push((text(name), text(value)));
        Decoder::default().decode(&block, read).unwrap();
        let (name, via) = fields.pop().unwrap();
        assert_eq!(name, "via");
        assert!(via.starts_with("1.1 reference-proxy-"), "{via}");
        let expected = [
            (":method", "CONNECT"),
            (":authority", TARGET),
            ("proxy-authorization", "Basic YW5uOnNlY3JldA=="),
            ("x-kept", "1"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(fields, expected);
        // A literal that is never indexed (RFC 7541, section 6.2.3), by the name of the fixed table.
        assert!(
            block.windows(2).any(|two| two == [0x1f, 49 - 15]),
            "{block:x?}"
        );
    });
}

/// RFC 9110, section 9.3.6: what a length says of a tunnel means nothing.
#[test]
fn a_length_in_a_yes_means_nothing() {
    run(async {
        let (proxy, upstream) = chained("").await;
        for length in ["3", "0", "abc"] {
            let mut near = asking(&proxy);
            let (mut raw, _) = asked(&upstream).await;
            let fields = block(&[("content-length", length)]);
            raw.sends(HEADERS, END_HEADERS, 1, &[YES, &fields].concat());
            assert_eq!(
                head(&mut near),
                "HTTP/1.1 200 Connection Established\r\n\r\n"
            );
            raw.sends(DATA, 0, 1, b"hello");
            raw.sends(DATA, END_STREAM, 1, b"");
            assert_eq!(&crate::support::octets(&mut near), b"hello");
            near.shutdown(Shutdown::Write).unwrap();
            assert_eq!(rest(&mut near), (Vec::new(), true));
        }
    });
}

/// What was said to its end is whole, also when the connection is gone right behind it; what was not, is not.
#[test]
fn an_end_counts_although_the_connection_is_gone_behind_it() {
    run(async {
        let (proxy, upstream) = chained("").await;
        for whole in [true, false] {
            let (mut near, mut raw) = tunnel(&proxy, &upstream).await;
            near.shutdown(Shutdown::Write).unwrap();
            let end = raw.of_stream(1);
            assert_eq!((end.kind, end.flags), (DATA, END_STREAM));
            let mut octets = Vec::new();
            for _ in 0..3 {
                octets.extend(frame(DATA, 0, 1, &[7; 16_000]));
            }
            octets.extend(frame(DATA, END_STREAM, 1, &[7; 16_000]));
            let sent = if whole {
                octets.len()
            } else {
                octets.len() - 100
            };
            raw.0.write_all(&octets[..sent]).unwrap();
            raw.0.shutdown(Shutdown::Write).unwrap();
            let (received, ends) = rest(&mut near);
            assert_eq!(ends, whole);
            assert!(!whole || received.len() == 64_000, "{}", received.len());
        }
    });
}

/// The same where the client takes it only then, and where there is nothing to take; a reset that says that nothing is wrong
/// counts as little (RFC 9113, section 8.1).
#[test]
fn an_end_is_whole_although_it_is_taken_late() {
    const NO_ERROR: &[u8] = &[0; 4];
    const CANCEL: &[u8] = &[0, 0, 0, 8];
    run(async {
        let (proxy, upstream) = chained("").await;
        for (length, behind, whole) in [
            (60_000, None, true),
            (0, None, true),
            (60_000, Some(NO_ERROR), true),
            (0, Some(NO_ERROR), true),
            (60_000, Some(CANCEL), false),
        ] {
            let mut near = Raw::of(&proxy);
            // SETTINGS_INITIAL_WINDOW_SIZE.
            near.sends(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]);
            near.asks(1, &block(&[(":method", "CONNECT"), (":authority", TARGET)]));
            let (mut raw, _) = asked(&upstream).await;
            let mut octets = Vec::new();
            if length == 0 {
                octets.extend(frame(HEADERS, END_HEADERS | END_STREAM, 1, YES));
            } else {
                octets.extend(frame(HEADERS, END_HEADERS, 1, YES));
                for _ in 0..3 {
                    octets.extend(frame(DATA, 0, 1, &[7; 15_000]));
                }
                octets.extend(frame(DATA, END_STREAM, 1, &[7; 15_000]));
            }
            if let Some(code) = behind {
                octets.extend(frame(RST_STREAM, 0, 1, code));
            }
            octets.extend(frame(PING, 0, 0, b"12345678"));
            raw.0.write_all(&octets).unwrap();
            if behind.is_none() {
                raw.0.shutdown(Shutdown::Write).unwrap();
            }
            let answer = near.of_stream(1);
            if answer.kind == RST_STREAM {
                // It may overtake the yes.
                assert!(!whole, "{length} {behind:?}");
                continue;
            }
            assert_eq!(answer.payload[0], STATUS_200);
            // The proxy knows what was said, and that the connection is gone.
            while raw
                .next()
                .is_some_and(|frame| behind.is_none() || frame.kind != PING)
            {}
            // This goes nowhere, and takes nothing of that with it.
            near.sends(DATA, 0, 1, b"hello");
            if length > 0 && whole {
                // It has no window yet, so that no frame of the stream comes before.
                near.fence();
            }
            near.sends(WINDOW_UPDATE, 0, 1, &[0, 1, 0, 0]);
            let mut received = 0;
            let ended = loop {
                let frame = near.of_stream(1);
                if frame.kind == RST_STREAM {
                    break false;
                }
                received += frame.payload.len();
                if frame.flags & END_STREAM != 0 {
                    break true;
                }
            };
            assert_eq!(ended, whole, "{length} {behind:?}: {received}");
            assert!(!whole || received == length, "{received}");
        }
    });
}

/// A proxy that shuts down lets tunnels go on.
#[test]
fn a_goaway_behind_the_answer_ends_no_tunnel() {
    run(async {
        let (proxy, upstream) = chained("").await;
        let (mut near, mut raw) = tunnel(&proxy, &upstream).await;
        raw.sends(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]);
        raw.sends(DATA, 0, 1, b"hello");
        assert_eq!(&crate::support::octets(&mut near), b"hello");
        near.write_all(b"still").unwrap();
        let data = raw.of_stream_or_goaway(1);
        assert_eq!((data.kind, &*data.payload), (DATA, &b"still"[..]));
        raw.sends(DATA, END_STREAM, 1, b"");
        near.shutdown(Shutdown::Write).unwrap();
        assert_eq!(rest(&mut near), (Vec::new(), true));
    });
}

/// The connection goes with its stream, in words.
#[test]
fn a_connection_ends_with_its_tunnel() {
    run(async {
        let (proxy, upstream) = chained("").await;
        for resets in [false, true] {
            let (near, mut raw) = tunnel(&proxy, &upstream).await;
            if resets {
                socket2::SockRef::from(&near)
                    .set_linger(Some(std::time::Duration::ZERO))
                    .unwrap();
                drop(near);
                let reset = raw.of_stream(1);
                assert_eq!(
                    (reset.kind, &*reset.payload),
                    (RST_STREAM, &[0, 0, 0, 8][..])
                );
            } else {
                near.shutdown(Shutdown::Write).unwrap();
                assert_eq!(raw.of_stream(1).flags, END_STREAM);
                raw.sends(DATA, END_STREAM, 1, b"");
            }
            assert_eq!(raw.goes_away(), 0);
            assert!(raw.next().is_none());
        }
    });
}

/// What is cut off with the process does not look whole, and what was served has its line.
#[test]
fn the_end_of_the_process_is_no_end_of_a_tunnel() {
    run(async {
        let (mut proxy, upstream) = chained("GracefulShutdownTimeout 1\n").await;
        let (mut near, mut raw) = tunnel(&proxy, &upstream).await;
        proxy.signal(rustix::process::Signal::TERM);
        assert!(!rest(&mut near).1);
        while let Some(frame) = raw.next() {
            assert!(frame.kind != DATA, "{frame:?}");
        }
        assert!(proxy.ended());
        assert_eq!(proxy.access_lines(1)[0][0], "200");
    });
}

/// A client that is gone behind its end has said everything: it arrives, and no reset overtakes it.
#[test]
fn the_last_words_of_a_client_that_is_gone_arrive() {
    run(async {
        let (proxy, upstream) = chained("").await;
        let mut near = Raw::of(&proxy);
        near.asks(1, &block(&[(":method", "CONNECT"), (":authority", TARGET)]));
        let (mut raw, _) = asked(&upstream).await;
        raw.sends(HEADERS, END_HEADERS, 1, YES);
        assert_eq!(near.of_stream(1).payload[0], STATUS_200);
        let mut octets = frame(DATA, 0, 1, &[7; 16_000]);
        octets.extend(frame(DATA, END_STREAM, 1, &[7; 16_000]));
        near.0.write_all(&octets).unwrap();
        drop(near);
        let mut received = 0;
        loop {
            let frame = raw.of_stream(1);
            assert_eq!(frame.kind, DATA, "{frame:?}");
            received += frame.payload.len();
            if frame.flags & END_STREAM != 0 {
                break;
            }
        }
        assert_eq!(received, 32_000);
        // Nothing more is said before this side has ended, too.
        raw.sends(PING, 0, 0, b"12345678");
        loop {
            let frame = raw.next().unwrap();
            assert!(
                frame.kind != RST_STREAM && frame.kind != GOAWAY,
                "{frame:?}"
            );
            if frame.kind == PING {
                break;
            }
        }
        raw.sends(DATA, END_STREAM, 1, b"");
        assert_eq!(raw.goes_away(), 0);
    });
}

#[test]
fn the_window_of_the_upstream_is_kept() {
    run(async {
        let (proxy, upstream) = chained("").await;
        let mut near = asking(&proxy);
        // SETTINGS_INITIAL_WINDOW_SIZE.
        let mut raw = begun(&upstream, &[0, 4, 0, 0, 0, 10]).await;
        assert_eq!(raw.of_stream(1).kind, HEADERS);
        raw.sends(HEADERS, END_HEADERS, 1, YES);
        assert!(head(&mut near).starts_with("HTTP/1.1 200 "));
        near.write_all(b"twelve octets and more").unwrap();
        let data = raw.of_stream(1);
        assert_eq!(&*data.payload, b"twelve oct");
        raw.sends(PING, 0, 0, b"12345678");
        let pong = raw.next().unwrap();
        assert_eq!((pong.kind, pong.flags), (PING, ACK));
        raw.sends(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 3]);
        assert_eq!(&*raw.of_stream(1).payload, b"ets");
        raw.sends(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 99]);
        assert_eq!(&*raw.of_stream(1).payload, b" and more");
    });
}
