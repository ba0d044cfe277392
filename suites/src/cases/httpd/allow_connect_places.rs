//! # Where AllowCONNECT stands
//!
//! What httpd makes of the directive in odd places: inside sections about paths, with a variable that nobody has defined,
//! with thousands of words, and with a number that comes round to a port.

use connectspec_harness::prelude::*;

use crate::{
    cases::words::{
        httpd::{HTTPD, allow_connect, httpd},
        statuses::{is_denied, is_not_denied},
    },
    documents::MOD_PROXY_CONNECT,
};

/// Every case about odd places of AllowCONNECT.
pub(crate) fn suite() -> Suite {
    suite! {
        "allow_connect_places": "Where AllowCONNECT stands", include_str!("allow_connect_places.rs");
        is_no_directive_of_a_section,
        is_taken_inside_a_condition,
        an_undefined_variable_is_told_and_no_port,
        is_443_and_563_where_it_is_not_written,
        takes_ten_thousand_ports,
        a_number_past_32_bits_comes_round,
    }
}

/// Sections about paths, files or conditions. A CONNECT has none of those.
const SECTIONS: &[(&str, &str, &str)] = &[
    ("location", "Location", "\"/\""),
    ("proxy", "Proxy", "\"*\""),
    ("directory", "Directory", "\"/\""),
    ("files", "Files", "\"x\""),
    ("if", "If", "\"true\""),
];

/// An administrator who narrows the list inside `<Proxy>` believes that it is narrow there.
///
/// Only this conforms for a proxy like httpd; it may say it in other words around these.
fn is_no_directive_of_a_section() -> Family {
    each(SECTIONS, |&(_, section, of)| {
        httpd("AllowCONNECT is an error inside a section about paths or conditions")
            .cites(MOD_PROXY_CONNECT.section("allowconnect"))
            .covers(["RNG-027"])
            .needs([Need::ConfigCheck, Need::ConfigLines])
            .run(async move |lab| {
                let text = format!("<{section} {of}>\nAllowCONNECT 443\n</{section}>");
                rejects(lab, &text, &format!("not allowed in <{section}> context")).await
            })
    })
}

/// The configurations of distributions wrap directives into conditions, so that they start without the module.
///
/// Only this conforms for a proxy like httpd: what a false condition encloses is not read.
fn is_taken_inside_a_condition() -> Case {
    httpd("AllowCONNECT is taken inside IfModule and IfDefine, and counts where the condition is true")
        .cites(MOD_PROXY_CONNECT.section("allowconnect"))
        .covers(["RNG-027"])
        .needs([Need::ConfigCheck])
        .under(no_list().with_lines(HTTPD,
            "<IfModule mod_proxy_connect.c>\nAllowCONNECT {a}\n</IfModule>\n\
             <IfDefine CONNECTSPEC_NOT_DEFINED>\nAllowCONNECT {b} x\n</IfDefine>",
        ))
        .run(async |lab| {
            let server = lab.server_at(lab.port('a')?, echo()).await?;
            lab.lets_through(&server).await?;
            let denied = lab.server_at(lab.port('b')?, echo()).await?;
            lab.refuses(&lab.request(&denied)).await.map(drop)
        })
}

/// A list that comes from an environment which is not there must not become another list.
///
/// Only this conforms for a proxy like httpd: a warning that names the variable, then an error.
fn an_undefined_variable_is_told_and_no_port() -> Case {
    httpd("A variable that is not defined is warned of, and is no port")
        .cites(MOD_PROXY_CONNECT.section("allowconnect"))
        .covers(["RNG-032"])
        .needs([Need::ConfigCheck, Need::ConfigLines])
        .run(async |lab| {
            let text = "AllowCONNECT ${CONNECTSPEC_NOT_DEFINED}";
            rejects(lab, text, "port numbers must be numeric").await?;
            let warning = "variable ${CONNECTSPEC_NOT_DEFINED} is not defined";
            rejects(lab, text, warning).await
        })
}

