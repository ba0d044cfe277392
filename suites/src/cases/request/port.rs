//! # The port of the target
//!
//! One to five decimal digits, 1 to 65535, and nothing else: a port that is read in two ways is decided on in one of
//! them and dialled in the other.

use connectspec_harness::prelude::*;

use crate::documents::{RFC_3986, RFC_9110, RFC_9112};

/// Every case about the port of the target.
pub(crate) fn suite() -> Suite {
    suite! {
        "port": "The port of the target", include_str!("port.rs");
        refuses_a_bad_port,
        a_leading_zero_makes_no_octal_number,
        leading_zeros,
        refuses_whitespace_in_the_port,
        whitespace_behind_the_port,
        no_spelling_leads_to_a_denied_port,
    }
}

/// How a port is written.
type Spelling = fn(u16) -> String;

/// Ports that no reading of the grammar allows, made from a port `p` on which a server listens.
const BAD_PORTS: &[(&str, &str, Spelling)] = &[
    ("zero", "H1-PORT-001", |_| "0".to_owned()),
    ("past_65535", "H1-PORT-002", PAST_65535),
    ("one_digit_too_many", "H1-PORT-002", |p| format!("{p}0")),
    ("past_32_bits", "H1-PORT-003", PAST_32_BITS),
    ("past_64_bits", "H1-PORT-003", PAST_64_BITS),
    ("twenty_digits", "H1-PORT-003", |_| {
        "99999999999999999999".to_owned()
    }),
    ("minus_one", "H1-PORT-004", |_| "-1".to_owned()),
    ("minus_sign", "H1-PORT-004", |p| format!("-{p}")),
    ("negative", "H1-PORT-004", NEGATIVE),
    ("plus_sign", "H1-PORT-005", PLUS_SIGN),
    ("hexadecimal", "H1-PORT-007", |p| format!("{p:#x}")),
    ("letter_behind", "H1-PORT-007", |p| format!("{p}a")),
    ("letter_inside", "H1-PORT-007", |p| split(p, "x")),
    ("underscore", "H1-PORT-007", |p| split(p, "_")),
    ("fraction", "H1-PORT-007", |p| format!("{p}.0")),
    ("full_width_digits", "H1-PORT-007", |p| full_width(p)),
    ("service_name", "H1-PORT-008", |_| "https".to_owned()),
];

const PAST_65535: Spelling = |p| (65_536 + u32::from(p)).to_string();
const PAST_32_BITS: Spelling = |p| ((1_u64 << 32) + u64::from(p)).to_string();
const PAST_64_BITS: Spelling = |p| ((1_u128 << 64) + u128::from(p)).to_string();
const NEGATIVE: Spelling = |p| (i32::from(p) - 65_536).to_string();
const PLUS_SIGN: Spelling = |p| format!("+{p}");

/// A port that wraps around or is read in another base reaches what no filter in front of the proxy has seen.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn refuses_a_bad_port() -> Family {
    each(BAD_PORTS, |&(_, row, spelling)| {
        must("A request for an invalid port is rejected")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .cites(RFC_3986.section("3.2.3"))
            .covers([row])
            .covers_over(Protocol::H2c, ["H2-TGT-008"])
            .covers_over(Protocol::H2, ["H2-TGT-008"])
            .seen_in(
                "tinyproxy #586",
                "https://github.com/tinyproxy/tinyproxy/issues/586",
            )
            .run(async move |lab| {
                let server = lab.server_among(|port| misread(&spelling(port))).await?;
                let target = format!("{}:{}", server.host(), spelling(server.port()));

                lab.refuses_target(target, &server).await
            })
    })
}

/// `017` is seventeen in a URI and fifteen in C: whoever asks for the one must not get the other.
///
/// Also accepted: a refusal, or a tunnel to the decimal port.
fn a_leading_zero_makes_no_octal_number() -> Case {
    must("A port with a leading zero is decimal")
        .over(HTTP_1_1)
        .cites(RFC_3986.section("3.2.3"))
        .cites(RFC_9110.section("2.4"))
        .covers(["H1-PORT-006"])
        .run(async |lab| {
            // In base eight, the digits would lead to the server; in base ten, they lead elsewhere.
            let server = lab.server_among(|_| Vec::new()).await?;
            let target = format!("{}:0{:o}", server.host(), server.port());
            let request = lab.request(&server).target(target);

            lab.client().asks(&request).await?;
            lab.client().asks(request.host(server.authority())).await?;
            server.stays_unvisited().await
        })
}

/// Zeros in front are legal in a URI, and nobody needs them.
///
/// Also accepted: anything but a tunnel to another port; where it leads instead is a case of its own.
fn leading_zeros() -> Case {
    may("Zeros in front of a port may be skipped or refused")
        .over(HTTP_1_1)
        .cites(RFC_3986.section("3.2.3"))
        .covers(["H1-PORT-006"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let target = format!("{}:00{}", server.host(), server.port());
            let request = lab.request(&server).target(target);

            lab.tolerates(&request.host(server.authority()), &server)
                .await?;
            Ok(())
        })
}

