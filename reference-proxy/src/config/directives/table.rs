//! Every directive of httpd 2.4: which module brings it, where it may stand, and what becomes of it here.
//!
//! A name that is not in the table is an error. So are those that can let somebody in or keep somebody out, or
//! send a tunnel another way, and are not understood here. Nothing is ignored because nobody thought of it.

mod access;
mod content;
mod proxying;
mod reasons;
mod server;
mod tls;

pub use reasons::Reason;

use std::collections::HashMap;
use std::sync::LazyLock;

/// One module of httpd.
#[derive(Debug, PartialEq, Eq)]
pub struct Module {
    /// What `LoadModule` and `<IfModule>` call it.
    pub id: &'static str,
    /// Its source file, as which `<IfModule>` knows it as well.
    pub source: &'static str,
    /// Its directives, in words.
    names: &'static [(Context, Meaning, &'static str)],
}

/// Where a directive may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// The server config only.
    Global,
    /// The server config and `<VirtualHost>`.
    Server,
    /// Also `<Proxy>`, and no other section.
    Proxy,
    /// Also `<Proxy>` and its kin.
    Section,
    /// Only `<Proxy>` and its kin.
    Inside,
}

/// What becomes of a directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It is understood: the reader or a setter knows it.
    Run,
    /// Nothing that a CONNECT meets depends on it.
    Idle,
    /// The same, as long as its setter has nothing against what it says.
    Checked,
    /// It could change who gets in, or where to, and is not understood.
    Refused(&'static Reason),
    /// The same, in a section that applies to a CONNECT; elsewhere it is idle.
    RefusedInside(&'static Reason),
    /// The same, unless all it says is this word, in any case.
    RefusedUnless(&'static str, &'static Reason),
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Its name as documented.
    pub name: &'static str,
    /// The module that must be loaded.
    pub module: &'static Module,
    /// Where it may stand.
    pub context: Context,
    /// What becomes of it.
    pub meaning: Meaning,
}

/// What is known of a name, in any case; several lines where several modules bring it.
#[must_use]
pub fn lines(name: &str) -> &'static [Known] {
    TABLE
        .get(&name.to_ascii_lowercase())
        .map_or(&[], Vec::as_slice)
}

/// The whole table, in no order.
pub fn all() -> impl Iterator<Item = &'static Known> {
    TABLE.values().flatten()
}

/// The module of that identifier.
#[must_use]
pub fn module(id: &str) -> Option<&'static Module> {
    MODULES.into_iter().flatten().find(|module| module.id == id)
}

/// The known name that is nearest to a wrong one.
#[must_use]
pub fn nearest(name: &str) -> &'static str {
    let lower = name.to_ascii_lowercase();
    let distance =
        |known: &&Known| strsim::damerau_levenshtein(&known.name.to_ascii_lowercase(), &lower);
    // Of several that are as near, always the same.
    all()
        .min_by_key(|known| (distance(known), known.name))
        .map_or("", |known| known.name)
}

static MODULES: [&[Module]; 5] = [
    server::MODULES,
    proxying::MODULES,
    access::MODULES,
    tls::MODULES,
    content::MODULES,
];

/// By name, in lower case.
static TABLE: LazyLock<HashMap<String, Vec<Known>>> = LazyLock::new(|| {
    let mut table: HashMap<String, Vec<Known>> = HashMap::new();
    for module in MODULES.into_iter().flatten() {
        for &(context, meaning, names) in module.names {
            for name in names.split_ascii_whitespace() {
                table
                    .entry(name.to_ascii_lowercase())
                    .or_default()
                    .push(Known {
                        name,
                        module,
                        context,
                        meaning,
                    });
            }
        }
    }
    table
});

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_found_in_any_case_and_nearly() {
        assert_eq!(lines("allowconnect")[0].name, "AllowCONNECT");
        assert_eq!(nearest("AllowConect"), "AllowCONNECT");
        assert_eq!(nearest("ProxyRequest"), "ProxyRequests");
        assert_eq!(nearest("RemoteIpHeaders"), "RemoteIPHeader");
    }

    #[test]
    fn a_module_stands_there_once_and_a_name_once_in_it() {
        let (mut modules, mut names) = (HashSet::new(), HashSet::new());
        for module in MODULES.into_iter().flatten() {
            assert!(modules.insert(module.id), "{}", module.id);
        }
        for known in all() {
            let lower = known.name.to_ascii_lowercase();
            assert!(names.insert((known.module.id, lower)), "{}", known.name);
        }
    }

    /// The page that lists them all; what it should say is what a failing test prints.
    #[test]
    fn the_page_says_what_the_table_says() {
        let page = include_str!("../../../docs/directives.md");
        let head = &page[..page.find("\n## ").unwrap()];
        let mut names: Vec<_> = all().collect();
        names.sort_by_key(|known| known.name.to_ascii_lowercase());
        names.dedup_by_key(|known| known.name);
        let of = |meaning: Meaning| {
            let of_it = names.iter().filter(|known| known.meaning == meaning);
            let quoted: Vec<_> = of_it.map(|known| format!("`{}`", known.name)).collect();
            format!("{}: {}.", quoted.len(), quoted.join(", "))
        };
        let expected = format!(
            "{head}\n## Run\n\n{}\n\n## Idle, or an error, as what they say demands\n\n{}\n\n\
             ## Errors\n\n| directive | it … | instead |\n|---|---|---|\n{}\n## Idle\n\n{}\n",
            of(Meaning::Run),
            of(Meaning::Checked),
            refused_rows(&names),
            of(Meaning::Idle)
        );
        assert!(
            page == expected,
            "docs/directives.md should be:\n{expected}"
        );
    }

    /// A row for each reason, its names in order.
    fn refused_rows(names: &[&Known]) -> String {
        let mut rows: Vec<(&Reason, Vec<String>)> = Vec::new();
        for known in names {
            let (reason, name) = match known.meaning {
                Meaning::Run | Meaning::Idle | Meaning::Checked => continue,
                Meaning::Refused(reason) => (reason, format!("`{}`", known.name)),
                Meaning::RefusedInside(reason) => {
                    (reason, format!("`{}` in a section", known.name))
                }
                Meaning::RefusedUnless(word, reason) => {
                    (reason, format!("`{}` other than `{word}`", known.name))
                }
            };
            match rows.iter_mut().find(|(own, _)| *own == reason) {
                Some((_, names)) => names.push(name),
                None => rows.push((reason, vec![name])),
            }
        }
        rows.into_iter()
            .map(|(Reason { does, instead }, names)| {
                format!("| {} | {does} | {instead} |\n", names.join(", "))
            })
            .collect()
    }

    #[test]
    fn one_name_means_one_thing_whichever_module_brings_it() {
        for known in all() {
            let other = &lines(known.name)[0];
            assert_eq!(
                (known.name, known.context, known.meaning),
                (other.name, other.context, other.meaning)
            );
        }
    }
}
