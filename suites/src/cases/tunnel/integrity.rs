//! # What a tunnel carries
//!
//! A tunnel is blind: every byte that goes in at one end comes out at the other, once, in order, and unchanged.

use std::time::Duration;

use connectspec_harness::prelude::*;

mod apart;
mod prompt;

use crate::{
    cases::tunnel::integrity::{
        apart::{
            a_tunnel_leaves_no_second_connection_open, many_tunnels_are_kept_apart,
            two_tunnels_are_kept_apart, what_a_tunnel_leaves_is_no_other_ones,
        },
        prompt::small_writes_are_not_held_back,
    },
    cases::words::transfers::{DIRECTIONS, SMALL_BUFFER},
    documents::RFC_9110,
};

/// Every case about what a tunnel carries.
pub(crate) fn suite() -> Suite {
    suite! {
        "integrity": "What a tunnel carries", concat!(include_str!("integrity.rs"), include_str!("integrity/apart.rs"), include_str!("integrity/prompt.rs"));
        bytes_pass_unchanged,
        much_passes_unchanged,
        both_directions_flow_at_once,
        a_full_direction_stops_no_other,
        a_full_tunnel_stops_no_other,
        a_pause_loses_nothing,
        a_slow_reader_gets_everything,
        a_single_byte_is_not_held_back,
        small_writes_are_not_held_back,
        two_tunnels_are_kept_apart,
        what_a_tunnel_leaves_is_no_other_ones,
        many_tunnels_are_kept_apart,
        a_tunnel_leaves_no_second_connection_open,
        very_much_passes_unchanged,
        very_much_flows_both_ways_at_once,
        more_than_four_gibibytes_pass,
    }
}

/// Bytes, made when they are needed.
type Bytes = fn() -> Vec<u8>;

/// What some proxy has once changed on its way: translated, decoded, filtered, stopped at, or taken for HTTP.
const DELICATE: &[(&str, &str, Bytes)] = &[
    ("every_byte_value", "INT-001", || {
        (0..=255).chain((0..=255).rev()).collect()
    }),
    ("line_ends", "INT-002", || {
        b"\r\n\n\r\r\n\r\n\r\n\n\n\r\r\0\r\n".to_vec()
    }),
    ("nul_bytes", "INT-002", || vec![0; 1000]),
    ("telnet_commands", "INT-002", || {
        b"\xff\xfd\x01\xff\xff\xff\xf0\xff".to_vec()
    }),
    ("byte_order_mark", "INT-002", || {
        b"\xef\xbb\xbf\xfe\xff\x1a\x04\x7f".to_vec()
    }),
    ("a_request", "INT-003", || {
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".to_vec()
    }),
    ("a_response", "INT-003", || {
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()
    }),
    ("an_interim_response", "INT-003", || {
        b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()
    }),
    ("a_chunked_body", "INT-003", || {
        b"5\r\nhello\r\n0\r\n\r\n".to_vec()
    }),
    ("a_refusal", "INT-003", || {
        b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n".to_vec()
    }),
    ("http_2", "INT-019", || {
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        let settings = b"\0\0\x06\x04\0\0\0\0\0\0\x04\0\x10\0\0";
        let headers = b"\0\0\x03\x01\x05\0\0\0\x01\x82\x84\x86";
        [&preface[..], settings, headers].concat()
    }),
    ("a_client_hello", "INT-004", || {
        b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03".to_vec()
    }),
];

/// A proxy that looks into a tunnel sooner or later sees something that it thinks it knows.
///
/// Only this conforms: forwarding is blind, and a proxy that has to look inside says so in its profile.
fn bytes_pass_unchanged() -> Family {
    each(DELICATE, |&(_, row, bytes)| {
        must("Bytes pass a tunnel unchanged, whatever they look like")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers([row])
            .seen_in(
                "pingora #411",
                "https://github.com/cloudflare/pingora/issues/411",
            )
            .run(async move |lab| {
                let (mut near, mut far) = lab.tunnel().await?;
                near.sends_to(&mut far, bytes()).await?;
                far.sends_to(&mut near, bytes()).await?;
                near.exchanges_with(&mut far, bytes(), bytes()).await
            })
    })
}

/// What a case of ordinary length sends: past every buffer of a proxy, and past a counter of 16 bits.
const MUCH: u64 = 16 << 20;

