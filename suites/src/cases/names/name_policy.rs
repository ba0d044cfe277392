//! # Names as policy
//!
//! Sandboxes, build machines and companies allow names: these services, and nothing else. Such a list is worth what the
//! proxy makes of the names that only look like one of it. The proxy of these cases has been given a list; each case takes
//! a name of it, and a name server of the suite says where that leads.

use connectspec_harness::{lab::network::Answers, prelude::*, setup::FOREIGN_LABEL};

use super::requests::{Place, leads_to, to};
use crate::documents::{RFC_5891, RFC_9110};

/// Every case about which names a list means.
pub(crate) fn suite() -> Suite {
    suite! {
        "name_policy": "Names as policy", include_str!("name_policy.rs");
        a_listed_name_is_reached,
        a_name_that_is_not_listed_is_refused,
        a_listed_name_is_reached_in_any_case,
        a_denied_name_is_refused,
        a_denied_name_is_refused_in_any_case,
        a_dot_behind_a_name_opens_nothing,
        a_dot_behind_a_listed_name,
        names_below_a_listed_one_are_reached,
        names_below_a_denied_one_are_refused,
        what_looks_like_a_listed_name_is_refused,
        a_name_that_is_listed_with_those_below_it,
        a_foreign_name_is_refused_in_either_form,
        letters_that_look_alike_open_nothing,
    }
}

/// A list that keeps out what it names is no policy, but an outage.
///
/// Only this conforms: a tunnel to the address that the name server gives.
fn a_listed_name_is_reached() -> Case {
    listed(must(
        "A name on the list leads to the address that the name server gives",
    ))
    .covers(["NAM-001"])
    .about_the_control()
    .run(async |lab| {
        let place = Place::take(lab).await?;
        let name = lab.host_of(HostKind::Listed, place.answers())?;

        leads_to(lab, &to(lab, &name, place.port), &place.server).await
    })
}

/// A sandbox is closed as long as this holds.
///
/// Also accepted: any status that is not 2xx, or a close without an answer. Whether the name server was asked is noted.
fn a_name_that_is_not_listed_is_refused() -> Case {
    listed(must("A name that is not on the list is refused"))
        .covers(["NAM-002", "NAM-011"])
        .run(async |lab| {
            let place = Place::take(lab).await?;
            let name = lab.name(place.answers())?;

            lab.refuses(&to(lab, &name, place.port)).await?;
            lab.note(match name.questions()?.len() {
                0 => "the name was not looked up".to_owned(),
                asked => format!("the name was looked up, with {asked} questions"),
            });
            Ok(())
        })
}

/// Names have no case (RFC 4343); who writes one as its owner does on a poster must not be kept out.
///
/// Only this conforms: a tunnel.
fn a_listed_name_is_reached_in_any_case() -> Family {
    each(LETTERS, |&(_, spelled)| {
        listed(should("A name on the list is reached in any letter case"))
            .cites(RFC_9110.section("4.2.3"))
            .covers(["NAM-003"])
            .relying_on(["name_policy/a_listed_name_is_reached"])
            .run(async move |lab| {
                let place = Place::take(lab).await?;
                let name = lab.host_of(HostKind::Listed, place.answers())?;
                let target = format!("{}:{}", spelled(name.text()), place.port);

                leads_to(lab, &lab.client().request(target), &place.server).await
            })
    })
}

/// Who blocks a name does not want it to be reached.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn a_denied_name_is_refused() -> Case {
    denied(must("A name that is denied is refused"))
        .covers(["NAM-002"])
        .run(async |lab| {
            let name = denied_name(lab, HostKind::Denied, str::to_owned).await?;
            lab.refuses(&name).await.map(drop)
        })
}

/// Whoever may choose the case of letters could choose to pass.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn a_denied_name_is_refused_in_any_case() -> Family {
    each(LETTERS, |&(_, spelled)| {
        denied(must("A name that is denied is refused in any letter case"))
            .cites(RFC_9110.section("4.2.3"))
            .covers(["NAM-003"])
            .relying_on(["name_policy/a_denied_name_is_refused"])
            .run(async move |lab| {
                let name = denied_name(lab, HostKind::Denied, spelled).await?;
                lab.refuses(&name).await.map(drop)
            })
    })
}

/// Another way to write a name.
type Spelling = fn(&str) -> String;

