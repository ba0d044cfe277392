//! Sections: what stands inside counts for an address, for a target, or for nothing.

use super::{Builder, Position};
use crate::config::HostAddress;
use crate::config::access::{Block, Fate, Kind, Pattern, Section};
use crate::config::error::ConfigError;
use crate::config::settings::{Host, Settings};
use crate::config::source::Node;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

impl Builder {
    pub(super) fn section(
        &mut self,
        node: &Node,
        children: Vec<Node>,
        at: &mut Position<'_>,
    ) -> Result<(), ConfigError> {
        let top = at.section.is_none();
        let error = |message: String| Err(ConfigError::at(&node.place, message));
        match node.name.to_ascii_lowercase().as_str() {
            "virtualhost" if top && !at.in_host => self.host(node, children),
            "proxy" | "proxymatch" if !self.global.has("proxy_module") => error(format!(
                "<{}> needs its module: load proxy_module",
                node.name
            )),
            "proxy" | "proxymatch" | "location" | "locationmatch" if top => {
                self.targets(node, children, at)
            }
            "directory" | "directorymatch" if top => self.idle(node, children, at),
            "files" | "filesmatch" => self.idle(node, children, at),
            "if" | "elseif" | "else" => self.conditional(node, children, at),
            "limit" | "limitexcept" if at.block.is_some() => self.limit(node, children, at),
            "requireany" => self.requirements(node, children, at, Kind::Any),
            "requireall" => self.requirements(node, children, at, Kind::All),
            "requirenone" => self.requirements(node, children, at, Kind::None),
            "authnprovideralias" | "authzprovideralias" => error(format!(
                "<{}> would give another source of users a name, and only the file of an AuthUserFile is known \
                 here: take it out, and write Require with the words that it stands for",
                node.name
            )),
            _ => error(format!("<{}> is not known or not allowed here", node.name)),
        }
    }

    fn host(&mut self, node: &Node, children: Vec<Node>) -> Result<(), ConfigError> {
        let mut addresses = Vec::new();
        for word in &node.words {
            let found = host_addresses(word, &self.global.addresses);
            addresses.extend(found.map_err(|message| ConfigError::at(&node.place, message))?);
        }
        let mut settings = Settings::default();
        let inside = Position {
            server: &mut settings,
            block: None,
            section: None,
            in_host: true,
            idle: false,
        };
        self.walk(children, inside)?;
        self.global.hosts.push(Host {
            addresses,
            settings,
        });
        Ok(())
    }

    /// `<Proxy>` and `<Location>`: a CONNECT is held to either, by its target.
    fn targets(
        &mut self,
        node: &Node,
        children: Vec<Node>,
        at: &mut Position<'_>,
    ) -> Result<(), ConfigError> {
        let name = node.name.to_ascii_lowercase();
        let error = |message: String| ConfigError::at(&node.place, message);
        let pattern = pattern(&name, &node.words).map_err(error)?;
        if pattern.is_path() {
            return self.idle(node, children, at);
        }
        let is_proxy = name.starts_with("proxy");
        let mut block = Block::new(Fate::Applies);
        let mut aside = Settings::default();
        let inside = Position {
            server: if is_proxy {
                &mut *at.server
            } else {
                &mut aside
            },
            block: Some(&mut block),
            section: Some(if is_proxy { "Proxy" } else { &node.name }),
            in_host: at.in_host,
            idle: at.idle,
        };
        self.walk(children, inside)?;
        let rules = block.into_rules();
        if rules.is_empty() {
            if !is_proxy {
                self.global.idle(&node.place, &format!("<{}>", node.name));
            }
            return Ok(());
        }
        if let Some(oddity) = pattern.oddity() {
            let message = format!("<{}> {oddity}", node.name);
            self.global.warn(&node.place, &message);
        }
        let sections = Arc::make_mut(&mut at.server.sections);
        let kind = match is_proxy {
            true => &mut sections.proxies,
            false => &mut sections.locations,
        };
        kind.push(Section { pattern, rules });
        Ok(())
    }

    /// `<RequireAny>` and its kin.
    fn requirements(
        &mut self,
        node: &Node,
        children: Vec<Node>,
        at: &mut Position<'_>,
        kind: Kind,
    ) -> Result<(), ConfigError> {
        let error = |message: String| ConfigError::at(&node.place, message);
        if !node.words.is_empty() {
            let name = &node.name;
            return Err(error(format!(
                "<{name}> directive doesn't take additional arguments"
            )));
        }
        let Some(block) = at.block.as_deref_mut() else {
            return Err(error(format!("<{}> not allowed here", node.name)));
        };
        // What stands in a section that is never met says nothing.
        let counts = !at.idle && block.fate == Fate::Applies;
        if counts {
            block.open(kind);
        }
        let inside = Position {
            server: &mut *at.server,
            block: Some(&mut *block),
            section: Some(&node.name),
            in_host: at.in_host,
            idle: at.idle,
        };
        self.walk(children, inside)?;
        if counts {
            block.close().map_err(error)?;
        }
        Ok(())
    }

