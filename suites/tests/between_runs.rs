//! What happens between runs: baselines that are kept up, reports that are compared, merged and put side by side.

#![expect(clippy::unwrap_used, reason = "what helps a test may panic like one")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};

use assert_cmd::Command;

/// A run that does not end within this has hung; each ends within seconds.
const LIMIT: Duration = Duration::from_secs(120);

/// Cases that are quick, and that the faults below break.
const CASES: [&str; 2] = ["port/refuses_a_bad_port*", "close/the_last_words_arrive"];

/// The profile of the proxy that is wrong on purpose.
const FAULTY: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../fixtures/profiles/faulty.toml"
);

fn connectspec(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("connectspec").unwrap();
    command.args(arguments).timeout(LIMIT).env("NO_COLOR", "1");
    command
}

#[track_caller]
fn expect(command: &mut Command, status: i32, words: &[&str]) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    for word in words {
        assert!(text.contains(word), "no `{word}` in:\n{text}");
    }
    assert_eq!(output.status.code(), Some(status), "{text}");
    text
}

/// The folder of the faulty proxy, which is built where it is not there yet.
fn faulty_proxy() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_BIN_EXE_connectspec"))
            .parent()
            .unwrap();
        if folder.join("faulty-proxy").exists() {
            return folder.to_owned();
        }
        let mut cargo = std::process::Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "-p", "connectspec-faulty-proxy"]);
        if folder.ends_with("release") {
            cargo.arg("--release");
        }
        cargo.arg("--target-dir").arg(folder.parent().unwrap());
        cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(
            cargo.status().unwrap().success(),
            "the faulty proxy is built"
        );
        folder.to_owned()
    })
}

/// A run of the faulty proxy over [`CASES`].
fn faulty(fault: Option<&str>, arguments: &[&str]) -> Command {
    let mut folders = vec![faulty_proxy().to_owned()];
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let mut command = connectspec(&["run", "--profile", FAULTY]);
    command.args(CASES).args(arguments);
    command.env("PATH", std::env::join_paths(folders).unwrap());
    command
        .env_remove("CONNECTSPEC_FAULT")
        .env_remove("CONNECTSPEC_VARIANT");
    if let Some(fault) = fault {
        command.env("CONNECTSPEC_FAULT", fault);
    }
    command
}

#[test]
fn the_story_of_a_regression() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known.toml");
    let known = ["--baseline", file.to_str().unwrap()];
    let update = [known[0], known[1], "--update-baseline"];
    let old = Some("port-plus-dropped");

    // A proxy with a fault is red; once its failures are written down, it is green, and stays so.
    expect(
        &mut faulty(old, &[]),
        1,
        &["FAIL port/refuses_a_bad_port[plus_sign]"],
    );
    expect(
        &mut faulty(old, &update),
        0,
        &[" added, 0 changed, 0 removed"],
    );
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("case = \"port/refuses_a_bad_port[plus_sign]\""),
        "{text}"
    );
    assert!(
        text.contains("not explained yet") && text.contains("observed = "),
        "{text}"
    );
    expect(&mut faulty(old, &known), 0, &["known"]);

    // Somebody explains it. Bringing it up to date without need changes nothing.
    let explained = format!("# Ours.\n\n{}", text.replace("not explained yet", "a bug"));
    fs::write(&file, &explained).unwrap();
    expect(
        &mut faulty(old, &update),
        0,
        &["0 added, 0 changed, 0 removed"],
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), explained);

    // Mended, it is red until the list says so, too.
    expect(&mut faulty(None, &known), 1, &["healed"]);
    expect(&mut faulty(None, &update), 0, &["0 added"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "# Ours.\n");
    expect(&mut faulty(None, &known), 0, &[]);

    // A new fault is red again.
    expect(
        &mut faulty(Some("server-last-octet-lost"), &known),
        1,
        &["FAIL close/the_last_words_arrive"],
    );

    // So are entries that name no case, have run out, or were seen with another face.
    let entry = |case: &str, more: &str| {
        let text = format!("[[deviation]]\ncase = '{case}'\nwhy = 'w'\n{more}");
        fs::write(&file, text).unwrap();
    };
    entry("port/no_such_case", "");
    expect(&mut faulty(None, &known), 1, &["names no case"]);
    let case = "port/refuses_a_bad_port[plus_sign]";
    entry(case, "until = '2020-01-01'\n");
    expect(&mut faulty(old, &known), 1, &["has expired"]);
    // An excuse that has run out is for a person to renew.
    expect(&mut faulty(old, &update), 1, &["has expired"]);
    entry(case, "observed = 'a reset'\n");
    expect(
        &mut faulty(old, &known),
        1,
        &["it was observed as: a reset"],
    );

    // And a run that judged nothing is no success, whatever is listed.
    let mut nothing = connectspec(&["run", "--profile", FAULTY, "source_port"]);
    expect(
        nothing.args(["--level", "must"]).args(known),
        2,
        &["no case was left to run"],
    );
}

