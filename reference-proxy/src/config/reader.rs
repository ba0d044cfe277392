//! The first pass over a config: files become one tree, in which conditions are decided, variables replaced
//! and modules known.
//!
//! httpd does these things while it reads, and everything else when all is read. So `LoadModule` may follow
//! what needs it, and `Define` works from its line on.

mod conditions;
mod include;

use super::directives::table;
use super::error::{ConfigError, Place};
use super::settings::Global;
use super::source::{self, Node, Variables, words};
use crate::regular;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The most files of a config, however often each is included.
const FILES_MOST: usize = 10_000;
/// The most octets of all files together, and again of all lines with their variables replaced.
const TEXT_MOST: usize = 32 << 20;
/// The most directives and sections that are applied.
const DIRECTIVES_MOST: usize = 250_000;

/// The state of the pass.
#[derive(Debug, Default)]
pub struct Reader {
    /// What the pass finds out for the next one: modules, `ServerRoot`, warnings.
    pub global: Global,
    variables: Variables,
    depth: usize,
    files: usize,
    text: usize,
    directives: usize,
    expanded: usize,
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
        self.files += 1;
        if self.files > FILES_MOST {
            let message = format!(
                "more than {FILES_MOST} files make up this configuration: is one included over and over?"
            );
            return Err(ConfigError::at(&place, message));
        }
        let octets = regular::read(file, TEXT_MOST as u64).map_err(failed)?;
        self.text += octets.len();
        if self.text > TEXT_MOST {
            let message = format!(
                "the files of this configuration are larger than {TEXT_MOST} octets together: is one included over \
                 and over?"
            );
            return Err(ConfigError::at(&place, message));
        }
        // Comments may be in any encoding; what means something may not, and says so with its line.
        self.text(&name, &String::from_utf8_lossy(&octets))
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
            self.count(&node, &rest)?;
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
            if format!("{}{}", node.name, node.rest).contains(char::REPLACEMENT_CHARACTER) {
                return Err(ConfigError::at(&node.place, "the line is not UTF-8"));
            }
            match (
                node.name.to_ascii_lowercase().as_str(),
                node.children.take(),
            ) {
                (name, Some(children)) if conditions::is_one(name) => {
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
                ("error", None) => return Err(complaint(&node)),
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

    /// Takes note of a line with its variables replaced.
    fn count(&mut self, node: &Node, rest: &str) -> Result<(), ConfigError> {
        let error = |message: String| Err(ConfigError::at(&node.place, message));
        if rest.len() > source::LINE_LONGEST {
            return error(format!(
                "the line is longer than {} octets when its variables are replaced",
                source::LINE_LONGEST
            ));
        }
        self.directives += 1;
        self.expanded += rest.len();
        if self.directives > DIRECTIVES_MOST {
            return error(format!(
                "this configuration has more than {DIRECTIVES_MOST} directives: is a file included over and over?"
            ));
        }
        if self.expanded > TEXT_MOST {
            return error(format!(
                "this configuration is longer than {TEXT_MOST} octets when its variables are replaced"
            ));
        }
        Ok(())
    }

    fn define(&mut self, node: &Node) -> Result<(), ConfigError> {
        let error = |message: &str| ConfigError::at(&node.place, message);
        let (name, value) = match node.words.as_slice() {
            [name] => (name, ""),
            [name, value] => (name, value.as_str()),
            _ => return Err(error("Define takes a name and a value")),
        };
        if name.contains(':') {
            return Err(error("Variable name must not contain ':'"));
        }
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
        let of_file = || file.rsplit('/').next().unwrap_or(file).replace(".so", ".c");
        let source = match table::module(identifier) {
            Some(module) => module.source.to_owned(),
            None if STRANGERS.contains(&identifier.as_str()) => of_file(),
            None => return Err(ConfigError::at(&node.place, strange(identifier))),
        };
        self.global.modules.extend([identifier.clone(), source]);
        Ok(())
    }

    fn warn(&mut self, place: &Place, message: &str) {
        self.global.warn(place, message);
    }
}

/// Modules that are none of httpd's and do nothing to a request by themselves: each of their directives is unknown here,
/// and an error.
const STRANGERS: [&str; 34] = [
    "apreq_module",
    "auth_cas_module",
    "auth_gssapi_module",
    "auth_kerb_module",
    "auth_mellon_module",
    "auth_ntlm_winbind_module",
    "auth_openidc_module",
    "auth_pam_module",
    "auth_pubtkt_module",
    "authn_yubikey_module",
    "authnz_external_module",
    "authnz_pam_module",
    "authz_svn_module",
    "authz_unixgroup_module",
    "dav_svn_module",
    "dnssd_module",
    "fastcgi_module",
    "fcgid_module",
    "geoip_module",
    "jk_module",
    "log_sql_module",
    "maxminddb_module",
    "mpm_itk_module",
    "passenger_module",
    "perl_module",
    "php5_module",
    "php7_module",
    "php_module",
    "python_module",
    "qos_module",
    "security2_module",
    "tls_module",
    "wsgi_module",
    "xsendfile_module",
];

fn strange(identifier: &str) -> String {
    format!(
        "module {identifier} is none of httpd's own, and whether it lets in or keeps out anybody by itself is not known \
         here: say with Require who may connect, and leave this line out"
    )
}

/// What `Error` says.
fn complaint(node: &Node) -> ConfigError {
    ConfigError::at(
        &node.place,
        match node.words.as_slice() {
            [] => "The Error directive was used with no message.".to_owned(),
            words => words.join(" "),
        },
    )
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
    fn a_module_that_nobody_knows_is_an_error() {
        let error = names("LoadModule evasive20_module x/mod_evasive20.so\n").unwrap_err();
        assert!(
            error.contains("module evasive20_module is none of httpd's own"),
            "{error}"
        );
        let php = "LoadModule php_module x/libphp.so\n<IfModule libphp.c>\nA\n</IfModule>\n";
        assert_eq!(names(php).unwrap(), ["A"]);
    }

    #[test]
    fn only_comments_may_be_in_another_encoding() {
        let read = |octets: &[u8]| {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), octets).unwrap();
            Reader::default()
                .file(file.path())
                .map_err(|error| error.to_string())
        };
        assert_eq!(read(b"# caf\xe9\nA b\n").unwrap().len(), 1);
        let error = read(b"A b\nB caf\xe9\n").unwrap_err();
        assert!(
            error.contains("line 2") && error.ends_with("not UTF-8"),
            "{error}"
        );
    }

    #[test]
    fn an_error_says_what_it_is_told() {
        let error = names("A\nError \"no more\" of this\n").unwrap_err();
        assert!(
            error.contains("line 2") && error.ends_with("no more of this"),
            "{error}"
        );
    }
}
