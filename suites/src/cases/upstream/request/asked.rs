//! That the upstream proxy is asked, each time, and on which connection.

use connectspec_harness::prelude::*;

use crate::documents::RFC_9110;

/// Behind a gateway that has to be used, whoever goes around it is seen by nobody.
///
/// Only this conforms: the configuration names an upstream proxy, and it is there.
pub(super) fn the_upstream_proxy_is_asked() -> Case {
    must("A CONNECT goes to the upstream proxy that the configuration names")
        .cites(RFC_9110.section("7.6"))
        .cites(RFC_9110.section("9.3.6"))
        .covers(["H1-FWD-001"])
        .under(upstream())
        .about_the_control()
        .run(async |lab| {
            let granting = receive_head().then(send(GRANTED)).then(echo());
            let upstream = lab.upstream(granting).await?;
            let server = lab.server(echo()).await?;
            let mut answer = Answer::Silence;
            // Whoever has found it dead before looks again only now and then; and some ask only once the client speaks.
            for _ in 0..TIMES {
                let mut connection = lab.client().dial().await?;
                answer = connection.asks(lab.request(&server)).await;
                connection.sends(lab.nonce()).await;
                pass(lab.patience().quiet()).await;
                if !upstream.visits().is_empty() || !server.visits().is_empty() {
                    break;
                }
                pass(lab.patience().stall()).await;
            }
            server.stays_unvisited().await?;
            if upstream.visits().is_empty() {
                let seen = format!("none; the client got {}", answer.describe());
                return Err(Finding::violation(
                    "a connection to the upstream proxy",
                    seen,
                ));
            }
            Ok(())
        })
}

const GRANTED: &str = "HTTP/1.1 200 OK\r\n\r\n";

/// How often it is asked.
const TIMES: usize = 5;

/// After a 2xx the connection to the upstream proxy is somebody's tunnel. Whoever puts the next client's request on it sends that
/// to the first one's server, with its credentials.
///
/// Also accepted: to leave the first connection open for as long as its server may still speak.
pub(super) fn a_connection_that_was_a_tunnel_is_not_used_again() -> Case {
    must("A connection to the upstream proxy that has been a tunnel carries nothing of another client")
        .cites(RFC_9110.section("9.3.6"))
        .covers(["H1-FWD-030"])
        .under(upstream())
        .run(async |lab| {
            let (first, second) = (lab.server(hold()).await?, lab.server(hold()).await?);
            let upstream = lab.upstream(hand_over()).await?;
            let mut chain = lab.chains(&upstream, &lab.request(&first)).await?;
            let answer = chain.answers(GRANTED).await;
            if answer.status().is_none_or(|status| status / 100 != 2) {
                return Err(Finding::inconclusive(format!("no tunnel: {}", answer.describe())));
            }
            let (mut near, mut far) = chain.into_tunnel();
            near.exchanges_with(&mut far, lab.nonce(), lab.nonce()).await?;
            near.finishes().await?;
            near.leaves();
            // The end comes to the upstream proxy, or does not: until then the tunnel is still there.
            pass(lab.patience().quiet()).await;

            // It may have other connections that it takes first, whose ends have gone with their cases.
            for _ in 0..TIMES {
                let mut client = lab.client().dial().await?;
                client.sends(lab.request(&second).bytes()).await;
                let quiet = lab.patience().quiet();
                let (heard, ending) = far.halves().0.takes_until_quiet(quiet).await;
                if heard > 0 {
                    let seen = format!("{heard} bytes after the client of that tunnel had ended it");
                    return Err(Finding::violation("nothing more on the first connection", seen));
                }
                if ending.is_some() {
                    break;
                }
            }
            Ok(())
        })
}
