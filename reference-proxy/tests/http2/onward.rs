//! Through an upstream proxy of HTTP/2 that keeps the rules.

use crate::client::{Client, H2C, pour, run, serving};
use crate::next::{TARGET, asked, chained, tunnels};
use crate::support::{Proxy, everything};
use h2::Reason;
use http::{HeaderMap, Response, StatusCode};
use std::io::Write;
use tokio::io::AsyncWriteExt as _;

const REQUEST: &str = "CONNECT Name.invalid:0443 HTTP/1.1\r\nHost: name.invalid\r\nX-Kept: 1\r\n\
    Connection: X-Hop\r\nX-Hop: 1\r\nTE: trailers\r\nProxy-Authorization: Basic ZXZlOmV2ZQ==\r\n\
    Via: 1.0 fred\r\n\r\n";

fn status(status: u16) -> Response<()> {
    let mut answer = Response::new(());
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    answer
}

#[test]
fn a_request_is_forwarded_as_one_of_http2() {
    run(async {
        let (proxy, upstream) = chained("").await;
        let mut client = proxy.dial();
        client
            .write_all(format!("{REQUEST}early").as_bytes())
            .unwrap();
        let mut next = asked(&upstream).await;
        assert_eq!(next.request.method, http::Method::CONNECT);
        assert_eq!(next.request.uri.to_string(), TARGET);
        let mut fields = next.request.headers.clone();
        assert_eq!(fields.remove("x-kept").unwrap(), "1");
        let mut via = fields.get_all("via").iter();
        assert_eq!(via.next().unwrap(), "1.0 fred");
        let own = via.next().unwrap().to_str().unwrap();
        assert!(own.starts_with("1.1 reference-proxy-"), "{own}");
        assert_eq!(fields.keys_len(), 1, "{fields:?}");
        let mut hints = status(103);
        hints.headers_mut().insert("link", "</a>".parse().unwrap());
        next.respond.send_informational(hints).unwrap();
        assert_eq!(
            crate::support::head(&mut client),
            "HTTP/1.1 103 \r\nlink: </a>\r\n\r\n"
        );
        // Nothing of the tunnel before the answer.
        assert!(!next.receiving.is_end_stream());
        let before =
            std::future::poll_fn(|cx| std::task::Poll::Ready(next.receiving.poll_data(cx)));
        assert!(before.await.is_pending());
        let source = next.source.port().to_string();
        let mut far = next.grants();
        assert_eq!(
            crate::support::head(&mut client),
            "HTTP/1.1 200 Connection Established\r\n\r\n"
        );
        assert_eq!(far.reads(5).await, "early");
        drop((client, far));
        assert_eq!(proxy.access_lines(1)[0][1], source);
    });
}

#[test]
fn each_end_is_passed_on_and_the_other_direction_stays() {
    run(async {
        let (proxy, upstream) = chained("").await;
        for (mut near, mut far) in tunnels(&proxy, &upstream).await {
            near.says("the last words").await;
            near.finishes().await;
            assert_eq!(far.reads(14).await, "the last words");
            assert_eq!(far.end().await, Ok(()));
            far.says("after your end");
            far.finishes();
            assert_eq!(near.rest().await, (b"after your end".to_vec(), true));
        }
        for (mut near, mut far) in tunnels(&proxy, &upstream).await {
            far.says("the last words");
            far.finishes();
            assert_eq!(near.rest().await, (b"the last words".to_vec(), true));
            near.says("after your end").await;
            assert_eq!(far.reads(14).await, "after your end");
            near.finishes().await;
            assert_eq!(far.end().await, Ok(()));
        }
        proxy.access_lines(4);
    });
}

#[test]
fn each_reset_is_passed_on() {
    run(async {
        let (proxy, upstream) = chained("").await;
        for (near, mut far) in tunnels(&proxy, &upstream).await {
            near.resets();
            assert_eq!(far.end().await, Err(Some(Reason::CANCEL)));
        }
        for (mut near, mut far) in tunnels(&proxy, &upstream).await {
            far.sending.send_reset(Reason::CONNECT_ERROR);
            assert!(!near.rest().await.1);
        }
        // Also when one direction has ended before.
        for (mut near, mut far) in tunnels(&proxy, &upstream).await {
            near.finishes().await;
            assert_eq!(far.end().await, Ok(()));
            far.sending.send_reset(Reason::CANCEL);
            assert!(!near.rest().await.1);
        }
        for (mut near, mut far) in tunnels(&proxy, &upstream).await {
            far.finishes();
            assert_eq!(near.rest().await, (Vec::new(), true));
            far.sending.send_reset(Reason::CANCEL);
            near.is_reset().await;
        }
    });
}

