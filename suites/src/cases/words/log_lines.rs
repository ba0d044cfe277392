//! Lines of a log, and the source port in them.

use connectspec_harness::prelude::*;

/// The request with a name that is found again in the log.
pub(in crate::cases) fn named(request: &Request, nonce: &str) -> Request {
    request.clone().field(format!("User-Agent: {nonce}"))
}

pub(in crate::cases) fn expect_port(expected: Option<u16>, logged: Option<u16>) -> Outcome {
    let say = |port: Option<u16>| {
        port.map_or_else(
            || "no source port".to_owned(),
            |port| format!("source port {port}"),
        )
    };
    if expected == logged {
        return Ok(());
    }
    // Ports differ from run to run; which one it was is in the transcript.
    Err(Finding::violation(
        format!(
            "{} in the log",
            if expected.is_some() {
                "the server's view of the source port"
            } else {
                "no source port"
            }
        ),
        say(logged),
    ))
}

/// The client's end of a tunnel to `server` whose line of the log is found by `nonce`.
pub(in crate::cases) async fn tunnel_with_line(
    lab: &Lab,
    server: &Server,
    nonce: &str,
) -> Outcome<End> {
    let request = named(&lab.request(server), nonce);
    let exchange = lab.client().asks(request).await?;
    exchange.granted()
}