/// A filter that stops at the space has seen another port than the proxy that skips it.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn refuses_whitespace_in_the_port() -> Family {
    each(WHITESPACE_INSIDE, |&(_, spelling)| {
        should("Whitespace in front of the port or inside it makes a target invalid")
            .over(EVERY)
            .cites(RFC_9112.section("3.2"))
            .cites(RFC_9110.section("9.3.6"))
            .covers(["H1-PORT-009"])
            .run(async move |lab| {
                let server = lab.server_among(|port| misread(&spelling(port))).await?;
                let target = format!("{}:{}", server.host(), spelling(server.port()));

                lab.refuses_target(target, &server).await
            })
    })
}

const WHITESPACE_INSIDE: &[(&str, Spelling)] = &[
    ("space_before", |p| format!(" {p}")),
    ("tab_before", |p| format!("\t{p}")),
    ("space_inside", |p| split(p, " ")),
];

/// After the port, whitespace belongs to the request-line; more of it than one space is at most untidy.
///
/// Also accepted: a refusal, or a tunnel to the port that stands there.
fn whitespace_behind_the_port() -> Family {
    each(WHITESPACE_BEHIND, |&(_, space)| {
        may("Whitespace after the port may be skipped or refused")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("3"))
            .covers(["H1-PORT-009"])
            .run(async move |lab| {
                let server = lab.server_among(|port| misread(&port.to_string())).await?;
                let line = format!("CONNECT {}{space}HTTP/1.1", server.authority());

                lab.tolerates(&lab.request(&server).line(line), &server)
                    .await?;
                Ok(())
            })
    })
}

const WHITESPACE_BEHIND: &[(&str, &str)] = &[("tab_and_space", "\t "), ("two_spaces", "  ")];

/// What is checked against the list and what is connected to have to be one number, made once.
///
/// Also accepted: any status that is not 2xx, or a close without an answer; a proxy that takes an odd spelling has to
/// find it on its list.
fn no_spelling_leads_to_a_denied_port() -> Family {
    each(SPELLINGS_OF_DENIED_PORTS, |&(_, spelling)| {
        practice("A denied port is denied in every spelling")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers(["H1-PORT-010"])
            .covers_over(Protocol::H2c, ["H2-TGT-008"])
            .covers_over(Protocol::H2, ["H2-TGT-008"])
            .needs([Need::PortList])
            .run(async move |lab| {
                let denied = lab.denied_server(echo()).await?;
                let target = format!("{}:{}", denied.host(), spelling(denied.port()));

                lab.refuses_target(target, &denied).await
            })
    })
}

const SPELLINGS_OF_DENIED_PORTS: &[(&str, Spelling)] = &[
    ("plain", |p| p.to_string()),
    ("leading_zeros", |p| format!("00{p}")),
    ("octal", |p| format!("0{p:o}")),
    ("past_65535", PAST_65535),
    ("past_32_bits", PAST_32_BITS),
    ("past_64_bits", PAST_64_BITS),
    ("negative", NEGATIVE),
    ("plus_sign", PLUS_SIGN),
    ("space_before", |p| format!(" {p}")),
];

/// Every other port that a careless reader makes of `text`: what is left when digits are cut off, and what the largest
/// port is.
fn misread(text: &str) -> Vec<u16> {
    let text = text.trim_start();
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let numbers = (1..=digits).filter_map(|end| text[..end].parse::<u16>().ok());
    let mut ports: Vec<u16> = numbers.filter(|&port| port > 9).collect();
    ports.extend([80, 443, u16::MAX]);
    ports.dedup();
    ports
}

/// Something in the middle of the digits.
fn split(port: u16, between: &str) -> String {
    let digits = port.to_string();
    let (front, back) = digits.split_at(digits.len() / 2);
    format!("{front}{between}{back}")
}

/// The digits of East Asian typography: digits to a library that asks Unicode, and not to the grammar.
fn full_width(port: u16) -> String {
    port.to_string()
        .chars()
        .map(|digit| char::from_u32(digit as u32 + 0xfee0).unwrap_or(digit))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_beginning_of_the_digits_is_watched() {
        assert_eq!(misread("12345x"), [12, 123, 1234, 12345, 80, 443, 65535]);
        assert_eq!(misread(" 99999"), [99, 999, 9999, 80, 443, 65535]);
        assert_eq!(misread("https"), [80, 443, 65535]);
    }

    #[test]
    fn a_spelling_that_wraps_comes_out_at_the_port() {
        let wrapped = |spelling: &str| spelling.parse::<i128>().unwrap().rem_euclid(1 << 16);
        for spelling in [PAST_65535, PAST_32_BITS, PAST_64_BITS, NEGATIVE] {
            assert_eq!(wrapped(&spelling(12345)), 12345);
        }
        assert_eq!(split(12345, "x"), "12x345");
    }
}
