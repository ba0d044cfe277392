//! # Line ends, whitespace and pieces
//!
//! Where a line ends and where the head ends: one byte too few or too many, and the tunnel begins at the wrong place.

use connectspec_harness::prelude::*;

use crate::documents::{RFC_9110, RFC_9112};

/// Every case about how the head is cut into lines, words and segments.
pub(crate) fn suite() -> Suite {
    suite! {
        "lines": "Line ends, whitespace and pieces", include_str!("line_ends.rs");
        an_empty_line_before_the_request_is_skipped,
        many_empty_lines_come_to_an_end,
        a_bare_line_feed_shifts_no_byte,
        a_bare_carriage_return_ends_no_line,
        odd_whitespace_leads_nowhere_else,
        odd_whitespace_that_is_taken,
        the_head_may_come_byte_by_byte,
        the_tunnel_begins_right_behind_the_head,
    }
}

/// Clients that send one line end too many after a request have been around since the nineties.
///
/// Also accepted: a refusal by policy or for want of credentials says nothing.
fn an_empty_line_before_the_request_is_skipped() -> Case {
    should("An empty line before the request-line is ignored")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("2.2"))
        .covers(["H1-RL-002"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;

            lab.carries(&lab.request(&server).preceded_by("\r\n"), &server)
                .await
        })
}

/// Skipping for ever is a way to be kept busy by one client.
///
/// Also accepted: any final status, a tunnel too, or a close without an answer.
fn many_empty_lines_come_to_an_end() -> Case {
    practice("Ten thousand empty lines are skipped or refused, and not waited out")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("17.5"))
        .covers(["H1-RL-003"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let request = lab.request(&server).preceded_by("\r\n".repeat(10_000));

            match lab.leads_nowhere_else(&request, &server).await? {
                Answer::Silence => Err(Finding::none_of(
                    ["a final status", "a close without an answer"],
                    "silence",
                )),
                _ => Ok(()),
            }
        })
}

/// If two line feeds end the head for the proxy, the tunnel begins after them; one byte further and the first record
/// of every handshake is cut.
///
/// Also accepted: to refuse, to go on waiting for a carriage return, or a tunnel that carries exactly what is sent.
fn a_bare_line_feed_shifts_no_byte() -> Family {
    each(BARE_LINE_FEEDS, |&(_, ends)| {
        may("A bare line feed may end a line, and then the tunnel begins in the right place")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("2.2"))
            .covers(["H1-RL-004"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let [line, field, last] = ends;
                let authority = server.authority();
                let head =
                    format!("CONNECT {authority} HTTP/1.1{line}Host: {authority}{field}{last}");

                lab.leads_nowhere_else(&Request::verbatim(head), &server)
                    .await?;
                Ok(())
            })
    })
}

/// What ends the request-line, the Host field, and the head.
const BARE_LINE_FEEDS: &[(&str, [&str; 3])] = &[
    ("all", ["\n", "\n", "\n"]),
    ("request_line", ["\n", "\r\n", "\r\n"]),
    ("last", ["\r\n", "\r\n", "\n"]),
];

/// A field that one reader sees after a carriage return, and another takes for a part of the line before, is a field
/// that only one of them has checked.
///
/// Also accepted: a refusal, or a tunnel if the carriage return was taken for a space or as a part of the value. What
/// stands after it as a field of its own is tried in a case with credentials.
fn a_bare_carriage_return_ends_no_line() -> Family {
    each(BARE_CARRIAGE_RETURNS, |&(_, line, field)| {
        must("A carriage return without a line feed does not end a line")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("2.2"))
            .covers(["H1-RL-005"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let line = format!("CONNECT {} HTTP/1.1{line}", server.authority());
                let request = lab.request(&server).line(line).field(field);

                lab.tolerates(&request, &server).await?;
                Ok(())
            })
    })
}

/// What stands after the version, and a field.
const BARE_CARRIAGE_RETURNS: &[(&str, &str, &str)] = &[
    ("in_the_request_line", "\rX: y", "X: z"),
    ("in_a_value", "", "X: a\rY: b"),
];