#[test]
fn an_update_needs_a_baseline() {
    expect(
        &mut connectspec(&["run", "--update-baseline"]),
        3,
        &["--baseline"],
    );
}

/// A report of the reference proxy over some cases, in `folder`.
fn report(folder: &Path, name: &str, arguments: &[&str]) -> String {
    let path = folder.join(name).to_str().unwrap().to_owned();
    connectspec(&["run", "close", "--report", &format!("json={path}")])
        .args(arguments)
        .assert()
        .success();
    path
}

fn verdicts(path: &str) -> Vec<(String, String)> {
    let report: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let results = report["results"].as_array().unwrap().iter();
    results
        .map(|result| (result["case"].to_string(), result["verdict"].to_string()))
        .collect()
}

#[test]
fn three_shares_are_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let whole = report(folder.path(), "whole.json", &[]);
    let shares: Vec<String> = ["1/3", "2/3", "3/3"]
        .into_iter()
        .map(|share| {
            let name = format!("{}.json", &share[..1]);
            report(folder.path(), &name, &["--partition", share])
        })
        .collect();
    let merged = folder.path().join("merged.json");
    let merged = merged.to_str().unwrap();
    let mut merge = connectspec(&["merge", "--report", &format!("json={merged}")]);
    expect(merge.args(&shares), 0, &["pass"]);
    assert_eq!(verdicts(merged), verdicts(&whole));
    expect(
        connectspec(&["merge"]).args(&shares[1..]),
        3,
        &["share 1/3 is missing"],
    );

    // And the whole compares with itself.
    expect(
        &mut connectspec(&["compare", &whole, merged]),
        0,
        &["no change"],
    );
}

#[test]
fn the_shares_of_a_red_run_are_as_red_as_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let run = |name: &str, more: &[&str]| {
        let report = format!("json={}", file(name));
        let mut run = faulty(Some("port-plus-dropped"), more);
        let status = run.args(["--report", &report]).output().unwrap().status;
        (file(name), status.code().unwrap())
    };
    let (whole, status) = run("whole.json", &[]);
    assert_eq!(status, 1);
    let shares: Vec<(String, i32)> = ["1/3", "2/3", "3/3"]
        .iter()
        .map(|share| run(&format!("{}.json", &share[..1]), &["--partition", share]))
        .collect();
    // The fault is in one share; the others are green.
    let red = shares.iter().filter(|(_, status)| *status == 1).count();
    let green = shares.iter().filter(|(_, status)| *status == 0).count();
    assert_eq!((red, green), (1, 2), "{shares:?}");
    let merged = file("merged.json");
    let mut merge = connectspec(&["merge", "--report", &format!("json={merged}")]);
    merge.args(shares.iter().map(|(path, _)| path));
    expect(&mut merge, 1, &["1 fail"]);
    assert_eq!(verdicts(&merged), verdicts(&whole));
}