    /// `<Limit>`: its lines are for the methods that it names, `<LimitExcept>`: for all others.
    fn limit(
        &mut self,
        node: &Node,
        children: Vec<Node>,
        at: &mut Position<'_>,
    ) -> Result<(), ConfigError> {
        let error = |message: String| ConfigError::at(&node.place, message);
        let name = &node.name;
        if node.words.is_empty() {
            return Err(error(format!(
                "<{name}> directive requires additional arguments"
            )));
        }
        if node.words.iter().any(|method| method == "TRACE") {
            let message = format!("TRACE cannot be controlled by <{name}>, see TraceEnable");
            return Err(error(message));
        }
        let named = node.words.iter().any(|method| method == "CONNECT");
        let for_connect = named == name.eq_ignore_ascii_case("limit");
        let Some(block) = at.block.as_deref_mut() else {
            return Err(error(format!("<{name}> not allowed here")));
        };
        let outside = block.other_methods;
        block.other_methods |= !for_connect;
        let inside = Position {
            server: &mut *at.server,
            block: Some(&mut *block),
            section: Some(name),
            in_host: at.in_host,
            idle: at.idle,
        };
        self.walk(children, inside)?;
        block.other_methods = outside;
        Ok(())
    }

    /// A section that no CONNECT ever meets: read, so that its errors are found, and then forgotten.
    fn idle(
        &mut self,
        node: &Node,
        children: Vec<Node>,
        at: &Position<'_>,
    ) -> Result<(), ConfigError> {
        self.aside(node, children, at, Fate::Applies, true)
    }

    /// `<If>`: what it says applies where an expression holds. As long as nothing in it is about access, it does not
    /// matter whether that does.
    fn conditional(
        &mut self,
        node: &Node,
        children: Vec<Node>,
        at: &Position<'_>,
    ) -> Result<(), ConfigError> {
        self.aside(
            node,
            children,
            at,
            Fate::Unknown(node.name.clone()),
            at.idle,
        )
    }

    fn aside(
        &mut self,
        node: &Node,
        children: Vec<Node>,
        at: &Position<'_>,
        fate: Fate,
        idle: bool,
    ) -> Result<(), ConfigError> {
        let (mut block, mut settings) = (Block::new(fate), Settings::default());
        let inside = Position {
            server: &mut settings,
            block: Some(&mut block),
            section: Some(&node.name),
            in_host: at.in_host,
            idle,
        };
        self.walk(children, inside)?;
        if !at.idle {
            self.global.idle(&node.place, &format!("<{}>", node.name));
        }
        Ok(())
    }
}

/// The pattern of `<Proxy>`, `<ProxyMatch>`, `<Location>` or `<LocationMatch>`.
fn pattern(section: &str, words: &[String]) -> Result<Pattern, String> {
    match (section, words) {
        ("proxy", []) => Ok(Pattern::proxy("")),
        ("proxy", [text]) => Ok(Pattern::proxy(text)),
        // The URL of a server, with parameters of connections to it.
        ("proxy", [url, ..]) if url.contains("://") => Ok(Pattern::proxy(url)),
        ("proxy", [tilde, expression, ..]) if tilde == "~" => Err(format!(
            "<Proxy> arguments are not supported for non url: write <ProxyMatch \"{expression}\">"
        )),
        ("proxy", _) => Err(
            "<Proxy> arguments are not supported for non url: write one pattern, and in quotes where it has blanks"
                .into(),
        ),
        ("location", [tilde, expression]) if tilde == "~" => Pattern::expression(expression),
        ("proxymatch" | "locationmatch", [expression]) => Pattern::expression(expression),
        ("location", [text]) => Ok(Pattern::location(text)),
        (_, []) => Err(format!("<{section}> block must specify a path")),
        _ => Err(format!(
            "Multiple <{section}> arguments not (yet) supported: write one section for each"
        )),
    }
}

/// Reads an address of `<VirtualHost>`: `*`, `*:80`, `_default_:*`, `127.0.0.1:80`, `[::1]:80`, `127.0.0.1`,
/// or a name that is looked up now.
fn host_addresses(
    word: &str,
    known: &HashMap<String, Vec<IpAddr>>,
) -> Result<Vec<HostAddress>, String> {
    let wrong = || format!("<VirtualHost {word}>: not ADDRESS[:PORT]");
    let (host, port) = host_and_port(word);
    let port = match port {
        None | Some("*") => None,
        Some(port) => Some(port.parse().map_err(|_| wrong())?),
    };
    if ["*", "_default_"].contains(&host) {
        return Ok(vec![HostAddress { ip: None, port }]);
    }
    if let Ok(address) = host.trim_matches(['[', ']']).parse() {
        return Ok(vec![HostAddress {
            ip: Some(address),
            port,
        }]);
    }
    let found = known
        .get(host)
        .ok_or_else(|| format!("{}, and the name has no address", wrong()))?;
    let each = found.iter().map(|address| HostAddress {
        ip: Some(*address),
        port,
    });
    Ok(each.collect())
}

/// The parts of a word of `<VirtualHost>`.
fn host_and_port(word: &str) -> (&str, Option<&str>) {
    match word.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
        _ => (word, None),
    }
}

/// Collects what `ProxyBlock` and `<VirtualHost>` name, so that all of it is looked up at once and within one time.
pub(super) fn words_to_look_up(nodes: &[Node], words: &mut HashSet<String>) {
    for node in nodes {
        if node.name.eq_ignore_ascii_case("ProxyBlock") {
            words.extend(node.words.iter().cloned());
        }
        if node.name.eq_ignore_ascii_case("VirtualHost") {
            let hosts = node.words.iter().map(|word| host_and_port(word).0);
            words.extend(hosts.map(str::to_owned));
        }
        words_to_look_up(node.children.as_deref().unwrap_or_default(), words);
    }
}
