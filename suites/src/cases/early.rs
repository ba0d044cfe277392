//! # Early data
//!
//! A client may send the first bytes of its tunnel right behind its request. They are in the proxy's hands before it
//! knows whether there will be a tunnel, often in the same buffer as the request, and belong to the server all the same.

use connectspec_harness::prelude::*;

use crate::spec::{RFC_9110, RFC_9112, RFC_9931};

/// Every case about bytes that are sent before the 2xx.
pub(crate) fn suite() -> Suite {
    suite! {
        "early": "Early data", include_str!("early.rs");
        early_data_is_delivered_once_and_in_order,
    }
}

/// How much of it there is: within one buffer, just over the usual sizes of one, and more than a proxy reads at once.
const SIZES: &[(&str, u64)] = &[
    ("one_byte", 1),
    ("a_few_bytes", 517),
    ("over_4_kib", 4097),
    ("over_8_kib", 8193),
    ("64_kib", 64 * 1024),
];

/// What is left in the buffer of the parser is lost, and the TLS handshake that it began hangs: now and then, as it
/// depends on how the bytes arrive.
///
/// Right as well: to refuse such a request although the plain one is granted; that is noted.
fn early_data_is_delivered_once_and_in_order() -> Vec<(&'static str, Case)> {
    each(SIZES, |&(_, length)| {
        must("What stands behind a granted request reaches the server, once and in order")
            .cites(RFC_9110.section("9.3.6"))
            .cites(RFC_9112.section("6.3"))
            .cites(RFC_9931.section("4.1"))
            .covers(["H1-CONN-007", "H1-FRM-001"])
            .run(async move |lab| {
                let early = stream(lab.seed(), length);
                let (then, answer) = (lab.nonce(), lab.nonce());
                let server = receive(&early).then(receive(&then)).then(send(&answer));
                let server = lab.server(server).await?;
                let request = lab.request(&server).followed_by(early.bytes());
                let exchange = lab.client().asks(request).await?;
                match &exchange.answer {
                    Answer::Reply(reply) if reply.is_success() => {}
                    Answer::Garbage { .. } => return exchange.reply().map(|_| ()),
                    Answer::Silence => return Err(Finding::inconclusive("silence")),
                    refused => {
                        lab.note(format!("with early data: {}", refused.describe()));
                        return Ok(());
                    }
                }

                let mut tunnel = exchange.connection.into_tunnel();
                tunnel.sends(then).await?;
                let answered = tunnel.receives(answer).await;
                // What the server missed says more than that it did not answer.
                server.played(0).await.and(answered)
            })
    })
}
