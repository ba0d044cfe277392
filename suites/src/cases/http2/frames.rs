//! # HTTP/2: frames
//!
//! What a proxy sends is looked at in every case over HTTP/2, frame by frame; one case says what was wrong.

use connectspec_harness::{
    http2::{BROKEN, ErrorCode, Over},
    prelude::*,
};

use super::{
    requests::behind_method,
    words::{connection, fate, tunnel},
};
use crate::documents::RFC_9113;

/// Every case about frames in HTTP/2.
pub(crate) fn suite() -> Suite {
    suite! {
        "http2_frames": "HTTP/2: frames", include_str!("frames.rs");
        every_frame_is_well_formed,
    }
}

/// Octets that go both ways: more than a frame may have, and more than one window.
const MUCH: u64 = 200_000;

/// A client that cannot understand a frame ends the connection, and all tunnels on it.
///
/// Only this conforms: frames of the right length, with the flags and the padding that they may have, on streams that are open,
/// within the windows, and field blocks that can be decoded. Frames of unknown types are none of this. Whatever was seen in any
/// other case counts here.
fn every_frame_is_well_formed() -> Case {
    must("Every frame that a proxy sends is well-formed, and where it may be")
        .over(HTTP_2)
        .cites(RFC_9113.section("4"))
        .cites(RFC_9113.section("5"))
        .cites(RFC_9113.section("6"))
        .covers(["H2-ROB-001"])
        .after_all_others()
        .run(async |lab| {
            let toured = tour(lab).await;
            let odd = lab.odd_frames();
            match odd.first() {
                Some(first) => Err(Finding::violation(
                    "frames that are well-formed",
                    format!("{BROKEN} {first}"),
                )),
                // Whatever else goes wrong on the way is for other cases.
                None => toured.map_err(|finding| Finding::inconclusive(finding.to_string())),
            }
        })
}

/// Something of everything that makes a proxy send frames.
async fn tour(lab: &Lab) -> Outcome {
    let http2 = connection(lab).await?;
    let mut first = tunnel(lab, &http2).await?;
    let much = stream(lab.seed(), MUCH);
    first
        .near
        .exchanges_with(&mut first.far, much.clone(), much)
        .await?;
    http2.answers_a_ping().await;
    http2.settles(&[]).await?;
    let second = tunnel(lab, &http2).await?;
    http2.resets(second.id, ErrorCode::CANCEL);
    let third = tunnel(lab, &http2).await?;
    third.far.resets()?;
    fate(lab, &http2, third.id).await;
    let closed = format!("{}:{}", lab.host(), lab.refusing_port().await?);
    let refused = http2.opens(&http2.request(&closed), false);
    http2.hears(refused).await;
    first.far.finishes().await?;
    fate(lab, &http2, first.id).await;
    let right = http2.request(&closed);
    let malformed = http2.opens(&behind_method(&right, &[(b":path", b"/")]), false);
    http2.hears(malformed).await;
    let broken = http2.session().with(|state| match &state.over {
        Some(Over::Broken(why)) => Some(why.clone()),
        _ => None,
    });
    match broken {
        Some(why) => Err(Finding::violation("frames", format!("{BROKEN} {why}"))),
        None => Ok(()),
    }
}
