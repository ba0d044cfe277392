//! # Persistent connections
//!
//! HTTP/1.1 keeps a connection for the next request unless somebody says otherwise; HTTP/1.0 closes it. CONNECT is the
//! last request on its connection, whether it is granted or refused, but it need not be the first.

use connectspec_harness::{
    client::body::{BodyEnd, Framing},
    prelude::*,
};

use crate::{
    cases::words::refusal_kinds::{REFUSALS, RefusalKind},
    documents::{RFC_2817, RFC_9110, RFC_9112, RFC_9931},
};

/// Every case about more than one request on a connection.
pub(crate) fn suite() -> Suite {
    suite! {
        "persistence": "Persistent connections", include_str!("persistence.rs");
        a_close_is_announced,
        a_connection_of_http_1_0_is_closed,
        keep_alive_of_http_1_0_is_not_believed,
        connect_may_be_the_second_request,
        connect_waits_for_the_answer_before_it,
        a_request_after_a_refusal,
    }
}

/// A client that is not told of the close sends its next request into it, and cannot know whether it was served.
///
/// Also accepted: to close later, with a reset, or to let the close mark the end of the body. Any side may close at any
/// time, so only a proxy that always does so at once is told.
fn a_close_is_announced() -> Family {
    each(REFUSALS, |&(_, occasion)| {
        should("A proxy that closes after a refusal says so in it")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("9.6"))
            .cites(RFC_9112.section("9.3"))
            .covers(["H1-CONN-004"])
            .under(occasion.setup())
            .needs(occasion.needs())
            .run(async move |lab| {
                let mut last = String::new();
                for _ in 0..3 {
                    let (reply, mut connection) = occasion.refusal(lab).await?;
                    let body = connection.body(&reply).await;
                    let unmarked = body.framing == Framing::Close || body.end != BodyEnd::Complete;
                    if reply.minor == 0 || reply.lists("Connection", "close") || unmarked {
                        return Ok(());
                    }
                    let (_, ending) = connection.ends_within(lab.patience().stall()).await;
                    if ending != Some(Ending::Orderly) {
                        return Ok(());
                    }
                    last = reply.status_line();
                }
                Err(Finding::violation(
                    "Connection: close in a response that is followed by the end",
                    format!("three times {last} without it, and the end at once"),
                ))
            })
    })
}

/// A client of HTTP/1.0 that did not ask for more takes the end of the connection for the end of the answer.
///
/// Also accepted: to refuse with a reset or without an answer.
fn a_connection_of_http_1_0_is_closed() -> Family {
    each(REFUSALS, |&(_, occasion)| {
        must("A refused client of HTTP/1.0 gets no second answer")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("9.3"))
            .covers(["H1-CONN-013"])
            .under(occasion.setup())
            .needs(occasion.needs())
            .run(async move |lab| {
                let request = occasion.request(lab).await?.version("HTTP/1.0");
                let client = occasion.client(lab);
                lab.serves_nothing_later(&client, &request, request.bytes())
                    .await?;
                Ok(())
            })
    })
}

/// In HTTP/1.0, keep-alive was between two neighbours, and proxies passed it on without knowing it: so a proxy that
/// believes it may talk to one that knows nothing of it.
///
/// Also accepted: to refuse with a reset or without an answer. The word keep-alive in the answer alone is not judged.
fn keep_alive_of_http_1_0_is_not_believed() -> Family {
    each(REFUSALS, |&(_, occasion)| {
        must("A proxy keeps no connection with a client of HTTP/1.0")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("9.3"))
            .cites(RFC_9112.section("C.2.2"))
            .covers(["H1-CONN-014"])
            .under(occasion.setup())
            .needs(occasion.needs())
            .run(async move |lab| {
                let request = occasion.request(lab).await?.version("HTTP/1.0");
                let request = request.field("Connection: keep-alive");
                let client = occasion.client(lab);
                lab.serves_nothing_later(&client, &request, request.bytes())
                    .await?;
                Ok(())
            })
    })
}

/// Methods of the request before it.
const BEFORE: &[(&str, &str)] = &[("get", "GET"), ("options", "OPTIONS")];

