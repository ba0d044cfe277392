//! A whole profile, the smallest one, and each mistake that can be made in between.

use crate::subject::{
    offers::{AllowedPorts, PortList, TimeoutKind},
    profile::*,
};

const WHOLE: &str = r#"
name     = "some"
title    = "Some proxy"
install  = "apt-get install some"
like     = "httpd-2.4"

[launch]
program = "some"
args    = ["-f", "{{ scratch }}/some.conf"]
env     = { LANG = "C" }
version = { args = ["-v"], pattern = 'Some/(\S+)' }
ready   = { within = "1500ms" }
stop    = { signal = "INT" }
check   = ["-t"]

[[file]]
path     = "conf/some.conf"
template = "../configs/some.conf.jinja"

[offers]
allowed-ports = "list"
default-ports = []
timeouts      = ["connect", "idle"]

[access-log]
from    = "stdout"
pattern = 'status=(?P<status>\d+)'

[[deviation]]
case = "target/x[y]"
why  = "It is cut."
until = "2027-06-30"
"#;

fn parse(text: &str) -> Result<Profile, ProfileError> {
    Profile::parse("profiles/some.toml", text, &|name| {
        (name == "../configs/some.conf.jinja").then(|| "Port {{ listen.port }}\n".to_owned())
    })
}

#[test]
fn a_whole_profile_is_read() {
    let profile = parse(WHOLE).unwrap();
    assert_eq!(profile.title, "Some proxy");
    assert_eq!(profile.launch.ready_within, Duration::from_millis(1500));
    assert_eq!(profile.launch.stop_signal, StopSignal::Int);
    assert_eq!(profile.launch.stop_within, STOP_WITHIN);
    assert_eq!(profile.files[0].path, Path::new("conf/some.conf"));
    assert_eq!(
        profile.offers.allowed_ports,
        Some(AllowedPorts::of(PortList::List))
    );
    assert_eq!(profile.offers.default_ports.as_deref(), Some(&[][..]));
    assert_eq!(
        profile.offers.timeouts,
        [TimeoutKind::Connect, TimeoutKind::Idle]
    );
    assert!(!profile.offers.upstream && profile.folder.is_none());
    assert_eq!(profile.access_log.as_ref().unwrap().from, LogSource::Stdout);
    assert_eq!(profile.deviations[0].case, "target/x[y]");
}

#[test]
fn the_smallest_profile_is_read() {
    let profile = parse("name = 'x'\n[launch]\nprogram = 'x'\n").unwrap();
    assert_eq!(
        (profile.title.as_str(), profile.launch.args.len()),
        ("x", 0)
    );
    assert_eq!(profile.offers, Offers::default());
}

/// What is changed in the whole profile, into what, and what is said of it.
const MISTAKES: &[(&str, &str, &str)] = &[
    (
        "program =",
        "prgram =",
        "8:1: unknown key `prgram` in [launch]; did you mean `program`?",
    ),
    (
        "like ",
        "liek ",
        "5:1: unknown key `liek` at the top; did you mean `like`?",
    ),
    (
        "args = [\"-v\"]",
        "arg = [\"-v\"]",
        "11:13: unknown key `arg` in [launch.version]; did you mean `args`?",
    ),
    (
        "[launch]",
        "[lunch]",
        "7:2: unknown key `lunch` at the top; did you mean `launch`?",
    ),
    (
        "default-ports",
        "default_ports",
        "22:1: unknown key `default_ports` in [offers]; did you mean `default-ports`?",
    ),
    (
        "why  =",
        "wyh  =",
        "31:1: unknown key `wyh` in [deviation]; did you mean `why`?",
    ),
    (
        "scratch }}",
        "scrath }}",
        "9: unknown variable `scrath`; did you mean `scratch`?",
    ),
    ("[\"-t\"]", "[\"-t\"", "16:1: missing comma"),
    (
        "\"INT\"",
        "\"INTERRUPT\"",
        "13:22: unknown variant `INTERRUPT`",
    ),
    (
        "\"1500ms\"",
        "\"soon\"",
        "12:22: `soon` is no duration; write it like \"10s\"",
    ),
    (
        "Some/(\\S+)",
        "Some/\\S+",
        "11:38: the pattern needs a group around the version",
    ),
    (
        "<status>\\d+)",
        "<status>\\d+",
        "27:11: the pattern is wrong: unclosed group",
    ),
    (
        "<status>",
        "<staus>",
        "27:11: unknown group `staus` in the pattern; did you mean `status`?",
    ),
    (
        "some.conf.jinja",
        "other.jinja",
        "18:12: could not read the template `../configs/other.jinja`",
    ),
    (
        "\"conf/some.conf\"",
        "\"../some.conf\"",
        "17:12: `../some.conf` is no path inside the scratch folder",
    ),
    (
        "template =",
        "text = \"\"\ntemplate =",
        "17:12: a [[file]] needs either `template` or `text`",
    ),
    ("name     = \"some\"", "", "missing field `name`"),
    (
        "\"connect\"",
        "\"conect\"",
        "23:18: unknown variant `conect`",
    ),
    (
        "timeouts ",
        "upstream = true\nupstream-versions = [\"h2c\", \"h3\"]\ntimeouts ",
        "24:29: unknown variant `h3`, expected one of `http/1.1`, `h2c`, `h2`",
    ),
    (
        "timeouts ",
        "upstream = true\nupstream-versions = []\ntimeouts ",
        "24:21: no version is named; there are \"http/1.1\", \"h2c\" and \"h2\"",
    ),
    (
        "timeouts ",
        "upstream-version = [\"h2c\"]\ntimeouts ",
        "23:1: unknown key `upstream-version` in [offers]; did you mean `upstream-versions`?",
    ),
    (
        "timeouts ",
        "upstream-versions = [\"h2c\"]\ntimeouts ",
        "23:1: `upstream-versions` is about an upstream proxy, and none is offered; add `upstream = true`",
    ),
];

#[test]
fn each_mistake_is_named_with_its_place_and_its_remedy() {
    for (right, wrong, message) in MISTAKES {
        let text = WHOLE.replacen(right, wrong, 1);
        assert_ne!(text, WHOLE, "{right}");
        let error = parse(&text).unwrap_err().to_string();
        assert!(error.starts_with("profiles/some.toml:"), "{error}");
        assert!(error.contains(message), "{error}\n  should say\n{message}");
    }
}

#[test]
fn a_profile_in_a_file_finds_its_templates_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let here = |name: &str| folder.path().join(name);
    fs::create_dir_all(here("profiles")).unwrap();
    fs::create_dir_all(here("configs")).unwrap();
    let path = here("profiles/some.toml");
    let missing = Profile::load(&path).unwrap_err().to_string();
    assert!(missing.contains("could not read the profile") && missing.contains("some.toml"));

    fs::write(&path, WHOLE).unwrap();
    fs::write(
        here("configs/some.conf.jinja"),
        "Listen\nPort {{ lisen.port }}\n",
    )
    .unwrap();
    let error = Profile::load(&path).unwrap_err().to_string();
    let expected = "configs/some.conf.jinja:2: unknown variable `lisen`; did you mean `listen`?";
    assert!(error.ends_with(expected), "{error}");

    fs::write(here("configs/some.conf.jinja"), "Port {{ listen.port }}\n").unwrap();
    let profile = Profile::load(&path).unwrap();
    assert_eq!(
        profile.folder,
        Some(fs::canonicalize(here("profiles")).unwrap())
    );
}
