//! What one client can make a connection hold, and what comes back of it.

use crate::client::{Client, pour, run, serving};
use crate::raw::*;
use crate::support::closed_port;
use h2::Reason;
use std::io::Write;
use tokio::io::AsyncReadExt;

#[test]
fn streams_have_a_limit_and_a_free_one_is_had_again() {
    run(async {
        let (proxy, server) = serving("H2MaxSessionStreams 2\n").await;
        let target = server.local_addr().unwrap();
        let mut raw = Raw::of(&proxy);
        raw.tunnel(1, target);
        raw.tunnel(3, target);
        raw.asks(5, &connect(target));
        let refused = raw.of_stream(5);
        assert_eq!(
            (refused.kind, &*refused.payload),
            (RST_STREAM, &[0, 0, 0, 7][..])
        );
        raw.sends(RST_STREAM, 0, 3, &[0, 0, 0, 8]);
        raw.tunnel(7, target);
    });
}

/// Each stream needs a place as a connection does.
#[test]
fn streams_count_as_clients_of_the_process() {
    run(async {
        let (proxy, server) = serving("MaxRequestWorkers 3\n").await;
        let client = Client::of(&proxy).await;
        let mut first = client.tunnel(&server).await;
        let second = client.tunnel(&server).await;
        let target = server.local_addr().unwrap().to_string();
        assert_eq!(client.status(&target).await, 503);
        proxy.says("AH00484");
        drop(second);
        proxy.access_lines(2);
        first.works().await;
        client.tunnel(&server).await.works().await;
    });
}

/// Opened and reset at once, over and over: nobody works for it any more, and in the end the client is sent away.
#[test]
fn rapid_resets_leave_nothing_behind() {
    run(async {
        let (proxy, server) = serving("").await;
        let target = server.local_addr().unwrap();
        let files = proxy.files();
        let mut raw = Raw::of(&proxy);
        let mut octets = Vec::new();
        for stream in (1..4000).step_by(2) {
            octets.extend_from_slice(&frame(HEADERS, END_HEADERS, stream, &connect(target)));
            octets.extend_from_slice(&frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]));
        }
        // It may be sent away in the middle of it.
        let _ = raw.0.write_all(&octets);
        let mut beside = Raw::of(&proxy);
        beside.asks(
            1,
            &block(&[(":method", "CONNECT"), (":authority", "127.0.0.1:1")]),
        );
        assert_ne!(beside.of_stream(1).payload[0], STATUS_200);
        drop((raw, beside));
        let accepting = tokio::spawn(async move {
            while let Ok((mut far, _)) = server.accept().await {
                let _ = far.read(&mut [0]).await;
            }
        });
        proxy.wait_until("its files are closed", |proxy| proxy.files() <= files);
        accepting.abort();
    });
}

/// What a client sends on streams that come to nothing costs the windows of the others nothing.
#[test]
fn octets_of_refused_and_reset_streams_come_back_to_the_window() {
    run(async {
        let (_socket, closed) = closed_port();
        let lines = format!("AllowCONNECT {}\nH2MaxSessionStreams 2\n", closed.port());
        let (proxy, server) = serving(&lines).await;
        let client = Client::of(&proxy).await;
        for round in 0..200 {
            let target = match round % 2 {
                0 => closed,
                _ => "127.0.0.1:1".parse().unwrap(),
            };
            let (answer, mut sending) = client.asks(&target.to_string(), &[]).await;
            // As far as windows and the refusal allow.
            let _ = pour(&mut sending, 16 << 10).await;
            assert_ne!(answer.await.unwrap().status(), 200);
            sending.send_reset(Reason::CANCEL);
        }
        for _ in 0..20 {
            let mut tunnel = client.tunnel(&server).await;
            pour(&mut tunnel.sending, 16 << 10).await;
            tunnel.sending.send_reset(Reason::CANCEL);
        }
        let mut tunnel = client.tunnel(&server).await;
        let moved = tokio::spawn(async move { pour(&mut tunnel.sending, 1 << 20).await });
        let mut octets = vec![0; 1 << 20];
        tunnel.server.read_exact(&mut octets).await.unwrap();
        assert_eq!(moved.await.unwrap(), 1 << 20);
    });
}

/// A section that is too long is answered, and what it has put into the table counts for the next one.
#[test]
fn a_section_that_is_too_long_is_answered_and_the_table_is_kept() {
    run(async {
        let (proxy, server) = serving("").await;
        let target = server.local_addr().unwrap();
        let mut raw = Raw::of(&proxy);
        // `:authority: target` enters the table, as entry 62.
        let mut authority = vec![0x41];
        authority.extend_from_slice(&literal(b"", target.to_string().as_bytes())[2..]);
        let mut long = [literal(b":method", b"CONNECT"), authority].concat();
        while long.len() < 70_000 {
            long.extend_from_slice(&literal(b"x", &[b'a'; 1000]));
        }
        let mut pieces = long.chunks(16_384).peekable();
        let mut kind = HEADERS;
        while let Some(piece) = pieces.next() {
            let flags = if pieces.peek().is_none() {
                END_HEADERS
            } else {
                0
            };
            raw.sends(kind, flags, 1, piece);
            kind = CONTINUATION;
        }
        assert_eq!(raw.of_stream(1).kind, HEADERS);
        assert_eq!(proxy.access_lines(1)[0][0], "431");
        raw.asks(
            3,
            &[&literal(b":method", b"CONNECT")[..], &[0x80 | 62]].concat(),
        );
        let answer = raw.of_stream(3);
        assert_eq!((answer.kind, answer.payload[0]), (HEADERS, STATUS_200));
        server.accept().await.unwrap();
        // One line or one field too much is told as over HTTP/1.1.
        let field = "a".repeat(8200);
        let many: Vec<(&str, &str)> = (0..101).map(|_| ("x", "y")).collect();
        for (fields, name) in [(&[("x", &*field)][..], "431"), (&many[..], "431")] {
            let client = Client::of(&proxy).await;
            let (head, _) = client.answer(&target.to_string(), fields).await;
            assert_eq!(head.status.as_str(), name);
        }
    });
}

