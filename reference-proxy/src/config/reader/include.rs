//! `Include` and `IncludeOptional`: which files they bring, as httpd finds them.
//!
//! No file may be missed, as it may hold who is kept out, and none may be read that httpd does not read. So wildcards
//! mind case, they do not fit a leading dot, they may stand in the names of folders, and a folder brings all that is in
//! it, below it and hidden in it.

use super::Reader;
use crate::config::error::ConfigError;
use crate::config::glob;
use crate::config::source::Node;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Includes in includes, and folders in folders; httpd stops at 20 of the latter.
const DEPTH_MOST: usize = 20;
/// The most files that one `Include` may bring.
const FILES_MOST: usize = 10_000;

impl Reader {
    pub(super) fn include(&mut self, node: &Node, into: &mut Vec<Node>) -> Result<(), ConfigError> {
        let error = |message: String| ConfigError::at(&node.place, message);
        let [pattern] = node.words.as_slice() else {
            return Err(error(format!("{} takes one argument", node.name)));
        };
        if self.depth >= DEPTH_MOST {
            return Err(error(
                "Exceeded the maximum include depth: is there a recursion?".into(),
            ));
        }
        let path = self.path(pattern);
        let mut search = Search {
            optional: node.name.eq_ignore_ascii_case("includeoptional"),
            files: Vec::new(),
        };
        search.matching(&path).map_err(error)?;
        self.depth += 1;
        for file in search.files {
            into.extend(self.file(&file)?);
        }
        self.depth -= 1;
        Ok(())
    }
}

/// The files that were found so far.
struct Search {
    /// Whether it is no error that there is none.
    optional: bool,
    files: Vec<PathBuf>,
}

impl Search {
    /// Adds what a path brings whose parts may have wildcards.
    fn matching(&mut self, path: &Path) -> Result<(), String> {
        let parts: Vec<_> = path.components().collect();
        let wild = |part: &Component<'_>| glob::is_one(&part.as_os_str().to_string_lossy());
        let Some(at) = parts.iter().position(wild) else {
            return self.everything(path, 0);
        };
        let before: PathBuf = parts[..at].iter().collect();
        let behind: PathBuf = parts[at + 1..].iter().collect();
        let pattern = parts[at].as_os_str().to_string_lossy().into_owned();
        let is_last = at + 1 == parts.len();
        let entries = match entries(&before) {
            Err(error) if self.may_lack(&error) => return Ok(()),
            entries => entries.map_err(|error| {
                format!(
                    "Include/IncludeOptional: Could not open directory {}: {error}",
                    before.display()
                )
            })?,
        };
        let fits = |entry: &&PathBuf| {
            let name = entry.file_name().unwrap_or_default().to_string_lossy();
            let hidden = name.starts_with('.') && !pattern.starts_with('.');
            !hidden && glob::fits(&pattern, &name, false) && (is_last || entry.is_dir())
        };
        let found: Vec<_> = entries.iter().filter(fits).collect();
        if found.is_empty() && !self.optional {
            return Err(format!(
                "Include/IncludeOptional: No matches for the wildcard '{pattern}' in '{}', failing",
                before.display()
            ));
        }
        for entry in found {
            match is_last {
                true => self.everything(entry, 0)?,
                false => self.matching(&entry.join(&behind))?,
            }
        }
        Ok(())
    }

    /// Adds a file, or all that is in a folder.
    fn everything(&mut self, path: &Path, depth: usize) -> Result<(), String> {
        let failed = |error: io::Error| {
            format!(
                "Could not open configuration file {}: {error}",
                path.display()
            )
        };
        if depth > DEPTH_MOST {
            return Err(format!("{}: folders are nested too deeply", path.display()));
        }
        match std::fs::metadata(path) {
            Err(error) if self.may_lack(&error) => return Ok(()),
            Err(error) => return Err(failed(error)),
            Ok(about) if about.is_dir() => {
                for entry in entries(path).map_err(failed)? {
                    self.everything(&entry, depth + 1)?;
                }
            }
            Ok(_) => self.files.push(path.to_owned()),
        }
        if self.files.len() > FILES_MOST {
            return Err(format!("{}: too many files", path.display()));
        }
        Ok(())
    }

    fn may_lack(&self, error: &io::Error) -> bool {
        let lacks = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
        self.optional && lacks.contains(&error.kind())
    }
}

/// What is in a folder, by name; without a name it is the current one.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let current = folder.as_os_str().is_empty();
    let mut entries = std::fs::read_dir(if current { Path::new(".") } else { folder })?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names that the files of a folder have, as directives; what httpd read of these is in the table.
    fn included(folder: &Path, line: &str) -> Result<Vec<String>, String> {
        let text = format!("ServerRoot {}\n{line}\n", folder.display());
        let nodes = Reader::default()
            .text(&"test".into(), &text)
            .map_err(|error| error.to_string())?;
        Ok(nodes.into_iter().skip(1).map(|node| node.name).collect())
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, name) in [
            ("d/a.conf", "A"),
            ("d/.b.conf", "B"),
            ("d/c.CONF", "C"),
            ("d/sub/x.conf", "X"),
            ("d/z.txt", "Z"),
            ("e1/m.conf", "M1"),
            ("e2/m.conf", "M2"),
            (".hid/h.conf", "H"),
        ] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, format!("{name}\n")).unwrap();
        }
        folder
    }

    #[test]
    fn the_files_that_httpd_reads_are_read() {
        let folder = folder();
        for (pattern, expected) in [
            ("d", "B A C X Z"),
            ("d/", "B A C X Z"),
            ("d/*", "A C X Z"),
            ("d/*.conf", "A"),
            ("d/*.CONF", "C"),
            ("d/[a-b].conf", "A"),
            ("d/?.conf", "A"),
            ("d/*/x.conf", "X"),
            ("e[12]/m.conf", "M1 M2"),
            ("*", "B A C X Z M1 M2"),
            (".*", "H"),
            ("d/.*", "B"),
            ("d/sub", "X"),
        ] {
            let found = included(folder.path(), &format!("Include {pattern}")).unwrap();
            assert_eq!(found.join(" "), expected, "{pattern}");
        }
    }

    #[test]
    fn what_is_not_there_is_an_error_unless_it_is_optional() {
        let folder = folder();
        for (pattern, error) in [
            ("*/m.conf", "Could not open configuration file"),
            ("d/nope*", "No matches for the wildcard 'nope*'"),
            ("nope/*.conf", "Could not open directory"),
            ("nope", "Could not open configuration file"),
            ("*/*/x.conf", "No matches for the wildcard '*'"),
            ("[.]hid/*", "No matches for the wildcard '[.]hid'"),
        ] {
            let said = included(folder.path(), &format!("Include {pattern}")).unwrap_err();
            assert!(said.contains(error), "{pattern}: {said}");
            assert!(included(folder.path(), &format!("IncludeOptional {pattern}")).is_ok());
        }
        // A file that is there and cannot be read is never optional.
        std::fs::write(folder.path().join("loop"), "IncludeOptional loop\n").unwrap();
        let said = included(folder.path(), "Include loop").unwrap_err();
        assert!(said.contains("maximum include depth"), "{said}");
    }
}
