//! # HTTP/2: limits
//!
//! Many tunnels share one connection: how many there may be, and what one of them may cost the others.

use connectspec_harness::{
    client::{Fate, Http2},
    http2::{
        ErrorCode, Frame, State,
        field::{indexed, literal, remembered_literal},
    },
    prelude::*,
};

use super::words::{Tunnel, connection, fate, is_heard, tunnel};
use crate::documents::RFC_9113;

/// Every case about limits in HTTP/2.
pub(crate) fn suite() -> Suite {
    suite! {
        "http2_limits": "HTTP/2: limits", include_str!("limits.rs");
        tunnels_of_one_connection_are_independent,
        a_tunnel_that_is_too_many_is_answered,
        one_stream_too_many_is_refused,
        resets_leave_no_connections_behind,
        a_long_section_does_no_harm_to_the_next,
    }
}

/// Tunnels on one connection: more of them at once are a matter of load.
const TUNNELS: usize = 100;

/// Tunnels that came about on one connection.
struct Many {
    tunnels: Vec<Tunnel>,
    /// As many as were tried: what the proxy allows, up to [`TUNNELS`].
    tried: usize,
    /// Why there are no more.
    refused: Option<String>,
}

/// As many tunnels as the proxy allows on one connection, up to [`TUNNELS`].
async fn many(lab: &Lab, http2: &Http2) -> Outcome<Many> {
    let limit = http2
        .until(|state| state.settled.then_some(state.max_streams))
        .await
        .ok_or_else(|| Finding::inconclusive("no SETTINGS have come"))?;
    let tried = limit.map_or(TUNNELS, |limit| {
        usize::try_from(limit).unwrap_or(TUNNELS).min(TUNNELS)
    });
    let (mut tunnels, mut refused) = (Vec::new(), None);
    while tunnels.len() < tried && refused.is_none() {
        match tunnel(lab, http2).await {
            Ok(tunnel) => tunnels.push(tunnel),
            // It may not have room for as many as it allows.
            Err(Finding::Setup { reason, .. }) if tunnels.len() > 1 => refused = Some(reason),
            Err(finding) => return Err(finding),
        }
    }
    if let Some(reason) = &refused {
        lab.note(format!("{} tunnels, then {reason}", tunnels.len()));
    }
    Ok(Many {
        tunnels,
        tried,
        refused,
    })
}

/// Tunnels that are mixed up look like tunnels that nobody serves.
const INDEPENDENT: &str = "http2_limits/tunnels_of_one_connection_are_independent";

/// A client that may have a hundred streams opens them, and waits for those that nobody serves: pages come to a standstill, and
/// nothing says why.
///
/// Also accepted: any answer to those that are too many, any reset. Only silence is not.
fn a_tunnel_that_is_too_many_is_answered() -> Case {
    practice("A CONNECT within the number of streams that was announced is answered")
        .over(HTTP_2)
        .cites(RFC_9113.section("5.1.2"))
        .covers(["H2-LIM-001"])
        .relying_on([INDEPENDENT])
        .is_a_crowd()
        .run(async |lab| {
            let http2 = connection(lab).await?;
            let many = many(lab, &http2).await?;
            match many.refused {
                Some(reason) if reason.ends_with("silence") => Err(Finding::violation(
                    format!("an answer to each of {} requests", many.tried),
                    format!("{} tunnels, then silence", many.tunnels.len()),
                )),
                _ => Ok(()),
            }
        })
}

/// Whoever mixes up two streams shows one user what another one said.
///
/// Also accepted: fewer tunnels than the proxy allows streams, where it refuses the others.
fn tunnels_of_one_connection_are_independent() -> Case {
    must("What is said in one tunnel arrives in that one, whatever else the connection carries")
        .over(HTTP_2)
        .cites(RFC_9113.section("5"))
        .cites(RFC_9113.section("8.5"))
        .covers(["H2-LIM-001"])
        .is_a_crowd()
        .run(async |lab| {
            let http2 = connection(lab).await?;
            let mut tunnels = many(lab, &http2).await?.tunnels;
            for tunnel in tunnels.iter_mut().rev() {
                let place = format!("stream {}", tunnel.id);
                tunnel
                    .carries(lab)
                    .await
                    .map_err(|finding| finding.at(&place))?;
            }
            Ok(())
        })
}

/// A client that is granted more than was announced has nothing to rely on, and the proxy no limit.
///
/// Also accepted: RST_STREAM with REFUSED_STREAM or PROTOCOL_ERROR; any other error, or a response that is no 2xx, is noted. A
/// proxy that allows more than a hundred streams is not asked.
fn one_stream_too_many_is_refused() -> Case {
    must("One stream more than the proxy has announced opens no tunnel")
        .over(HTTP_2)
        .cites(RFC_9113.section("5.1.2"))
        .covers(["H2-LIM-001"])
        .relying_on([INDEPENDENT])
        .is_a_crowd()
        .run(async |lab| {
            let http2 = connection(lab).await?;
            let tunnels = many(lab, &http2).await?.tunnels;
            let limit = http2.session().with(|state| state.max_streams);
            let is_full = limit.is_some_and(|limit| usize::try_from(limit) == Ok(tunnels.len()));
            if !is_full {
                return Err(Finding::inconclusive(format!(
                    "{} tunnels are open, and the proxy allows {}",
                    tunnels.len(),
                    limit.map_or_else(|| "any number of streams".to_owned(), |it| it.to_string())
                )));
            }
            let server = lab.server(echo()).await?;
            let id = http2.opens(&http2.request(server.authority()), false);
            let answer = http2.hears(id).await;
            match &answer {
                Answer::Reply(reply) if reply.is_success() => {
                    return Err(Finding::violation(
                        format!("no tunnel beside {} others", tunnels.len()),
                        answer.describe(),
                    ));
                }
                Answer::Closed | Answer::Reset => {
                    lab.note(fate(lab, &http2, id).await.describe());
                }
                _ => lab.note(answer.describe()),
            }
            is_heard(&answer)
        })
}

