//! A config: no text makes the reader panic, and a list of ports that it accepts prints as what it means.

#![no_main]

use connectspec_reference_proxy::config::AllowConnect;
use connectspec_reference_proxy::config::build::{Options, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // Nothing from the disk: what is included there is not the fuzzer's.
    let lower = text.to_ascii_lowercase();
    if lower.contains("include") || lower.contains("sslcertificate") {
        return;
    }
    let after = vec!["Listen 127.0.0.1:1".to_owned(), text.to_owned()];
    let options = Options {
        after,
        every_module: true,
        ..Options::default()
    };
    if let Ok(config) = read(None, &options) {
        for server in config.servers() {
            let printed = server.allow.to_string();
            assert_eq!(
                AllowConnect::parse(printed.split(' ')).as_ref(),
                Ok(&server.allow)
            );
        }
        let _ = config.to_string();
    }
});
