//! # One request, cut everywhere
//!
//! A parser that fails at one place only fails on the day when the network cuts there. So one right request is cut at
//! every place: into two segments, short of its end, and with the first bytes of the tunnel after it.

use connectspec_harness::prelude::*;

use crate::documents::{RFC_9110, RFC_9112};

/// Every case that tries all places of a request.
pub(crate) fn suite() -> Suite {
    suite! {
        "sweep": "One request, cut everywhere", include_str!("segmentation.rs");
        a_head_in_two_segments_is_read_like_one,
        early_data_survives_every_cut,
        a_head_may_fill_a_buffer,
        a_head_that_is_cut_short_reaches_nobody,
        a_head_that_is_cut_short_ends_the_connection,
    }
}

/// A proxy that wants its head in one read works on a quiet network, and hangs on a busy one.
/// It takes over a second: a request for each place, in two pieces that are far enough apart to be read alone.
///
/// Also accepted: a refusal by policy or for want of credentials says nothing. The first place where it fails is named.
fn a_head_in_two_segments_is_read_like_one() -> Case {
    must("A head is read to the same meaning wherever two segments meet")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("2.2"))
        .cites(RFC_9110.section("2.4"))
        .covers(["H1-RL-017"])
        .seen_in("bun #43161", "https://github.com/oven-sh/bun/pull/43161")
        .waits()
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let bytes = lab.request(&server).bytes();
            for cut in 1..bytes.len() {
                let (front, back) = bytes.split_at(cut);
                lab.carries_pieces(&[front, back], &server)
                    .await
                    .map_err(|finding| finding.at(&place(&bytes, cut)))?;
            }
            Ok(())
        })
}

/// What is read together with the end of the head, or is cut itself, is what gets lost.
///
/// Also accepted: a refusal by policy or for want of credentials says nothing. The first place where it fails is named.
fn early_data_survives_every_cut() -> Case {
    must("Bytes after the head belong to the tunnel wherever two segments meet")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("9.3.6"))
        .cites(RFC_9112.section("6.3"))
        .relying_on(["early/early_data_is_delivered_once_and_in_order[a_few_bytes]"])
        .covers(["H1-RL-018", "H1-CONN-007", "H1-FRM-001"])
        .seen_in(
            "Squid bug 3371",
            "https://bugs.squid-cache.org/show_bug.cgi?id=3371",
        )
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let early = lab.nonce();
            let bytes = lab.request(&server).followed_by(&early).bytes();
            // From a few bytes before the last line end, to inside the early data.
            let end = bytes.len() - early.len();
            for cut in end - 6..end + 6 {
                let (front, back) = bytes.split_at(cut);
                lab.carries_early(&[front, back], early.as_bytes(), &server)
                    .await
                    .map_err(|finding| finding.at(&place(&bytes, cut)))?;
            }
            Ok(())
        })
}

/// Sizes that buffers usually have.
const BUFFERS: [usize; 6] = [512, 1024, 2048, 4096, 8192, 16_384];

/// A head that ends where a buffer does leaves no room, and a reader that asks for more when its buffer is full waits for
/// what nobody sends. On other days the same client is served, as its cookies are a byte shorter.
///
/// Also accepted: to refuse a head for its length, and every longer one. Silence at one length counts only where a longer
/// head was granted. A refusal by policy or for want of credentials says nothing.
fn a_head_may_fill_a_buffer() -> Case {
    must("A head that is as long as a buffer, or a byte longer or shorter, is read like any other")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("2.2"))
        .cites(RFC_9110.section("2.4"))
        .relying_on(["early/early_data_is_delivered_once_and_in_order[a_few_bytes]"])
        .covers(["H1-RL-017", "H1-RL-018"])
        .waits()
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let mut unanswered = None;
            for length in BUFFERS.iter().flat_map(|size| [size - 1, *size, size + 1]) {
                let at = |finding: Finding| finding.at(&format!("a head of {length} bytes"));
                let request = of_length(lab.request(&server), length);
                let answer = lab
                    .leads_nowhere_else(&request, &server)
                    .await
                    .map_err(at)?;
                if answer == Answer::Silence {
                    unanswered.get_or_insert(length);
                    continue;
                }
                if !matches!(answer.status(), Some(200..300)) {
                    // Longer ones are too long as well.
                    break;
                }
                if let Some(silent) = unanswered {
                    let seen = format!("silence at a head of {silent} bytes, a tunnel at {length}");
                    return Err(Finding::violation("an answer to each", seen));
                }
                let early = lab.nonce();
                let bytes = request.followed_by(&early).bytes();
                lab.carries_early(&[&bytes], early.as_bytes(), &server)
                    .await
                    .map_err(at)?;
            }
            match unanswered {
                Some(length) => Err(Finding::inconclusive(format!(
                    "silence from {length} bytes on"
                ))),
                None => Ok(()),
            }
        })
}

