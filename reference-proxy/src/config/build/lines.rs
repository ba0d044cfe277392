//! One directive: whether it may stand where it stands, what it sets, and what is an error because it is not
//! understood.

use super::{Builder, Position};
use crate::config::directives::table::{self, Context, Known, Meaning, Reason};
use crate::config::directives::{self, Scope};
use crate::config::error::ConfigError;
use crate::config::source::Node;

impl Builder {
    pub(super) fn directive(
        &mut self,
        node: &Node,
        at: &mut Position<'_>,
    ) -> Result<(), ConfigError> {
        let error = |message: String| ConfigError::at(&node.place, message);
        let lines = table::lines(&node.name);
        let known = lines
            .iter()
            .find(|known| self.global.brings(known.module.id))
            .ok_or_else(|| error(unknown(&node.name, lines)))?;
        if let Some(place) = misplaced(known.context, at) {
            return Err(error(format!("{} {place}", known.name)));
        }
        if at.idle {
            return Ok(());
        }
        if let Some(reason) = refusal(known.meaning, &node.words, at.section) {
            return Err(error(format!(
                "{} ({}) is not understood here, and it {}: {}",
                known.name, known.module.source, reason.does, reason.instead
            )));
        }
        if let Some(set) = directives::setter(known.name) {
            let block = at.block.as_deref_mut();
            let mut scope = Scope {
                global: &mut self.global,
                server: at.server,
                block,
                place: &node.place,
                in_host: at.in_host,
            };
            set(&mut scope, &node.words).map_err(error)?;
        }
        if known.meaning != Meaning::Run {
            self.global.idle(&node.place, known.name);
        }
        Ok(())
    }
}

/// Why a directive is an error here although httpd takes it; `None`: it is none.
fn refusal(meaning: Meaning, words: &[String], section: Option<&str>) -> Option<&'static Reason> {
    match meaning {
        Meaning::Run | Meaning::Idle | Meaning::Checked => None,
        Meaning::Refused(reason) => Some(reason),
        Meaning::RefusedInside(reason) => section.map(|_| reason),
        Meaning::RefusedUnless(harmless, reason) => match words {
            [word] if word.eq_ignore_ascii_case(harmless) => None,
            _ => Some(reason),
        },
    }
}

/// Why a directive may not stand here; `None`: it may.
fn misplaced(context: Context, at: &Position<'_>) -> Option<String> {
    let inside = match (context, at.section) {
        (Context::Section, _)
        | (Context::Inside, Some(_))
        | (Context::Server | Context::Proxy, None)
        | (Context::Proxy, Some("Proxy")) => return None,
        (Context::Global, None) if !at.in_host => return None,
        (Context::Inside, None) => {
            return Some("not allowed here: it belongs into a section, as <Proxy>".into());
        }
        (Context::Global, None) => {
            return Some("cannot occur within <VirtualHost> section".into());
        }
        (Context::Global | Context::Server | Context::Proxy, Some(section)) => section,
    };
    Some(format!("not allowed in <{inside}> context"))
}

fn unknown(name: &str, lines: &[Known]) -> String {
    let modules: Vec<&str> = lines.iter().map(|known| known.module.id).collect();
    let remedy = match modules.as_slice() {
        [] => format!("the nearest known directive is {}", table::nearest(name)),
        modules => format!("load {}", modules.join(" or ")),
    };
    format!(
        "Invalid command '{name}', perhaps misspelled or defined by a module not included in the server \
         configuration: {remedy}"
    )
}

#[cfg(test)]
mod tests {
    use crate::config::build::{Options, read};

    /// What is wrong with a config; nothing, when it is taken.
    fn complaint(text: &str) -> String {
        let options = Options {
            after: vec![format!("Listen 1\n{text}\n")],
            every_module: true,
            ..Options::default()
        };
        read(None, &options)
            .err()
            .map(|error| error.message().to_owned())
            .unwrap_or_default()
    }

    #[test]
    fn what_could_change_access_is_an_error_that_says_what_to_write() {
        let error = complaint("RemoteIPHeader X-Forwarded-For");
        for part in [
            "RemoteIPHeader (mod_remoteip.c) is not understood here",
            "takes the client's address from what the client sends",
            "write Require about the addresses",
        ] {
            assert!(error.contains(part), "{error}");
        }
        for line in ["SSLVerifyClient require", "SetEnvIfExpr true a", "Use A b"] {
            assert!(complaint(line).contains("is not understood here"), "{line}");
        }
    }

    #[test]
    fn some_are_idle_with_one_word_or_in_one_place() {
        assert_eq!(complaint("SSLVerifyClient None\nStrictHostCheck OFF"), "");
        let redirect = "Redirect 403 /x";
        assert_eq!(complaint(redirect), "");
        let error = complaint(&format!("<Proxy *>\n{redirect}\n</Proxy>"));
        assert!(error.contains("Redirect (mod_alias.c)"), "{error}");
    }

    #[test]
    fn an_early_change_must_not_be_looked_at() {
        let early = "RequestHeader set User-Agent x early";
        assert_eq!(complaint(&format!("{early}\nSetEnvIf Referer x a")), "");
        for looking in [
            "SetEnvIf User-Agent x a",
            "BrowserMatch x a",
            "SetEnvIf ^User x a",
            "<VirtualHost *>\nSetEnvIf user-agent x a\n</VirtualHost>",
        ] {
            let error = complaint(&format!("{early}\n{looking}"));
            assert!(
                error.contains("before SetEnvIf looks at it"),
                "{looking}: {error}"
            );
        }
    }

    #[test]
    fn variables_are_set_outside_of_sections() {
        assert_eq!(
            complaint("SetEnvIf Host a b\n<Proxy *>\nSetEnv a b\nUnsetEnv a\n</Proxy>"),
            ""
        );
        for line in ["SetEnvIf Host a b", "BrowserMatch a b"] {
            let error = complaint(&format!("<Proxy *>\n{line}\n</Proxy>"));
            assert!(error.contains("write them outside"), "{line}: {error}");
        }
    }

    #[test]
    fn nothing_counts_where_no_connect_ever_gets() {
        for name in ["Directory", "Files", "DirectoryMatch", "FilesMatch"] {
            let inside = "AuthType Form\nRequire ldap-user a\nRewriteRule . - [F]";
            assert_eq!(complaint(&format!("<{name} /x>\n{inside}\n</{name}>")), "");
        }
    }

    #[test]
    fn a_wrong_place_is_told_in_the_words_of_httpd() {
        for (text, error) in [
            ("Require all granted", "Require not allowed here"),
            (
                "<VirtualHost *>\nListen 2\n</VirtualHost>",
                "Listen cannot occur within <VirtualHost> section",
            ),
            (
                "<Directory />\nTraceEnable Off\n</Directory>",
                "TraceEnable not allowed in <Directory> context",
            ),
            ("<Proxy *>\nSSLProxyEngine On\n</Proxy>", ""),
            (
                "<Location />\nSSLProxyEngine On\n</Location>",
                "SSLProxyEngine not allowed in <Location> context",
            ),
        ] {
            assert!(
                complaint(text).starts_with(error),
                "{text}: {}",
                complaint(text)
            );
            assert_eq!(complaint(text).is_empty(), error.is_empty(), "{text}");
        }
    }
}
