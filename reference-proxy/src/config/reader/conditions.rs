//! `<IfModule>` and its kin: whether what they hold is read.

use super::Reader;
use crate::config::directives::table;
use crate::config::error::ConfigError;
use crate::config::expression::Expression;
use crate::config::source::Node;
use std::path::PathBuf;

/// The version of httpd that this proxy follows.
const FOLLOWED: [u32; 3] = [2, 4, 71];

/// Whether a section is a condition for the reader; its name is in lower case.
pub(super) fn is_one(name: &str) -> bool {
    [
        "ifdefine",
        "ifdirective",
        "iffile",
        "ifmodule",
        "ifsection",
        "ifversion",
    ]
    .contains(&name)
}

impl Reader {
    /// Whether the condition holds. `kind` is the name in lower case.
    ///
    /// # Errors
    ///
    /// None is given, or it is none.
    pub(super) fn holds(&self, kind: &str, node: &Node) -> Result<bool, ConfigError> {
        let error = |message: String| ConfigError::at(&node.place, message);
        let [first, ..] = node.words.as_slice() else {
            return Err(error(format!(
                "<{}> directive requires additional arguments",
                node.name
            )));
        };
        if kind == "ifversion" {
            return version_fits(&node.words).map_err(error);
        }
        let (negated, word) = match first.strip_prefix('!') {
            Some(word) => (true, word),
            None => (false, &**first),
        };
        let holds = match kind {
            "ifmodule" => self.global.has(word),
            "ifdefine" => self.variables.defined.contains_key(word),
            "iffile" => self.path(word).exists(),
            "ifsection" => self.has_section(word),
            _ => match word.strip_prefix('<') {
                Some(section) => self.has_section(section),
                None => table::lines(word)
                    .iter()
                    .any(|known| self.global.brings(known.module.id)),
            },
        };
        Ok(holds != negated)
    }

    /// A file as named in a config: below `ServerRoot`, if there is one.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        let root = self.global.root.as_ref();
        root.map_or_else(|| name.into(), |root| root.join(name))
    }

    fn has_section(&self, name: &str) -> bool {
        SECTIONS
            .iter()
            .any(|(own, module)| own.eq_ignore_ascii_case(name) && self.global.has(module))
    }
}

/// The sections of httpd, and the modules that bring them.
const SECTIONS: [(&str, &str); 37] = [
    ("AuthnProviderAlias", "authn_core_module"),
    ("AuthzProviderAlias", "authz_core_module"),
    ("Directory", "core_module"),
    ("DirectoryMatch", "core_module"),
    ("Else", "core_module"),
    ("ElseIf", "core_module"),
    ("Files", "core_module"),
    ("FilesMatch", "core_module"),
    ("If", "core_module"),
    ("IfDefine", "core_module"),
    ("IfDirective", "core_module"),
    ("IfFile", "core_module"),
    ("IfModule", "core_module"),
    ("IfSection", "core_module"),
    ("IfVersion", "version_module"),
    ("Limit", "core_module"),
    ("LimitExcept", "core_module"),
    ("Location", "core_module"),
    ("LocationMatch", "core_module"),
    ("LuaHookAccessChecker", "lua_module"),
    ("LuaHookAuthChecker", "lua_module"),
    ("LuaHookCheckUserID", "lua_module"),
    ("LuaHookFixups", "lua_module"),
    ("LuaHookMapToStorage", "lua_module"),
    ("LuaHookPreTranslateName", "lua_module"),
    ("LuaHookTranslateName", "lua_module"),
    ("LuaHookTypeChecker", "lua_module"),
    ("LuaQuickHandler", "lua_module"),
    ("MDomain", "md_module"),
    ("MDomainSet", "md_module"),
    ("Macro", "macro_module"),
    ("Proxy", "proxy_module"),
    ("ProxyMatch", "proxy_module"),
    ("RequireAll", "authz_core_module"),
    ("RequireAny", "authz_core_module"),
    ("RequireNone", "authz_core_module"),
    ("VirtualHost", "core_module"),
];

