//! A profile: no text makes the reader panic, and what is wrong with one is said with its file and a line that it has.

use connectspec_harness::{
    setup::PortRange,
    subject::{
        configuration::{Configuration, Credentials, Timeouts},
        profile::{Profile, ProfileError, mistake::Mistake, parse_baseline, template::Template},
        variables::Vars,
    },
};

/// The name of the profile.
const FILE: &str = "fuzzed.toml";

/// What the name of a template ends with; all are the same one.
const TEMPLATE: &str = ".jinja";

/// Whether the input was accepted. Panics where the property does not hold; `template` is the text of the templates that
/// the profile may name.
pub(crate) fn holds(text: &str, template: &str) -> bool {
    if let Err(error) = parse_baseline(FILE, text) {
        is_placed(error, text, template);
    }
    let read = Profile::parse(FILE, text, &|name| {
        name.ends_with(TEMPLATE).then(|| template.to_owned())
    });
    let profile = match read {
        Ok(profile) => profile,
        Err(error) => {
            is_placed(error, text, template);
            return false;
        }
    };
    let launch = &profile.launch;
    let files = profile.files.iter().map(|file| &file.template);
    let check = launch.check.iter().flatten();
    let all = [&launch.program].into_iter();
    for template_of_it in all.chain(&launch.args).chain(check).chain(files) {
        renders(template_of_it, &profile, text, template);
    }
    true
}

/// A template that was accepted is filled in, or says where it cannot be.
fn renders(one: &Template, profile: &Profile, text: &str, template: &str) {
    // Loops may be as long as their author wants; they are not what is looked for.
    if one.text.contains("for") || one.text.contains("macro") {
        return;
    }
    for configuration in [bare(), full()] {
        let values = vars().values(&configuration, &profile.offers);
        if let Err(mistake) = one.render(&values) {
            is_placed_in(&mistake, text, template);
        }
    }
}

fn is_placed(error: ProfileError, text: &str, template: &str) {
    match error {
        ProfileError::Mistake(mistake) => is_placed_in(&mistake, text, template),
        error => panic!("not a word of what is wrong: {error}"),
    }
}

fn is_placed_in(mistake: &Mistake, text: &str, template: &str) {
    let of = match mistake.origin.as_str() {
        FILE => text,
        name if name.ends_with(TEMPLATE) => template,
        _ => panic!("no file of this name: {mistake}"),
    };
    let lines = of.matches('\n').count() + 1;
    assert!((1..=lines).contains(&mistake.line), "{mistake}");
    assert_ne!(mistake.column, Some(0), "{mistake}");
    assert!(!mistake.message.is_empty(), "{mistake}");
}

fn bare() -> Configuration {
    Configuration::new(([127, 0, 0, 1], 3128).into())
}

fn full() -> Configuration {
    Configuration {
        allow: Some(vec![PortRange { first: 1, last: 3 }]),
        allow_text: Some("443".to_owned()),
        credentials: Credentials::parse("a:b"),
        clients: Some(vec![[127, 0, 0, 1].into()]),
        upstream: Some(([127, 0, 0, 1], 3129).into()),
        timeouts: Timeouts {
            connect: Some(1),
            idle: Some(2),
            header: None,
        },
        lines: Some("Timeout 1\n{port}".to_owned()),
        ..bare()
    }
}

fn vars() -> Vars {
    Vars {
        scratch: "/scratch".into(),
        access_log: "/scratch/access.log".into(),
        error_log: "/scratch/error.log".into(),
        htpasswd: Some("/scratch/htpasswd".into()),
        tls: None,
        upstream_ca: None,
        here: None,
    }
}
