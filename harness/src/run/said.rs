//! What the subject itself said, for a reader who asks why.

use crate::lab::Running;

/// The end of what a subject printed that is shown with a failure.
const SAID_BYTES: usize = 2000;

/// What the subject printed.
pub(super) fn output(running: &Running) -> String {
    let process = running.process();
    process.map(|process| process.output()).unwrap_or_default()
}

/// The end of what the subject printed.
pub(super) fn said(running: &Running) -> Option<String> {
    let output = output(running);
    let output = output.trim();
    let from = output.len().saturating_sub(SAID_BYTES);
    let from = (from..=output.len()).find(|&at| output.is_char_boundary(at))?;
    (!output.is_empty()).then(|| output[from..].to_owned())
}
