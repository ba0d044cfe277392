//! What no client of a library sends: frames written by hand.

use crate::client::{run, serving};
use crate::raw::*;
use crate::support::PATIENCE;
use std::io::Write;
use std::time::Duration;

/// What RFC 9113, sections 8.2, 8.3 and 8.5, calls malformed, each on a stream of its own beside a tunnel that lives.
#[test]
fn one_malformed_request_costs_one_stream() {
    run(async {
        let (proxy, server) = serving("").await;
        let target = server.local_addr().unwrap();
        let mut raw = Raw::of(&proxy);
        raw.tunnel(1, target);
        let (mut far, _) = server.accept().await.unwrap();
        let at = &*target.to_string();
        let plain = [(":method", "CONNECT"), (":authority", at)];
        let mut blocks = vec![
            block(&[plain[0], (":scheme", "http"), plain[1]]),
            block(&[plain[0], plain[1], (":path", "/")]),
            block(&[plain[0], (":scheme", "http"), (":path", "/"), plain[1]]),
            block(&[plain[0]]),
            block(&[plain[0], ("host", at)]),
            block(&[plain[1]]),
            block(&[plain[0], plain[1], plain[1]]),
            block(&[plain[0], plain[0], plain[1]]),
            block(&[plain[0], ("x", "y"), plain[1]]),
            block(&[plain[0], plain[1], (":foo", "x")]),
            block(&[plain[0], plain[1], (":status", "200")]),
            block(&[plain[0], plain[1], (":protocol", "websocket")]),
            block(&[plain[0], plain[1], ("host", "other.test")]),
            block(&[plain[0], plain[1], ("content-length", "4")]),
            block(&[plain[0], (":authority", "127.0.0.1")]),
            block(&[plain[0], (":authority", &format!("u@{at}"))]),
            block(&[plain[0], (":authority", "a b:443")]),
            block(&[plain[0], (":authority", "a.test:443/\r\nx: y")]),
            block(&[plain[0], (":authority", "")]),
            [block(&plain), literal(b"", b"x")].concat(),
        ];
        for field in [
            "connection",
            "keep-alive",
            "proxy-connection",
            "transfer-encoding",
            "upgrade",
            "te",
        ] {
            blocks.push(block(&[plain[0], plain[1], (field, "x")]));
        }
        for octet in [0, b'\t', b' ', b'A', b':', b'(', 0x7f, 0x80, 0xff] {
            blocks.push([block(&plain), literal(&[b'x', octet, b'y'], b"z")].concat());
        }
        for value in [&b"a\0b"[..], b"a\rb", b"a\nb", b" a", b"a\t"] {
            blocks.push([block(&plain), literal(b"x", value)].concat());
        }
        let mut stream = 3;
        for block in &blocks {
            raw.asks(stream, block);
            raw.is_refused(stream, block);
            stream += 2;
        }
        // The tunnel from before lives, and the state of the field compression is whole.
        raw.sends(DATA, 0, 1, b"hello");
        let mut octets = [0; 5];
        tokio::io::AsyncReadExt::read_exact(&mut far, &mut octets)
            .await
            .unwrap();
        assert_eq!(&octets, b"hello");
        raw.tunnel(stream, target);
    });
}

/// HEADERS inside of a tunnel, whether they claim to end it or not.
#[test]
fn headers_in_a_tunnel_are_an_error_of_its_stream() {
    run(async {
        let (proxy, server) = serving("").await;
        let target = server.local_addr().unwrap();
        let mut raw = Raw::of(&proxy);
        for (stream, flags) in [(1, END_HEADERS), (3, END_HEADERS | END_STREAM)] {
            raw.tunnel(stream, target);
            let (mut far, _) = server.accept().await.unwrap();
            raw.sends(HEADERS, flags, stream, &block(&[("x", "y")]));
            let end = raw.of_stream(stream);
            assert_eq!((end.kind, &*end.payload), (RST_STREAM, &[0, 0, 0, 1][..]));
            let read = tokio::io::AsyncReadExt::read(&mut far, &mut [0]).await;
            assert!(read.is_err(), "{read:?}");
        }
        raw.tunnel(5, target);
    });
}

/// Padding is no octet of the tunnel, and what it takes of a window comes back.
#[test]
fn padding_is_not_passed_on_and_costs_no_window() {
    run(async {
        let (proxy, server) = serving("H2MaxSessionStreams 2\n").await;
        let target = server.local_addr().unwrap();
        let mut raw = Raw::of(&proxy);
        raw.tunnel(1, target);
        let (mut far, _) = server.accept().await.unwrap();
        let mut padded = vec![255, b'x'];
        padded.extend_from_slice(&[0; 255]);
        // Far more than the windows of the stream and of the connection hold at once.
        let (mut stream_window, mut window) = (65_535_usize, 65_535_usize);
        let mut sent = 0;
        while sent < 2000 {
            if padded.len() <= stream_window.min(window) {
                raw.sends(DATA, PADDED, 1, &padded);
                stream_window -= padded.len();
                window -= padded.len();
                sent += 1;
                continue;
            }
            let frame = raw.next().expect("the connection ends");
            if frame.kind == WINDOW_UPDATE {
                let more = u32::from_be_bytes(frame.payload.try_into().unwrap()) as usize;
                match frame.stream {
                    0 => window += more,
                    _ => stream_window += more,
                }
            }
        }
        raw.sends(DATA, END_STREAM, 1, b"");
        let mut received = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut far, &mut received)
            .await
            .unwrap();
        assert!(received == vec![b'x'; 2000]);
    });
}