/// A byte that is lost, doubled or swapped once in a megabyte is not found by a ping.
///
/// Only this conforms; how long it takes is not judged. It takes about a second: so much is sent, and compared octet by octet.
fn much_passes_unchanged() -> Family {
    each(DIRECTIONS, |&(_, upwards)| {
        must("Sixteen megabytes arrive complete, in order and unchanged")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers([row(upwards)])
            .covers_over(Protocol::Http1Tls, ["TLSP-001"])
            .run(async move |lab| passes(lab, upwards, MUCH).await)
    })
}

/// The row about everything that goes that way.
const fn row(upwards: bool) -> &'static str {
    match upwards {
        true => "INT-006",
        false => "INT-007",
    }
}

async fn passes(lab: &Lab, upwards: bool, length: u64) -> Outcome {
    let (mut near, mut far) = lab.tunnel().await?;
    let payload = stream(lab.seed(), length);
    if upwards {
        near.sends_to(&mut far, payload).await
    } else {
        far.sends_to(&mut near, payload).await
    }
}

/// A relay that waits for one direction while the other is full comes to a standstill, and only under load.
///
/// Only this conforms: neither end stops reading, so there is always something that can go on. It takes
/// about a second: so much is sent.
fn both_directions_flow_at_once() -> Case {
    must("Both directions flow at the same time")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["INT-007"])
        .seen_in(
            "httpd bug 61616",
            "https://bz.apache.org/bugzilla/show_bug.cgi?id=61616",
        )
        .relying_on(["integrity/much_passes_unchanged"])
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            let (there, back) = (stream(lab.seed(), MUCH / 2), stream(!lab.seed(), MUCH / 2));
            near.exchanges_with(&mut far, there, back).await
        })
}

/// A client that has more to say before it reads on, as in HTTP/2, waits for a server that waits for it, if a proxy between
/// them writes to the one before it reads from the other.
///
/// Also accepted: to take as much as it likes of what is not read. Good practice only: the demand is about ends that both read,
/// and has a case of its own.
fn a_full_direction_stops_no_other() -> Family {
    each(DIRECTIONS, |&(_, upwards)| {
        practice("While one direction is full, the other one flows")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers(["INT-007"])
            .run(async move |lab| {
                let (near, far) = lab.tunnel().await?;
                let (mut from, mut to) = if upwards { (near, far) } else { (far, near) };
                fills(lab, &mut from, &to).await?;
                let nonce = lab.nonce();
                to.halves().1.sends(&nonce).await?;
                from.halves().0.receives(nonce).await
            })
    })
}

/// Tunnels whose receivers do not read: more than an ordinary machine has processors.
const FULL: usize = 6;

/// One client that stops reading, on a train that has entered a tunnel, must not be everybody's.
///
/// Also accepted: to refuse tunnels past a limit. What was open before has to flow. It takes over a second: as long as it takes to know that
/// the others are full.
fn a_full_tunnel_stops_no_other() -> Family {
    each(DIRECTIONS, |&(_, upwards)| {
        practice("While some tunnels are full, another one flows")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers(["INT-007", "ROB-003"])
            .waits()
            .run(async move |lab| {
                let (mut near, mut far) = lab.tunnel().await?;
                near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
                    .await?;
                let mut others = Vec::new();
                for _ in 0..FULL {
                    let (near, far) = lab.tunnel().await?;
                    others.push(if upwards { (near, far) } else { (far, near) });
                }
                for (from, to) in &mut others {
                    fills(lab, from, to).await?;
                }
                near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
                    .await
            })
    })
}

/// One end sends until nothing more is taken, as the other one does not read.
async fn fills(lab: &Lab, from: &mut End, to: &End) -> Outcome {
    to.takes_little(SMALL_BUFFER)?;
    let flood = stream(!lab.seed(), VERY_MUCH);
    let (_, mut writer) = from.halves();
    writer.offers_within(&flood, lab.patience().quiet()).await;
    Ok(())
}

/// A tunnel that is silent for a second is not over.
///
/// Also accepted: to end a tunnel that is idle for longer than the proxy says. A second is far below any of that.
fn a_pause_loses_nothing() -> Case {
    must("After a pause everything arrives, in order")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["INT-011"])
        .waits()
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
                .await?;
            pass(lab.patience().stall()).await;
            near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
                .await
        })
}

