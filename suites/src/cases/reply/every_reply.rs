//! # Every reply
//!
//! Whatever a proxy answers, with a tunnel or without one, it answers in HTTP/1.1: clients have to find the end of the
//! head before they can know what it says.

mod grammar;

use connectspec_harness::prelude::*;

use self::grammar::{header_section, is_date, status_line};
use crate::{
    cases::words::refusal_kinds::{REPLIES, RefusalKind, replies},
    documents::{RFC_9110, RFC_9112},
};

/// Every case about replies of all kinds.
pub(crate) fn suite() -> Suite {
    suite! {
        "replies": "Every reply", include_str!("every_reply.rs");
        a_status_line_is_well_formed,
        a_header_section_is_well_formed,
        a_status_code_belongs_to_a_class,
        the_version_is_the_proxys_own,
        no_reply_switches_protocols,
        an_old_client_gets_no_interim_response,
        neither_interim_nor_204_announces_a_body,
        nobody_is_told_that_the_request_was_misdirected,
        an_upgrade_that_is_demanded_is_named,
        a_date_has_the_form_of_http,
    }
}

/// Strict clients give up at a status line that lacks the space after the code; lax ones read another code.
///
/// Also accepted: no reason phrase, as long as the space in front of it is there.
fn a_status_line_is_well_formed() -> Family {
    each(REPLIES, |&(_, occasion)| {
        must("A status line is version, space, three digits, space, and perhaps a phrase")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("4"))
            .covers(["H1-RSP-005"])
            .under(occasion.setup())
            .needs(occasion.needs())
            .run(async move |lab| heads(lab, occasion, status_line).await)
    })
}

/// A head whose lines end in different ways ends at different places for different readers: the tunnel, or the next
/// reply, begins somewhere else for each of them.
///
/// Only this conforms: what a recipient may tolerate, a sender may not send.
fn a_header_section_is_well_formed() -> Family {
    each(REPLIES, |&(_, occasion)| {
        must("Lines end in CRLF, and a field line is a name, a colon and a value without folds")
            .over(EVERY)
            .cites(RFC_9112.section("2.1"))
            .cites(RFC_9112.section("5"))
            .covers(["H1-RSP-007"])
            .under(occasion.setup())
            .needs(occasion.needs())
            .run(async move |lab| heads(lab, occasion, header_section).await)
    })
}

/// A client knows what to do with a code that it has never seen by its first digit; a sixth class does not exist.
///
/// Also accepted: any code of the five classes, also one that is in no registry.
fn a_status_code_belongs_to_a_class() -> Case {
    should("A status code is between 100 and 599")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("15"))
        .covers(["H1-RSP-005"])
        .run(async |lab| {
            none(lab, "a status code from 100 to 599", |reply| {
                !(100..600).contains(&reply.status)
            })
            .await
        })
}

/// The version tells a client what it may use on the next connection; a proxy that calls itself HTTP/1.0 here and
/// HTTP/1.1 there is one that builds some of its replies by hand.
///
/// Also accepted: HTTP/1.0 in every reply, from a proxy that knows no more.
fn the_version_is_the_proxys_own() -> Case {
    should("A reply names the highest version that the proxy knows, whatever the reply says")
        .over(EVERY)
        .cites(RFC_9110.section("6.2"))
        .cites(RFC_9112.section("2.3"))
        .covers(["H1-RSP-006"])
        .run(async |lab| {
            let exchange = RefusalKind::Granted.asks(lab).await?;
            let granted = exchange.reply()?;
            if granted.minor > 0 {
                return Ok(());
            }
            for occasion in [RefusalKind::ClosedPort, RefusalKind::BadTarget] {
                let exchange = occasion.asks(lab).await?;
                if let Answer::Reply(other) = &exchange.answer
                    && other.minor > 0
                {
                    return Err(Finding::violation(
                        "HTTP/1.1 in every reply to a request of HTTP/1.1",
                        format!("{} beside {}", granted.status_line(), other.status_line()),
                    ));
                }
            }
            lab.note("HTTP/1.0 in every reply");
            Ok(())
        })
}

/// 101 ends HTTP on the connection in favour of a protocol that the client has asked for; a client of CONNECT has not
/// asked for any, and does not take it for a tunnel.
///
/// Only this conforms: no request here has an Upgrade field.
fn no_reply_switches_protocols() -> Case {
    must("Without an Upgrade field, nothing is answered with 101")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("7.8"))
        .cites(RFC_9110.section("15.2.2"))
        .covers(["H1-RSP-009"])
        .run(async |lab| none(lab, "another status than 101", |reply| reply.status == 101).await)
}

