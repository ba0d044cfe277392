//! # The port of the target
//!
//! One to five decimal digits, 1 to 65535, and nothing else: a port that is read in two ways is decided on in one of
//! them and dialled in the other.

use connectspec_harness::prelude::*;

use crate::spec::{RFC_3986, RFC_9110};

/// Every case about the port of the target.
pub(crate) fn suite() -> Suite {
    suite! {
        "port": "The port of the target", include_str!("port.rs");
        refuses_a_bad_port,
    }
}

/// How a port is written.
type Spelling = fn(u16) -> String;

/// Ports that no reading of the grammar allows, made from a port `p` on which a server listens.
const BAD_PORTS: &[(&str, &str, Spelling)] = &[
    ("zero", "H1-PORT-001", |_| "0".to_owned()),
    ("past_65535", "H1-PORT-002", |p| {
        (65_536 + u32::from(p)).to_string()
    }),
    ("past_32_bits", "H1-PORT-003", |p| {
        ((1_u64 << 32) + u64::from(p)).to_string()
    }),
    ("past_64_bits", "H1-PORT-003", |p| {
        ((1_u128 << 64) + u128::from(p)).to_string()
    }),
    ("twenty_digits", "H1-PORT-003", |_| {
        "99999999999999999999".to_owned()
    }),
    ("minus_one", "H1-PORT-004", |_| "-1".to_owned()),
    ("negative", "H1-PORT-004", |p| {
        (i32::from(p) - 65_536).to_string()
    }),
    ("plus_sign", "H1-PORT-005", |p| format!("+{p}")),
    ("hexadecimal", "H1-PORT-007", |p| format!("{p:#x}")),
    ("letter_behind", "H1-PORT-007", |p| format!("{p}a")),
    ("full_width_digits", "H1-PORT-007", |p| full_width(p)),
    ("service_name", "H1-PORT-008", |_| "https".to_owned()),
];

/// A port that wraps around or is read in another base reaches what no filter in front of the proxy has seen.
///
/// Right as well: any status that is not 2xx, or a close without an answer.
fn refuses_a_bad_port() -> Vec<(&'static str, Case)> {
    each(BAD_PORTS, |&(_, row, port)| {
        must("A request for an invalid port is rejected")
            .cites(RFC_9110.section("9.3.6"))
            .cites(RFC_3986.section("3.2.3"))
            .covers([row])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let target = format!("{}:{}", server.host(), port(server.port()));

                lab.refuses(&lab.request(&server).target(&target)).await?;
                lab.refuses(
                    &lab.request(&server)
                        .target(&target)
                        .host(server.authority()),
                )
                .await?;
                Ok(())
            })
    })
}

/// The digits of East Asian typography: digits to a library that asks Unicode, and not to the grammar.
fn full_width(port: u16) -> String {
    port.to_string()
        .chars()
        .map(|digit| char::from_u32(digit as u32 + 0xfee0).unwrap_or(digit))
        .collect()
}
