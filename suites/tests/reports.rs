//! Reports of real runs, held against their schemas; and the templates for other people's CI.

#![expect(clippy::unwrap_used, reason = "what helps a test may panic like one")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn connectspec() -> Command {
    Command::new(env!("CARGO_BIN_EXE_connectspec"))
}

/// The JSON and the JUnit report of a run with passes, skips, observations, failures and what the proxy itself said.
fn reports(folder: &Path) -> (PathBuf, PathBuf) {
    let known = folder.join("known.toml");
    let listed = "[[deviation]]\ncase = 'close/the_last_words_arrive'\nwhy = '<&\"]]>'\n";
    fs::write(&known, listed).unwrap();
    let (json, junit) = (folder.join("report.json"), folder.join("report.xml"));
    let status = connectspec()
        .args(["run", "close", "secrecy", "section", "policy", "--strict"])
        .arg("--baseline")
        .arg(known)
        .arg(format!("--report=json={}", json.display()))
        .arg(format!("--report=junit={}", junit.display()))
        .output()
        .unwrap()
        .status;
    // What is listed and holds has healed.
    assert_eq!(status.code(), Some(1));
    (json, junit)
}

#[test]
fn a_real_report_keeps_the_published_schema() {
    let folder = tempfile::tempdir().unwrap();
    let (json, _) = reports(folder.path());
    let read = |path: &Path| -> serde_json::Value {
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    };
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.enable_format_assertions();
    let published = read(&root().join("fixtures/report.schema.json"));
    compiler
        .add_resource("report.schema.json", published)
        .unwrap();
    let schema = compiler
        .compile("report.schema.json", &mut schemas)
        .unwrap();
    let report = read(&json);
    assert_eq!(report["totals"]["healed"], 1);
    let kept = schemas.validate(&report, schema);
    assert!(kept.is_ok(), "{:#}", kept.unwrap_err());
}

#[test]
fn a_real_junit_report_is_what_every_reader_takes() {
    let folder = tempfile::tempdir().unwrap();
    let (_, junit) = reports(folder.path());
    let xmllint = |file: &Path| {
        let schema = root().join("fixtures/junit.xsd");
        let mut command = Command::new("xmllint");
        command.arg("--noout").arg("--schema").arg(schema).arg(file);
        command.output()
    };
    let Ok(judged) = xmllint(&junit) else {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "xmllint is not installed"
        );
        anstream::eprintln!("not tried: xmllint is not installed");
        return;
    };
    assert!(judged.status.success(), "{judged:?}");
    // And the schema does refuse what it has to.
    let text = fs::read_to_string(&junit).unwrap();
    let wrong = folder.path().join("wrong.xml");
    fs::write(&wrong, text.replacen("<testcase name=", "<testcase id=", 1)).unwrap();
    assert!(!xmllint(&wrong).unwrap().status.success());
}

#[test]
fn the_templates_use_what_there_is() {
    let mut known = BTreeSet::new();
    for command in ["run", "merge", "compare"] {
        let help = connectspec().args([command, "--help"]).output().unwrap();
        known.extend(options(&String::from_utf8(help.stdout).unwrap()));
    }
    for name in ["github/action.yml", "github/workflow.yml", "gitlab.yml"] {
        let text = fs::read_to_string(root().join("ci/templates").join(name)).unwrap();
        // The options of other programs are theirs.
        let theirs = ["cargo ", "curl ", "tar ", "sha256sum "];
        let ours = text
            .lines()
            .filter(|line| !theirs.iter().any(|program| line.contains(program)));
        let used = options(&ours.collect::<Vec<_>>().join("\n"));
        assert!(used.is_subset(&known), "{name}: {used:?}");
    }
}

/// Whoever copies a template gets the version that it was written for.
#[test]
fn what_is_copied_names_this_version() {
    let version = env!("CARGO_PKG_VERSION");
    for (name, named) in [
        ("ci/templates/github/workflow.yml", "templates/github@v"),
        ("ci/templates/README.md", "templates/github@v"),
        ("ci/templates/gitlab.yml", "CONNECTSPEC_VERSION: \""),
        ("ci/templates/gitlab.yml", "connectspec/connectspec/v"),
        ("packages/homebrew/connectspec.rb", "  version \""),
    ] {
        let text = fs::read_to_string(root().join(name)).unwrap();
        let mut after = text.split(named).skip(1).peekable();
        assert!(after.peek().is_some(), "{name} has no `{named}`");
        for rest in after {
            assert!(
                rest.starts_with(version),
                "{name}: write {version} behind `{named}`"
            );
        }
    }
}

/// Every `--option` in a text.
fn options(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    words
        .filter(|word| word.starts_with("--") && word.len() > 2)
        .map(str::to_owned)
        .collect()
}