const LETTERS: &[(&str, Spelling)] = &[
    ("capitals", |name| name.to_ascii_uppercase()),
    ("one_capital", |name| {
        let (first, rest) = name.split_at(1);
        first.to_ascii_uppercase() + rest
    }),
];

/// To a resolver, a dot at the end says that a name is whole. To a list that compares text, it is another name.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn a_dot_behind_a_name_opens_nothing() -> Family {
    each(DOTS, |&(_, kind, spelled)| {
        let case = denied(must(
            "A name that is denied is refused with a dot behind it, too",
        ))
        .covers(["NAM-004"])
        .relying_on(["name_policy/a_denied_name_is_refused"]);
        let case = match kind {
            HostKind::Barred => case.needs([Need::DeniedSubdomains]),
            _ => case,
        };
        case.run(async move |lab| {
            let name = denied_name(lab, kind, spelled).await?;
            lab.refuses(&name).await.map(drop)
        })
    })
}

const DOTS: &[(&str, HostKind, Spelling)] = &[
    ("one", HostKind::Denied, |name| format!("{name}.")),
    ("two", HostKind::Denied, |name| format!("{name}..")),
    ("of_a_name_with_others_below", HostKind::Barred, |name| {
        format!("{name}.")
    }),
];

/// It is the same name, and few clients write it so.
///
/// Also accepted: a tunnel, and any refusal; it is noted which.
fn a_dot_behind_a_listed_name() -> Case {
    listed(survey(
        "What comes of a name on the list with a dot behind it",
    ))
    .covers(["NAM-004"])
    .run(async |lab| {
        let place = Place::take(lab).await?;
        let name = lab.host_of(HostKind::Listed, place.answers())?;
        let target = format!("{}.:{}", name.text(), place.port);
        let exchange = lab.client().asks(lab.client().request(target)).await?;
        lab.note(exchange.answer.describe());
        Ok(())
    })
}

/// A service has as many names below its own as it likes, and new ones every day.
///
/// Only this conforms: a tunnel, as the list says that it holds all of them.
fn names_below_a_listed_one_are_reached() -> Family {
    each(BELOW, |&(_, below)| {
        listed(must(
            "A name below one that is listed with all below it is reached",
        ))
        .covers(["NAM-005"])
        .needs([Need::HostSubdomains])
        .run(async move |lab| {
            let place = Place::take(lab).await?;
            let wide = lab.host_of(HostKind::Wide, place.answers())?;
            let name = lab.name_as(&below(wide.text()), place.answers())?;

            leads_to(lab, &to(lab, &name, place.port), &place.server).await
        })
    })
}

/// Who owns a name can make others below it, as many as it takes.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn names_below_a_denied_one_are_refused() -> Family {
    each(BELOW_DENIED, |&(_, below)| {
        denied(must(
            "A name below one that is denied with all below it is refused",
        ))
        .covers(["NAM-005"])
        .needs([Need::DeniedSubdomains])
        .run(async move |lab| {
            let name = denied_name(lab, HostKind::Barred, below).await?;
            lab.refuses(&name).await.map(drop)
        })
    })
}

const BELOW: &[(&str, Spelling)] = &[
    ("one_level", |name| format!("a.{name}")),
    ("three_levels", |name| format!("a.b.c.{name}")),
];

const BELOW_DENIED: &[(&str, Spelling)] = &[
    BELOW[0],
    BELOW[1],
    ("in_capitals", |name| format!("A.{}", name.to_uppercase())),
];

/// Anybody can register a name that begins or ends as another one does.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn what_looks_like_a_listed_name_is_refused() -> Family {
    each(ALIKE, |&(_, kind, alike)| {
        listed(must(
            "A name that begins or ends like one on the list is refused",
        ))
        .covers(["NAM-005"])
        .relying_on(["name_policy/a_name_that_is_not_listed_is_refused"])
        .run(async move |lab| {
            let place = Place::take(lab).await?;
            let known = lab.host_of(kind, Answers::addresses([]))?;
            let name = lab.name_as(&alike(known.text()), place.answers())?;

            lab.refuses(&to(lab, &name, place.port)).await.map(drop)
        })
    })
}

