//! Applies a config file and joins the main server with its virtual hosts.

use super::access::{Access, Require, Section};
use super::directives::{self, Context, Scope};
use super::error::{ConfigError, Place};
use super::settings::{Global, Host, LogFormatName, Settings};
use super::source::{self, Node, Variables, words};
use super::{AccessLog, Config, Connects, Server, VirtualHost};
use crate::log::LogTarget;
use crate::log::format::Format;
use crate::request::HeadLimits;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// httpd's `Timeout`.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How long a head may take: what `RequestReadTimeout header=20-40,MinRate=500` allows at most.
const HEAD_TIME: Duration = Duration::from_secs(40);
/// How long tunnels last after SIGTERM when nothing is said; init systems kill after 10 s and more.
const DRAIN: Duration = Duration::from_secs(3);
/// The largest config file that is read.
const FILE_LONGEST: u64 = 64 << 20;

/// What is read besides the file.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `-D NAME`.
    pub defines: Vec<String>,
    /// `-C DIRECTIVE`: before the file.
    pub before: Vec<String>,
    /// `-c DIRECTIVE`: after the file.
    pub after: Vec<String>,
    /// Whether the modules that serve CONNECT count as loaded, as they do without a config file.
    pub modules_loaded: bool,
}

/// Reads the config file, if any, and the directives of the command line.
///
/// # Errors
///
/// The first thing that is wrong, with its place and remedy.
pub fn read(file: Option<&Path>, options: &Options) -> Result<Config, ConfigError> {
    let mut builder = Builder::new(options);
    for text in &options.before {
        builder.text(&"-C".into(), text)?;
    }
    if let Some(file) = file {
        builder.file(file)?;
    }
    for text in &options.after {
        builder.text(&"-c".into(), text)?;
    }
    builder.finish(options)
}

struct Builder {
    global: Global,
    main: Settings,
    variables: Variables,
    defines: HashSet<String>,
}

/// Where the walk stands.
struct Position<'a> {
    server: &'a mut Settings,
    requires: Option<&'a mut Vec<Require>>,
    /// The section that limits what may stand here, `VirtualHost` aside.
    section: Option<&'a str>,
    in_host: bool,
}

impl Position<'_> {
    /// The same position, for the children of a node.
    fn inside(&mut self) -> Position<'_> {
        Position {
            server: self.server,
            requires: self.requires.as_deref_mut(),
            section: self.section,
            in_host: self.in_host,
        }
    }
}

impl Builder {
    fn new(options: &Options) -> Self {
        let mut variables = Variables::default();
        for name in &options.defines {
            variables.defined.insert(name.clone(), String::new());
        }
        Self {
            global: Global::default(),
            main: Settings::default(),
            variables,
            defines: options.defines.iter().cloned().collect(),
        }
    }

    fn file(&mut self, file: &Path) -> Result<(), ConfigError> {
        let name: Arc<str> = file.to_string_lossy().into();
        let place = Place {
            file: Arc::clone(&name),
            line: 0,
        };
        let size = std::fs::metadata(file)
            .map_err(|error| ConfigError::at(&place, error.to_string()))?
            .len();
        if size > FILE_LONGEST {
            return Err(ConfigError::at(&place, "the file is too large"));
        }
        let octets =
            std::fs::read(file).map_err(|error| ConfigError::at(&place, error.to_string()))?;
        let text = String::from_utf8(octets)
            .map_err(|_| ConfigError::at(&place, "the file is not UTF-8"))?;
        self.text(&name, &text)
    }

    fn text(&mut self, name: &Arc<str>, text: &str) -> Result<(), ConfigError> {
        let nodes = source::parse(name, text)?;
        let mut main = std::mem::take(&mut self.main);
        let position = Position {
            server: &mut main,
            requires: None,
            section: None,
            in_host: false,
        };
        let walked = self.walk(nodes, position);
        self.main = main;
        walked
    }

    fn walk(&mut self, nodes: Vec<Node>, mut at: Position<'_>) -> Result<(), ConfigError> {
        for mut node in nodes {
            let (rest, unknown) = self.variables.expand(&node.rest);
            if rest != node.rest {
                node.words = words(&rest);
            }
            for name in unknown {
                self.warn(
                    &node.place,
                    &format!("AH00111: Config variable ${{{name}}} is not defined"),
                );
            }
            match node.children.take() {
                Some(children) => self.section(&node, children, &mut at)?,
                None => self.directive(&node, &mut at)?,
            }
        }
        Ok(())
    }

