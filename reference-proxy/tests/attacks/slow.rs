//! Readers that are slow and steady, over buffers that hide it.

use crate::support::{Proxy, accept, connect, head, server};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// What is sent at once: more than the buffers on the way give back within the timeout.
const SIZE: usize = 3 << 20;
/// What a reader takes a fifth of a second: a buffer of the kernel lasts it for several timeouts.
const PIECE: usize = 51 << 10;
const PAUSE: Duration = Duration::from_millis(200);

fn payload() -> Vec<u8> {
    (0..SIZE)
        .map(|index| (index / 7 + index / 4096) as u8)
        .collect()
}

/// Reads everything at a steady pace, and that it ends in order.
fn reads_steadily(mut from: TcpStream) {
    let (mut received, mut piece) = (Vec::new(), vec![0; PIECE]);
    // Nobody ever says anything to this one: waiting for it is the pause.
    let quiet = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut next = Instant::now();
    loop {
        match from.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => received.extend_from_slice(&piece[..read]),
            Err(error) => panic!("{error} behind {} of {SIZE}", received.len()),
        }
        next += PAUSE;
        if let Some(left) = next
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
        {
            quiet.set_read_timeout(Some(left)).unwrap();
            quiet.recv(&mut [0]).unwrap_err();
        }
    }
    assert!(received == payload(), "{} of {SIZE}", received.len());
}

#[test]
fn a_slow_and_steady_reader_gets_everything_on_either_side() {
    let (server, allow) = server();
    let proxy = Proxy::with(&format!("{allow}Timeout 1\n"));
    std::thread::scope(|scope| {
        for downwards in [true, false] {
            let mut client = proxy.dial();
            client.write_all(connect(&server, "").as_bytes()).unwrap();
            let far = accept(&server);
            head(&mut client);
            let (mut sender, reader) = if downwards {
                (far, client)
            } else {
                (client, far)
            };
            scope.spawn(move || {
                sender.write_all(&payload()).unwrap();
                crate::support::finish(&sender);
                // It stays until the other side has ended, too.
                let _ = sender.read(&mut [0]);
            });
            scope.spawn(move || reads_steadily(reader));
        }
    });
}
