//! Both ends of a tunnel at once: one writes while the other reads.
//!
//! An end that wrote all of it before it read anything would come to a standstill with every proxy whose buffers are
//! finite, and with the kernel alone, once more is under way than the buffers hold.

use std::{future::poll_fn, pin::pin, task::Poll};

use crate::{
    tunnel::{End, Reader, Writer},
    verdict::Outcome,
    wire::Payload,
};

impl End {
    /// Sends `payload`, and `other` receives exactly it.
    ///
    /// # Errors
    /// A violation where other bytes arrive, or not all of them.
    pub async fn sends_to(&mut self, other: &mut Self, payload: impl Into<Payload>) -> Outcome {
        let payload = payload.into();
        let (mut writer, mut reader) = (self.halves().1, other.halves().0);
        flow(&mut writer, &mut reader, &payload).await
    }

    /// Sends `there` while `other` sends `back`, and each receives exactly what the other has sent.
    ///
    /// # Errors
    /// A violation where other bytes arrive, or not all of them.
    pub async fn exchanges_with(
        &mut self,
        other: &mut Self,
        there: impl Into<Payload>,
        back: impl Into<Payload>,
    ) -> Outcome {
        let (there, back) = (there.into(), back.into());
        let (mut near_in, mut near_out) = self.halves();
        let (mut far_in, mut far_out) = other.halves();
        tokio::try_join!(
            flow(&mut near_out, &mut far_in, &there),
            flow(&mut far_out, &mut near_in, &back),
        )?;
        Ok(())
    }
}

/// The place of the end of which its other side says something first; `None` if each of them ends without a word.
pub(crate) async fn first_to_be_spoken_to(ends: &mut [End]) -> Option<usize> {
    let mut waiting: Vec<_> = ends
        .iter_mut()
        .map(|end| Some(Box::pin(end.speaks())))
        .collect();
    poll_fn(|context| {
        for (place, slot) in waiting.iter_mut().enumerate() {
            match slot.as_mut().map(|end| end.as_mut().poll(context)) {
                Some(Poll::Ready(true)) => return Poll::Ready(Some(place)),
                Some(Poll::Ready(false)) => *slot = None,
                Some(Poll::Pending) | None => {}
            }
        }
        match waiting.iter().all(Option::is_none) {
            true => Poll::Ready(None),
            false => Poll::Pending,
        }
    })
    .await
}

/// From `writer` to `reader`. What did not arrive says more than what could not be sent.
async fn flow(writer: &mut Writer<'_>, reader: &mut Reader<'_>, payload: &Payload) -> Outcome {
    let mut sends = pin!(writer.sends(payload));
    let mut receives = pin!(reader.receives(payload));
    tokio::select! {
        biased;
        received = &mut receives => {
            received?;
            sends.await
        }
        sent = &mut sends => receives.await.and(sent),
    }
}
