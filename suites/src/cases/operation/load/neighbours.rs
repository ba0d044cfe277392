//! What one tunnel, or a crowd of clients, costs the others.

use std::time::{Duration, Instant};

use connectspec_harness::prelude::*;
use tokio::task::JoinSet;

use crate::{cases::operation::load::serves_on, documents::RFC_9110};

/// A download without a limit beside the tunnel in which somebody types: a relay that reads on as long as there is something
/// to read serves nobody else.
///
/// Also accepted: any delay that is shorter than the time after which bytes are given up; it is noted.
pub(super) fn a_tunnel_at_full_speed_starves_nobody() -> Case {
    practice("Beside a tunnel at full speed, others go on and new clients get in")
        .cites(RFC_9110.section("17.5"))
        .covers(["INT-020"])
        .relying_on(["target/an_ordinary_request_opens_a_tunnel"])
        .run(async |lab| {
            // Other cases are not to be starved; a proxy that was running already has but one process.
            let own = lab.relaunched_where_launched(&Setup::default()).await?;
            let lab = own.as_ref().unwrap_or(lab);
            let echo = lab.server(echo()).await?;
            let (mut near, mut far) = lab.tunnel().await?;
            let mut typing = lab.client().connect(&echo).await?;
            typing.echoes(lab.nonce()).await?;
            let flood = stream(lab.seed(), ENDLESS);
            let (mut reader, mut writer) = (near.halves().0, far.halves().1);
            let download = async {
                tokio::join!(
                    reader.takes_until_quiet(lab.patience().reply()),
                    writer.offers(&flood)
                )
            };
            let typing = async {
                // It is at full speed by then.
                pass(lab.patience().quiet()).await;
                let mut slowest = Duration::ZERO;
                for _ in 0..ECHOES {
                    let began = Instant::now();
                    answered(lab, typing.echoes([b'x'])).await?;
                    slowest = slowest.max(began.elapsed());
                }
                let mut fresh = lab.client().dial().await?;
                fresh.sends(lab.request(&echo).bytes()).await;
                let answer = fresh.hears_within(lab.patience().progress()).await;
                if answer.status().is_none_or(|status| status / 100 != 2) {
                    let seen = format!("{} for a new client", answer.describe());
                    return Err(Finding::violation("a tunnel beside the download", seen));
                }
                answered(lab, fresh.into_tunnel().echoes(lab.nonce())).await?;
                Ok(slowest)
            };
            let slowest = tokio::select! {
                done = typing => done?,
                _ = download => return Err(Finding::inconclusive("the download came to its end")),
            };
            lab.note(format!(
                "the slowest of {ECHOES} echoes took {} ms",
                slowest.as_millis()
            ));
            Ok(())
        })
}

/// More than passes through any proxy while the case runs.
const ENDLESS: u64 = 1 << 40;

/// Octets that are typed beside it: the harness itself carries the download, too, and takes its time for each.
const ECHOES: usize = 20;

/// What is typed comes back while the download goes on.
async fn answered(lab: &Lab, echo: impl Future<Output = Outcome>) -> Outcome {
    let limit = lab.patience().progress();
    tokio::time::timeout(limit, echo).await.unwrap_or_else(|_| {
        let seen = format!("nothing in {limit:?}");
        Err(Finding::violation("an echo beside the download", seen))
    })
}

/// How many clients come at the same time, and whether that is much to ask.
const CROWDS: &[(&str, usize, bool)] = &[
    ("a_hundred", 100, false),
    ("five_hundred_and_thirty", 530, true),
];

/// A browser that is opened in the morning, in every office at once: what a proxy cannot serve, it can refuse.
///
/// Also accepted: any answer of HTTP, such as a 503, and to keep clients waiting until others have gone.
pub(super) fn a_crowd_is_served_or_answered() -> Family {
    each(CROWDS, |&(_, crowd, slow)| {
        let case = practice("Clients that come at the same time get their tunnels, or an answer")
            .cites(RFC_9110.section("17.5"))
            .covers(["ROB-016"])
            .relying_on(["target/an_ordinary_request_opens_a_tunnel"])
            .is_a_crowd()
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let mut asked = JoinSet::new();
                for _ in 0..crowd {
                    let (client, request) = (lab.client(), lab.request(&server));
                    asked.spawn(async move { client.asks(request).await });
                }
                let (mut held, mut refused, mut waiting) = (Vec::new(), 0, 0);
                while let Some(exchange) = asked.join_next().await {
                    let exchange = exchange.map_err(|error| Finding::harness(error.to_string()))?;
                    let exchange = match exchange {
                        Err(Finding::Setup { reason, .. }) => {
                            return Err(turned_away(crowd, &reason));
                        }
                        exchange => exchange?,
                    };
                    match &exchange.answer {
                        Answer::Reply(reply) if reply.is_success() => {
                            held.push(exchange.granted()?);
                        }
                        Answer::Reply(_) => refused += 1,
                        Answer::Silence => waiting += 1,
                        other => return Err(turned_away(crowd, &other.describe())),
                    }
                }
                lab.note(format!(
                    "{} of {crowd} had tunnels at once, {refused} were refused, {waiting} waited",
                    held.len()
                ));
                for tunnel in &mut held {
                    tunnel.echoes(lab.nonce()).await?;
                }
                Ok(())
            });
        if slow { case.slow() } else { case }
    })
}

/// As many as there are silent clients without TLS.
const SILENT: usize = 100;

/// The beginning of a ClientHello of 508 octets, in a record of its own: the rest never comes.
const HALF_A_HELLO: &[u8] =
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x63\x6f\x6e\x6e\x65\x63\x74\x73\x70\x65\x63";

/// How far into their handshake clients come.
const HANDSHAKES: &[(&str, &[u8])] = &[("before_it", b""), ("in_the_middle", HALF_A_HELLO)];

/// Clients that come behind the silent ones: the first may be looked at before all of those are.
const NEXT: usize = 3;

/// Handshakes cost a proxy more than anything else that a stranger may ask for; one that takes them one after the other, or a
/// few at a time, is closed by whoever never ends his own.
///
/// Also accepted: to close the silent ones early, as long as the next client gets its tunnel.
pub(super) fn silent_handshakes_keep_nobody_out() -> Family {
    each(HANDSHAKES, |&(_, begun)| {
        practice("A hundred clients that are silent in their TLS handshake keep no other from its tunnel")
            .cites(RFC_9110.section("17.5"))
            .covers(["ROB-017"])
            .needs([Need::TlsListener, Need::Launched])
            .is_a_crowd()
            .run(async move |lab| {
                let lab = lab.relaunched(&tls_listener()).await?;
                let server = lab.server(echo()).await?;
                serves_on(&lab, &server).await?;
                let mut silent = Vec::new();
                for _ in 0..SILENT {
                    let mut client = lab.client().without_tls().dial().await?;
                    client.sends(begun).await;
                    silent.push(client);
                }
                for _ in 0..NEXT {
                    let served = serves_on(&lab, &server).await;
                    served.map_err(|finding| match finding {
                        // It was there before they came.
                        Finding::Setup { reason, .. } => {
                            Finding::violation("a tunnel for the next client", reason)
                        }
                        finding => finding,
                    })?;
                }
                Ok(())
            })
    })
}

fn turned_away(crowd: usize, how: &str) -> Finding {
    Finding::none_of(
        ["a tunnel", "an answer"],
        format!("one of {crowd} that came at once: {how}"),
    )
}
