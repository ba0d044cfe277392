//! The report for people: one HTML file that needs nothing else, from nowhere.
//!
//! Everything that came from the wire is escaped, and a content security policy of the page itself forbids whatever an
//! octet too many might ask for. Without its script the page shows what is broken and a line a result; the script draws what
//! was seen and what passed, from data that are packed into the page, where somebody opens it.

pub(crate) mod evidence;

mod contents;

use std::collections::BTreeMap;

use minijinja::{
    AutoEscape, Environment, UndefinedBehavior, Value, syntax::SyntaxConfig, value::Serde,
};
use serde::Serialize;

use crate::report::{
    Format, Report, ReportError,
    format::html::{
        contents::Page,
        evidence::{Evidence, packed},
    },
};

/// The report as an HTML page.
///
/// # Errors
/// Where the template cannot be rendered.
pub fn html(report: &Report) -> Result<String, ReportError> {
    let failed = |reason: String| ReportError::Format {
        format: Format::Html,
        reason,
    };
    let all = report.results.iter();
    let data: BTreeMap<&str, Evidence<'_>> = all
        .map(|result| (result.case.as_str(), Evidence::of(report, result)))
        .collect();
    let data = packed(&data).map_err(failed)?;
    page("report.html", &Page::of(report, data)).map_err(|error| failed(format!("{error:#}")))
}

/// Fills the template of that name.
pub(crate) fn page(name: &str, values: &impl Serialize) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()?,
    );
    environment.set_auto_escape_callback(|name| {
        if name.ends_with(".html") {
            AutoEscape::Html
        } else {
            AutoEscape::None
        }
    });
    environment.add_filter("breakable", breakable);
    for (name, source) in [
        ("report.html", include_str!("page/report.html")),
        ("evidence.js", include_str!("page/evidence.js")),
        ("style.css", include_str!("page/style.css")),
        ("report.js", include_str!("page/report.js")),
        ("matrix.html", include_str!("page/matrix.html")),
        ("matrix.css", include_str!("page/matrix.css")),
        ("matrix.js", include_str!("page/matrix.js")),
    ] {
        environment.add_template(name, source)?;
    }
    environment.get_template(name)?.render(Serde(values))
}

/// An id that is broken between its words, if it has to be.
fn breakable(id: String) -> Value {
    let escaped = id
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let broken = escaped.replace('_', "_<wbr>").replace("[", "<wbr>[");
    Value::from_safe_string(broken.replacen('/', "/<wbr>", 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::format::html::evidence::unpacked;
    use crate::report::sample::report;

    #[test]
    fn every_result_and_its_transcript_is_on_the_page() {
        let report = report();
        let page = html(&report).unwrap();
        for result in &report.results {
            assert!(page.contains(&result.title), "{}", result.title);
        }
        assert!(page.contains("href=\"#close&#x2f;the_last_words_arrive\""));
        let data = unpacked(&page);
        assert!(data.contains("HTTP/1.1\u{a0}⏎\\nHost: 127.0.0.1:40123\u{a0}⏎\\n⏎"));
    }

    #[test]
    fn what_is_broken_stands_before_what_is_known_and_what_was_not_judged() {
        let page = html(&report()).unwrap();
        let titles = [
            "What is broken",
            "Also to look at",
            "Known to fail",
            "Not judged",
            "Fingerprint",
            "Every result",
        ];
        let places = titles.map(|title| page.find(&format!("<h2>{title}")).expect(title));
        assert!(places.is_sorted(), "{places:?}");
        // Why a failure is known stands in the list, not behind it.
        assert!(page.contains("<p class=\"seen\">The port is cut to 16 bits"));
    }

    #[test]
    fn the_page_of_an_audit_says_what_is_meant_and_what_leaks() {
        let mut report = report();
        report.run.policy = vec!["registry.example.org on 443".to_owned()];
        let page = html(&report).unwrap();
        assert!(page.contains("audit of an HTTP CONNECT proxy"));
        let places = [
            "<li><b></b><span>registry.example.org on 443</span></li>",
            "<h2>Asked, and as it is meant",
            "<span class=\"verdict\">0 of 1</span>",
            ">fail </a>: the end after 0 bytes</p>",
            "<h2>What is broken",
        ]
        .map(|text| page.find(text).expect(text));
        assert!(places.is_sorted(), "{places:?}");
        // All questions stand in one file.
        assert!(!unpacked(&page).contains("suites/src/close.rs"));
    }

    #[test]
    fn nothing_comes_from_elsewhere() {
        let page = html(&report()).unwrap();
        for outside in ["src=", "@import", "url(http", "<link"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn what_a_proxy_says_is_never_markup() {
        let mut report = report();
        for result in &mut report.results {
            result.observed = Some("<script>alert(1)</script>".to_owned());
            result.subject_said = Some("</pre><img src=x>".to_owned());
            result.cites = vec!["javascript:alert(1)".to_owned()];
            for step in &mut result.transcript {
                step.text = "\"><script>alert(1)</script>".to_owned();
            }
        }
        let page = html(&report).unwrap();
        for bad in ["<script>alert", "<img", "href=\"javascript"] {
            assert!(!page.contains(bad), "{bad}");
        }
        // The script makes text of what it draws, and links of what is safe to follow.
        assert!(!unpacked(&page).contains("\"url\":\"javascript"));
        assert!(!include_str!("page/evidence.js").contains("innerHTML"));
    }

    #[test]
    fn a_run_that_was_refused_says_why() {
        let mut report = report();
        report.results.clear();
        report.totals = crate::report::Totals::default();
        report.run.refused = Some("it exited before it listened".to_owned());
        let page = html(&report).unwrap();
        assert!(page.contains("it exited before it listened"));
        assert!(!page.contains("Every result"));
    }
}