/// Ports beside the default ones, and ports that people like to reach.
const NOT_BY_DEFAULT: &[u16] = &[1, 22, 25, 80, 442, 444, 562, 564, 8443, 65535];

/// An administrator who has not thought of ports has a proxy for HTTPS and nothing else.
///
/// Only this conforms for a proxy like httpd. That 443 and 563 are open shows in any answer but 403, since nobody need
/// listen there.
fn is_443_and_563_where_it_is_not_written() -> Case {
    httpd("Without AllowCONNECT, 443 and 563 are open, and no other port is")
        .cites(MOD_PROXY_CONNECT.section("allowconnect"))
        .covers(["POL-002", "POL-003"])
        .needs([Need::ConfigLines])
        .under(no_list())
        .waits()
        .run(async |lab| {
            for port in [443, 563] {
                is_not_denied(lab, lab.host(), port).await?;
            }
            for &port in NOT_BY_DEFAULT {
                is_denied(lab, lab.host(), port).await?;
            }
            Ok(())
        })
}

/// Words of the long list, on lines of a thousand: a line of a configuration has a limit of its own.
const LINES: usize = 10;

/// Lists that programs write are long, and a proxy that cuts one off closes ports silently.
///
/// Only this conforms for a proxy like httpd; how long the search takes is not asked.
fn takes_ten_thousand_ports() -> Case {
    httpd("A list of ten thousand words counts from its first to its last")
        .cites(MOD_PROXY_CONNECT.section("allowconnect"))
        .covers(["RNG-026"])
        .needs([Need::Directive, Need::ConfigCheck])
        .under(allow_connect("{a}"))
        .run(async |lab| {
            let line = "443 ".repeat(1000);
            let words = vec![line; LINES].join("\nAllowCONNECT ");
            let words = format!("{{a}} {words} {{b}}");
            let lab = lab.reconfigured(&allow_connect(words)).await?;
            for letter in ['a', 'b'] {
                let server = lab.server_at(lab.port(letter)?, echo()).await?;
                lab.lets_through(&server).await?;
            }
            let denied = lab.server_at(lab.port('c')?, echo()).await?;
            lab.refuses(&lab.request(&denied)).await.map(drop)
        })
}

/// One turn of an `int`: what is left of a number is what lies beyond the last full turn.
const TURN: u64 = 1 << 32;

/// Whoever reads a log or a configuration of httpd has to know that such a number is a port.
///
/// Only this conforms for a proxy like httpd; one that refuses such words lists this as a deviation.
fn a_number_past_32_bits_comes_round() -> Case {
    httpd("A number past 32 bits opens the port that is left of it")
        .cites(MOD_PROXY_CONNECT.section("allowconnect"))
        .covers(["RNG-021"])
        .needs([Need::Directive, Need::ConfigCheck])
        .under(allow_connect("{a}"))
        .run(async |lab| {
            let port = lab.port('a')?;
            let word = (TURN + u64::from(port)).to_string();
            let lab = lab.reconfigured(&allow_connect(word)).await?;
            let server = lab.server_at(port, echo()).await?;
            lab.lets_through(&server).await?;
            let denied = lab.server_at(port + 1, echo()).await?;
            lab.refuses(&lab.request(&denied)).await.map(drop)
        })
}

/// The check refuses a configuration with these lines, and says so.
async fn rejects(lab: &Lab, text: &str, said: &str) -> Outcome {
    let setup = no_list().with_lines(HTTPD, text);
    let check = lab.check_configuration(&setup).await?;
    let expected = format!("an error that says `{said}`");
    if check.accepted {
        return Err(Finding::violation(expected, format!("`{text}` was taken")));
    }
    if check.output.contains(said) {
        return Ok(());
    }
    Err(Finding::violation(expected, check.output.trim()))
}