#[test]
fn the_loss_of_the_connection_is_a_reset() {
    run(async {
        let (proxy, upstream) = chained("").await;
        for (mut near, far) in tunnels(&proxy, &upstream).await {
            far.breaks_off().await;
            assert!(!near.rest().await.1);
        }
    });
}

/// A tunnel has no trailers: to pass them on as an end would make whole what is not.
#[test]
fn trailers_are_no_end() {
    run(async {
        let (proxy, upstream) = chained("").await;
        for (mut near, mut far) in tunnels(&proxy, &upstream).await {
            let mut trailers = HeaderMap::new();
            trailers.insert("x", "y".parse().unwrap());
            far.sending.send_trailers(trailers).unwrap();
            assert!(!near.rest().await.1);
            assert_eq!(far.end().await, Err(Some(Reason::PROTOCOL_ERROR)));
        }
    });
}

#[test]
fn a_refusal_is_told_in_own_words() {
    run(async {
        let (proxy, upstream) = chained("").await;
        for (answered, told, proxy_status) in [
            (
                403,
                403,
                "u; error=dns_error, reference-proxy; received-status=403",
            ),
            (
                429,
                429,
                "u; error=dns_error, reference-proxy; received-status=429",
            ),
            (
                504,
                504,
                "u; error=dns_error, reference-proxy; received-status=504",
            ),
            (
                407,
                502,
                "u; error=dns_error, reference-proxy; received-status=407",
            ),
            (
                302,
                502,
                "u; error=dns_error, reference-proxy; received-status=302",
            ),
        ] {
            let mut answer = status(answered);
            let value = "u; error=dns_error".parse().unwrap();
            answer.headers_mut().insert("proxy-status", value);
            let mut near = proxy.dial();
            near.write_all(REQUEST.as_bytes()).unwrap();
            asked(&upstream).await.answers(answer.clone());
            let said = everything(&mut near);
            assert!(said.starts_with(&format!("HTTP/1.1 {told} ")), "{said}");
            assert!(
                said.contains(&format!("\r\nProxy-Status: {proxy_status}\r\n")),
                "{said}"
            );

            let client = Client::of(&proxy).await;
            let (head, ()) = tokio::join!(client.answer(TARGET, &[]), async {
                let mut next = asked(&upstream).await;
                next.answers(answer);
                // Nothing of the client's reaches it.
                let end = next.receiving.data().await;
                assert!(end.is_none_or(|end| end.is_err()));
            });
            assert_eq!(head.0.status, told);
            assert_eq!(head.0.headers["proxy-status"], proxy_status);
        }
    });
}

#[test]
fn an_upstream_gets_the_credentials_that_are_for_it() {
    run(async {
        let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = other.local_addr().unwrap();
        let (proxy, upstream) = chained(&format!(
            "ProxyRemote * h2c://{address} \"ann:open sesame\"\n"
        ))
        .await;
        let mut near = proxy.dial();
        near.write_all(REQUEST.as_bytes()).unwrap();
        assert!(
            asked(&upstream)
                .await
                .request
                .headers
                .get("proxy-authorization")
                .is_none()
        );
        let lines =
            format!("ProxyRemote * h2c://{address} \"ann:open sesame\"\nAllowCONNECT 443\n");
        let proxy = Proxy::with(&lines);
        let mut near = proxy.dial();
        near.write_all(REQUEST.as_bytes()).unwrap();
        let fields = asked(&other).await.request.headers;
        let sent: Vec<_> = fields.get_all("proxy-authorization").iter().collect();
        assert_eq!(sent, ["Basic YW5uOm9wZW4gc2VzYW1l"]);
    });
}

/// Nobody waits for the upstream of a client that has given up.
#[test]
fn a_client_that_is_gone_gives_up_its_upstream() {
    run(async {
        let (proxy, upstream) = chained("").await;
        let mut near = proxy.dial();
        near.write_all(REQUEST.as_bytes()).unwrap();
        let mut next = asked(&upstream).await;
        socket2::SockRef::from(&near)
            .set_linger(Some(std::time::Duration::ZERO))
            .unwrap();
        drop(near);
        let end = next.receiving.data().await.unwrap().unwrap_err();
        assert_eq!(end.reason(), Some(Reason::CANCEL));
        let client = Client::of(&proxy).await;
        let (_answer, mut sending) = client.asks(TARGET, &[]).await;
        let mut next = asked(&upstream).await;
        sending.send_reset(Reason::CANCEL);
        let end = next.receiving.data().await.unwrap().unwrap_err();
        assert_eq!(end.reason(), Some(Reason::CANCEL));
    });
}

