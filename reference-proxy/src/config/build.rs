//! The second pass over a config: every directive is applied to the server that it stands in.

mod lines;
mod sections;

use super::access::Block;
use super::error::{ConfigError, Place};
use super::reader::Reader;
use super::settings::{Global, Settings};
use super::source::Node;
use super::{Config, Connects, VirtualHost, join};
use crate::net::names;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

/// The most words about routes of the main server times virtual hosts, each of which gets its own.
const ROUTES_MOST: usize = 1_000_000;

/// What is read besides the file.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `-D NAME`.
    pub defines: Vec<String>,
    /// `-C DIRECTIVE`: before the file.
    pub before: Vec<String>,
    /// `-c DIRECTIVE`: after the file.
    pub after: Vec<String>,
    /// Whether every module counts as loaded, as without a config file.
    pub every_module: bool,
}

/// Reads the config file, if any, and the directives of the command line.
///
/// # Errors
///
/// The first thing that is wrong, with its place and remedy.
pub fn read(file: Option<&Path>, options: &Options) -> Result<Config, ConfigError> {
    let mut reader = Reader::defining(&options.defines);
    reader.global.every_module = options.every_module;
    let nodes =
        nodes(&mut reader, file, options).map_err(|error| error.after(&reader.global.warnings))?;
    let mut builder = Builder {
        global: reader.global,
    };
    let mut words = HashSet::new();
    sections::words_to_look_up(&nodes, &mut words);
    builder.global.addresses = names::all(words);
    let mut main = Settings::default();
    let top = Position {
        server: &mut main,
        block: None,
        section: None,
        in_host: false,
        idle: false,
    };
    builder
        .walk(nodes, top)
        .and_then(|()| finish(&main, &builder.global))
        .map_err(|error| error.after(&builder.global.warnings))
}

/// The first pass: all that is written, in its order.
fn nodes(
    reader: &mut Reader,
    file: Option<&Path>,
    options: &Options,
) -> Result<Vec<Node>, ConfigError> {
    let mut nodes = Vec::new();
    for text in &options.before {
        nodes.extend(reader.text(&"-C".into(), text)?);
    }
    if let Some(file) = file {
        nodes.extend(reader.file(file)?);
    }
    for text in &options.after {
        nodes.extend(reader.text(&"-c".into(), text)?);
    }
    Ok(nodes)
}

/// What one line changes before another looks at it.
fn early_fields(main: &Settings, global: &Global) -> Result<(), ConfigError> {
    let hosts = global.hosts.iter().map(|host| &host.settings);
    let rules: Vec<_> = std::iter::once(main)
        .chain(hosts)
        .map(|settings| &settings.environment)
        .collect();
    for (field, place) in &global.early_fields {
        if rules.iter().any(|rules| rules.look_at(field)) {
            let message = format!(
                "RequestHeader … early changes {field} before SetEnvIf looks at it, and access rules may depend on \
                 that; it is not understood here: leave 'early' out, and httpd changes the field behind them"
            );
            return Err(ConfigError::at(place, message));
        }
    }
    Ok(())
}

fn finish(main: &Settings, global: &Global) -> Result<Config, ConfigError> {
    early_fields(main, global)?;
    let place = Place {
        file: "the configuration".into(),
        line: 0,
    };
    let error = |message: String| ConfigError::at(&place, message);
    if global.listen.is_empty() {
        return Err(error(
            "no listening sockets available: say where to listen, as in `Listen 127.0.0.1:3128`"
                .into(),
        ));
    }
    let (routes, destinations) = (&main.routes, &main.destinations);
    let each = routes.blocked.len() + routes.remotes.len() + routes.direct.len();
    let each = each + destinations.allowed.len() + destinations.denied.len();
    if each.saturating_mul(global.hosts.len()) > ROUTES_MOST {
        return Err(error(format!(
            "{each} words of ProxyBlock, ProxyRemote, NoProxy and DenyDestination for each of {} virtual hosts are more than \
             {ROUTES_MOST}: write them into the virtual hosts that need them",
            global.hosts.len()
        )));
    }
    let joined = |own: &Settings, index| join::join(main, own, index, global).map(Arc::new);
    let hosts = global.hosts.iter().zip(1..).map(|(host, index)| {
        let server = joined(&host.settings, index)?;
        Ok(VirtualHost {
            addresses: host.addresses.clone(),
            server,
        })
    });
    let mut config = Config {
        listen: global.listen.clone(),
        main: joined(&Settings::default(), 0).map_err(error)?,
        hosts: hosts.collect::<Result<_, String>>().map_err(error)?,
        buffers: global.buffers,
        connections_most: global.connections_most,
        drain: global.drain.unwrap_or(join::DRAIN),
        pid_file: global.pid_file.clone(),
        user: global.user.clone(),
        group: global.group.clone(),
        warnings: global.every_warning(),
    };
    let closed = config
        .servers()
        .any(|server| server.connects == Connects::Yes && !server.access.speaks());
    config.warnings.extend(closed.then(|| CLOSED.to_owned()));
    Ok(config)
}

/// Said where httpd would serve everybody.
const CLOSED: &str = "no Require, Allow or Deny says who may connect, so that only this machine is served: write \
                      <Proxy \"*\"> with Require ip and your networks, or with Require all granted";

struct Builder {
    global: Global,
}

/// Where the walk stands.
struct Position<'a> {
    server: &'a mut Settings,
    block: Option<&'a mut Block>,
    /// The section that limits what may stand here, `VirtualHost` aside.
    section: Option<&'a str>,
    in_host: bool,
    /// Whether it is inside a section that no CONNECT ever meets: nothing there counts.
    idle: bool,
}

impl Builder {
    fn walk(&mut self, nodes: Vec<Node>, mut at: Position<'_>) -> Result<(), ConfigError> {
        for mut node in nodes {
            match node.children.take() {
                Some(children) => self.section(&node, children, &mut at)?,
                None => self.directive(&node, &mut at)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn config(text: &str) -> Result<Config, String> {
        let options = Options {
            after: vec![text.into()],
            every_module: true,
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
    fn a_warning_stands_in_front_of_the_error_that_it_explains() {
        let error = config("Listen 1\nAllowCONNECT ${NOT_DEFINED}\n").unwrap_err();
        let told = "warning: ";
        assert!(error.starts_with(told), "{error}");
        assert!(error.contains("Config variable ${NOT_DEFINED}"), "{error}");
        assert!(error.ends_with("port numbers must be numeric"), "{error}");
    }

    #[test]
    fn a_directive_needs_its_module() {
        let bare = |text: &str| {
            let options = Options {
                after: vec![text.into()],
                ..Options::default()
            };
            read(None, &options).map_err(|error| error.to_string())
        };
        let error = bare("Listen 1\nAllowCONNECT 1\n").unwrap_err();
        assert!(error.ends_with("load proxy_connect_module"), "{error}");
        let load = "LoadModule proxy_connect_module mod_proxy_connect.so\n";
        assert!(bare(&format!("Listen 1\nAllowCONNECT 1\n{load}")).is_ok());
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
            lines in proptest::collection::vec("(AllowCONNECT|Listen|Timeout|LogFormat|Require|ServerName|ProxyRemote|NoProxy|<Proxy|</Proxy>|<VirtualHost|</VirtualHost>|<RequireAll>|Define|[A-Za-z]{1,9}) ?[ -~]{0,20}", 0..12),
        ) {
            let _ = config(&lines.join("\n"));
        }
    }
}
