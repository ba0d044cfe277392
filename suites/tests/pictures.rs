//! The picture in the README: what a run prints, kept as it was printed, and held against what a run prints today.
//!
//! `ci/pictures` takes it anew.

#![expect(clippy::unwrap_used, reason = "what helps a test may panic like one")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The case that the picture shows, and the proxy that fails it.
const CASE: &str = "port/refuses_a_bad_port[past_65535]";
const PROFILE: &str = "apache";

/// As wide as most terminals are opened: what is longer goes on in the next line, as there.
const COLUMNS: usize = 120;

#[test]
fn the_picture_of_the_readme_shows_what_a_run_prints() {
    if !Path::new("/usr/sbin/apache2").exists() {
        let ci = std::env::var("CI").as_deref() == Ok("true");
        assert!(!ci, "apache2 is not installed");
        anstream::eprintln!("not tried: apache2 is not installed");
        return;
    }
    let (text, picture) = (pictures("failure.ansi"), pictures("failure.svg"));
    let printed = run();
    if std::env::var_os("TAKE_PICTURES").is_some() {
        fs::create_dir_all(text.parent().unwrap()).unwrap();
        fs::write(&text, &printed).unwrap();
        fs::write(&picture, rendered(&printed)).unwrap();
    }
    let kept = fs::read_to_string(&text).unwrap();
    assert_eq!(
        lasting(&kept),
        lasting(&printed),
        "the output of a run has changed: ci/pictures takes the picture anew"
    );
    assert_eq!(
        fs::read_to_string(&picture).unwrap(),
        rendered(&kept),
        "failure.svg is not failure.ansi: ci/pictures takes both anew"
    );
}

fn pictures(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs/pictures")
        .join(name)
}

/// What a run prints of the case, with colours, where nobody has listed the failure yet.
fn run() -> String {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let folder = tempfile::tempdir().unwrap();
    for inner in ["configs", "profiles"] {
        fs::create_dir(folder.path().join(inner)).unwrap();
    }
    let config = "configs/apache.conf.jinja";
    fs::copy(fixtures.join(config), folder.path().join(config)).unwrap();
    let known = fs::read_to_string(fixtures.join("profiles/apache.toml")).unwrap();
    let (unlisted, _) = known.split_once("\n[[deviation]]").unwrap();
    fs::write(folder.path().join("profiles/apache.toml"), unlisted).unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_connectspec"))
        .args(["run", "--profile", "./apache.toml", CASE])
        .current_dir(folder.path().join("profiles"))
        .env("CLICOLOR_FORCE", "1")
        .env_remove("NO_COLOR")
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    let printed = String::from_utf8(ran.stdout).unwrap();
    let command = format!("$ connectspec run --profile {PROFILE} '{CASE}'\n");
    command + &printed.replace("--profile ./apache.toml", &format!("--profile {PROFILE}"))
}

/// The lines without what differs from run to run: numbers, nonces, spaces before numbers, who packed httpd, and the order of what
/// happens on two legs at once.
fn lasting(printed: &str) -> Vec<String> {
    let mut lines: Vec<String> = printed
        .replace("(Ubuntu)", "(Debian)")
        .lines()
        .map(|line| {
            let words = line.split_ascii_whitespace().map(|word| {
                let word = match word.split_once("nonce-") {
                    Some((before, nonce)) => {
                        format!(
                            "{before}nonce-{}",
                            nonce.trim_start_matches(|c: char| c.is_ascii_hexdigit())
                        )
                    }
                    None => word.to_owned(),
                };
                without_numbers(&word)
            });
            words.collect::<Vec<_>>().join(" ")
        })
        .collect();
    lines.sort();
    lines
}

/// Each number, also one with dots, becomes a 0; escape sequences have numbers of their own, which never change.
fn without_numbers(word: &str) -> String {
    let mut kept = String::new();
    for c in word.chars() {
        match c {
            '0'..='9' if kept.ends_with('0') => {}
            '0'..='9' => kept.push('0'),
            '.' if kept.ends_with('0') => {}
            _ => kept.push(c),
        }
    }
    kept
}

fn rendered(printed: &str) -> String {
    let wrapped: Vec<String> = printed.lines().map(wrapped).collect();
    let picture = anstyle_svg::Term::new()
        .palette(anstyle_svg::WIN10_CONSOLE)
        .render_svg(&wrapped.join("\n"));
    // What is dim has to be legible, too.
    picture.replace("opacity: 0.4", "opacity: 0.7")
}

/// The line, cut where a terminal goes on in the next one. Escape sequences take no room.
fn wrapped(line: &str) -> String {
    let (mut out, mut column, mut escaped) = (String::new(), 0, false);
    for c in line.chars() {
        if c == '\u{1b}' {
            escaped = true;
        } else if !escaped {
            if column == COLUMNS {
                out.push('\n');
                column = 0;
            }
            column += 1;
        } else if c == 'm' {
            escaped = false;
        }
        out.push(c);
    }
    out
}