    fn directive(&mut self, node: &Node, at: &mut Position<'_>) -> Result<(), ConfigError> {
        let error = |message: String| ConfigError::at(&node.place, message);
        match node.name.to_ascii_lowercase().as_str() {
            "define" => {
                let value = node.words.get(1).cloned().unwrap_or_default();
                let name = node
                    .words
                    .first()
                    .ok_or_else(|| error("Define takes a name and a value".into()))?;
                self.defines.insert(name.clone());
                self.variables.defined.insert(name.clone(), value);
                return Ok(());
            }
            "undefine" => {
                for name in &node.words {
                    self.defines.remove(name);
                    self.variables.defined.remove(name);
                }
                return Ok(());
            }
            _ => {}
        }
        let Some(directive) = directives::named(&node.name) else {
            return Err(error(format!(
                "Invalid command '{}', perhaps misspelled or defined by a module not included in the server \
                 configuration; the nearest known directive is {}",
                node.name,
                directives::nearest(&node.name)
            )));
        };
        self.may_stand(directive.context, directive.name, node, at)?;
        let Some(set) = directive.set else {
            self.warn(
                &node.place,
                &format!("{} means nothing here", directive.name),
            );
            return Ok(());
        };
        let requires = at.requires.as_deref_mut();
        let mut scope = Scope {
            global: &mut self.global,
            server: at.server,
            requires,
        };
        set(&mut scope, &node.words).map_err(error)
    }

    fn may_stand(
        &self,
        context: Context,
        name: &str,
        node: &Node,
        at: &Position<'_>,
    ) -> Result<(), ConfigError> {
        let place = match (context, at.section, at.in_host) {
            (Context::Section, _, _)
            | (Context::Server, None, _)
            | (Context::Global, None, false) => return Ok(()),
            (_, Some(section), _) => section,
            (Context::Global, None, true) => "VirtualHost",
        };
        Err(ConfigError::at(
            &node.place,
            format!("{name} not allowed in <{place}> context"),
        ))
    }

    fn section(
        &mut self,
        node: &Node,
        children: Vec<Node>,
        at: &mut Position<'_>,
    ) -> Result<(), ConfigError> {
        let top = at.section.is_none();
        match node.name.to_ascii_lowercase().as_str() {
            "ifmodule" | "ifdefine" | "ifversion" => self.conditional(node, children, at),
            "virtualhost" if top && !at.in_host => self.host(node, children),
            "proxy" if top => self.proxy(node, children, at),
            "requireany" | "requireall" | "requirenone" if at.requires.is_some() => {
                self.requirements(node, children, at)
            }
            "location" | "directory" | "files" | "if" | "limit" | "limitexcept"
            | "locationmatch" | "directorymatch" | "filesmatch" => self.ignored(node, children, at),
            _ => {
                let message = format!("<{}> is not known or not allowed here", node.name);
                Err(ConfigError::at(&node.place, message))
            }
        }
    }

    fn conditional(
        &mut self,
        node: &Node,
        children: Vec<Node>,
        at: &mut Position<'_>,
    ) -> Result<(), ConfigError> {
        let word = node.words.first().map_or("", String::as_str);
        let (negated, word) = word
            .strip_prefix('!')
            .map_or((false, word), |word| (true, word));
        let holds = match node.name.to_ascii_lowercase().as_str() {
            "ifmodule" => self.global.modules.contains(word) || BUILT_IN.contains(&word),
            "ifdefine" => self.defines.contains(word),
            // Configs ask for 2.4 and later, and that is what this proxy follows.
            _ => true,
        };
        if holds == negated {
            Ok(())
        } else {
            self.walk(children, at.inside())
        }
    }

    fn host(&mut self, node: &Node, children: Vec<Node>) -> Result<(), ConfigError> {
        let addresses = node
            .words
            .iter()
            .map(|word| host_address(word))
            .collect::<Result<_, _>>();
        let addresses =
            addresses.map_err(|message: String| ConfigError::at(&node.place, message))?;
        let mut settings = Settings::default();
        let position = Position {
            server: &mut settings,
            requires: None,
            section: None,
            in_host: true,
        };
        self.walk(children, position)?;
        self.global.hosts.push(Host {
            addresses,
            settings,
        });
        Ok(())
    }

    fn proxy(
        &mut self,
        node: &Node,
        children: Vec<Node>,
        at: &mut Position<'_>,
    ) -> Result<(), ConfigError> {
        let Some(pattern) = node.words.first().cloned() else {
            return Err(ConfigError::at(&node.place, "<Proxy> needs a target"));
        };
        let mut requires = Vec::new();
        let mut position = at.inside();
        position.requires = Some(&mut requires);
        position.section = Some("Proxy");
        self.walk(children, position)?;
        let require = (!requires.is_empty()).then_some(Require::Any(requires));
        at.server.sections.push(Section { pattern, require });
        Ok(())
    }

