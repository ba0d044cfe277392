//! The whole suite against the reference proxy as this package builds it.
//!
//! `connectspec` embeds the reference proxy and judges it in every run, so that this adds nothing on most days. It is the
//! test of `ci/mutants`: there only this package is built anew for each mutant, and `connectspec` stays what it was.

use std::{env, fs, path::Path, process::Command};

#[test]
#[ignore = "wants the path of a built connectspec in CONNECTSPEC, as ci/mutants sets it"]
fn the_suite_finds_no_fault() {
    let connectspec = env::var("CONNECTSPEC").expect("CONNECTSPEC is the path of connectspec");
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("reference.toml");
    fs::write(&profile, profile_of_this_build()).unwrap();

    // What waits out timers comes last: most of what is wrong is seen before.
    for (within, more) in [(QUICK, &[][..]), (SLOW, &["--slow"][..])] {
        let ran = Command::new("timeout")
            .arg(within)
            .arg(&connectspec)
            .args(["run", "--quiet", "--fail-fast", "--strict", "--profile"])
            .arg(&profile)
            .args(more)
            .output()
            .unwrap();
        assert!(
            ran.status.success(),
            "{}{}",
            String::from_utf8_lossy(&ran.stdout),
            String::from_utf8_lossy(&ran.stderr)
        );
    }
}

/// How long the suite may take, in seconds, of which it needs less than ten: a mutant that hangs costs each case its
/// patience, and has failed by then.
const QUICK: &str = "90";
/// The same with the cases that wait, of which it needs less than seventy.
const SLOW: &str = "300";

/// The built-in profile, but for where the program and its template are.
fn profile_of_this_build() -> String {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let profile = fs::read_to_string(fixtures.join("profiles/reference.toml"))
        .expect("the built-in profile is readable");
    let program = format!("{:?}", env!("CARGO_BIN_EXE_reference-proxy"));
    let configs = format!("{}/configs/", fixtures.display());
    let here = profile
        .replace("\"reference-proxy\"", &program)
        .replace("../configs/", &configs);
    assert!(here.contains(&program) && here.contains(&configs));
    here
}
