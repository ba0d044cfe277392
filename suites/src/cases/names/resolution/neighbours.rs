//! What the look-up of one client costs the others.

use connectspec_harness::prelude::*;

use crate::{
    cases::names::requests::{Place, is_served_among_unanswered, to},
    documents::RFC_9110,
};

/// Look-ups wait, and where each of them holds a thread of a few, names that nobody answers for are enough to stop a
/// proxy: a client needs no more than a domain of its own.
///
/// Also accepted: to refuse what is too much, with any status. Only the client whose name is answered for is looked at.
pub(super) fn an_unanswered_name_keeps_nobody_else_waiting() -> Case {
    practice("Names that no name server answers for keep nobody else from a tunnel")
        .cites(RFC_9110.section("17.5"))
        .covers(["NAM-015"])
        .needs([Need::Names])
        .in_the_lab()
        .is_a_crowd()
        .run(async |lab| {
            // Whatever it does to the others must not be done to other cases.
            let lab = lab.relaunched(&Setup::default()).await?;
            let place = Place::take(&lab).await?;
            let good = lab.name(place.answers())?;
            lab.carries(&to(&lab, &good, place.port), &place.server)
                .await?;

            // What a busy machine did once, it does not do twice.
            let Err(_) = is_served_among_unanswered(&lab, &good, place.port).await? else {
                return Ok(());
            };
            match lab.goes_on(&place.server).await {
                // It was served before, and those whose names nobody answers for have gone.
                Err(Finding::Setup {
                    reason,
                    gone: false,
                }) => {
                    let expected = "a tunnel, once the others have gone";
                    return Err(Finding::violation(expected, reason));
                }
                served => served?,
            }
            is_served_among_unanswered(&lab, &good, place.port)
                .await?
                .map_err(|answer| Finding::violation("a tunnel, while others wait", answer))
        })
}
