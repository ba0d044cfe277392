//! # Content on a CONNECT
//!
//! A CONNECT has no content, says one specification; every message is framed by its fields, says the other. A proxy may
//! follow either, as long as it follows one: a mixture of the two cuts the tunnel's first bytes.

use connectspec_harness::prelude::*;

use crate::documents::{RFC_9110, RFC_9112};

/// Every case about fields that announce content.
pub(crate) fn suite() -> Suite {
    suite! {
        "framing": "Content on a CONNECT", include_str!("content.rs");
        content_is_not_cut_in_two,
        what_becomes_of_content,
        whether_it_waits_for_content,
        equal_lengths,
    }
}

/// Half of what a client sends ahead arrives, and the server sees a protocol error that nobody can explain.
///
/// Also accepted: to refuse the request; to send the content on as it is, or decoded, or not at all. What comes after
/// it belongs to the tunnel in each case.
fn content_is_not_cut_in_two() -> Family {
    each(CONTENT, |row| {
        must("Content on a CONNECT is part of the tunnel or not, and what follows it is")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("9.3.6"))
            .cites(RFC_9112.section("6"))
            .covers([row.1])
            .relying_on(["early/early_data_is_delivered_once_and_in_order[a_few_bytes]"])
            .run(async move |lab| {
                let seen = tunnelled(lab, row).await?;
                lab.note(seen.describe());
                match seen {
                    Seen::Other(bytes) => Err(Finding::none_of(
                        [
                            "all of the content and what follows it",
                            "only what follows it",
                        ],
                        format!("{bytes} before what comes after the 2xx"),
                    )),
                    _ => Ok(()),
                }
            })
    })
}

/// Each choice is right, and none goes well with a neighbour that has made another one.
///
/// Also accepted: anything; see the case about content that is cut.
fn what_becomes_of_content() -> Family {
    each(CONTENT, |row| {
        survey(format!(
            "What becomes of content on a CONNECT with {}",
            row.2
        ))
        .over(HTTP_1_1)
        .cites(RFC_9110.section("9.3.6"))
        .cites(RFC_9112.section("6"))
        .covers([row.1])
        .run(async move |lab| {
            lab.note(tunnelled(lab, row).await?.describe());
            Ok(())
        })
    })
}

/// A name, the row, what a reader is told, the fields, and the content, which decodes to `hello`.
type Content = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
);

const CONTENT: &[Content] = &[
    (
        "length",
        "H1-FRM-002",
        "Content-Length",
        &["Content-Length: 5"],
        "hello",
    ),
    (
        "chunked",
        "H1-FRM-004",
        "Transfer-Encoding",
        &["Transfer-Encoding: chunked"],
        CHUNKED,
    ),
    (
        "both",
        "H1-FRM-007",
        "both fields",
        &["Content-Length: 15", "Transfer-Encoding: chunked"],
        CHUNKED,
    ),
];

const CHUNKED: &str = "5\r\nhello\r\n0\r\n\r\n";

/// What the server of a tunnel got of the content.
#[derive(Debug)]
enum Seen {
    Refused(String),
    Raw,
    Decoded,
    Nothing,
    Other(String),
}

impl Seen {
    fn describe(&self) -> String {
        match self {
            Self::Refused(how) => how.clone(),
            Self::Raw => "it goes to the server as it is".to_owned(),
            Self::Decoded => "it goes to the server, decoded".to_owned(),
            Self::Nothing => "it is swallowed".to_owned(),
            Self::Other(bytes) => format!("of it, the server gets {bytes}"),
        }
    }
}

/// Sends content and something after it in one segment, and something more once there is a tunnel.
async fn tunnelled(lab: &Lab, &(_, _, _, fields, content): &Content) -> Outcome<Seen> {
    let server = lab.server(hand_over()).await?;
    let (early, later) = (lab.nonce(), lab.nonce());
    let request = fields.iter().fold(lab.request(&server), Request::field);
    let request = request.followed_by(content).followed_by(&early);
    let exchange = lab.client().asks(request).await?;
    match &exchange.answer {
        Answer::Reply(reply) if reply.is_success() => {}
        Answer::Garbage { .. } => exchange.reply().map(|_| ())?,
        other => return Ok(Seen::Refused(other.describe())),
    }

    let mut near = exchange.granted()?;
    near.sends(&later).await?;
    let mut far = server.accepts_who_speaks().await?;
    let got = far.receives_up_to(later).await?;
    Ok(match got.strip_suffix(early.as_bytes()) {
        Some(b"") => Seen::Nothing,
        Some(got) if got == content.as_bytes() => Seen::Raw,
        Some(b"hello") => Seen::Decoded,
        _ => Seen::Other(format!("{:?}", String::from_utf8_lossy(&got))),
    })
}

/// A client that announces content and waits for the 2xx, and a proxy that waits for the content, wait for each other.
///
/// Also accepted: anything.
fn whether_it_waits_for_content() -> Case {
    survey("Whether announced content is waited for before the answer")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("7.5"))
        .cites(RFC_9112.section("6.3"))
        .covers(["H1-FRM-003"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let request = lab.request(&server).field("Content-Length: 10");
            let answer = lab.client().asks(request).await?.answer;
            lab.note(match answer {
                Answer::Silence => "it waits".to_owned(),
                answer => format!("at once: {}", answer.describe()),
            });
            Ok(())
        })
}

/// The same length twice is one length to some, and a sign of something odd to others.
///
/// Also accepted: anything.
fn equal_lengths() -> Family {
    each(EQUAL_LENGTHS, |&(_, place, fields)| {
        survey(format!(
            "What the same Content-Length twice in {place} gets"
        ))
        .over(HTTP_1_1)
        .cites(RFC_9112.section("6.3"))
        .cites(RFC_9110.section("8.6"))
        .covers(["H1-FRM-011"])
        .run(async move |lab| {
            let server = lab.server(echo()).await?;
            let request = fields.iter().fold(lab.request(&server), Request::field);
            let answer = lab.client().asks(request).await?.answer;
            lab.note(answer.describe());
            Ok(())
        })
    })
}

const EQUAL_LENGTHS: &[(&str, &str, &[&str])] = &[
    (
        "two_lines",
        "two lines",
        &["Content-Length: 0", "Content-Length: 0"],
    ),
    ("one_line", "one line", &["Content-Length: 0, 0"]),
];
