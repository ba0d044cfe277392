//! A config: no text makes the reader panic, a list of ports that it accepts prints as what it means, and what could
//! change who gets in and is not understood is never accepted.

use connectspec_reference_proxy::config::AllowConnect;
use connectspec_reference_proxy::config::build::{Options, read};
use connectspec_reference_proxy::config::directives::table::{self, Meaning};

/// Whether the input was accepted. Panics where the property does not hold.
pub(crate) fn holds(text: &str) -> bool {
    // Nothing from the disk: what is included there is not the fuzzer's.
    let lower = text.to_ascii_lowercase();
    if ["include", "sslcertificate", "authuserfile", "authgroupfile"]
        .iter()
        .any(|reading| lower.contains(reading))
    {
        return false;
    }
    let after = vec!["Listen 127.0.0.1:1".to_owned(), text.to_owned()];
    let options = Options {
        after,
        every_module: true,
        ..Options::default()
    };
    let Ok(config) = read(None, &options) else {
        return false;
    };
    for server in config.servers() {
        let printed = server.allow.to_string();
        assert_eq!(
            AllowConnect::parse(printed.split(' ')).as_ref(),
            Ok(&server.allow)
        );
    }
    // What is skipped, or belongs to the line before, is not looked at.
    let whole = !["<", "\\", "$", "\""]
        .iter()
        .any(|mark| text.contains(mark));
    for line in text.lines().filter(|_| whole) {
        let name = line.split_whitespace().next().unwrap_or_default();
        let known = table::lines(name).first().map(|known| known.meaning);
        assert!(!matches!(known, Some(Meaning::Refused(_))), "{line}");
        assert!(
            known.is_some() || name.is_empty() || name.starts_with('#'),
            "{line}"
        );
    }
    !config.to_string().is_empty()
}
