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

    let ran = Command::new(connectspec)
        .args(["run", "--quiet", "--fail-fast", "--strict", "--profile"])
        .arg(&profile)
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}{}",
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr)
    );
}

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
