//! What reaches an upstream proxy of the fields that mean nothing to the proxy itself.

use connectspec_harness::prelude::*;

use crate::documents::{RFC_9110, RFC_9112};

/// New fields work only if proxies pass on what they do not know, each line of it.
///
/// Also accepted: a tunnel of the proxy's own through the upstream proxy, for which no field of the client is owed.
pub(super) fn an_unknown_field_is_passed_on() -> Case {
    should("A field that the proxy does not know reaches the upstream proxy")
        .over(EVERY)
        .cites(RFC_9110.section("5.1"))
        .covers(["H1-FWD-007"])
        .under(upstream())
        .run(async |lab| {
            let server = lab.server(hold()).await?;
            let (first, second) = (lab.nonce(), lab.nonce());
            let request = lab
                .request(&server)
                .field(format!("X-Unknown: {first}"))
                .field(format!("X-Unknown: {second}"));
            let upstream = lab.upstream(hand_over()).await?;
            let asked = lab.chains(&upstream, &request).await?.asked;
            let seen = asked.members("X-Unknown");
            if seen.contains(&first) && seen.contains(&second) {
                return Ok(());
            }
            let expected = format!("X-Unknown: {first}, {second}");
            let observed = match &seen[..] {
                [] => "no X-Unknown".to_owned(),
                seen => format!("X-Unknown: {}", seen.join(", ")),
            };
            Err(Finding::violation(expected, observed))
        })
}

/// How long a value is: past the sizes that buffers for one have.
const LONG_VALUES: &[(&str, usize)] = &[
    ("of_300_bytes", 300),
    ("of_1100_bytes", 1100),
    ("of_4200_bytes", 4200),
];

/// A token without its end is another token: whoever checks it further on refuses it, and finds nothing wrong with the
/// client.
///
/// Also accepted: to pass no such field on, and to refuse the request as too large.
pub(super) fn a_long_value_is_passed_on_whole() -> Family {
    each(LONG_VALUES, |&(_, length)| {
        must("A long value reaches the upstream proxy whole, or not at all")
            .over(EVERY)
            .cites(RFC_9110.section("5.4"))
            .cites(RFC_9110.section("5.1"))
            .covers(["H1-FWD-007", "H1-FLD-012"])
            .under(upstream())
            .run(async move |lab| {
                let server = lab.server(hold()).await?;
                let value = format!("{}{}", "x".repeat(length), lab.nonce());
                let request = lab.request(&server).field(format!("X-Long: {value}"));
                let upstream = lab.upstream(hand_over()).await?;
                let asked = lab.chains(&upstream, &request).await?.asked;
                match asked.values("X-Long").next() {
                    None => lab.note("it passes no such field on"),
                    Some(seen) if seen == value.as_bytes() => {}
                    Some(seen) => {
                        let expected = format!("a value of {} bytes, or none", value.len());
                        let observed = format!("a value of {} bytes", seen.len());
                        return Err(Finding::violation(expected, observed));
                    }
                }
                Ok(())
            })
    })
}

/// The lines of one field are one list. In another order they say something else.
///
/// Also accepted: one line with both members. Where not both are passed on, nothing follows.
pub(super) fn lines_of_a_field_keep_their_order() -> Case {
    must("Two lines of one field reach the upstream proxy in their order")
        .over(EVERY)
        .cites(RFC_9110.section("5.3"))
        .covers(["H1-FWD-007"])
        .under(upstream())
        .run(async |lab| {
            let server = lab.server(hold()).await?;
            let (first, second) = (lab.nonce(), lab.nonce());
            let request = lab
                .request(&server)
                .field(format!("X-List: {first}"))
                .field(format!("X-List: {second}"));
            let upstream = lab.upstream(hand_over()).await?;
            let asked = lab.chains(&upstream, &request).await?.asked;
            let seen = asked.members("X-List");
            let place = |of: &String| seen.iter().position(|member| member == of);
            match (place(&first), place(&second)) {
                (Some(first), Some(second)) if first < second => Ok(()),
                (Some(_), Some(_)) => Err(Finding::violation(
                    format!("X-List: {first}, {second}"),
                    format!("X-List: {}", seen.join(", ")),
                )),
                _ => Err(Finding::inconclusive("not both of them are passed on")),
            }
        })
}

/// Fields in which a line ends where no line may end, or a value where one reader stops, and where that is written of.
const DAMAGED: &[(&str, &str, Section, &str)] = &[
    ("fold", "H1-FLD-004", (RFC_9112, "5.2"), "X-A: a\r\n X-B: b"),
    (
        "bare_carriage_return",
        "H1-FLD-005",
        (RFC_9112, "2.2"),
        "X-A: a\rX-B: b",
    ),
    ("nul", "H1-FLD-005", (RFC_9110, "5.5"), "X-A: a\0X-B: b"),
];

/// A section of a document.
type Section = (Document, &'static str);

/// The next proxy may take such a value for two fields, or for the half of one.
///
/// Also accepted: to refuse the request, to put spaces there, and to pass no field on. Nothing follows from silence.
pub(super) fn a_damaged_value_is_not_passed_on() -> Family {
    each(DAMAGED, |&(_, row, (document, section), field)| {
        must("A value over two lines, or with a CR or a NUL in it, does not reach the upstream proxy as it is")
            .over(EVERY)
            .cites(document.section(section))
            .covers([row])
            .under(upstream())
            .run(async move |lab| {
                let server = lab.server(hold()).await?;
                let upstream = lab.upstream(hand_over()).await?;
                let request = lab.request(&server).field(field);
                let asked = match lab.chains(&upstream, &request).await {
                    Ok(chain) => chain.asked,
                    Err(Finding::Inconclusive { reason }) => {
                        lab.note(reason);
                        return Ok(());
                    }
                    Err(Finding::Violation { .. }) if upstream.visits().is_empty() => {
                        return Err(Finding::inconclusive(
                            "silence, and the upstream proxy is not asked",
                        ));
                    }
                    Err(finding) => return Err(finding),
                };
                let damage = |pair: &[u8]| {
                    pair[1] == 0
                        || pair[0] == b'\r' && pair[1] != b'\n'
                        || pair[0] == b'\n' && matches!(pair[1], b' ' | b'\t')
                };
                if !asked.head.windows(2).any(damage) {
                    return Ok(());
                }
                let head = asked.head.escape_ascii().to_string();
                Err(Finding::violation("spaces in its place, or no such field", head))
            })
    })
}
