//! What tunnels leave behind in the window of a connection that outlives them.

use connectspec_harness::{
    client::Http2,
    http2::{ErrorCode, Frame},
    prelude::*,
};

use crate::{
    cases::http2::words::{connection, tunnel},
    documents::RFC_9113,
};

/// How many tunnels die, each with so much on its way: in all, more than a connection's window usually is.
const DEAD: usize = 200;
const ON_THE_WAY: i64 = 16 * 1024;

/// How a tunnel comes to nothing.
const DEATHS: &[(&str, bool)] = &[("refused", true), ("reset_by_the_client", false)];

/// A connection lives for hours, and some of its tunnels are cut off in the middle of an upload. What each leaves behind in
/// the window of the connection is missing to all that follow: in the end nothing moves, and nobody knows why.
///
/// Also accepted: a connection that is ended for excessive load (ENHANCE_YOUR_CALM) says nothing.
pub(super) fn what_dead_tunnels_were_sent_is_given_back() -> Family {
    each(DEATHS, |&(_, refused)| {
        must("DATA of tunnels that came to nothing is given back to the window of the connection")
            .over(HTTP_2)
            .cites(RFC_9113.section("6.9"))
            .cites(RFC_9113.section("5.1"))
            .covers(["H2-FC-006"])
            .relying_on(["integrity/much_passes_unchanged[to_the_server]"])
            .needs(refused.then_some(Need::PortList))
            .is_a_crowd()
            .run(async move |lab| {
                let http2 = connection(lab).await?;
                let all = all_die(lab, &http2, refused).await;
                if http2.session().with(|state| state.goaway) == Some(ErrorCode::ENHANCE_YOUR_CALM)
                {
                    return Err(Finding::inconclusive("GOAWAY(ENHANCE_YOUR_CALM)"));
                }
                all?;
                let mut fresh = tunnel(lab, &http2).await?;
                let much = stream(lab.seed(), 1 << 20);
                fresh.near.sends_to(&mut fresh.far, much).await
            })
    })
}

async fn all_die(lab: &Lab, http2: &Http2, refused: bool) -> Outcome {
    let server = match refused {
        true => lab.denied_server(echo()).await?,
        false => lab.server(receive_to_the_end()).await?,
    };
    for _ in 0..DEAD {
        let id = http2.opens(&http2.request(server.authority()), false);
        if !refused
            && http2
                .hears(id)
                .await
                .status()
                .is_none_or(|status| status / 100 != 2)
        {
            return Err(Finding::inconclusive("one of many tunnels is refused"));
        }
        let room = http2.until(|state| {
            let stream = state.streams.get(&id)?;
            let length = state.may_send.min(stream.may_send()).min(ON_THE_WAY);
            match &state.over {
                Some(_) => Some(None),
                None => usize::try_from(length)
                    .ok()
                    .filter(|length| *length > 0)
                    .map(Some),
            }
        });
        match room.await {
            Some(Some(length)) => http2.sends(&Frame::data(id, vec![b'x'; length], refused)),
            Some(None) => return Err(Finding::inconclusive("the connection is over")),
            None => {
                return Err(Finding::violation(
                    "room in the window of the connection",
                    format!("none within {:?}", lab.patience().progress()),
                ));
            }
        }
        if refused {
            let answer = http2.hears(id).await;
            if answer.status().is_some_and(|status| status / 100 == 2) {
                return Err(Finding::inconclusive(answer.describe()));
            }
        } else {
            http2.resets(id, ErrorCode::CANCEL);
        }
    }
    http2.fence().await
}
