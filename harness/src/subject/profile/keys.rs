//! The keys that a profile may have, so that one that it may not have is found by its place.

use toml::de::{DeTable, DeValue};

use crate::subject::profile::mistake::{Mistake, did_you_mean};

/// Table by table, what may stand in it. Tables that are not listed take any key.
type Keys = &'static [(&'static str, &'static [&'static str])];

/// What a profile may hold.
pub(super) const PROFILE: Keys = &[
    (
        "",
        &[
            "name",
            "title",
            "homepage",
            "install",
            "like",
            "launch",
            "file",
            "offers",
            "access-log",
            "deviation",
        ],
    ),
    (
        "launch",
        &[
            "program", "args", "env", "version", "ready", "stop", "check",
        ],
    ),
    ("launch.version", &["args", "pattern"]),
    ("launch.ready", &["within"]),
    ("launch.stop", &["signal", "within"]),
    ("file", &["path", "template", "text"]),
    (
        "offers",
        &[
            "allowed-ports",
            "default-ports",
            "directive",
            "httpd-text",
            "credentials",
            "passwords",
            "clients",
            "upstream",
            "ipv6",
            "names",
            "tls-listener",
            "timeouts",
        ],
    ),
    ("access-log", &["from", "pattern"]),
    DEVIATION,
];

/// What a baseline may hold.
pub(super) const BASELINE: Keys = &[("", &["deviation"]), DEVIATION];

const DEVIATION: (&str, &[&str]) = (
    "deviation",
    &["case", "why", "see", "until", "observed", "sometimes"],
);

/// Finds the first key that may not be there.
pub(super) fn check(keys: Keys, origin: &str, text: &str) -> Result<(), Mistake> {
    let table = DeTable::parse(text).map_err(|error| {
        let message = error.message().to_owned();
        Mistake::at(origin, text, &error.span().unwrap_or(0..0), message)
    })?;
    check_table(keys, "", table.get_ref(), &|span, message, hint| {
        Mistake::at(origin, text, &span, message).hint(Some(hint))
    })
}

type Blame<'a> = &'a dyn Fn(std::ops::Range<usize>, String, String) -> Mistake;

fn check_table(
    keys: Keys,
    path: &str,
    table: &DeTable<'_>,
    blame: Blame<'_>,
) -> Result<(), Mistake> {
    let Some((_, known)) = keys.iter().find(|(table, _)| *table == path) else {
        return Ok(());
    };
    // A table's own order is not the file's: the first mistake is the one that stands first.
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in entries {
        let name: &str = key.get_ref();
        if !known.contains(&name) {
            let place = if path.is_empty() {
                "at the top".to_owned()
            } else {
                format!("in [{path}]")
            };
            let hint = did_you_mean(name, known.iter().copied())
                .unwrap_or_else(|| format!("the keys are: {}", known.join(", ")));
            return Err(blame(
                key.span(),
                format!("unknown key `{name}` {place}"),
                hint,
            ));
        }
        let below = if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        };
        match value.get_ref() {
            DeValue::Table(table) => check_table(keys, &below, table, blame)?,
            DeValue::Array(items) => {
                for item in items.iter() {
                    if let DeValue::Table(table) = item.get_ref() {
                        check_table(keys, &below, table, blame)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}
