//! The report for machines: [`Report`] as JSON, indented, so that two of them can also be compared line by line.

use crate::report::{Format, Report, ReportError};

/// The report as JSON, with a line end after it.
///
/// # Errors
/// Where it cannot be put into JSON.
pub fn json(report: &Report) -> Result<String, ReportError> {
    let mut text = serde_json::to_string_pretty(report).map_err(|error| ReportError::Format {
        format: Format::Json,
        reason: error.to_string(),
    })?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::sample::report;

    #[test]
    fn the_contract_is_kept() {
        let mut report = report();
        report
            .results
            .retain(|result| result.case.as_str().starts_with("close/the"));
        report.results[0].transcript.truncate(2);
        assert_snapshot!(json(&report).unwrap());
    }
}
