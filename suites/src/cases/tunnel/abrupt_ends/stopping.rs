//! Tunnels of a proxy that is told to stop.

use connectspec_harness::prelude::*;

use crate::{
    cases::words::transfers::{DIRECTIONS, SMALL_BUFFER},
    documents::{RFC_9110, RFC_9112},
};

/// A page that explains why, when it is the proxy that goes: it is restarted, or its machine is.
///
/// Also accepted: to end the tunnels at once, after a while, or with a reset.
pub(super) fn nothing_is_added_when_the_proxy_stops() -> Case {
    must("When the proxy stops, nothing is added to its tunnels")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["INT-016"])
        .needs([Need::Launched])
        .slow()
        .run(async |lab| {
            let lab = lab.relaunched(&Setup::default()).await?;
            let (mut near, mut far) = lab.tunnel().await?;
            near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
                .await?;
            lab.begins_to_stop()?;
            let (near, far) = tokio::join!(near.ends_somehow(), far.ends_somehow());
            near?;
            far?;
            Ok(())
        })
}

/// Whether a proxy that is asked to stop ends its tunnels, or lets them come to their end.
///
/// Also accepted: either.
pub(super) fn tunnels_of_a_proxy_that_stops() -> Case {
    survey("Asked to stop, the proxy's tunnels")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["CLS-011"])
        .needs([Need::Launched])
        .slow()
        .run(async |lab| {
            let lab_of_its_own = lab.relaunched(&Setup::default()).await?;
            let (mut near, mut far) = lab_of_its_own.tunnel().await?;
            near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
                .await?;
            lab_of_its_own.begins_to_stop()?;
            let ended = async {
                near.halves()
                    .0
                    .takes_until_quiet(lab.patience().end())
                    .await
            };
            lab.note(match ended.await {
                (_, Some(ending)) => format!(
                    "see {} within {:?}",
                    ending.describe(),
                    lab.patience().end()
                ),
                (_, None) => format!("live on for {:?} at least", lab.patience().end()),
            });
            Ok(())
        })
}

/// An update of the proxy in the middle of a download: whoever reads to the end of a connection takes what he has for the
/// whole file, if it ends with a FIN.
///
/// Also accepted: to let the tunnel come to its end, or to deliver everything before the FIN. No specification asks for the
/// reset, and a program that just goes leaves its connections to the kernel, which sends a FIN.
pub(super) fn what_a_stop_cuts_off_does_not_look_whole() -> Family {
    each(DIRECTIONS, |&(_, upwards)| {
        practice(
            "What is on its way when the proxy stops does not end with a FIN before it is whole",
        )
        .cites(RFC_9112.section("8"))
        .covers(["CLS-020"])
        .needs([Need::Launched])
        .slow()
        .run(async move |case| {
            let lab = case.relaunched(&Setup::default()).await?;
            let (near, far) = lab.tunnel().await?;
            let (mut from, mut to) = if upwards { (near, far) } else { (far, near) };
            to.takes_little(SMALL_BUFFER)?;
            let endless = stream(lab.seed(), u64::MAX);
            let mut writer = from.halves().1;
            let (sent, stopped) = writer.offers_within(&endless, lab.patience().stall()).await;
            if !matches!(stopped, Some(Stopped::Standstill(_))) {
                return Err(Finding::inconclusive("the sender was never kept waiting"));
            }
            lab.is_told_to_stop()?;
            // It has this long to end the tunnel; then what is there is read.
            let ended = from
                .halves()
                .0
                .takes_until_quiet(lab.patience().end())
                .await
                .1;
            let mut reader = to.halves().0;
            let (taken, ending) = reader.takes_until_quiet(lab.patience().end()).await;
            let seen = format!("{taken} of {sent} bytes");
            match ending {
                Some(Ending::Orderly) if taken < sent => {
                    let observed = format!("a FIN after {seen}");
                    Err(Finding::violation("a reset, or every byte", observed))
                }
                Some(ending) => {
                    case.note(format!("{} after {seen}", ending.describe()));
                    Ok(())
                }
                None if ended.is_some() => {
                    case.note(format!("no end after {seen}, and one at the sender"));
                    Ok(())
                }
                None => {
                    case.note(format!("the tunnel is kept, with {seen}"));
                    Ok(())
                }
            }
        })
    })
}
