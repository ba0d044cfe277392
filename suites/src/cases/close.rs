//! # Closing
//!
//! A tunnel ends when either side has closed. What was said before still has to arrive.

use connectspec_harness::prelude::*;

use crate::spec::RFC_9110;

/// Every case about the end of a tunnel.
pub(crate) fn suite() -> Suite {
    suite! {
        "close": "Closing", include_str!("close.rs");
        the_last_words_arrive,
    }
}

/// A proxy that drops everything at the first FIN cuts the end off every reply whose server closes to mark its end.
///
/// Right as well: to keep the other direction open, or to close it once all has been delivered.
fn the_last_words_arrive() -> Case {
    must("Data sent before a close is delivered before the close")
        .cites(RFC_9110.section("9.3.6"))
        .covers(["CLS-001"])
        .run(async |lab| {
            let server = lab.server(send(LAST_WORDS).then(close())).await?;
            let mut tunnel = lab.client().connect(&server).await?;

            tunnel.receives(LAST_WORDS).await?;
            tunnel.ends().await
        })
}

const LAST_WORDS: &[u8] = b"goodbye";