/// A client that has fetched something over plain HTTP uses the same connection for what it needs next.
///
/// Also accepted: to close after the first request, as proxies that know nothing but CONNECT do.
fn connect_may_be_the_second_request() -> Family {
    each(BEFORE, |&(_, method)| {
        should("CONNECT is served after another request on the same connection")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("3.3"))
            .cites(RFC_2817.section("5.2"))
            .covers(["H1-CONN-009"])
            .run(async move |lab| {
                let origin = lab
                    .server(receive_head().then(send(PAGE)).then(hold()))
                    .await?;
                let server = lab.server(echo()).await?;
                let mut connection = lab.client().dial().await?;
                let answer = connection.asks(plain(lab, method, &origin)).await;
                let Answer::Reply(first) = &answer else {
                    return Err(Finding::inconclusive(answer.describe()));
                };
                let body = connection.body(first).await;
                if body.end != BodyEnd::Complete || first.lists("Connection", "close") {
                    let why = format!("{}, and the connection closes", first.status_line());
                    return Err(Finding::inconclusive(why));
                }

                let answer = connection.asks(lab.request(&server)).await;
                match &answer {
                    Answer::Reply(reply) if reply.is_success() => {
                        return connection.into_tunnel().echoes(lab.nonce()).await;
                    }
                    Answer::Closed | Answer::Reset => {
                        return Err(Finding::inconclusive("it closes after the first answer"));
                    }
                    _ => {}
                }
                lab.control(&server).await?;
                let behind = format!("{} after {}", answer.describe(), first.status_line());
                Err(Finding::violation(
                    "a tunnel, as on a fresh connection",
                    behind,
                ))
            })
    })
}

/// Answers come in the order of their requests: a tunnel that begins before the answer in front of it has come is read
/// as that answer.
///
/// Also accepted: to close without serving the CONNECT. To connect to its server before is right as well.
fn connect_waits_for_the_answer_before_it() -> Case {
    must("A 2xx to CONNECT comes after the response to the request before it")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("9.3.2"))
        .covers(["H1-CONN-010"])
        .run(async |lab| {
            let origin = lab.server(hand_over()).await?;
            let server = lab.server(echo()).await?;
            let pipelined = [plain(lab, "GET", &origin), lab.request(&server).bytes()].concat();
            let mut connection = lab.client().dial().await?;
            connection.sends(pipelined).await;
            let late = async {
                let mut end = origin.accepts().await?;
                pass(lab.patience().quiet()).await;
                // A proxy may have gone away; that shows in its answer.
                let _ = end.sends(PAGE).await;
                Ok::<_, Finding>(end)
            };
            let (answer, _origin) = {
                let mut hears = std::pin::pin!(connection.hears());
                tokio::select! {
                    answer = &mut hears => (answer, None),
                    end = late => (hears.await, end.ok()),
                }
            };
            let first = match &answer {
                Answer::Reply(reply) if reply.is_success() => reply,
                other => {
                    let why = format!("GET is answered with {}", other.describe());
                    return Err(Finding::inconclusive(why));
                }
            };
            let body = connection.body(first).await;
            if body.content != PAGE_CONTENT {
                return Err(Finding::violation(
                    "the response to the GET first",
                    format!("{} with {} bytes", first.status_line(), body.content.len()),
                ));
            }
            let second = connection.hears().await;
            lab.note(format!("then {}", second.describe()));
            match second {
                Answer::Reply(reply) if reply.is_success() => {
                    connection.into_tunnel().echoes(lab.nonce()).await
                }
                _ => Ok(()),
            }
        })
}

/// Whether a proxy keeps the connection for a client that has read the refusal: RFC 9112 let it, RFC 9931 does not.
///
/// Also accepted: whatever it does here; where it serves what was not known to be a request, it is told elsewhere.
fn a_request_after_a_refusal() -> Case {
    survey("A second request, once the refusal of the first was read, is")
        .over(HTTP_1_1)
        .cites(RFC_9931.section("8"))
        .cites(RFC_9112.section("9.3"))
        .covers(["H1-CONN-003"])
        .needs([Need::PortList])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let (reply, mut connection) = RefusalKind::Denied.refusal(lab).await?;
            connection.body(&reply).await;
            let answer = connection.asks(lab.request(&server)).await;
            lab.note(match answer {
                Answer::Reply(_) => format!("answered with {}", answer.describe()),
                Answer::Closed | Answer::Reset => "too late: the connection is closed".to_owned(),
                other => other.describe(),
            });
            Ok(())
        })
}

/// What a server of plain HTTP answers, without closing.
const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nplain hello";

const PAGE_CONTENT: &[u8] = b"plain hello";

/// A plain request for `server`, as a client makes it of its proxy.
fn plain(lab: &Lab, method: &str, server: &Server) -> Vec<u8> {
    let authority = server.authority();
    lab.client()
        .request(format!("http://{authority}/"))
        .method(method)
        .host(&authority)
        .bytes()
}