/// Windows of the client that change while tunnels stand.
#[test]
fn settings_of_the_client_count_at_once() {
    run(async {
        let (proxy, server) = serving("").await;
        let target = server.local_addr().unwrap();
        let mut raw = Raw::of(&proxy);
        let window = |octets: u32| [&[0, 4][..], &octets.to_be_bytes()].concat();
        raw.sends(SETTINGS, 0, 0, &window(0));
        raw.tunnel(1, target);
        let (mut far, _) = server.accept().await.unwrap();
        let flood = vec![1; 1 << 20];
        let writing = tokio::spawn(async move {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut far, &flood).await;
            far
        });
        // A PING is answered, and no octet comes before its answer.
        raw.sends(PING, 0, 0, b"12345678");
        loop {
            let frame = raw.next().expect("the connection ends");
            assert_ne!(frame.kind, DATA);
            if frame.kind == PING {
                break;
            }
        }
        raw.sends(SETTINGS, 0, 0, &window(50_000));
        let mut received = 0;
        while received < 50_000 {
            let frame = raw.of_stream(1);
            assert_eq!(frame.kind, DATA);
            assert!(frame.payload.len() <= 16_384);
            received += frame.payload.len();
        }
        assert_eq!(received, 50_000);
        writing.abort();
    });
}

/// `H2WindowSize` is what a client may send ahead, and `H2MaxDataFrameLen` is how long frames are.
#[test]
fn sizes_are_those_of_the_configuration() {
    run(async {
        let (proxy, server) = serving("H2WindowSize 2000\nH2MaxDataFrameLen 100\n").await;
        let target = server.local_addr().unwrap();
        let mut raw = Raw::of(&proxy);
        let settings = raw.next().unwrap();
        assert_eq!(settings.kind, SETTINGS);
        let says = |id: u8, value: u32| {
            let value = value.to_be_bytes();
            settings
                .payload
                .chunks(6)
                .any(|one| one[..2] == [0, id] && one[2..] == value)
        };
        assert!(says(4, 2000) && says(3, 100), "{settings:?}");
        raw.tunnel(1, target);
        let (mut far, _) = server.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut far, &[5; 1000])
            .await
            .unwrap();
        let mut received = 0;
        while received < 1000 {
            let frame = raw.of_stream(1);
            assert!(frame.payload.len() <= 100, "{}", frame.payload.len());
            received += frame.payload.len();
        }
        // More than the window is an error of the stream.
        raw.sends(DATA, 0, 1, &[0; 2001]);
        let end = raw.of_stream(1);
        assert_eq!((end.kind, &*end.payload), (RST_STREAM, &[0, 0, 0, 3][..]));
    });
}

/// Windows without end, and nothing is read: neither this process nor the kernel takes more than its part, and in the end both sides
/// are rid of each other.
#[test]
fn a_client_that_takes_nothing_is_given_up() {
    run(async {
        let (proxy, server) = serving("Timeout 2\nKeepAliveTimeout 1\n").await;
        let target = server.local_addr().unwrap();
        let files = proxy.files();
        let mut raw = Raw::of(&proxy);
        raw.sends(SETTINGS, 0, 0, &[0, 4, 0x7f, 0xff, 0xff, 0xff]);
        raw.sends(WINDOW_UPDATE, 0, 0, &[0x7f, 0, 0, 0]);
        raw.tunnel(1, target);
        let (mut far, _) = server.accept().await.unwrap();
        let (mut sent, piece) = (0, vec![1; 1 << 16]);
        while let Ok(written) = tokio::io::AsyncWriteExt::write(&mut far, &piece).await {
            sent += written;
            assert!(
                sent < 32 << 20,
                "{sent} octets wait for a client that reads nothing"
            );
        }
        drop(far);
        proxy.wait_until("its files are closed", |proxy| proxy.files() <= files);
        assert_eq!(proxy.access_lines(1)[0][0], "200");
    });
}

/// Thousands of frames of one octet, and as many without any: an everyday thing over the life of a connection.
#[test]
fn small_frames_end_no_connection() {
    run(async {
        let (proxy, server) = serving("H2MaxSessionStreams 2\n").await;
        let target = server.local_addr().unwrap();
        let mut raw = Raw::of(&proxy);
        raw.tunnel(1, target);
        let (mut far, _) = server.accept().await.unwrap();
        for _ in 0..3000 {
            raw.sends(DATA, 0, 1, b"x");
            raw.sends(DATA, 0, 1, b"");
        }
        raw.sends(DATA, END_STREAM, 1, b"");
        let mut received = Vec::new();
        far.read_to_end(&mut received).await.unwrap();
        assert!(received == vec![b'x'; 3000]);
    });
}