#[test]
fn much_passes_both_ways_unchanged() {
    const MUCH: usize = 5_000_000;
    run(async {
        let (proxy, upstream) = chained("").await;
        for (mut near, mut far) in tunnels(&proxy, &upstream).await {
            let (read, ()) = tokio::join!(far.reads(MUCH), near.pours(MUCH));
            assert!(read.bytes().all(|octet| octet == 7));
            assert_eq!(far.end().await, Ok(()));
            let down = async {
                crate::next::pour(&mut far.sending, MUCH).await;
                far.finishes();
            };
            let ((octets, whole), ()) = tokio::join!(near.rest(), down);
            assert!(whole && octets == vec![7; MUCH]);
        }
    });
}

/// What is held for whoever takes nothing is a window, and what buffers of this proxy and of the kernel take.
#[test]
fn who_takes_nothing_holds_up_the_other_side() {
    const TAKEN_MOST: usize = 1 << 20;
    run(async {
        let (proxy, upstream) = chained("").await;
        let [_, (near, mut far)] = tunnels(&proxy, &upstream).await;
        let (_, before) = proxy.cost();
        // The client opens no window: what is taken is its window, the upstream's, and what is between them.
        let taken = pour(&mut far.sending, 64 << 20).await;
        assert!(taken <= TAKEN_MOST, "{taken} octets were taken");
        let (_, now) = proxy.cost();
        assert!(now < before + 4096, "{before} KiB became {now} KiB");
        drop((near, far));

        let [_, (mut near, far)] = tunnels(&proxy, &upstream).await;
        let crate::next::Near::Http2(stream) = &mut near else {
            unreachable!()
        };
        let taken = pour(&mut stream.sending, 64 << 20).await;
        assert!(taken <= TAKEN_MOST, "{taken} octets were taken");
        drop(far);
    });
}

#[test]
fn a_request_that_has_been_here_is_a_loop() {
    run(async {
        let (proxy, upstream) = chained("").await;
        let mut near = proxy.dial();
        near.write_all(REQUEST.as_bytes()).unwrap();
        let next = asked(&upstream).await;
        let via: Vec<_> = next.request.headers.get_all("via").iter().collect();
        let own = via.last().unwrap().to_str().unwrap();
        // The upstream sends the request back to where it came from.
        let (head, _) = Client::of(&proxy)
            .await
            .answer(TARGET, &[("via", own)])
            .await;
        assert_eq!(head.status, 502);
        assert_eq!(
            head.headers["proxy-status"],
            "reference-proxy; error=proxy_loop_detected"
        );
    });
}

/// Two of this proxy in a row, with HTTP/2 between them.
#[test]
fn a_proxy_goes_through_another_one() {
    run(async {
        let (second, server) = serving("").await;
        let port = server.local_addr().unwrap().port();
        let lines = format!(
            "ProxyRemote * h2c://{}\nAllowCONNECT {port}\n",
            second.address
        );
        let first = Proxy::with(&format!("{H2C}{lines}"));
        let client = Client::of(&first).await;
        let mut tunnel = client.tunnel(&server).await;
        tunnel.works().await;
        tunnel.finishes();
        tunnel.server_ends().await.unwrap();
        tunnel.server_says("after your end").await;
        tunnel.server.shutdown().await.unwrap();
        assert_eq!(tunnel.reads(14).await, "after your end");
        assert_eq!(tunnel.end().await, Ok(()));
        let mut tunnel = client.tunnel(&server).await;
        tunnel.sending.send_reset(Reason::CANCEL);
        assert!(tunnel.server_ends().await.is_err());
        let mut tunnel = client.tunnel(&server).await;
        tunnel.server.set_zero_linger().unwrap();
        drop(std::mem::replace(
            &mut tunnel.server,
            tokio::net::TcpStream::connect(first.address).await.unwrap(),
        ));
        assert_eq!(tunnel.end().await, Err(Some(Reason::CONNECT_ERROR)));
        // What the second one refuses is refused by both.
        let (head, _) = client.answer("127.0.0.1:1", &[]).await;
        assert_eq!(head.status, 403);
    });
}
