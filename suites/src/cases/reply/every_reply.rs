//! # Every reply
//!
//! Whatever a proxy answers, with a tunnel or without one, it answers in HTTP/1.1: clients have to find the end of the
//! head before they can know what it says.

use connectspec_harness::prelude::*;
use jiff::fmt::rfc2822;

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
        .cites(RFC_9110.section("15.5.20"))
        .covers(["H1-ERR-017"])
        .run(async |lab| none(lab, "another status than 421", |reply| reply.status == 421).await)
}

/// A client that is told to speak another protocol has to be told which.
///
/// Also accepted: never to answer with 426.
fn an_upgrade_that_is_demanded_is_named() -> Case {
    must("A 426 has an Upgrade field")
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

/// What is wrong with the status line of `head`.
fn status_line(head: &[u8]) -> Option<&'static str> {
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let [b'H', b'T', b'T', b'P', b'/', major, b'.', minor, rest @ ..] = line else {
        return Some("the version is not HTTP/ and two digits with a dot");
    };
    if !major.is_ascii_digit() || !minor.is_ascii_digit() {
        return Some("the version is not HTTP/ and two digits with a dot");
    }
    let [b' ', a, b, c, rest @ ..] = rest else {
        return Some("a status code of three digits does not follow the version and one space");
    };
    if ![a, b, c].iter().all(|digit| digit.is_ascii_digit()) {
        return Some("a status code of three digits does not follow the version and one space");
    }
    let [b' ', phrase @ ..] = rest else {
        return Some("no space follows the status code");
    };
    phrase
        .iter()
        .any(|&byte| !is_field_content(byte))
        .then_some("a control character in the reason phrase")
}

/// What is wrong with the lines of `head`.
fn header_section(head: &[u8]) -> Option<&'static str> {
    if !head.ends_with(b"\r\n\r\n") {
        return Some("it does not end in CRLF CRLF");
    }
    for pair in head.windows(2) {
        match pair {
            [b'\r', b'\n'] => {}
            [b'\r', _] => return Some("a bare CR"),
            [_, b'\n'] => return Some("a bare LF"),
            _ => {}
        }
    }
    let lines = head.split(|&byte| byte == b'\n').skip(1);
    for line in lines {
        let content = line.strip_suffix(b"\r").unwrap_or(line);
        if content.is_empty() {
            continue;
        }
        if content.starts_with(b" ") || content.starts_with(b"\t") {
            return Some("a folded line");
        }
        let Some(colon) = content.iter().position(|&byte| byte == b':') else {
            return Some("a line without a colon");
        };
        let (name, value) = content.split_at(colon);
        if name.is_empty() || !name.iter().all(|&byte| is_token(byte)) {
            return Some("a field name that is no token");
        }
        if !value.iter().all(|&byte| is_field_content(byte)) {
            return Some("a control character in a value");
        }
    }
    None
}

/// Whether it comes out the same when it is read and written again in the one form that may be sent.
fn is_date(value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(value);
    let read = rfc2822::DateTimeParser::new().parse_timestamp(&*text);
    let written =
        read.and_then(|date| rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&date));
    written.is_ok_and(|written| *written == *text)
}

const fn is_field_content(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_head_has_nothing_wrong_with_it() {
        for head in [
            &b"HTTP/1.1 200 Connection Established\r\n\r\n"[..],
            b"HTTP/1.0 200 \r\nVia: 1.1 x\r\nX:\r\nY: \xe4 b\tc\r\n\r\n",
        ] {
            assert_eq!(status_line(head), None);
            assert_eq!(header_section(head), None);
        }
    }

    #[test]
    fn a_status_line_is_strict() {
        for line in [
            "HTTP/1.1 200",
            "HTTP/1.1  200 OK",
            "HTTP/11 200 OK",
            "http/1.1 200 OK",
        ] {
            assert!(
                status_line(format!("{line}\r\n\r\n").as_bytes()).is_some(),
                "{line}"
            );
        }
    }

    #[test]
    fn a_date_is_strict() {
        assert!(is_date(b"Sun, 06 Nov 1994 08:49:37 GMT"));
        for other in [
            "",
            "1994-11-06T08:49:37Z",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 06 Nov 1994 09:49:37 +0100",
            "06 Nov 1994 08:49:37 GMT",
            "Mon, 06 Nov 1994 08:49:37 GMT",
        ] {
            assert!(!is_date(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn a_header_section_is_strict() {
        for rest in [
            "\n\r\n",
            "\r\n\n",
            "\r\nA : b\r\n\r\n",
            "\r\nA: b\nC: d\r\n\r\n",
            "\r\nA\r\n\r\n",
            "\r\nA: b\r\n c\r\n\r\n",
            "\r\nA: b\rc\r\n\r\n",
            "\r\n: b\r\n\r\n",
            "\r\nA: b\r\r\n\r\n",
        ] {
            let head = format!("HTTP/1.1 200 OK{rest}");
            assert!(header_section(head.as_bytes()).is_some(), "{head:?}");
        }
    }
}