/// Tunnels that are asked for and reset.
const RESETS: usize = 200;

/// Connections that may be kept.
const SPARE: usize = 1;

/// Whoever opens and resets streams has no limit on them: what each leaves behind adds up, and brings down the proxy, or the
/// servers behind it.
///
/// Also accepted: to end a connection on which that happens; to keep one that was asked for and is not needed any more for the
/// next tunnel to the same server: that does not add up.
fn resets_leave_no_connections_behind() -> Case {
    practice("Tunnels that are asked for and reset leave no connections to servers behind")
        .over(HTTP_2)
        .cites(RFC_9113.section("10.5.2"))
        .covers(["H2-LIM-002"])
        .is_a_crowd()
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let http2 = connection(lab).await?;
            for number in 0..RESETS {
                let id = http2.opens(&http2.request(server.authority()), false);
                // Some are reset before there is an answer, some behind it.
                if number % 2 == 0 {
                    http2.hears(id).await;
                }
                http2.resets(id, ErrorCode::CANCEL);
                if let Some(code) = http2.session().with(|state| state.goaway) {
                    lab.note(format!("GOAWAY({code}) after {} resets", number + 1));
                    break;
                }
            }
            // Where one is still being connected to, it comes soon.
            http2.answers_a_ping().await;
            pass(lab.patience().settle()).await;
            let limit = lab.patience().lingering();
            match server.still_open_after(limit, SPARE).await {
                0 => Ok(()),
                1..=SPARE => {
                    lab.note("one connection is kept, or on its way to its end");
                    Ok(())
                }
                left => Err(Finding::violation(
                    "no connection to the server",
                    format!("{left} of {} are open", server.visits().len()),
                )),
            }
        })
}

/// Octets of one field, and fields of that length: far more than any limit that a proxy has for one field section, and fewer than
/// any for what it reads at all.
const LONG: usize = 7_000;
const LONG_FIELDS: usize = 10;

/// What is remembered of fields may be up to this unless the proxy says otherwise (RFC 9113 §6.5.2).
const TABLE: u32 = 4_096;

/// The setting that says otherwise.
const HEADER_TABLE_SIZE: u16 = 1;

/// Field sections are compressed against what went before on the connection. Whoever throws one away unread understands the next
/// one wrongly: a target is not the one that was asked for.
///
/// Also accepted: an end of the connection; a tunnel for the long request, too. For the one behind it only a tunnel to its server
/// conforms.
fn a_long_section_does_no_harm_to_the_next() -> Case {
    must("A field section that is refused for its length leaves the next one readable")
        .over(HTTP_2)
        .cites(RFC_9113.section("10.5.1"))
        .cites(RFC_9113.section("4.3"))
        .covers(["H2-LIM-003"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let http2 = connection(lab).await?;
            let table = http2.until(|state| state.settled.then(|| table_size(state)));
            if table.await.is_some_and(|size| size < TABLE) {
                return Err(Finding::absent("the proxy remembers less than is usual"));
            }
            let authority = server.authority();
            let mut long = Vec::new();
            literal(&mut long, b":method", b"CONNECT");
            remembered_literal(&mut long, b":authority", authority.as_bytes());
            let mut short = Vec::new();
            literal(&mut short, b":method", b"CONNECT");
            indexed(&mut short, LATEST);
            for (name, value) in http2.request(&authority).iter() {
                if !name.starts_with(b":") {
                    literal(&mut long, name, value);
                    literal(&mut short, name, value);
                }
            }
            for _ in 0..LONG_FIELDS {
                literal(&mut long, b"x-long", &[b'v'; LONG]);
            }
            let first = http2.opens_with(|id| Frame::section(id, &long, false));
            let answer = http2.hears(first).await;
            lab.note(format!("to the long one: {}", answer.describe()));
            if has_ended(&http2) {
                return Ok(());
            }
            let second = http2.opens_with(|id| Frame::section(id, &short, false));
            let answer = http2.hears(second).await;
            if answer.status().is_some_and(|status| status / 100 == 2) {
                return http2.end(second).echoes(lab.nonce()).await;
            }
            is_heard(&answer)?;
            let fate = fate(lab, &http2, second).await;
            let compression = Fate::Connection {
                goaway: Some(ErrorCode::COMPRESSION_ERROR),
                over: None,
            };
            match &fate {
                Fate::Connection { goaway, .. }
                    if *goaway != Some(ErrorCode::COMPRESSION_ERROR) =>
                {
                    lab.note(fate.describe());
                    Ok(())
                }
                Fate::Connection { .. } => Err(Finding::violation(
                    format!("a tunnel to {authority}"),
                    compression.describe(),
                )),
                _ => Err(Finding::violation(
                    format!("a tunnel to {authority}"),
                    answer.describe(),
                )),
            }
        })
}

/// The latest field that was remembered (RFC 7541 §2.3.3).
const LATEST: usize = 62;

fn table_size(state: &State) -> u32 {
    let mut latest_first = state.settings.iter().rev();
    let size = latest_first.find(|(name, _)| *name == HEADER_TABLE_SIZE);
    size.map_or(TABLE, |(_, size)| *size)
}

/// Whether the connection has come to its end, or is about to.
fn has_ended(http2: &Http2) -> bool {
    let session = http2.session();
    session.with(|state| state.goaway.is_some() || state.over.is_some())
}
