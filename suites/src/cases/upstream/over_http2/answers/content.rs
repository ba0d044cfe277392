//! What a refusal says beside its status.

use connectspec_harness::{client::body::BodyEnd, http2::Frame, prelude::*};

use crate::{
    cases::upstream::over_http2::words::{chain, status},
    documents::{RFC_9112, RFC_9113},
};

/// A field by which the upstream proxy's own response is known.
const MARK: &str = "x-upstream";

/// The page says why: which credentials, which policy. In HTTP/2 its length need not be said, and a client of HTTP/1.1 has to be told
/// where it ends all the same.
///
/// Also accepted: a page of the proxy's own, in any framing.
pub(super) fn a_refusal_in_several_frames_is_whole() -> Case {
    must("A refusal on the upstream proxy's stream reaches a client of HTTP/1.1 whole, in a framing that it understands")
        .over(HTTP_1_1)
        .cites(RFC_9113.section("8.1"))
        .cites(RFC_9112.section("6.3"))
        .covers(["H2-FWD-004", "H1-FWD-024"])
        .under(upstream_over(HttpVersion::H2c))
        .run(async |lab| {
            let mut chain = chain(lab).await?;
            let pieces = [lab.nonce(), lab.nonce(), lab.nonce()];
            let id = chain.id;
            chain.far.answers(id, &status("403").with(MARK, "1"), false);
            for piece in &pieces[..2] {
                chain.far.sends(&Frame::padded_data(id, piece.as_bytes(), 9));
            }
            chain.far.sends(&Frame::data(id, pieces[2].as_bytes(), true));
            let answer = chain.near.hears().await;
            let reply = match &answer {
                Answer::Reply(reply) if !reply.is_success() => reply,
                other => {
                    let why = format!("no refusal to judge: {}", other.describe());
                    return Err(Finding::inconclusive(why));
                }
            };
            let body = chain.near.body(reply).await;
            let content = String::from_utf8_lossy(&body.content).into_owned();
            if !reply.has(MARK) && !content.contains(&pieces[0]) {
                return Err(Finding::absent("it answers with a page of its own"));
            }
            let page = pieces.concat();
            match body.end {
                BodyEnd::Complete if content == page => Ok(()),
                BodyEnd::Complete => {
                    Err(Finding::violation(format!("{page:?}"), format!("{content:?}")))
                }
                _ => Err(Finding::violation(
                    format!("{page:?}"),
                    format!("{content:?}, and no end as its framing says"),
                )),
            }
        })
}