/// Errors that are the connection's: everything it had ends, with the code that stands for it.
#[test]
fn an_error_of_the_connection_ends_it_and_resets_its_servers() {
    type Attack = fn(&mut Raw);
    const ATTACKS: [(&str, Attack, &[u8]); 6] = [
        ("DATA on stream 0", |raw| raw.sends(DATA, 0, 0, b"x"), &[1]),
        (
            "a frame that is too long",
            |raw| raw.sends(DATA, 0, 1, &[0; 16_385]),
            &[6],
        ),
        (
            "a window beyond its end",
            |raw| raw.sends(WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff]),
            &[3],
        ),
        (
            "an even stream",
            |raw| raw.asks(2, &block(&[(":method", "CONNECT")])),
            &[1],
        ),
        (
            "an index of no table",
            |raw| raw.asks(3, &[0xff, 0x80, 0x01]),
            &[9, 1],
        ),
        (
            "PING of a wrong size",
            |raw| raw.sends(PING, 0, 0, b"x"),
            &[6, 1],
        ),
    ];
    run(async {
        let (proxy, server) = serving("").await;
        let target = server.local_addr().unwrap();
        for (name, attack, codes) in ATTACKS {
            let mut raw = Raw::of(&proxy);
            raw.tunnel(1, target);
            let (mut far, _) = server.accept().await.unwrap();
            attack(&mut raw);
            let code = raw.goes_away();
            assert!(codes.contains(&code), "{name}: {code}");
            proxy.says("HTTP/2 with 127.0.0.1:");
            // The client keeps its end open, so that what the server sees is not the client's close.
            let read = tokio::io::AsyncReadExt::read(&mut far, &mut [0]).await;
            assert!(read.is_err(), "{name}: {read:?}");
        }
        Raw::of(&proxy).tunnel(1, target);
    });
}

/// Field blocks may come in pieces; what never ends is given up.
#[test]
fn field_blocks_come_in_pieces_and_have_an_end() {
    run(async {
        let (proxy, server) = serving("").await;
        let target = server.local_addr().unwrap();
        let mut raw = Raw::of(&proxy);
        let whole = connect(target);
        raw.sends(HEADERS, 0, 1, &whole[..3]);
        for octet in &whole[3..9] {
            raw.sends(CONTINUATION, 0, 1, &[*octet]);
        }
        raw.sends(CONTINUATION, END_HEADERS, 1, &whole[9..]);
        let answer = raw.of_stream(1);
        assert_eq!((answer.kind, answer.payload[0]), (HEADERS, STATUS_200));
        raw.sends(HEADERS, 0, 3, &whole);
        let filler = literal(b"x", &[b'a'; 4000]);
        let flood = std::iter::from_fn(|| {
            let length = (filler.len() as u32).to_be_bytes();
            let mut frame = length[1..].to_vec();
            frame.extend_from_slice(&[CONTINUATION, 0, 0, 0, 0, 3]);
            frame.extend_from_slice(&filler);
            Some(frame)
        });
        raw.0.set_write_timeout(Some(PATIENCE)).unwrap();
        let mut sent = 0;
        for frame in flood {
            match raw.0.write_all(&frame) {
                Ok(()) => sent += frame.len(),
                Err(_) => break,
            }
            assert!(
                sent < 32 << 20,
                "{sent} octets of one field block were taken"
            );
        }
        Raw::of(&proxy).tunnel(1, target);
    });
}

/// PING and SETTINGS are answered while a tunnel stands still.
#[test]
fn a_stalled_tunnel_holds_up_no_ping() {
    run(async {
        let (proxy, server) = serving("").await;
        let target = server.local_addr().unwrap();
        let mut raw = Raw::of(&proxy);
        raw.tunnel(1, target);
        let (mut far, _) = server.accept().await.unwrap();
        let flood = vec![1; 1 << 20];
        let writing = async { tokio::io::AsyncWriteExt::write_all(&mut far, &flood).await };
        let _ = tokio::time::timeout(Duration::from_millis(300), writing).await;
        raw.sends(PING, 0, 0, b"12345678");
        loop {
            let frame = raw.next().expect("the connection ends");
            if frame.kind == PING {
                assert_eq!((frame.flags, &*frame.payload), (ACK, &b"12345678"[..]));
                break;
            }
        }
    });
}

/// Octet by octet, and everything at once.
#[test]
fn frames_are_found_however_they_are_cut() {
    run(async {
        let (proxy, server) = serving("").await;
        let target = server.local_addr().unwrap();
        let said = [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            frame(SETTINGS, 0, 0, &[]),
            frame(HEADERS, END_HEADERS, 1, &connect(target)),
            frame(DATA, 0, 1, b"hel"),
            frame(HEADERS, END_HEADERS, 3, &connect(target)),
            frame(DATA, END_STREAM, 1, b"lo"),
            frame(DATA, END_STREAM, 3, b"hello"),
        ]
        .concat();
        for piece in [1, 7, usize::MAX] {
            let mut stream = proxy.dial();
            for octets in said.chunks(piece) {
                stream.write_all(octets).unwrap();
            }
            for _ in 0..2 {
                let (mut far, _) = server.accept().await.unwrap();
                let mut received = Vec::new();
                tokio::io::AsyncReadExt::read_to_end(&mut far, &mut received)
                    .await
                    .unwrap();
                assert_eq!(received, b"hello", "{piece}");
            }
        }
    });
}
