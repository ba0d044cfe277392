//! Clients that reset, or never come to an end, at each stage of a request; and where the proxy listens.

use std::net::{IpAddr, Ipv4Addr};

use connectspec_harness::prelude::*;

use crate::{
    cases::{operation::robustness::serves_on, words::refusal_kinds::RefusalKind},
    documents::{RFC_9110, VU_150227},
};

/// When clients reset.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Once they were refused.
    Refused(RefusalKind),
    /// While the server does not answer.
    Connecting,
    /// Once they were granted a tunnel.
    Granted,
}

const STAGES: &[(&str, Stage)] = &[
    ("bad_target", Stage::Refused(RefusalKind::BadTarget)),
    ("denied", Stage::Refused(RefusalKind::Denied)),
    ("closed_port", Stage::Refused(RefusalKind::ClosedPort)),
    ("connecting", Stage::Connecting),
    ("granted", Stage::Granted),
];

impl Stage {
    fn needs(self) -> Vec<Need> {
        match self {
            Self::Refused(kind) => kind.needs(),
            Self::Connecting | Self::Granted => Vec::new(),
        }
    }
}

/// Browsers give up, scanners never meant it: what a proxy holds for them at that moment must not be what it needs for the next
/// client.
///
/// Also accepted: anything, as long as the next client is served.
pub(super) fn a_reset_at_any_stage_harms_nobody() -> Family {
    each(STAGES, |&(_, stage)| {
        practice("Clients that reset at this stage keep no other from its tunnel")
            .cites(RFC_9110.section("17.5"))
            .covers(["ROB-015"])
            .needs(stage.needs())
            .run(async move |lab| {
                // Whoever is harmed is not to be another case; a proxy that was running already has but one process.
                let own = lab.relaunched_where_launched(&Setup::default()).await?;
                let lab = own.as_ref().unwrap_or(lab);
                let server = lab.server(echo()).await?;
                // Held to the end, so that nothing answers in its place.
                let silent = match stage {
                    Stage::Connecting => Some(lab.black_hole().await?),
                    _ => None,
                };
                for _ in 0..RESETS {
                    let request = match (stage, &silent) {
                        (Stage::Refused(kind), _) => kind.request(lab).await?,
                        (_, Some(silent)) => lab.client().request(silent.authority()),
                        _ => lab.request(&server),
                    };
                    let mut connection = lab.client().dial().await?;
                    connection.sends(request.bytes()).await;
                    if let Stage::Connecting = stage {
                        pass(lab.patience().pace()).await;
                    } else {
                        match connection.hears().await {
                            // What is unread would keep it from being reset.
                            Answer::Reply(reply) if !reply.is_success() => {
                                connection.body(&reply).await;
                            }
                            // The harm is done.
                            Answer::Silence => break,
                            _ => {}
                        }
                    }
                    // What it still wants to say is not read: so the kernel resets, whatever is asked of it.
                    match connection.into_tunnel().resets() {
                        Ok(()) | Err(Finding::Inconclusive { .. }) => {}
                        Err(finding) => return Err(finding),
                    }
                }
                serves_on(lab, &server).await
            })
    })
}

/// More than a proxy may have spare workers for one stage that it never gets back.
const RESETS: usize = 12;

/// A client that never ends its header section costs memory for as long as it is read.
///
/// Also accepted: any answer, a close and a reset, and to stop reading.
pub(super) fn a_head_that_never_ends_is_given_up() -> Case {
    practice("A header section that does not end is given up before it has 8 MiB")
        .cites(RFC_9110.section("17.5"))
        .covers(["ROB-018"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let mut head = lab.request(&server).bytes();
            head.truncate(head.len() - 2);
            let mut near = lab.client().dial().await?.into_tunnel();
            near.sends(head).await?;
            let lines = "X-More: 0123456789abcdef0123456789abcdef0123456789abcdef\r\n".repeat(1024);
            let (mut reader, mut writer) = near.halves();
            let heard = reader.takes_until_quiet(lab.patience().end());
            let sent = async {
                let lines = Payload::from(lines.as_bytes());
                let mut taken = 0;
                while taken < ENDLESS {
                    let (fresh, stopped) =
                        writer.offers_within(&lines, lab.patience().reply()).await;
                    taken += fresh;
                    if stopped.is_some() {
                        return None;
                    }
                }
                Some(taken)
            };
            tokio::select! {
                biased;
                // It speaks, or ends: either way it reads this head no more.
                (_, Some(_)) = heard => {}
                Some(taken) = sent => {
                    let seen = format!("{} MiB were read", taken >> 20);
                    return Err(Finding::violation("an answer or an end before 8 MiB", seen));
                }
                else => lab.note("it stops reading"),
            }
            serves_on(lab, &server).await
        })
}

/// Where it is given up that the proxy gives it up.
const ENDLESS: u64 = 8 << 20;

/// A proxy that was told to listen on one address, and listens on all of them, is open to whoever reaches the others.
///
/// Only this conforms: to the address that it was given there is nothing to add.
pub(super) fn it_listens_nowhere_else() -> Case {
    practice("It listens on the address that it was told, and on no other one")
        .cites(VU_150227.section(""))
        .covers(["ROB-021"])
        .needs([Need::Launched])
        .run(async |lab| {
            let client = lab.client();
            let told = client.proxy();
            if told.ip() != IpAddr::V4(Ipv4Addr::LOCALHOST) {
                return Err(Finding::absent("it was not told to listen on 127.0.0.1"));
            }
            let other = Ipv4Addr::new(127, 0, 0, 2);
            match client.reaching_it_at(other.into()).dial().await {
                Err(Finding::Setup { .. }) => Ok(()),
                Err(finding) => Err(finding),
                Ok(_) => Err(Finding::violation(
                    "nobody listens on the same port of 127.0.0.2",
                    "a connection",
                )),
            }
        })
}
