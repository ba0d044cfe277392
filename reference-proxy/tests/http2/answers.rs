//! What gets no tunnel is answered on its stream, by the same rules as over HTTP/1.1, and beside it everything goes on.

use crate::client::{Client, H2C, run, server, serving};
use crate::support::{Proxy, closed_port};
use base64::Engine;
use h2::Reason;
use tokio::io::AsyncReadExt;

#[test]
fn refusals_are_those_of_http1_and_harm_no_other_stream() {
    run(async {
        let (proxy, server) = serving("AllowCONNECT 443\nProxyBlock blocked.test\n").await;
        let client = Client::of(&proxy).await;
        let mut beside = client.tunnel(&server).await;
        for target in [
            "127.0.0.1:1",
            "blocked.test:443",
            "127.0.0.1:0",
            "127.0.0.1:65979",
            "127.1:443",
            "[::1]:1",
            "name.invalid:443",
        ] {
            let (head, content) = client.answer(target, &[]).await;
            assert_eq!(
                head.status.as_u16(),
                proxy.connect_status(target, ""),
                "{target}"
            );
            let length = head.headers["content-length"].to_str().unwrap();
            assert_eq!(length, content.len().to_string());
            assert!(!head.headers.contains_key("connection"));
            assert!(head.headers.contains_key("date"));
            assert!(head.headers.contains_key("proxy-status"), "{target}");
        }
        beside.works().await;
        client.tunnel(&server).await.works().await;
    });
}

#[test]
fn a_server_that_refuses_is_told_as_over_http1() {
    run(async {
        let (_socket, closed) = closed_port();
        let (proxy, server) = serving(&format!("AllowCONNECT {}\n", closed.port())).await;
        let client = Client::of(&proxy).await;
        for _ in 0..20 {
            let (head, _) = client.answer(&closed.to_string(), &[]).await;
            assert_eq!(head.status, 502);
            assert_eq!(
                head.headers["proxy-status"],
                "reference-proxy; error=connection_refused"
            );
        }
        client.tunnel(&server).await.works().await;
    });
}

#[test]
fn other_methods_are_not_served() {
    run(async {
        let (proxy, server) = serving("").await;
        let client = Client::of(&proxy).await;
        for (method, status) in [("GET", 405), ("HEAD", 405), ("FROB", 501)] {
            let request = http::Request::builder()
                .method(method)
                .uri("http://a.test/")
                .body(())
                .unwrap();
            let mut requests = client.requests.clone().ready().await.unwrap();
            let (answer, _) = requests.send_request(request, true).unwrap();
            let answer = answer.await.unwrap();
            assert_eq!(answer.status(), status, "{method}");
            let allowed = answer
                .headers()
                .get("allow")
                .map(|value| value.to_str().unwrap());
            assert_eq!(allowed, (status == 405).then_some("CONNECT"));
        }
        client.tunnel(&server).await.works().await;
    });
}

#[test]
fn credentials_are_those_of_their_stream() {
    run(async {
        let users = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(users.path(), "ann:$apr1$I1irUAh6$9OlwtR0XqKcQRaZbN9kHc0\n").unwrap();
        let section = format!(
            "<Proxy \"*\">\nAuthType Basic\nAuthName here\nAuthUserFile {}\nRequire valid-user\n</Proxy>\n",
            users.path().display()
        );
        let (proxy, server) = serving(&section).await;
        let client = Client::of(&proxy).await;
        let target = server.local_addr().unwrap().to_string();
        let (head, _) = client.answer(&target, &[]).await;
        assert_eq!(head.status, 407);
        assert_eq!(head.headers["proxy-authenticate"], "Basic realm=\"here\"");
        let basic = |pair: &str| {
            let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
            format!("Basic {encoded}")
        };
        let right = basic("ann:open sesame");
        let (answer, mut sending) = client
            .asks(&target, &[("proxy-authorization", &right)])
            .await;
        assert_eq!(answer.await.unwrap().status(), 200);
        server.accept().await.unwrap();
        for fields in [&[][..], &[("proxy-authorization", &*basic("ann:wrong"))]] {
            let (head, _) = client.answer(&target, fields).await;
            assert_eq!(head.status, 407, "{fields:?}");
        }
        sending.send_reset(Reason::CANCEL);
    });
}

#[test]
fn the_target_picks_the_virtual_host() {
    run(async {
        let (server, _) = server().await;
        let port = server.local_addr().unwrap().port();
        let hosts = format!(
            "{H2C}<VirtualHost *>\nServerName other.test\nAllowCONNECT 1\n</VirtualHost>\n\
             <VirtualHost *>\nServerName here.test\nServerAlias 127.0.0.1\nAllowCONNECT {port}\n</VirtualHost>\n"
        );
        let proxy = Proxy::with(&hosts);
        let client = Client::of(&proxy).await;
        assert_eq!(client.status(&format!("other.test:{port}")).await, 403);
        client.tunnel(&server).await.works().await;
    });
}

/// The line of a stream says what that of a connection says, and each has its own port towards the server.
#[test]
fn each_stream_has_its_access_line() {
    run(async {
        let (proxy, server) = serving("").await;
        let client = Client::of(&proxy).await;
        let target = server.local_addr().unwrap().to_string();
        let mut sources = Vec::new();
        for _ in 0..2 {
            let (answer, mut sending) = client.asks(&target, &[("user-agent", "me")]).await;
            let (mut far, source) = server.accept().await.unwrap();
            let mut content = answer.await.unwrap().into_body();
            sources.push(source.port().to_string());
            sending.send_data("12345".into(), true).unwrap();
            far.read_to_end(&mut Vec::new()).await.unwrap();
            drop(far);
            assert!(
                content
                    .data()
                    .await
                    .is_none_or(|data| data.unwrap().is_empty())
            );
        }
        assert_eq!(client.status("127.0.0.1:1").await, 403);
        let mut lines = proxy.access_lines(3);
        lines.sort_by_key(|line| {
            sources
                .iter()
                .position(|source| *source == line[1])
                .unwrap_or(9)
        });
        for (line, source) in lines.iter().zip(&sources) {
            let request = format!("CONNECT {target} HTTP/2.0");
            assert_eq!(line[..3], ["200", source, &target], "{line:?}");
            assert_eq!(line[4..6], ["5", "0"], "{line:?}");
            assert_eq!(line[7..], [&*request, "me"], "{line:?}");
        }
        assert_eq!(lines[2][..3], ["403", "-", "127.0.0.1:1"], "{:?}", lines[2]);
    });
}
