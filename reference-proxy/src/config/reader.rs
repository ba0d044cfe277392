//! The first pass over a config: files become one tree, in which conditions are decided, variables replaced
//! and modules known.
//!
//! httpd does these things while it reads, and everything else when all is read. So `LoadModule` may follow
//! what needs it, and `Define` works from its line on.

use super::error::{ConfigError, Place};
use super::settings::Global;
use super::source::{self, Node, Variables, words};
use super::{matches_wildcard, settings};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest config file that is read.
const FILE_LONGEST: u64 = 64 << 20;
/// Includes in includes; httpd stops at 128.
const DEPTH_MOST: usize = 32;
/// The most files that one `Include` may bring.
const FILES_MOST: usize = 1000;

/// The state of the pass.
#[derive(Debug, Default)]
pub struct Reader {
    /// What the pass finds out for the next one: modules, `ServerRoot`, warnings.
    pub global: Global,
    variables: Variables,
    depth: usize,
}

impl Reader {
    /// A reader for which these names are defined.
    #[must_use]
    pub fn defining(names: &[String]) -> Self {
        let mut reader = Self::default();
        for name in names {
            reader.variables.defined.insert(name.clone(), String::new());
        }
        reader
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// It cannot be read, or something in it is wrong.
    pub fn file(&mut self, file: &Path) -> Result<Vec<Node>, ConfigError> {
        let name: Arc<str> = file.to_string_lossy().into();
        let place = Place {
            file: Arc::clone(&name),
            line: 0,
        };
        let failed = |error: std::io::Error| ConfigError::at(&place, error.to_string());
        if std::fs::metadata(file).map_err(failed)?.len() > FILE_LONGEST {
            return Err(ConfigError::at(&place, "the file is too large"));
        }
        let octets = std::fs::read(file).map_err(failed)?;
        let text = String::from_utf8(octets)
            .map_err(|_| ConfigError::at(&place, "the file is not UTF-8"))?;
        self.text(&name, &text)
    }

    /// Reads text that stands for a file called `name`.
    ///
    /// # Errors
    ///
    /// Something in it is wrong.
    pub fn text(&mut self, name: &Arc<str>, text: &str) -> Result<Vec<Node>, ConfigError> {
        let mut resolved = Vec::new();
        self.resolve(source::parse(name, text)?, &mut resolved)?;
        Ok(resolved)
    }

    fn resolve(&mut self, nodes: Vec<Node>, into: &mut Vec<Node>) -> Result<(), ConfigError> {
        for mut node in nodes {
            let (rest, unknown) = self.variables.expand(&node.rest);
            if rest != node.rest {
                node.words = words(&rest);
                node.rest = rest;
            }
            for name in unknown {
                self.warn(
                    &node.place,
                    &format!("AH00111: Config variable ${{{name}}} is not defined"),
                );
            }
            match (
                node.name.to_ascii_lowercase().as_str(),
                node.children.take(),
            ) {
                (name @ ("ifmodule" | "ifdefine" | "ifversion"), Some(children)) => {
                    if self.holds(name, &node)? {
                        self.resolve(children, into)?;
                    }
                }
                (_, Some(children)) => {
                    let mut inside = Vec::new();
                    self.resolve(children, &mut inside)?;
                    node.children = Some(inside);
                    into.push(node);
                }
                ("define", None) => self.define(&node)?,
                ("undefine", None) => {
                    node.words
                        .iter()
                        .for_each(|name| drop(self.variables.defined.remove(name)));
                }
                ("include" | "includeoptional", None) => self.include(&node, into)?,
                ("loadmodule", None) => self.load(&node)?,
                ("serverroot", None) => {
                    self.global.root = node.words.first().map(PathBuf::from);
                    into.push(node);
                }
                (_, None) => into.push(node),
            }
        }
        Ok(())
    }

    fn holds(&self, kind: &str, node: &Node) -> Result<bool, ConfigError> {
        let [first, rest @ ..] = node.words.as_slice() else {
            return Err(ConfigError::at(
                &node.place,
                format!("<{}> needs a condition", node.name),
            ));
        };
        let (negated, word) = first
            .strip_prefix('!')
            .map_or((false, &**first), |word| (true, word));
        let holds = match kind {
            "ifmodule" => self.global.has(word),
            "ifdefine" => self.variables.defined.contains_key(word),
            _ => settings::version_fits(word, rest.first().map(String::as_str)),
        };
        Ok(holds != negated)
    }

    fn define(&mut self, node: &Node) -> Result<(), ConfigError> {
        let (name, value) = match node.words.as_slice() {
            [name] => (name, ""),
            [name, value] => (name, value.as_str()),
            _ => {
                return Err(ConfigError::at(
                    &node.place,
                    "Define takes a name and a value",
                ));
            }
        };
        self.variables
            .defined
            .insert(name.clone(), value.to_owned());
        Ok(())
    }

    fn load(&mut self, node: &Node) -> Result<(), ConfigError> {
        let [identifier, file] = node.words.as_slice() else {
            let message = "LoadModule takes two arguments, a module name and the name of a shared object \
                           file to load it from";
            return Err(ConfigError::at(&node.place, message));
        };
        let source = file.rsplit('/').next().unwrap_or(file).replace(".so", ".c");
        self.global.modules.extend([identifier.clone(), source]);
        Ok(())
    }

    fn include(&mut self, node: &Node, into: &mut Vec<Node>) -> Result<(), ConfigError> {
        let error = |message: String| ConfigError::at(&node.place, message);
        let [pattern] = node.words.as_slice() else {
            return Err(error(format!("{} takes one argument", node.name)));
        };
        if self.depth >= DEPTH_MOST {
            return Err(error(
                "Exceeded the maximum include depth: is there a recursion?".into(),
            ));
        }
        let path = self
            .global
            .root
            .as_ref()
            .map_or_else(|| pattern.into(), |root| root.join(pattern));
        let files = files(&path)
            .map_err(|what| error(format!("could not include {}: {what}", path.display())))?;
        if files.is_empty() && node.name.eq_ignore_ascii_case("include") {
            return Err(error(format!(
                "No matches for the wildcard '{pattern}', failing"
            )));
        }
        self.depth += 1;
        for file in files {
            into.extend(self.file(&file)?);
        }
        self.depth -= 1;
        Ok(())
    }

    fn warn(&mut self, place: &Place, message: &str) {
        self.global.warn(place, message);
    }
}

/// The file `path`, the files in the folder `path`, or those that fit when its last part is a pattern.
fn files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let (folder, pattern) = match path.is_dir() {
        true => (path, "*"),
        false if name.contains(['*', '?']) => (path.parent().unwrap_or(path), name.as_str()),
        false => {
            return Ok(if path.exists() {
                vec![path.to_owned()]
            } else {
                Vec::new()
            });
        }
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)?.take(FILES_MOST) {
        let entry = entry?;
        if matches_wildcard(pattern, &entry.file_name().to_string_lossy()) && entry.path().is_file()
        {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Result<Vec<String>, String> {
        let mut reader = Reader::defining(&["SAID".into()]);
        let nodes = reader
            .text(&"test".into(), text)
            .map_err(|error| error.to_string())?;
        Ok(nodes.into_iter().map(|node| node.name).collect())
    }

    #[test]
    fn conditions_are_decided() {
        let text = "<IfDefine SAID>\nA\n</IfDefine>\n<IfDefine !SAID>\nB\n</IfDefine>\n\
            LoadModule proxy_module x/mod_proxy.so\n<IfModule mod_proxy.c>\nC\n<IfModule ssl_module>\nD\n</IfModule>\n</IfModule>\n\
            <IfVersion >= 2.4>\nE\n</IfVersion>\n<IfVersion < 2.2>\nF\n</IfVersion>\n";
        assert_eq!(names(text).unwrap(), ["A", "C", "E"]);
    }

    #[test]
    fn variables_are_replaced_from_their_line_on() {
        let mut reader = Reader::default();
        let nodes = reader
            .text(&"t".into(), "A ${X}\nDefine X 1\nA ${X}\n")
            .unwrap();
        assert_eq!([&nodes[0].words[0], &nodes[1].words[0]], ["${X}", "1"]);
        assert!(reader.global.warnings[0].contains("AH00111"));
    }

    #[test]
    fn files_are_included_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.conf", "a.conf", "c.txt"] {
            std::fs::write(folder.path().join(name), format!("From{}\n", &name[..1])).unwrap();
        }
        let include = |what: &str| {
            names(&format!(
                "ServerRoot {}\nInclude {what}\n",
                folder.path().display()
            ))
        };
        assert_eq!(include("*.conf").unwrap(), ["ServerRoot", "Froma", "Fromb"]);
        assert!(include("*.none").unwrap_err().contains("No matches"));
        std::fs::write(folder.path().join("loop"), "Include loop\n").unwrap();
        assert!(
            include("loop")
                .unwrap_err()
                .contains("maximum include depth")
        );
    }
}
