//! # Formats of a log
//!
//! Which formats httpd takes, and where a line ends. Asked only of proxies that read httpd's formats.

use connectspec_harness::prelude::*;

use crate::{
    cases::words::httpd::httpd,
    cases::{
        httpd::log_items::second_line,
        words::{log_items::line_in_format, log_lines::tunnel_with_line},
    },
    documents::MOD_LOG_CONFIG,
};

/// Every case about a format as a whole.
pub(crate) fn suite() -> Suite {
    suite! {
        "httpd_log_formats": "Formats of a log", include_str!("log_formats.rs");
        end_a_line,
        are_taken,
        are_errors,
    }
}

/// Some write two lines for each request: one for people, and one for programs.
///
/// Only this conforms for a proxy like httpd.
fn end_a_line() -> Case {
    httpd("A \\n in LogFormat ends a line")
        .cites(MOD_LOG_CONFIG.section("formats"))
        .covers(["NOTE-018"])
        .under(second_line("first\\nsecond|%{User-Agent}i|"))
        .needs([Need::AccessLog])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let nonce = lab.nonce();
            let mut near = tunnel_with_line(lab, &server, &nonce).await?;
            near.echoes(&nonce).await?;
            near.closes().await?;
            let first = line_in_format(lab, &format!("items|{nonce}|"), &nonce).await?;
            if first != format!("items|{nonce}|first") {
                return Err(Finding::violation("a line that ends after first", first));
            }
            // Both are written at once.
            let second = lab.log_lines(&format!("second|{nonce}"))?;
            match second.first() {
                Some(line) if line.text == format!("second|{nonce}|") => Ok(()),
                Some(line) => Err(Finding::violation(
                    "a line that ends as its format",
                    &*line.text,
                )),
                None => Err(Finding::violation("a second line", "none")),
            }
        })
}

/// Formats that httpd takes, and means nothing by for a tunnel.
const GOOD: &[(&str, &str)] = &[
    ("trailers", "%{X-A}^ti %{X-A}^to"),
    ("first_byte", "%^FB"),
    (
        "two_dozen_items",
        "%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h",
    ),
    ("modules_that_are_absent", "%L %{x}C %{x}e %P"),
    ("a_time_that_nobody_can_write", "%{%!}t"),
];

/// A configuration that runs under httpd has to run unchanged.
///
/// Only this conforms for a proxy like httpd.
fn are_taken() -> Family {
    each(GOOD, |&(_, format)| {
        httpd("LogFormat takes what httpd takes")
            .cites(MOD_LOG_CONFIG.section("formats"))
            .covers(["NOTE-020"])
            .needs([Need::ConfigCheck, Need::ConfigLines])
            .run(async move |lab| {
                let check = lab.check_configuration(&second_line(format)).await?;
                if check.accepted {
                    return Ok(());
                }
                let expected = format!("`LogFormat \"{format}\"` is taken");
                Err(Finding::violation(expected, check.last_line()))
            })
    })
}

/// Formats that httpd does not know.
const BAD: &[(&str, &str)] = &[
    ("unknown_letter", "%j"),
    ("nothing_behind", "%"),
    ("open_brace", "%{x"),
    ("only_an_argument", "%{x}"),
    ("unknown_trailer", "%^zz"),
];

/// Better no log than one in which columns are not what they are thought to be.
///
/// Also accepted: any words about it.
fn are_errors() -> Family {
    each(BAD, |&(_, format)| {
        httpd("A LogFormat with an item that does not exist is an error")
            .cites(MOD_LOG_CONFIG.section("formats"))
            .covers(["NOTE-020"])
            .needs([Need::ConfigCheck, Need::ConfigLines])
            .run(async move |lab| {
                let check = lab.check_configuration(&second_line(format)).await?;
                if !check.accepted {
                    return Ok(());
                }
                let expected = format!("`LogFormat \"{format}\"` is an error");
                Err(Finding::violation(expected, "it is taken"))
            })
    })
}
