//! How tunnels end: RFC 9113, section 8.5.

use crate::client::{Client, run, serving};
use crate::raw::{DATA, END_STREAM, Raw, frame};
use crate::support::finish;
use h2::Reason;
use http::HeaderMap;
use std::io::Write;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn resets(tunnel: &tokio::net::TcpStream) {
    tunnel.set_zero_linger().unwrap();
}

#[test]
fn each_end_is_passed_on_and_the_other_direction_stays() {
    run(async {
        let (proxy, server) = serving("").await;
        let client = Client::of(&proxy).await;
        let mut tunnel = client.tunnel(&server).await;
        tunnel.says("the last words");
        tunnel.finishes();
        assert_eq!(tunnel.server_reads(14).await, "the last words");
        tunnel.server_ends().await.unwrap();
        tunnel.server_says("after your end").await;
        assert_eq!(tunnel.reads(14).await, "after your end");
        tunnel.server.shutdown().await.unwrap();
        assert_eq!(tunnel.end().await, Ok(()));

        let mut tunnel = client.tunnel(&server).await;
        tunnel.server_says("the last words").await;
        tunnel.server.shutdown().await.unwrap();
        assert_eq!(tunnel.reads(14).await, "the last words");
        assert_eq!(tunnel.end().await, Ok(()));
        tunnel.says("after your end");
        assert_eq!(tunnel.server_reads(14).await, "after your end");
        tunnel.finishes();
        tunnel.server_ends().await.unwrap();
    });
}

#[test]
fn an_end_with_the_request_is_an_end() {
    run(async {
        let (proxy, server) = serving("").await;
        let client = Client::of(&proxy).await;
        let target = server.local_addr().unwrap().to_string();
        let request = http::Request::connect(target).body(()).unwrap();
        let mut requests = client.requests.clone().ready().await.unwrap();
        let (answer, _) = requests.send_request(request, true).unwrap();
        let (mut far, _) = server.accept().await.unwrap();
        far.write_all(b"hello").await.unwrap();
        drop(far);
        let mut content = answer.await.unwrap().into_body();
        assert_eq!(content.data().await.unwrap().unwrap(), "hello");
        assert!(
            content
                .data()
                .await
                .is_none_or(|data| data.unwrap().is_empty())
        );
    });
}

#[test]
fn a_reset_of_the_server_is_a_connect_error() {
    run(async {
        let (proxy, server) = serving("").await;
        let client = Client::of(&proxy).await;
        let mut beside = client.tunnel(&server).await;
        let mut tunnel = client.tunnel(&server).await;
        tunnel.works().await;
        resets(&tunnel.server);
        let Some(data) = ({
            drop(std::mem::replace(
                &mut tunnel.server,
                tokio::net::TcpStream::connect(proxy.address).await.unwrap(),
            ));
            tunnel.receiving.data().await
        }) else {
            panic!("an end");
        };
        assert_eq!(data.unwrap_err().reason(), Some(Reason::CONNECT_ERROR));
        beside.works().await;
    });
}

#[test]
fn a_reset_of_the_client_is_a_reset() {
    run(async {
        let (proxy, server) = serving("").await;
        let client = Client::of(&proxy).await;
        let mut beside = client.tunnel(&server).await;
        for code in [Reason::CANCEL, Reason::NO_ERROR, Reason::INTERNAL_ERROR] {
            let mut tunnel = client.tunnel(&server).await;
            tunnel.sending.send_reset(code);
            assert!(tunnel.server_ends().await.is_err(), "{code}");
            // Also when its own direction had ended before.
            let mut tunnel = client.tunnel(&server).await;
            tunnel.finishes();
            tunnel.server_ends().await.unwrap();
            tunnel.sending.send_reset(code);
            let gone = async {
                while tunnel.server.write_all(b"anybody?").await.is_ok() {
                    tokio::task::yield_now().await;
                }
            };
            gone.await;
        }
        beside.works().await;
    });
}

#[test]
fn the_loss_of_the_connection_resets_every_server() {
    run(async {
        let (proxy, server) = serving("").await;
        let client = Client::of(&proxy).await;
        let mut tunnels = [
            client.tunnel(&server).await,
            client.tunnel(&server).await,
            client.tunnel(&server).await,
        ];
        client.breaks_off().await;
        for tunnel in &mut tunnels {
            assert!(tunnel.server_ends().await.is_err());
        }
    });
}

/// A tunnel has no trailers: to pass them on as an end would make whole what is not.
#[test]
fn trailers_are_no_end() {
    run(async {
        let (proxy, server) = serving("").await;
        let client = Client::of(&proxy).await;
        let mut tunnel = client.tunnel(&server).await;
        let mut trailers = HeaderMap::new();
        trailers.insert("x", "y".parse().unwrap());
        tunnel.sending.send_trailers(trailers).unwrap();
        assert!(tunnel.server_ends().await.is_err());
        assert_eq!(tunnel.end().await, Err(Some(Reason::PROTOCOL_ERROR)));
        client.tunnel(&server).await.works().await;
    });
}

/// What was said to its end arrives, also when the connection is gone right behind it; what was not, must not look whole.
#[test]
fn an_end_counts_although_the_connection_is_gone_behind_it() {
    run(async {
        let (proxy, server) = serving("").await;
        let target = server.local_addr().unwrap();
        for resets in [false, true] {
            for whole in [true, false] {
                let mut raw = Raw::of(&proxy);
                raw.tunnel(1, target);
                let (mut far, _) = server.accept().await.unwrap();
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
                match resets {
                    true => drop(raw),
                    false => finish(&raw.0),
                }
                let mut received = Vec::new();
                let read = far.read_to_end(&mut received).await;
                if whole {
                    read.unwrap();
                    assert_eq!(received.len(), 64_000);
                } else {
                    assert!(read.is_err(), "{read:?}");
                }
            }
        }
    });
}