    fn requirements(
        &mut self,
        node: &Node,
        children: Vec<Node>,
        at: &mut Position<'_>,
    ) -> Result<(), ConfigError> {
        let mut requires = Vec::new();
        let mut position = at.inside();
        position.requires = Some(&mut requires);
        self.walk(children, position)?;
        let require = match node.name.to_ascii_lowercase().as_str() {
            "requireall" => Require::Every(requires),
            "requirenone" => Require::Not(Box::new(Require::Any(requires))),
            _ => Require::Any(requires),
        };
        if let Some(outer) = at.requires.as_deref_mut() {
            outer.push(require);
        }
        Ok(())
    }

    /// A section about files or paths: read, so that its errors are found, and then forgotten.
    fn ignored(
        &mut self,
        node: &Node,
        children: Vec<Node>,
        at: &Position<'_>,
    ) -> Result<(), ConfigError> {
        let (mut requires, mut settings) = (Vec::new(), Settings::default());
        let position = Position {
            server: &mut settings,
            requires: Some(&mut requires),
            section: Some(&node.name),
            in_host: at.in_host,
        };
        self.walk(children, position)?;
        self.warn(&node.place, &format!("<{}> means nothing here", node.name));
        Ok(())
    }

    fn warn(&mut self, place: &Place, message: &str) {
        self.global
            .warnings
            .push(format!("{} line {}: {message}", place.file, place.line));
    }

    fn finish(self, options: &Options) -> Result<Config, ConfigError> {
        let Self { global, main, .. } = self;
        let place = Place {
            file: "the configuration".into(),
            line: 0,
        };
        if global.listen.is_empty() {
            let message = "no listening sockets available: say where to listen, as in `Listen 127.0.0.1:3128`";
            return Err(ConfigError::at(&place, message));
        }
        let joined =
            |own: &Settings, index| join(&main, own, index, &global, options).map(Arc::new);
        let hosts = global.hosts.iter().zip(1..).map(|(host, index)| {
            let server = joined(&host.settings, index)?;
            Ok(VirtualHost {
                addresses: host.addresses.clone(),
                server,
            })
        });
        let hosts = hosts
            .collect::<Result<_, String>>()
            .map_err(|message| ConfigError::at(&place, message))?;
        let own =
            joined(&Settings::default(), 0).map_err(|message| ConfigError::at(&place, message))?;
        Ok(Config {
            listen: global.listen.clone(),
            main: own,
            hosts,
            connections_most: global.connections_most,
            drain: global.drain.unwrap_or(DRAIN),
            pid_file: global.pid_file.clone(),
            warnings: global.warnings.clone(),
        })
    }
}

/// The modules that count as compiled in.
const BUILT_IN: [&str; 10] = [
    "core_module",
    "core.c",
    "log_config_module",
    "mod_log_config.c",
    "logio_module",
    "mod_logio.c",
    "unixd_module",
    "mod_unixd.c",
    "so_module",
    "mod_so.c",
];

fn join(
    main: &Settings,
    own: &Settings,
    index: usize,
    global: &Global,
    options: &Options,
) -> Result<Server, String> {
    let loaded = |name: &str| options.modules_loaded || global.modules.contains(name);
    let on = own.proxy_requests.or(main.proxy_requests).unwrap_or(false);
    let connects = match (on && loaded("proxy_module"), loaded("proxy_connect_module")) {
        (false, _) => Connects::ProxyOff,
        (true, false) => Connects::NoModule,
        (true, true) => Connects::Yes,
    };
    let allow = match (&main.allow, &own.allow) {
        (Some(main), Some(own)) => main.clone().and(own),
        (Some(list), None) | (None, Some(list)) => list.clone(),
        (None, None) => super::AllowConnect::default(),
    };
    let defaults = HeadLimits::default();
    let timeout = own.timeout.or(main.timeout).unwrap_or(TIMEOUT);
    let proxy_timeout = own.proxy_timeout.or(main.proxy_timeout).unwrap_or(timeout);
    let logs = if own.logs.is_empty() {
        (&main.logs, main)
    } else {
        (&own.logs, own)
    };
    Ok(Server {
        index,
        name: own.name.as_deref().or(main.name.as_deref()).map(Into::into),
        name_port: own.name_port.or(main.name_port),
        aliases: own.aliases.clone(),
        connects,
        allow,
        access: Access {
            sections: main.sections.iter().chain(&own.sections).cloned().collect(),
        },
        head: HeadLimits {
            line: own.line_limit.or(main.line_limit).unwrap_or(defaults.line),
            field: own
                .field_limit
                .or(main.field_limit)
                .unwrap_or(defaults.field),
            fields: own
                .fields_limit
                .or(main.fields_limit)
                .unwrap_or(defaults.fields),
        },
        head_time: own.head_time.or(main.head_time).unwrap_or(HEAD_TIME),
        connect_time: proxy_timeout,
        idle_time: timeout.max(proxy_timeout),
        logs: access_logs(logs.0, logs.1, global)?,
        error_log: own
            .error_log
            .clone()
            .or_else(|| main.error_log.clone())
            .unwrap_or(LogTarget::Stderr),
    })
}