/// Whether a condition on the version of httpd holds for the one that this proxy follows: an operator and a version, or
/// an expression for it.
fn version_fits(words: &[String]) -> Result<bool, String> {
    let (operator, version) = match words {
        [version] => ("=", version),
        [operator, version] => (&**operator, version),
        _ => return Err("<IfVersion> takes an operator and a version".into()),
    };
    let (negated, operator) = match operator.strip_prefix('!') {
        Some(operator) => (true, operator),
        None => (false, operator),
    };
    let slashed = || version.strip_prefix('/')?.strip_suffix('/');
    let holds = match (operator, slashed()) {
        ("=" | "==", Some(expression)) => followed_fits(expression)?,
        ("~", _) => followed_fits(version)?,
        ("=" | "==", None) => FOLLOWED == parts(version)?,
        (">", None) => FOLLOWED > parts(version)?,
        (">=", None) => FOLLOWED >= parts(version)?,
        ("<", None) => FOLLOWED < parts(version)?,
        ("<=", None) => FOLLOWED <= parts(version)?,
        _ => return Err(format!("unrecognized operator '{operator}'")),
    };
    Ok(holds != negated)
}

/// Parts that are not there are 0.
fn parts(version: &str) -> Result<[u32; 3], String> {
    let wrong = || {
        "Version appears to be invalid. It must have the format major[.minor[.patch]] where major, minor and patch \
         are numbers."
            .to_owned()
    };
    let mut parts = [0; 3];
    for (index, part) in version.split('.').enumerate() {
        let place = parts.get_mut(index).ok_or_else(wrong)?;
        *place = part.parse().map_err(|_| wrong())?;
    }
    Ok(parts)
}

fn followed_fits(expression: &str) -> Result<bool, String> {
    let version = FOLLOWED.map(|part| part.to_string()).join(".");
    Expression::parse(expression)?
        .fits(&version, false)
        .ok_or_else(|| "the expression takes too long".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::source;

    /// What httpd 2.4.71 said; nothing where it was an error.
    #[test]
    fn versions_are_compared_as_in_httpd() {
        for (condition, expected) in [
            ("2.4", Some(false)),
            ("2.4.71", Some(true)),
            ("= 2.4", Some(false)),
            ("== 2.4.71", Some(true)),
            ("> 2.4", Some(true)),
            (">= 2", Some(true)),
            (">= 2.4.72", Some(false)),
            ("<= 2.4", Some(false)),
            ("!< 2.4", Some(true)),
            ("~ ^2\\.4", Some(true)),
            ("~ 4.7", Some(true)),
            ("!~ 4.7", Some(false)),
            ("= /^2\\.4/", Some(true)),
            (">> 2.4", None),
            ("!2.4.71", None),
            (">= 2.4x", None),
            (">= 2 4", None),
        ] {
            let words = source::words(condition);
            assert_eq!(version_fits(&words).ok(), expected, "{condition}");
        }
    }

    #[test]
    fn what_httpd_knows_is_known() {
        let mut reader = Reader::default();
        let text = "LoadModule proxy_module x/mod_proxy.so\nLoadModule mpm_event_module x/mod_mpm_event.so\n";
        let _ = reader.text(&"t".into(), text).unwrap();
        for (condition, expected) in [
            ("IfDirective ProxyRemote", true),
            ("IfDirective proxyremote", true),
            ("IfDirective SSLEngine", false),
            ("IfDirective <Proxy", true),
            ("IfDirective MaxSpareServers", false),
            ("IfDirective !Nonsense", true),
            ("IfSection Proxy", true),
            ("IfSection Macro", false),
            ("IfModule event.c", true),
            ("IfModule mpm_event.c", false),
            ("IfModule MOD_PROXY.C", false),
            ("IfFile /", true),
            ("IfFile !/", false),
        ] {
            let (kind, word) = condition.split_once(' ').unwrap();
            let nodes = source::parse(&"t".into(), &format!("<{kind} \"{word}\">\n</{kind}>\n"));
            let holds = reader.holds(&kind.to_ascii_lowercase(), &nodes.unwrap()[0]);
            assert_eq!(holds.ok(), Some(expected), "{condition}");
        }
    }
}
