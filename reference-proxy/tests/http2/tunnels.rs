//! Tunnels that stand: what they carry, beside each other.

use crate::client::{Client, pour, run, serving};
use crate::support::PATIENCE;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

#[test]
fn a_stream_is_a_tunnel() {
    run(async {
        let (proxy, server) = serving("").await;
        let client = Client::of(&proxy).await;
        let mut first = client.tunnel(&server).await;
        let mut second = client.tunnel(&server).await;
        first.works().await;
        second.works().await;
        first.works().await;
        assert_ne!(first.source, second.source);
    });
}

#[test]
fn megabytes_pass_both_ways_at_once() {
    const MUCH: usize = 5 << 20;
    run(async {
        let (proxy, server) = serving("").await;
        let client = Client::of(&proxy).await;
        let mut tunnel = client.tunnel(&server).await;
        let (mut reading, mut writing) = tunnel.server.into_split();
        let up = tokio::spawn(async move {
            let mut received = vec![0; MUCH];
            reading.read_exact(&mut received).await.unwrap();
            received
        });
        let payload: Vec<u8> = (0..MUCH).map(|at| (at % 251) as u8).collect();
        let down = payload.clone();
        let writer = tokio::spawn(async move {
            writing.write_all(&down).await.unwrap();
            writing.shutdown().await.unwrap();
        });
        let sent = tokio::spawn(async move { pour(&mut tunnel.sending, MUCH).await });
        let mut received = Vec::new();
        while let Some(data) = tunnel.receiving.data().await {
            let data = data.unwrap();
            let mut window = tunnel.receiving.flow_control().clone();
            window.release_capacity(data.len()).unwrap();
            received.extend_from_slice(&data);
        }
        assert!(received == payload);
        assert_eq!(sent.await.unwrap(), MUCH);
        assert!(up.await.unwrap() == vec![7; MUCH]);
        writer.await.unwrap();
    });
}

/// A server that takes nothing costs its own stream its window, and no other stream anything.
#[test]
fn a_server_that_reads_nothing_holds_up_no_other() {
    run(async {
        let (proxy, server) = serving("").await;
        let client = Client::of(&proxy).await;
        let mut stalled = Vec::new();
        for _ in 0..8 {
            let mut tunnel = client.tunnel(&server).await;
            // Until neither the kernel nor the window take more.
            let taken = pour(&mut tunnel.sending, 64 << 20).await;
            assert!(taken < 64 << 20, "{taken} were taken that nobody has read");
            stalled.push(tunnel);
        }
        let mut other = client.tunnel(&server).await;
        let moved = tokio::spawn(async move {
            let moved = pour(&mut other.sending, 1 << 20).await;
            (moved, other.sending)
        });
        let mut octets = vec![0; 1 << 20];
        other.server.read_exact(&mut octets).await.unwrap();
        assert_eq!(moved.await.unwrap().0, 1 << 20);
    });
}

/// A client that grants no window stops the server, and what it then grants is filled to the octet.
#[test]
fn the_window_of_the_client_is_kept() {
    run(async {
        let (proxy, server) = serving("").await;
        let stream = tokio::net::TcpStream::connect(proxy.address).await.unwrap();
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(1000);
        let client = Client::over(stream, builder).await;
        let mut tunnel = client.tunnel(&server).await;
        let (mut sent, piece) = (0, vec![1; 1 << 16]);
        while let Ok(written) = timeout(Duration::from_secs(1), tunnel.server.write(&piece)).await {
            sent += written.unwrap();
            assert!(
                sent < 32 << 20,
                "{sent} octets wait for a client that reads nothing"
            );
        }
        let mut received = 0;
        while received < 1000 {
            received += tunnel.receiving.data().await.unwrap().unwrap().len();
        }
        assert_eq!(received, 1000);
        let more = timeout(Duration::from_millis(300), tunnel.receiving.data());
        assert!(more.await.is_err());
        let mut window = tunnel.receiving.flow_control().clone();
        window.release_capacity(1000).unwrap();
        while received < 2000 {
            let data = timeout(PATIENCE, tunnel.receiving.data()).await.unwrap();
            received += data.unwrap().unwrap().len();
        }
        assert_eq!(received, 2000);
    });
}

#[test]
fn what_comes_before_the_answer_arrives_behind_it() {
    run(async {
        let (proxy, server) = serving("").await;
        let client = Client::of(&proxy).await;
        let target = server.local_addr().unwrap().to_string();
        let (answer, mut sending) = client.asks(&target, &[]).await;
        sending.send_data("early".into(), false).unwrap();
        let (mut far, _) = server.accept().await.unwrap();
        let mut early = [0; 5];
        far.read_exact(&mut early).await.unwrap();
        assert_eq!(&early, b"early");
        assert_eq!(answer.await.unwrap().status(), 200);
    });
}

#[test]
fn silence_ends_a_tunnel() {
    run(async {
        let (proxy, server) = serving("Timeout 10\nH2StreamTimeout 1\nProxyTimeout 1\n").await;
        let client = Client::of(&proxy).await;
        let mut silent = client.tunnel(&server).await;
        assert!(silent.server_ends().await.is_ok());
        assert_eq!(silent.end().await, Ok(()));
        proxy.says("AH10224");
        // The connection is still good.
        client.tunnel(&server).await.works().await;
    });
}
