//! Side by side with the real Apache httpd: the same config file, the same requests.
//!
//! Where both are meant to agree, they are compared; where this proxy departs from httpd, the departure has a
//! name in the table of [`connectspec_reference_proxy::deviations`], and no other difference passes.
//!
//! `CONNECTSPEC_HTTPD_CONFIGS` and `CONNECTSPEC_HTTPD_REQUESTS` say how many random configs are tried, and how
//! many requests with each.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod addresses;
mod beside;
mod debian;
mod http2;
mod known;
mod lines;
mod open_doors;
mod pair;
mod published;
mod random;
mod reading;
mod remotes;
mod rows;
mod strategies;
mod table;
mod users;
mod variables;
mod whole;

use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let missing = pair::httpd().is_none();
    // On a developer's machine httpd may be missing; where everything is checked it may not.
    let required = std::env::var_os("CI").is_some();
    known::names_are_documented();
    let mut trials = [
        rows::trials(),
        whole::trials(),
        http2::trials(),
        random::trials(),
        reading::trials(),
        remotes::trials(),
        table::trials(),
        lines::trials(),
        access::trials(),
        open_doors::trials(),
        published::trials(),
        variables::trials(),
    ]
    .concat();
    let named = pair::names_can_be_given();
    if named {
        trials.extend(addresses::trials());
    }
    let debian = debian::is_there();
    if debian {
        trials.extend(debian::trials());
    }
    let trials = trials.into_iter().map(|(name, test)| {
        let trial = Trial::test(name, move || {
            if pair::httpd().is_none() {
                return Err("apache2 is not installed: apt-get install apache2".into());
            }
            test();
            Ok(())
        });
        match missing && !required {
            true => trial
                .with_kind("apache2 is not installed")
                .with_ignored_flag(true),
            false => trial,
        }
    });
    let mut trials: Vec<_> = trials.collect();
    if !named {
        // Not even CI has that everywhere: in some containers root may not mount anything.
        let unable = addresses::trials().into_iter().map(|(name, _)| {
            Trial::test(name, || Ok(()))
                .with_kind("needs root, and a mount namespace")
                .with_ignored_flag(true)
        });
        trials.extend(unable);
    }
    if !debian {
        let unable = debian::trials().into_iter().map(|(name, _)| {
            Trial::test(name, || Ok(()))
                .with_kind("needs Debian's package of httpd")
                .with_ignored_flag(true)
        });
        trials.extend(unable);
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A test by name.
type Test = (&'static str, fn());
