//! The members of a Proxy-Status, parsed.

use connectspec_harness::prelude::*;
use sfv::{BareItem, Item, List, ListEntry, Parser};

use crate::cases::words::refusal_kinds::replies;

pub(super) fn never() -> Finding {
    Finding::inconclusive("there is no Proxy-Status")
}

/// Every member of every Proxy-Status in the replies to every occasion is `right`.
pub(super) async fn each_value(lab: &Lab, right: impl Fn(&Reply, &Item) -> Outcome) -> Outcome {
    let mut seen = false;
    for (name, reply) in replies(lab).await? {
        for member in members(&reply).map_err(|found| found.at(&name))? {
            seen = true;
            right(&reply, &member).map_err(|found| found.at(&name))?;
        }
    }
    if seen { Ok(()) } else { Err(never()) }
}

/// The members of all Proxy-Status fields of a reply.
pub(super) fn members(reply: &Reply) -> Outcome<Vec<Item>> {
    let lines: Vec<_> = reply.values("Proxy-Status").collect();
    let value = lines.join(&b", "[..]);
    if value.is_empty() {
        return Ok(Vec::new());
    }
    let wrong = |why: String| {
        let shown = format!("{}: {why}", value.escape_ascii());
        Finding::violation("a list of strings or tokens", shown)
    };
    let list: List = Parser::new(&value)
        .parse()
        .map_err(|error| wrong(error.to_string()))?;
    let names = list.into_iter().map(|entry| match entry {
        ListEntry::Item(item) => match item.bare_item {
            BareItem::String(_) | BareItem::Token(_) => Ok(item),
            _ => Err(wrong("a member is neither".to_owned())),
        },
        ListEntry::InnerList(_) => Err(wrong("a member is a list".to_owned())),
    });
    names.collect()
}

/// The error of a member, where it is a token.
pub(super) fn error(member: &Item) -> Option<String> {
    match member.params.get("error")? {
        BareItem::Token(error) => Some(error.as_str().to_owned()),
        _ => None,
    }
}

/// A parameter, if it is there, is of its type.
pub(super) fn typed(
    member: &Item,
    name: &str,
    expected: &str,
    is: fn(&BareItem) -> bool,
) -> Outcome {
    match member.params.get(name) {
        Some(value) if !is(value) => Err(Finding::violation(
            format!("{name} is {expected}"),
            format!("{value:?}"),
        )),
        _ => Ok(()),
    }
}