/// A client of HTTP/1.0 takes the first response for the final one: a 100 before it, and the tunnel begins with what is
/// really the head of the 2xx.
///
/// Also accepted: to refuse HTTP/1.0 altogether.
fn an_old_client_gets_no_interim_response() -> Case {
    must("No 1xx is sent to a client of HTTP/1.0")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("15.2"))
        .covers(["H1-RSP-010"])
        .run(async |lab| {
            for (name, reply) in replies(lab).await? {
                if !name.ends_with("HTTP/1.0") {
                    continue;
                }
                if let Some(interim) = reply.interim.first() {
                    let observed = format!("{} ({name})", interim.status_line());
                    return Err(Finding::violation("a final response first", observed));
                }
            }
            Ok(())
        })
}

/// These responses end with their head. A length in one of them makes some clients wait for a body, or take the next
/// response for one.
///
/// Only this conforms. A proxy that sends neither has nothing to keep here.
fn neither_interim_nor_204_announces_a_body() -> Case {
    must("Neither a 1xx nor a 204 has a Content-Length or a Transfer-Encoding")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("8.6"))
        .cites(RFC_9112.section("6.1"))
        .covers(["H1-RSP-017"])
        .run(async |lab| {
            for (name, reply) in replies(lab).await? {
                for each in reply.interim.iter().chain([&reply]) {
                    if each.status >= 200 && each.status != 204 {
                        continue;
                    }
                    for field in ["Content-Length", "Transfer-Encoding"] {
                        each.expect_no_field(field)
                            .map_err(|found| found.at(&name))?;
                    }
                }
            }
            Ok(())
        })
}

/// 421 says that the request has come to the wrong server. A proxy is no origin: a client that believes it tries the
/// same thing again on another connection.
///
/// Also accepted: any other refusal.
fn nobody_is_told_that_the_request_was_misdirected() -> Case {
    must("A proxy does not answer with 421")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("15.5.20"))
        .covers(["H1-ERR-017"])
        .run(async |lab| none(lab, "another status than 421", |reply| reply.status == 421).await)
}

/// A client that is told to speak another protocol has to be told which.
///
/// Also accepted: never to answer with 426.
fn an_upgrade_that_is_demanded_is_named() -> Case {
    must("A 426 has an Upgrade field")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("15.5.22"))
        .covers(["H1-ERR-018"])
        .run(async |lab| {
            none(lab, "an Upgrade field in a 426", |reply| {
                reply.status == 426 && !reply.has("Upgrade")
            })
            .await
        })
}

/// Caches and logs read it with a parser that knows one form, and count what they cannot read as the beginning of time.
///
/// Also accepted: no Date at all, which a proxy need not send. What it says is not looked at: clocks differ.
fn a_date_has_the_form_of_http() -> Case {
    must("A Date is written as in `Sun, 06 Nov 1994 08:49:37 GMT`")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("5.6.7"))
        .cites(RFC_9110.section("6.6.1"))
        .covers(["H1-RSP-018"])
        .run(async |lab| {
            let mut seen = false;
            for (name, reply) in replies(lab).await? {
                for date in reply.values("Date") {
                    seen = true;
                    if !is_date(date) {
                        let observed = format!("{} ({name})", date.escape_ascii());
                        return Err(Finding::violation("a date in GMT", observed));
                    }
                }
            }
            if seen {
                return Ok(());
            }
            Err(Finding::inconclusive("there is no Date"))
        })
}

/// No reply to any occasion is `wrong`.
async fn none(lab: &Lab, expected: &str, wrong: fn(&Reply) -> bool) -> Outcome {
    for (name, reply) in replies(lab).await? {
        if let Some(found) = reply
            .interim
            .iter()
            .chain([&reply])
            .find(|reply| wrong(reply))
        {
            let observed = format!("{} ({name})", found.status_line());
            return Err(Finding::violation(expected, observed));
        }
    }
    Ok(())
}

/// Every head of the reply to `occasion` is right, interim ones included.
async fn heads(
    lab: &Lab,
    occasion: RefusalKind,
    wrong: fn(&[u8]) -> Option<&'static str>,
) -> Outcome {
    let exchange = occasion.asks(lab).await?;
    let reply = exchange.reply()?;
    lab.note(reply.status_line());
    for each in reply.interim.iter().chain([reply]) {
        if let Some(wrong) = wrong(&each.head) {
            let shown = each.head.escape_ascii().to_string();
            let cut = shown.len().min(SHOWN);
            return Err(Finding::violation(
                "a head as the grammar has it",
                format!("{wrong}: {}", &shown[..cut]),
            ));
        }
    }
    Ok(())
}

/// As much of a head as a reader needs.
const SHOWN: usize = 400;