/// `request` with a field that makes its head `length` bytes long.
fn of_length(request: Request, length: usize) -> Request {
    const FIELD: &str = "X-Filler: ";
    let without = request.clone().field(FIELD).bytes().len();
    request.field(format!(
        "{FIELD}{}",
        "x".repeat(length.saturating_sub(without))
    ))
}

/// A head whose end has not come may yet lose its right to be served: with its last line come the credentials, or a
/// second Host field.
///
/// Also accepted: any status that is not 2xx, a close, or to wait for the rest; only no connection to the server. The
/// first place where one is made is named.
fn a_head_that_is_cut_short_reaches_nobody() -> Case {
    must("A request is not acted upon before its head has come whole")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("5.3"))
        .cites(RFC_9112.section("8"))
        .covers(["H1-FLD-013"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let bytes = lab.request(&server).bytes();
            let mut open = Vec::new();
            for cut in 1..bytes.len() {
                open.push(cut_short(lab, &bytes[..cut]).await?);
            }
            // Who is served came after all of these: by then they have been looked at.
            lab.control(lab.server(echo()).await?.as_ref()).await?;
            if server.stays_unvisited().await.is_ok() {
                return Ok(());
            }
            // Somebody came. Which cut brought them shows when each is tried alone.
            drop(open);
            for cut in 1..bytes.len() {
                let server = lab.server(echo()).await?;
                let bytes = lab.request(&server).bytes();
                let _open = cut_short(lab, &bytes[..cut]).await?;
                server
                    .stays_unvisited()
                    .await
                    .map_err(|finding| finding.at(&place(&bytes, cut)))?;
            }
            server.stays_unvisited().await
        })
}

/// Whoever has sent half a head and gone is not coming back; a proxy that waits on keeps a worker for each of them.
///
/// Also accepted: any status that is not 2xx and then the end, or the end alone. The first place where it does not come
/// is named.
fn a_head_that_is_cut_short_ends_the_connection() -> Case {
    practice("A client that ends in the middle of a head is not waited for")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("8"))
        .cites(RFC_9112.section("9.6"))
        .covers(["H1-FLD-013"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let bytes = lab.request(&server).bytes();
            let mut open = Vec::new();
            for cut in 1..bytes.len() {
                open.push((cut, cut_short(lab, &bytes[..cut]).await?));
            }
            for (cut, mut connection) in open {
                let limit = lab.patience().end();
                if connection.ends_within(limit).await.1.is_none() {
                    let seen = format!("it is still open after {limit:?}");
                    let finding = Finding::violation("the end of the connection", seen);
                    return Err(finding.at(&place(&bytes, cut)));
                }
            }
            Ok(())
        })
}

/// A connection on which a request ends in the middle.
async fn cut_short(lab: &Lab, bytes: &[u8]) -> Outcome<Connection> {
    let mut connection = lab.client().dial().await?;
    connection.sends(bytes).await;
    connection.finishes().await;
    Ok(connection)
}

/// A cut, for a reader: its offset, and the bytes on both sides of it.
fn place(bytes: &[u8], cut: usize) -> String {
    let shown = |bytes: &[u8]| format!("{:?}", String::from_utf8_lossy(bytes));
    format!(
        "cut at byte {cut}, between {} and {}",
        shown(&bytes[cut.saturating_sub(8)..cut]),
        shown(&bytes[cut..bytes.len().min(cut + 8)])
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_shows_both_of_its_sides() {
        assert_eq!(
            place(b"CONNECT a:1 HTTP/1.1\r\n", 21),
            r#"cut at byte 21, between "TTP/1.1\r" and "\n""#
        );
    }
}