#[rustfmt::skip]
const ALIKE: &[(&str, HostKind, Spelling)] = &[
    ("in_front", HostKind::Listed, |name| format!("evil{name}")),
    ("in_front_of_a_wide_one", HostKind::Wide, |name| format!("evil{name}")),
    ("hyphen_in_front_of_a_wide_one", HostKind::Wide, |name| format!("a-{name}")),
    ("below_a_name_alone", HostKind::Listed, |name| format!("a.{name}")),
    ("as_a_label", HostKind::Listed, |name| format!("{name}.evil.test")),
    ("as_a_label_of_a_wide_one", HostKind::Wide, |name| format!("a.{name}.evil.test")),
    ("letters_behind", HostKind::Listed, |name| format!("{name}evil")),
    ("letters_behind_a_wide_one", HostKind::Wide, |name| format!("a.{name}evil")),
    ("another_character_for_the_dot", HostKind::Listed, |name| name.replace('.', "x")),
    ("hyphens_for_dots", HostKind::Wide, |name| format!("a-{}", name.replace('.', "-"))),
    ("its_own_end", HostKind::Listed, |name| name[1..].to_owned()),
];

/// Lists differ in whether a name with all below it holds the name itself, and who writes them has to know.
///
/// Also accepted: a tunnel, and any refusal; it is noted which.
fn a_name_that_is_listed_with_those_below_it() -> Case {
    listed(survey(
        "What comes of a name that is listed with all below it",
    ))
    .covers(["NAM-005"])
    .needs([Need::HostSubdomains])
    .run(async |lab| {
        let place = Place::take(lab).await?;
        let name = lab.host_of(HostKind::Wide, place.answers())?;
        let exchange = lab.client().asks(to(lab, &name, place.port)).await?;
        lab.note(exchange.answer.describe());
        Ok(())
    })
}

/// A name in another script has two forms: that of the domain name system, and that which people read.
///
/// Also accepted: any status that is not 2xx, or a close without an answer. What is denied in the one form is in the other.
fn a_foreign_name_is_refused_in_either_form() -> Family {
    each(FORMS, |&(_, form)| {
        denied(must(
            "A denied name in another script is refused in either form",
        ))
        .cites(RFC_5891.section("4"))
        .covers(["NAM-010"])
        .run(async move |lab| {
            let name = denied_name(lab, HostKind::ForeignDenied, form).await?;
            lab.refuses(&name).await.map(drop)
        })
    })
}

const FORMS: &[(&str, Spelling)] = &[
    ("ascii", str::to_owned),
    ("ascii_in_capitals", |name| name.to_ascii_uppercase()),
    ("unicode", |name| name.replace(FOREIGN_LABEL, "b\u{fc}cher")),
    ("unicode_in_capitals", |name| {
        name.replace(FOREIGN_LABEL, "B\u{dc}CHER")
    }),
];

/// Letters of other scripts look like those of a name that people know, and are not.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn letters_that_look_alike_open_nothing() -> Family {
    each(LOOKALIKES, |&(_, alike)| {
        listed(must(
            "Letters that look like those of a name on the list open nothing",
        ))
        .cites(RFC_5891.section("4"))
        .covers(["NAM-010"])
        .run(async move |lab| {
            let place = Place::take(lab).await?;
            let known = lab.host_of(HostKind::Foreign, Answers::addresses([]))?;
            let name = lab.name_as(&alike(known.text()), place.answers())?;

            lab.refuses(&to(lab, &name, place.port)).await.map(drop)
        })
    })
}

const LOOKALIKES: &[(&str, Spelling)] = &[
    // A Cyrillic letter for the Latin c: bü\u{441}her.
    ("another_script", |name| {
        name.replace(FOREIGN_LABEL, "xn--bher-0ra631c")
    }),
    ("without_the_dots", |name| {
        name.replace(FOREIGN_LABEL, "bucher")
    }),
];

fn listed(case: Case) -> Case {
    case.cites(RFC_9110.section("9.3.6"))
        .needs([Need::Names])
        .under(allowing_hosts())
        .in_the_lab()
}

fn denied(case: Case) -> Case {
    listed(case).under(denying_hosts())
}

/// A request for a denied name in another spelling, behind which a server would notice.
async fn denied_name(lab: &Lab, kind: HostKind, spelled: Spelling) -> Outcome<Request> {
    let place = Place::take(lab).await?;
    let name = lab.host_of(kind, place.answers())?;
    let text = spelled(name.text());
    // Whatever the proxy makes of the spelling, it is the same server; but no name server knows names beyond ASCII.
    if text.is_ascii() {
        lab.name_as(&text, place.answers())?;
    }
    Ok(lab.client().request(format!("{text}:{}", place.port)))
}