fn access_logs(
    logs: &[(LogTarget, LogFormatName)],
    server: &Settings,
    global: &Global,
) -> Result<Vec<AccessLog>, String> {
    let format = |name: &LogFormatName| match name {
        LogFormatName::Text(text) => match global.formats.get(text) {
            Some(format) => Ok(Arc::clone(format)),
            None if text == "common" => Format::parse(Format::COMMON).map(Arc::new),
            None => Format::parse(text).map(Arc::new),
        },
        LogFormatName::Transfer => match &server.transfer_format {
            Some(format) => Ok(Arc::clone(format)),
            None => Format::parse(Format::COMMON).map(Arc::new),
        },
    };
    logs.iter()
        .map(|(target, name)| {
            Ok(AccessLog {
                target: target.clone(),
                format: format(name)?,
            })
        })
        .collect()
}

/// Reads an address of `<VirtualHost>`: `*`, `*:80`, `_default_:*`, `127.0.0.1:80`, `[::1]:80`, `127.0.0.1`.
fn host_address(word: &str) -> Result<(Option<std::net::IpAddr>, Option<u16>), String> {
    let wrong = || format!("<VirtualHost {word}>: not ADDRESS[:PORT]");
    let (host, port) = match word.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
        _ => (word, None),
    };
    let port = match port {
        None | Some("*") => None,
        Some(port) => Some(port.parse().map_err(|_| wrong())?),
    };
    let address = match host {
        "*" | "_default_" => None,
        host => Some(host.trim_matches(['[', ']']).parse().map_err(|_| wrong())?),
    };
    Ok((address, port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn config(text: &str) -> Result<Config, String> {
        let options = Options {
            after: vec![text.into()],
            modules_loaded: true,
            ..Options::default()
        };
        read(None, &options).map_err(|error| error.to_string())
    }

    #[test]
    fn allow_lists_add_up() {
        let text =
            "Listen 1\nAllowCONNECT 7001\n<VirtualHost *:1>\nAllowCONNECT 7002\n</VirtualHost>\n";
        let config = config(text).unwrap();
        assert_eq!(config.main.allow.to_string(), "7001");
        assert_eq!(config.hosts[0].server.allow.to_string(), "7001 7002");
    }

    #[test]
    fn says_where_it_is_wrong() {
        let error = config("Listen 1\nAllowConect 1\n").unwrap_err();
        assert!(
            error.starts_with("AH00526: Syntax error on line 2 of -c:\n")
                && error.ends_with("AllowCONNECT"),
            "{error}"
        );
        for section in ["Location /", "Proxy *", "Directory /", "Files x", "If true"] {
            let name = section.split(' ').next().unwrap();
            let error = config(&format!(
                "Listen 1\n<{section}>\nAllowCONNECT 1\n</{name}>\n"
            ))
            .unwrap_err();
            assert!(
                error.ends_with(&format!("AllowCONNECT not allowed in <{name}> context")),
                "{error}"
            );
        }
    }

    #[test]
    fn the_longer_timeout_rules_a_tunnel() {
        for text in ["Timeout 5\nProxyTimeout 2", "Timeout 2\nProxyTimeout 5"] {
            let config = config(&format!("Listen 1\n{text}\n")).unwrap();
            assert_eq!(config.main.idle_time, Duration::from_secs(5));
        }
    }

    #[test]
    fn the_target_picks_the_virtual_host() {
        let text = "Listen 127.0.0.1:1\n\
            <VirtualHost 127.0.0.1:1>\nServerName one.test\n</VirtualHost>\n\
            <VirtualHost 127.0.0.1:1>\nServerName two.test\nServerAlias 127.0.0.1\n</VirtualHost>\n";
        let config = config(text).unwrap();
        let pick = |target: &str| {
            let target = crate::request::Authority::parse(target.as_bytes()).unwrap();
            config
                .server("127.0.0.1:1".parse().unwrap(), Some(&target))
                .name
                .clone()
                .unwrap()
                .to_string()
        };
        assert_eq!(pick("two.test:1"), "two.test");
        assert_eq!(pick("127.0.0.1:1"), "two.test");
        assert_eq!(pick("other.test:1"), "one.test");
    }

    proptest! {
        #[test]
        fn no_config_makes_it_panic(
            lines in proptest::collection::vec("(AllowCONNECT|Listen|Timeout|LogFormat|Require|ServerName|<Proxy|</Proxy>|<VirtualHost|</VirtualHost>|Define|[A-Za-z]{1,9}) ?[ -~]{0,20}", 0..12),
        ) {
            let _ = config(&lines.join("\n"));
        }
    }
}
