//! # What does not open a denied port
//!
//! A filter that looks at a request in one way, and a proxy that serves it in another, leave a gap between them. These
//! requests ask for a denied port and have something about them that is treated by other code.

use connectspec_harness::{
    lab::{TO_NOBODY, network::Answers},
    prelude::*,
};

use crate::documents::{RFC_9110, RFC_9112, VU_150227};

/// Every case about what stands beside a denied target.
pub(crate) fn suite() -> Suite {
    suite! {
        "denials": "What does not open a denied port", include_str!("denials.rs");
        nothing_beside_the_target_opens_a_denied_port,
        a_denied_port_costs_no_look_up,
    }
}

/// What is added to a right request.
type Change = fn(Request) -> Request;

/// Fields that lead a request to code of its own.
const BESIDE: &[(&str, Change)] = &[
    ("content_length_zero", |request| {
        request.field("Content-Length: 0")
    }),
    ("content_length", |request| {
        request.field("Content-Length: 5").followed_by("hello")
    }),
    ("chunked", |request| {
        let request = request.field("Transfer-Encoding: chunked");
        request.followed_by("5\r\nhello\r\n0\r\n\r\n")
    }),
    ("expect", |request| request.field("Expect: 100-continue")),
    ("expect_with_content", |request| {
        let request = request.field("Expect: 100-continue");
        request.field("Content-Length: 5").followed_by("hello")
    }),
    ("upgrade_to_a_tunnel", |request| {
        let request = request.field("Connection: Upgrade");
        request.field("Upgrade: connect-tcp")
    }),
    ("upgrade_to_websocket", |request| {
        let request = request
            .field("Connection: Upgrade")
            .field("Upgrade: websocket");
        let request = request.field("Sec-WebSocket-Version: 13");
        request.field("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
    }),
    ("upgrade_to_http_2", |request| {
        let request = request.field("Connection: Upgrade, HTTP2-Settings");
        request.field("Upgrade: h2c").field("HTTP2-Settings: AAAA")
    }),
    ("upgrade_to_tls", |request| {
        request
            .field("Connection: Upgrade")
            .field("Upgrade: TLS/1.2")
    }),
];

/// A policy that holds for ordinary requests only is one for those who mean no harm.
///
/// Also accepted: any refusal, with a 100 before it too, and a close without an answer. Only this conforms: a denied port is
/// denied whatever stands beside it.
fn nothing_beside_the_target_opens_a_denied_port() -> Family {
    each(BESIDE, |&(_, change)| {
        must("A denied port stays closed whatever stands beside it in the request")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("9.3.6"))
            .cites(RFC_9110.section("7.8"))
            .cites(RFC_9110.section("10.1.1"))
            .cites(RFC_9112.section("6"))
            .covers(["POL-012"])
            .needs([Need::PortList])
            .run(async move |lab| {
                let denied = lab.denied_server(echo()).await?;
                let request = change(lab.request(&denied));
                let exchange = lab.client().asks(request).await?;
                let told = exchange.answer.describe();
                if matches!(exchange.answer.status(), Some(101 | 200..300)) {
                    let seen = match denied.stays_unvisited().await {
                        Ok(()) => format!("{told}, {TO_NOBODY}"),
                        Err(_) => told,
                    };
                    return Err(Finding::violation("a refusal", seen));
                }
                lab.note(told);
                denied.stays_unvisited().await
            })
    })
}

/// Whoever may open no tunnel can still say something to the world, if each name that he asks for is looked up: in the name.
///
/// Also accepted: any refusal. Only this conforms: the name server hears nothing of a target whose port is denied.
fn a_denied_port_costs_no_look_up() -> Case {
    practice("A name is not looked up where its port is denied")
        .cites(VU_150227.section(""))
        .covers(["POL-013"])
        .needs([Need::PortList, Need::Names])
        .relying_on(["policy/an_unlisted_port_is_refused_and_never_contacted"])
        .in_the_lab()
        .run(async |lab| {
            let (port, address) = (lab.closed_denied_port().await?, lab.address()?);
            lab.server_of(address, port, &echo())?;
            let name = lab.name(Answers::addresses([address]))?;
            let request = lab.client().request(name.authority(port));
            lab.refuses(&request).await?;
            match name.questions()?.len() {
                0 => Ok(()),
                asked => Err(Finding::violation(
                    "no question about the name",
                    format!("questions: {asked}"),
                )),
            }
        })
}