/// To split the line at any whitespace is allowed; to come out with another target is not.
///
/// Also accepted: a refusal, or a tunnel to the server that the line names, whatever the Host field says.
fn odd_whitespace_leads_nowhere_else() -> Family {
    each(ODD_WHITESPACE, |&(_, row, line)| {
        must("However the request-line is split, the target stays the same")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("3"))
            .cites(RFC_9110.section("2.4"))
            .relying_on(["target/the_target_beats_the_host_field"])
            .covers([row])
            .run(async move |lab| {
                let server = lab.server_among(|_| vec![80, 443]).await?;
                let line = line.replace("TARGET", &server.authority());
                let request = lab.request(&server).line(line);

                lab.tolerates(&request, &server).await?;
                let another = lab.server(echo()).await?;
                lab.tolerates(&request.host(another.authority()), &server)
                    .await?;
                Ok(())
            })
    })
}

const ODD_WHITESPACE: &[(&str, &str, &str)] = &[
    ("two_spaces", "H1-RL-006", "CONNECT  TARGET HTTP/1.1"),
    ("tab", "H1-RL-006", "CONNECT\tTARGET HTTP/1.1"),
    ("vertical_tab", "H1-RL-006", "CONNECT \x0bTARGET HTTP/1.1"),
    ("form_feed", "H1-RL-006", "CONNECT\x0cTARGET HTTP/1.1"),
    ("space_behind", "H1-RL-006", "CONNECT TARGET HTTP/1.1 "),
    (
        "word_behind",
        "H1-RL-006",
        "CONNECT TARGET 127.0.0.1:80 HTTP/1.1",
    ),
    ("space_before", "H1-RL-007", " CONNECT TARGET HTTP/1.1"),
];

/// Which untidy lines get a tunnel says how a proxy splits them.
///
/// Also accepted: anything.
fn odd_whitespace_that_is_taken() -> Case {
    survey("Which odd whitespace in the request-line is taken")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("3"))
        .covers(["H1-RL-006", "H1-RL-007"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let mut taken = Vec::new();
            for (name, _, line) in ODD_WHITESPACE {
                let line = line.replace("TARGET", &server.authority());
                let answer = lab.client().asks(lab.request(&server).line(line)).await?;
                if answer.success().is_ok() {
                    taken.push(*name);
                }
            }
            lab.note(if taken.is_empty() {
                "none".to_owned()
            } else {
                taken.join(", ")
            });
            Ok(())
        })
}

/// Segments end where the network likes; a parser that wants a line or a head in one read fails now and then.
/// It takes over a second: so many pieces, each as far behind the one before as it takes to be read alone.
///
/// Also accepted: a refusal by policy, for want of credentials or by a timer says nothing.
fn the_head_may_come_byte_by_byte() -> Case {
    must("A request whose every byte is a segment of its own is read like any other")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("2.2"))
        .cites(RFC_9110.section("2.4"))
        .covers(["H1-RL-017"])
        .waits()
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let bytes = lab.request(&server).bytes();
            let pieces: Vec<&[u8]> = bytes.chunks(1).collect();

            lab.carries_pieces(&pieces, &server).await
        })
}

/// A buffer that ends with the head loses, or eats, the bytes that came with its last piece.
///
/// Also accepted: a refusal by policy or for want of credentials says nothing.
fn the_tunnel_begins_right_behind_the_head() -> Family {
    each(LAST_PIECES, |&(_, length)| {
        must("Bytes in the same segment as the end of the head belong to the tunnel")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("2.1"))
            .cites(RFC_9110.section("9.3.6"))
            .covers(["H1-RL-018"])
            .relying_on(["early/early_data_is_delivered_once_and_in_order[a_few_bytes]"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let early = lab.nonce();
                let bytes = lab.request(&server).followed_by(&early).bytes();
                let (front, back) = bytes.split_at(bytes.len() - early.len() - length);

                lab.carries_early(&[front, back], early.as_bytes(), &server)
                    .await
            })
    })
}

/// How many bytes of the head come with the first bytes of the tunnel.
const LAST_PIECES: &[(&str, usize)] = &[("line_feed", 1), ("empty_line", 2), ("two_line_ends", 4)];
