//! What the pages' scripts draw where a result is opened, packed: most of it is never looked at.

use std::io::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use serde::Serialize;

use crate::{
    report::{
        CaseResult, Report, Totals,
        evidence::diagram::{Diagram, Row},
    },
    verdict::Verdict,
};

/// A result as it is drawn.
#[derive(Serialize)]
pub(crate) struct Evidence<'r> {
    title: &'r str,
    verdict: Verdict,
    expected: &'r [String],
    observed: Option<&'r str>,
    reason: Option<&'r str>,
    covers: &'r [String],
    cites: Vec<Cite<'r>>,
    source: &'r str,
    setup: &'r str,
    took_ms: u64,
    subject_said: Option<&'r str>,
    again: String,
    rows: Vec<Row>,
}

/// A citation; without a link where that is none that a page should follow.
#[derive(Serialize)]
struct Cite<'r> {
    name: &'r str,
    url: Option<&'r str>,
}

/// How many results of a verdict there are.
#[derive(Serialize)]
pub(crate) struct Count {
    verdict: Verdict,
    count: usize,
}

impl<'r> Evidence<'r> {
    pub(crate) fn of(report: &Report, result: &'r CaseResult) -> Self {
        Self {
            title: &result.title,
            verdict: result.verdict,
            expected: &result.expected,
            observed: result.observed.as_deref(),
            reason: result.reason.as_deref(),
            covers: &result.covers,
            cites: cites(result),
            source: match report.is_an_audit() {
                // All questions of an audit stand in one place.
                true => "",
                false => &result.source,
            },
            setup: &result.setup,
            took_ms: result.took_ms,
            subject_said: result.subject_said.as_deref(),
            again: report.again(result),
            rows: Diagram::of(result).rows,
        }
    }
}

/// The verdicts that there are, and how often.
pub(crate) fn counts(totals: Totals) -> Vec<Count> {
    let counts = Verdict::ALL.into_iter().map(|verdict| Count {
        verdict,
        count: totals.get(verdict),
    });
    counts.filter(|count| count.count > 0).collect()
}

fn cites(result: &CaseResult) -> Vec<Cite<'_>> {
    let names = result
        .citations
        .iter()
        .chain(result.cites.iter().skip(result.citations.len()));
    let safe = |url: &&String| url.starts_with("https://") || url.starts_with("http://");
    names
        .zip(&result.cites)
        .map(|(name, url)| Cite {
            name,
            url: Some(url).filter(safe).map(String::as_str),
        })
        .collect()
}

/// JSON for a script, small enough to send the page to somebody, and of letters that no markup begins with.
pub(crate) fn packed(data: &impl Serialize) -> Result<String, String> {
    let json = serde_json::to_vec(data).map_err(|error| error.to_string())?;
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&json).map_err(|error| error.to_string())?;
    let packed = packed.finish().map_err(|error| error.to_string())?;
    Ok(STANDARD.encode(packed))
}

/// What is packed into a page, as text.
#[cfg(test)]
pub(crate) fn unpacked(page: &str) -> String {
    use std::io::Read as _;
    let (_, data) = page.split_once("id=\"data\">").unwrap();
    let (data, _) = data.split_once('<').unwrap();
    let packed = STANDARD.decode(data.trim()).unwrap();
    let mut text = String::new();
    let mut unpacked = flate2::read::GzDecoder::new(&packed[..]);
    unpacked.read_to_string(&mut text).unwrap();
    text
}
