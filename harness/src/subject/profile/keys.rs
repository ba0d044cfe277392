//! The keys that a profile may have, so that one that it may not have is found by its place.

use std::{iter, sync::LazyLock};

use toml::de::{DeTable, DeValue};

use crate::subject::{
    Offer,
    profile::mistake::{Mistake, did_you_mean},
};

/// The keys of one kind of file, table by table. Tables that are not named take any key.
pub(crate) type Keys = fn(table: &str) -> Option<&'static [&'static str]>;

/// What a profile may hold.
pub(super) fn of_profile(table: &str) -> Option<&'static [&'static str]> {
    static OFFERS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
        Offer::all()
            .flat_map(|offer| iter::once(offer.key).chain(offer.once.iter().copied()))
            .collect()
    });
    Some(match table {
        "" => &[
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
        "launch" => &[
            "program", "args", "env", "before", "version", "ready", "stop", "pid-file", "check",
        ],
        "launch.version" => &["args", "pattern"],
        "launch.ready" => &["within"],
        "launch.stop" => &["signal", "within"],
        "file" => &["path", "template", "text"],
        "offers" => OFFERS.as_slice(),
        "offers.allowed-ports" => &["kind", "most"],
        "access-log" => &["from", "pattern"],
        "deviation" => DEVIATION,
        _ => return None,
    })
}

/// What a baseline may hold.
pub(super) fn of_baseline(table: &str) -> Option<&'static [&'static str]> {
    match table {
        "" => Some(&["deviation"]),
        "deviation" => Some(DEVIATION),
        _ => None,
    }
}

const DEVIATION: &[&str] = &[
    "case",
    "rows",
    "over",
    "why",
    "see",
    "until",
    "observed",
    "sometimes",
];

/// Finds the first key that may not be there.
pub(crate) fn check(keys: Keys, origin: &str, text: &str) -> Result<(), Mistake> {
    let table = DeTable::parse(text).map_err(|error| {
        let message = error.message().to_owned();
        Mistake::at(origin, text, &error.span().unwrap_or(0..0), message)
    })?;
    check_table(keys, "", table.get_ref(), &|span, message, hint| {
        Mistake::at(origin, text, &span, message).hint(Some(hint))
    })
}

/// Where a key of a table at the top stands.
pub(super) fn place_of(text: &str, table: &str, key: &str) -> Option<std::ops::Range<usize>> {
    let top = DeTable::parse(text).ok()?;
    let (_, value) = top.get_ref().get_key_value(table)?;
    let DeValue::Table(table) = value.get_ref() else {
        return None;
    };
    Some(table.get_key_value(key)?.0.span())
}

type Blame<'a> = &'a dyn Fn(std::ops::Range<usize>, String, String) -> Mistake;

fn check_table(
    keys: Keys,
    path: &str,
    table: &DeTable<'_>,
    blame: Blame<'_>,
) -> Result<(), Mistake> {
    let Some(known) = keys(path) else {
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