/// A proxy that is pushed back has to hold what it took, and to stop taking.
/// It takes over a second, for which nobody reads.
///
/// Also accepted: any amount of buffering. What was taken from the one side has to reach the other.
fn a_slow_reader_gets_everything() -> Family {
    each(DIRECTIONS, |&(_, upwards)| {
        must("What was sent while nobody read arrives complete, once somebody reads")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers(["INT-011"])
            .covers_over(Protocol::Http1Tls, ["TLSP-001"])
            .relying_on(["integrity/much_passes_unchanged"])
            .waits()
            .run(async move |lab| arrives_where_reading_begins_late(lab, upwards, MUCH / 2).await)
    })
}

/// What was sent while nobody read arrives complete, once somebody reads.
async fn arrives_where_reading_begins_late(lab: &Lab, upwards: bool, length: u64) -> Outcome {
    let (mut near, mut far) = lab.tunnel().await?;
    let (from, to) = if upwards {
        (&mut near, &mut far)
    } else {
        (&mut far, &mut near)
    };
    to.takes_little(SMALL_BUFFER)?;
    let payload = stream(lab.seed(), length);
    let (mut writer, mut reader) = (from.halves().1, to.halves().0);
    let late = async {
        pass(lab.patience().stall()).await;
        reader.receives(&payload).await
    };
    let (sent, received) = tokio::join!(writer.sends(&payload), late);
    received.and(sent)
}

/// Round trips of one byte.
const PINGS: usize = 100;

/// Longer than any delayed acknowledgement, and than people wait for what they have typed.
const SOON: Duration = Duration::from_secs(1);

/// A shell through a proxy that waits for more before it passes a key stroke on is unusable.
///
/// Also accepted: any delay below a second, and any longer one while another tunnel is as slow: a byte counts as held
/// back where what was sent later, in a tunnel beside it, has come round before it. Only a third time is put down to the
/// proxy.
fn a_single_byte_is_not_held_back() -> Case {
    practice("A single byte is passed on without waiting for more")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["INT-008"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let mut beside = lab.client().connect(&server).await?;
            for _ in 0..3 {
                let mut tunnel = lab.client().connect(&server).await?;
                let mut pings = 0;
                while pings < PINGS {
                    tunnel.sends([b'k']).await?;
                    if !tunnel.speaks_within(SOON).await {
                        beside.echoes(lab.nonce()).await?;
                        if !tunnel.speaks_within(lab.patience().settle()).await {
                            break;
                        }
                    }
                    tunnel.receives([b'k']).await?;
                    pings += 1;
                }
                if pings == PINGS {
                    return Ok(());
                }
            }
            let observed = format!("none within {SOON:?}, on each of three tunnels");
            Err(Finding::violation(
                format!("{PINGS} round trips of one byte"),
                observed,
            ))
        })
}

/// What a long case sends: past every buffer of kernels, and past a counter of 24 bits.
const VERY_MUCH: u64 = 256 << 20;

/// Counters overflow, buffers wrap around, and both do so late.
///
/// Only this conforms; how long it takes is not judged.
fn very_much_passes_unchanged() -> Family {
    each(DIRECTIONS, |&(_, upwards)| {
        must("A quarter of a gigabyte arrives complete, in order and unchanged")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers([row(upwards)])
            .slow()
            .run(async move |lab| passes(lab, upwards, VERY_MUCH).await)
    })
}

/// Past a counter of 32 bits, and past the round numbers just after it.
const PAST_32_BITS: u64 = (1 << 32) + (16 << 20);

/// A download of a film or of a disk image, through a proxy that counts what it carries.
///
/// Only this conforms. A proxy or a machine that takes too long for it is not judged.
fn more_than_four_gibibytes_pass() -> Case {
    must("More than four gibibytes arrive complete and in order")
        .cites(RFC_9110.section("9.3.6"))
        .covers(["INT-007"])
        .slow()
        .run(async |lab| passes(lab, false, PAST_32_BITS).await)
}

/// The same in both directions at once.
///
/// Only this conforms; how long it takes is not judged.
fn very_much_flows_both_ways_at_once() -> Case {
    must("A quarter of a gigabyte flows each way at the same time")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["INT-007"])
        .slow()
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            let (there, back) = (
                stream(lab.seed(), VERY_MUCH),
                stream(!lab.seed(), VERY_MUCH),
            );
            near.exchanges_with(&mut far, there, back).await
        })
}
