//! The rooms of the harness import downward only, in the order that `src/lib.rs` states, no two files import each other, and none
//! of any crate is too long.
//!
//! Read as text, and held by a test, so that a wall that was moved by accident is found at once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use regex::Regex;

/// Files that are in no room: the list of them, and the words of a case.
const OUTSIDE: [&str; 2] = ["lib.rs", "prelude.rs"];

#[test]
fn rooms_import_only_from_those_before_them() {
    let order = stated_order();
    let sources = sources();
    let rooms: BTreeSet<String> = sources.iter().map(Source::room).collect();
    let stated: BTreeSet<String> = order.iter().cloned().collect();
    assert_eq!(rooms, stated, "the rooms, and those that src/lib.rs names");

    let place = |room: &str| order.iter().position(|known| known == room);
    let upward: Vec<String> = sources
        .iter()
        .flat_map(|source| {
            let own = place(&source.room());
            let others = source.imports.iter().map(move |path| (path, own));
            others.filter_map(|(path, own)| {
                let other = place(path.split("::").nth(1)?);
                (other > own).then(|| format!("{} imports {path}", source.path.display()))
            })
        })
        .collect();
    assert!(upward.is_empty(), "{upward:#?}");
}

/// What fits on a few screens.
const LONGEST: usize = 400;

/// Of every crate of the workspace, as far as it lies beside this one.
#[test]
fn no_file_is_too_long() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let crates = [
        "harness",
        "suites",
        "reference-proxy",
        "fixtures/faulty-proxy",
    ];
    let mut read = 0;
    let mut long = Vec::new();
    let mut folders: Vec<PathBuf> = crates
        .map(|name| workspace.join(name).join("src"))
        .into_iter()
        .filter(|folder| folder.is_dir())
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                read += 1;
                let lines = fs::read_to_string(&path).unwrap().lines().count();
                long.extend((lines > LONGEST).then(|| format!("{}: {lines}", path.display())));
            }
        }
    }
    assert!(read > 100, "{read} files were read");
    assert!(long.is_empty(), "look for the seam: {long:#?}");
}

#[test]
fn no_files_import_each_other() {
    let sources = sources();
    let modules: BTreeSet<String> = sources.iter().map(Source::module).collect();
    let exports = exports(&sources);
    let arrows: BTreeMap<String, BTreeSet<String>> = sources
        .iter()
        .map(|source| {
            let own = source.module();
            let targets = source.imports.iter();
            let targets = targets.filter_map(|path| file_of(path, &modules, &exports));
            (own.clone(), targets.filter(|other| *other != own).collect())
        })
        .collect();
    assert!(
        arrows.values().map(BTreeSet::len).sum::<usize>() > 300,
        "imports are no longer read: {arrows:?}"
    );
    assert_eq!(circle(&arrows), None);
}

/// One file, without its tests.
struct Source {
    /// Below `src`.
    path: PathBuf,
    text: String,
    /// Every path that it names from the root of the crate.
    imports: BTreeSet<String>,
}

impl Source {
    fn room(&self) -> String {
        let first = self.path.iter().next().unwrap();
        first.to_string_lossy().trim_end_matches(".rs").to_owned()
    }

    fn module(&self) -> String {
        let path = self.path.with_extension("");
        let names = path.iter().map(|name| name.to_string_lossy());
        format!("crate::{}", names.collect::<Vec<_>>().join("::"))
    }
}

/// The words at the beginnings of the lines of the plan in `src/lib.rs`.
fn stated_order() -> Vec<String> {
    let text = fs::read_to_string(root().join("lib.rs")).unwrap();
    let plan = text.split("```text\n").nth(1).unwrap();
    let plan = plan.split("//! ```").next().unwrap();
    let lines = plan.lines().filter_map(|line| line.strip_prefix("//! "));
    lines
        .flat_map(|line| line.split("   ").next().unwrap().split_whitespace())
        .map(str::to_owned)
        .collect()
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let below = path.strip_prefix(root()).unwrap().to_owned();
            let name = below.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "bin" {
                folders.push(path);
            } else if name.ends_with(".rs") && name != "tests.rs" && name != "sample.rs" {
                if OUTSIDE.contains(&below.to_string_lossy().as_ref()) {
                    continue;
                }
                let text = without_tests(&fs::read_to_string(&path).unwrap());
                let imports = imports(&text);
                found.push(Source {
                    path: below,
                    text,
                    imports,
                });
            }
        }
    }
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Code alone: neither the tests of a file nor its comments.
fn without_tests(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let lines = code.lines().map(|line| match line.find("//") {
        Some(at) => &line[..at],
        None => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn imports(code: &str) -> BTreeSet<String> {
    let statements = Regex::new(r"(?m)^(?:pub(?:\([^)]*\))? )?use (crate::[^;]*);").unwrap();
    let paths = Regex::new(r"\bcrate(?:::\w+)+").unwrap();
    let used = statements.captures_iter(code);
    let mut found: BTreeSet<String> = used.flat_map(|found| branches(&found[1])).collect();
    let rest = statements.replace_all(code, "");
    found.extend(paths.find_iter(&rest).map(|path| path.as_str().to_owned()));
    found
}

/// Each path of a tree of imports, written out.
fn branches(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((before, inside)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or(tree);
        return vec![path.trim_end_matches("::self").to_owned()];
    };
    let inside = inside.trim_end().trim_end_matches('}');
    let mut depth = 0;
    let parts = inside.split(move |c| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts
        .filter(|part| !part.trim().is_empty())
        .flat_map(|part| branches(&format!("{before}{}", part.trim())))
        .collect()
}

/// What is found under another name: `pub use` in the face of a room.
fn exports(sources: &[Source]) -> BTreeMap<String, String> {
    let statements = Regex::new(r"(?m)^pub(?:\([^)]*\))? use ([^;]*);").unwrap();
    let mut found = BTreeMap::new();
    for source in sources {
        let own = source.module();
        for statement in statements.captures_iter(&source.text) {
            for path in branches(&statement[1]) {
                let name = path.rsplit("::").next().unwrap().to_owned();
                let full = match path.starts_with("crate::") {
                    true => path,
                    false => format!("{own}::{path}"),
                };
                found.insert(format!("{own}::{name}"), full);
            }
        }
    }
    found
}

/// The file in which the thing at `path` stands.
fn file_of(
    path: &str,
    modules: &BTreeSet<String>,
    exports: &BTreeMap<String, String>,
) -> Option<String> {
    let mut path = path.to_owned();
    for _ in 0..8 {
        match exports.get(&path) {
            Some(full) if *full != path => path.clone_from(full),
            _ => break,
        }
    }
    let mut shorter = path.as_str();
    while !modules.contains(shorter) {
        shorter = shorter.rsplit_once("::")?.0;
    }
    Some(shorter.to_owned())
}

/// A way from a file back to itself.
fn circle(arrows: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    let mut safe = BTreeSet::new();
    arrows
        .keys()
        .find_map(|file| walk(file, arrows, &mut Vec::new(), &mut safe))
}

fn walk(
    file: &String,
    arrows: &BTreeMap<String, BTreeSet<String>>,
    way: &mut Vec<String>,
    safe: &mut BTreeSet<String>,
) -> Option<Vec<String>> {
    if safe.contains(file) {
        return None;
    }
    if let Some(at) = way.iter().position(|known| known == file) {
        return Some(way[at..].to_vec());
    }
    way.push(file.clone());
    let others = arrows.get(file).into_iter().flatten();
    let found = others
        .filter_map(|other| walk(other, arrows, way, safe))
        .next();
    way.pop();
    safe.insert(file.clone());
    found
}
