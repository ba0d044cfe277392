//! A config: no text makes the reader panic, and a list of ports that it accepts prints as what it means.

use connectspec_reference_proxy::config::AllowConnect;
use connectspec_reference_proxy::config::build::{Options, read};

/// Whether the input was accepted. Panics where the property does not hold.
pub(crate) fn holds(text: &str) -> bool {
    // Nothing from the disk: what is included there is not the fuzzer's.
    let lower = text.to_ascii_lowercase();
    if ["include", "sslcertificate", "authuserfile"]
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
    !config.to_string().is_empty()
}
