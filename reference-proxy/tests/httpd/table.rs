//! The table of directives, beside what httpd says that it knows.

use super::Test;
use super::pair::httpd;
use connectspec_reference_proxy::config::directives::table::{self, Context};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

pub(crate) fn trials() -> Vec<Test> {
    vec![(
        "table::it_knows_what_httpd_knows",
        it_knows_what_httpd_knows,
    )]
}

/// Where Debian keeps the modules.
const MODULES: &str = "/usr/lib/apache2/modules";
/// What others need.
const FIRST: [&str; 10] = [
    "authn_core",
    "authz_core",
    "cache",
    "dav",
    "dbd",
    "ldap",
    "proxy",
    "session",
    "slotmem_shm",
    "socache_shmcb",
];
/// The version that the table was written after. An earlier one lacks some names.
const WRITTEN_AFTER: &str = "Apache/2.4.71 ";

/// A directive of httpd: its module's source file and where it may stand, as `apache2 -L` calls both.
type Said = BTreeMap<(String, String), String>;

fn it_knows_what_httpd_knows() {
    let exact = said(&["-v"]).contains(WRITTEN_AFTER);
    let mut every = BTreeSet::new();
    for mpm in ["event", "worker", "prefork"] {
        let (loaded, said) = known_to_httpd(mpm);
        assert!(said.len() > 500, "{mpm}: {}", said.len());
        for ((name, source), allowed) in &said {
            let line = table::lines(name)
                .iter()
                .find(|known| known.module.source == source);
            let line = line.unwrap_or_else(|| panic!("{name} of {source} is not in the table"));
            assert!(
                fits(line.context, allowed),
                "{name}: {:?}, and httpd says {allowed}",
                line.context
            );
            every.insert((name.to_ascii_lowercase(), source.clone()));
        }
        for known in table::all().filter(|known| loaded.contains(known.module.id)) {
            let name = (
                known.name.to_ascii_lowercase(),
                known.module.source.to_owned(),
            );
            assert!(
                !exact || every.contains(&name),
                "httpd has no {}",
                known.name
            );
        }
    }
}

/// The modules that httpd loads with that MPM, and the directives that it then knows.
fn known_to_httpd(mpm: &str) -> (BTreeSet<String>, Said) {
    let folder = tempfile::tempdir().unwrap();
    let built_in = said(&["-l"]);
    let mut names: Vec<String> = std::fs::read_dir(MODULES)
        .unwrap()
        .filter_map(|entry| {
            let file = entry.unwrap().file_name().into_string().unwrap();
            let name = file.strip_prefix("mod_")?.strip_suffix(".so")?;
            let another = name.starts_with("mpm_") && name != format!("mpm_{mpm}");
            let compiled_in = built_in.contains(&format!("mod_{name}.c"));
            // What other packages bring is none of httpd's.
            let own = table::module(&format!("{name}_module")).is_some();
            (own && !another && !compiled_in).then(|| name.to_owned())
        })
        .collect();
    names.sort_by_key(|name| (!FIRST.contains(&name.as_str()), name.clone()));
    let load: String = names
        .iter()
        .map(|name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n"))
        .collect();
    let scratch = folder.path().display();
    let rest = format!(
        "ServerRoot {scratch}\nDefaultRuntimeDir {scratch}\nErrorLog {scratch}/error.log\nServerName a.test\nListen 127.0.0.1:1\n"
    );
    let file = folder.path().join("httpd.conf");
    std::fs::write(&file, load + &rest).unwrap();
    let compiled_in = table::all()
        .filter(|known| built_in.contains(&format!("  {}\n", known.module.source)))
        .map(|known| known.module.id.to_owned());
    let loaded = names.iter().map(|name| format!("{name}_module"));
    let loaded = loaded.chain(compiled_in);
    let listed = said(&["-L", "-f", file.to_str().unwrap()]);
    (loaded.collect(), parsed(&listed))
}

fn said(arguments: &[&str]) -> String {
    let output = Command::new(httpd().unwrap())
        .args(arguments)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// `Name (source.c)`, and below it, indented, what it is for and where it may stand. Sections start with `<`.
fn parsed(listed: &str) -> Said {
    let (mut said, mut current) = (Said::new(), None);
    for line in listed.lines() {
        if let Some(allowed) = line.strip_prefix("\tAllowed in ") {
            if let Some(name) = current.take() {
                said.insert(name, allowed.to_owned());
            }
        } else if let Some((name, source)) = line.split_once(" (")
            && let Some(source) = source.strip_suffix(".c)")
            && !line.starts_with(['\t', '<'])
        {
            current = Some((name.to_owned(), format!("{source}.c")));
        }
    }
    said
}

/// What `apache2 -L` does not tell apart: what may not stand in `<VirtualHost>`, and what may stand in `<Proxy>`.
fn fits(context: Context, allowed: &str) -> bool {
    match context {
        Context::Global | Context::Server | Context::Proxy => {
            allowed.starts_with("*.conf only outside")
        }
        Context::Section => allowed.starts_with("*.conf anywhere"),
        Context::Inside => allowed.starts_with("*.conf only inside"),
    }
}
