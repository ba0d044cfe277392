//! A report that somebody else may have written: what it says is shown, what it would have a terminal do is not done.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::transcript::screen::without_sequences;

/// The report in `text`, without sequences for a terminal.
pub(super) fn parse<R: DeserializeOwned>(text: &str) -> Result<R, serde_json::Error> {
    // Mistakes are named with their place in the text as it is.
    let report = serde_json::from_str(text)?;
    if !text.to_ascii_lowercase().contains("\\u001b") {
        return Ok(report);
    }
    let mut value = serde_json::from_str(text)?;
    clean(&mut value);
    serde_json::from_value(value)
}

fn clean(value: &mut Value) {
    match value {
        Value::String(text) => *text = without_sequences(std::mem::take(text)),
        Value::Array(values) => values.iter_mut().for_each(clean),
        Value::Object(values) => values.values_mut().for_each(clean),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Report, sample::report};

    #[test]
    fn a_title_from_elsewhere_has_no_colours_of_its_own() {
        let mut foreign = report();
        foreign.results[0].title = "\u{1b}[32mPASS\u{1b}[0m and \\u001b".to_owned();
        let text = serde_json::to_string(&foreign).unwrap();
        let read: Report = parse(&text).unwrap();
        let title = &read.results[0].title;
        assert_eq!(title, "␛[32mPASS␛[0m and \\u001b");
    }
}