#[test]
fn what_got_worse_is_red_and_what_got_better_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let good = report(folder.path(), "good.json", &[]);
    let bad = folder.path().join("bad.json");
    let text = fs::read_to_string(&good).unwrap();
    fs::write(
        &bad,
        text.replacen("\"verdict\": \"pass\"", "\"verdict\": \"fail\"", 1),
    )
    .unwrap();
    let bad = bad.to_str().unwrap();
    expect(
        &mut connectspec(&["compare", &good, bad]),
        1,
        &["1 worse", "| worse | `close/"],
    );
    expect(&mut connectspec(&["compare", bad, &good]), 0, &["1 better"]);
    expect(
        &mut connectspec(&["compare", &good, "/nowhere/b.json"]),
        3,
        &["/nowhere/b.json"],
    );
    fs::write(bad, "{").unwrap();
    expect(
        &mut connectspec(&["compare", &good, bad]),
        3,
        &["bad.json at line 1"],
    );
}

#[test]
fn a_matrix_holds_reports_and_profiles() {
    let folder = tempfile::tempdir().unwrap();
    let read = report(folder.path(), "a.json", &[]);
    let page = folder.path().join("matrix.html");
    let mut matrix = connectspec(&["matrix", &read, "reference", "--only", "close"]);
    expect(
        &mut matrix,
        0,
        &["side by side", "close/the_last_words_arrive"],
    );
    let html = format!("html={}", page.display());
    expect(
        &mut connectspec(&["matrix", &read, &read, "--report", &html]),
        0,
        &[],
    );
    assert!(
        fs::read_to_string(&page)
            .unwrap()
            .contains("data-case=\"close&#x2f;the_last_words_arrive\"")
    );
    expect(
        &mut connectspec(&["matrix", &read, "--report", "junit=x"]),
        3,
        &["html=PATH"],
    );
    expect(
        &mut connectspec(&["matrix", "apache9"]),
        3,
        &["no profile `apache9`"],
    );
}

#[test]
fn a_profile_is_written_once_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let new = || {
        let mut command = connectspec(&["profile", "new", "mine", "--program", "no-such-proxy"]);
        command.current_dir(folder.path());
        command
    };
    expect(&mut new(), 0, &["mine.toml", "profile check"]);
    expect(&mut new(), 3, &["it is there already"]);
    // Nobody is asked where nobody can answer.
    expect(&mut connectspec(&["profile", "new"]), 3, &["needs a NAME"]);
    let check = |name: &str| {
        let mut command = connectspec(&["profile", "check", name]);
        command.current_dir(folder.path());
        command
    };
    expect(&mut check("./mine.toml"), 2, &["no-such-proxy"]);
    expect(
        &mut check("reference"),
        0,
        &[
            "a tunnel works",
            "allowed-ports  works",
            "credentials    works",
            "upstream       works",
            "tls-listener   works",
        ],
    );
    expect(&mut check("nothing"), 3, &["no profile `nothing`"]);
}

#[test]
fn shells_and_man_are_served() {
    expect(
        &mut connectspec(&["completions", "bash"]),
        0,
        &["--update-baseline"],
    );
    expect(&mut connectspec(&["man"]), 0, &[".TH connectspec", "merge"]);
    let words = [".TH connectspec-profile-check", "NAME|FILE"];
    expect(&mut connectspec(&["man", "profile", "check"]), 0, &words);
    expect(&mut connectspec(&["man", "runn"]), 3, &["`runn`", "run"]);
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    let mut all = connectspec(&["man", "--dir", pages.to_str().unwrap()]);
    expect(&mut all, 0, &[]);
    for page in [
        "connectspec.1",
        "connectspec-run.1",
        "connectspec-profile-new.1",
    ] {
        assert!(pages.join(page).exists(), "{page}");
    }
}
