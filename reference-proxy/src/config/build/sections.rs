//! Sections: what stands inside counts for an address, for a target, or for nothing.

use super::{Builder, Position};
use crate::config::HostAddress;
use crate::config::access::{Require, Section};
use crate::config::error::ConfigError;
use crate::config::settings::{Block, Host, Settings};
use crate::config::source::Node;
use std::net::ToSocketAddrs;

impl Builder {
    pub(super) fn section(
        &mut self,
        node: &Node,
        children: Vec<Node>,
        at: &mut Position<'_>,
    ) -> Result<(), ConfigError> {
        let top = at.section.is_none();
        match node.name.to_ascii_lowercase().as_str() {
            "virtualhost" if top && !at.in_host => self.host(node, children),
            "proxy" if top && self.global.has("proxy_module") => self.proxy(node, children, at),
            "requireany" | "requireall" | "requirenone" if at.block.is_some() => {
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

    fn host(&mut self, node: &Node, children: Vec<Node>) -> Result<(), ConfigError> {
        let mut addresses = Vec::new();
        for word in &node.words {
            let found = host_addresses(word);
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

    fn proxy(
        &mut self,
        node: &Node,
        children: Vec<Node>,
        at: &mut Position<'_>,
    ) -> Result<(), ConfigError> {
        let [pattern] = node.words.as_slice() else {
            return Err(ConfigError::at(&node.place, "<Proxy> takes one target"));
        };
        let mut block = Block::default();
        let (server, in_host) = (&mut *at.server, at.in_host);
        self.walk(
            children,
            Position {
                server,
                block: Some(&mut block),
                section: Some("Proxy"),
                in_host,
                idle: false,
            },
        )?;
        let require = (!block.requires.is_empty()).then_some(Require::Any(block.requires));
        if require.as_ref().is_some_and(Require::is_hollow) {
            let message = "negative Require directive has no effect in <RequireAny> directive";
            return Err(ConfigError::at(&node.place, message));
        }
        at.server.sections.push(Section {
            pattern: pattern.clone(),
            require,
            auth: block.auth,
        });
        Ok(())
    }

    fn requirements(
        &mut self,
        node: &Node,
        children: Vec<Node>,
        at: &mut Position<'_>,
    ) -> Result<(), ConfigError> {
        let mut block = Block::default();
        let (server, in_host) = (&mut *at.server, at.in_host);
        self.walk(
            children,
            Position {
                server,
                block: Some(&mut block),
                section: at.section,
                in_host,
                idle: at.idle,
            },
        )?;
        let require = match node.name.to_ascii_lowercase().as_str() {
            "requireall" => Require::Every(block.requires),
            "requirenone" => Require::Not(Box::new(Require::Any(block.requires))),
            _ => Require::Any(block.requires),
        };
        if let Some(outer) = at.block.as_deref_mut() {
            outer.requires.push(require);
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
        let (mut block, mut settings) = (Block::default(), Settings::default());
        let of_files = ["directory", "files", "directorymatch", "filesmatch"];
        let idle = of_files.contains(&node.name.to_ascii_lowercase().as_str());
        let inside = Position {
            server: &mut settings,
            block: Some(&mut block),
            section: Some(&node.name),
            in_host: at.in_host,
            idle: at.idle || idle,
        };
        self.walk(children, inside)?;
        if !at.idle {
            self.global.idle(&node.place, &format!("<{}>", node.name));
        }
        Ok(())
    }
}

/// Reads an address of `<VirtualHost>`: `*`, `*:80`, `_default_:*`, `127.0.0.1:80`, `[::1]:80`, `127.0.0.1`,
/// or a name that is looked up now.
fn host_addresses(word: &str) -> Result<Vec<HostAddress>, String> {
    let wrong = || format!("<VirtualHost {word}>: not ADDRESS[:PORT]");
    let (host, port) = match word.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
        _ => (word, None),
    };
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
    let found = (host, 0)
        .to_socket_addrs()
        .map_err(|error| format!("{}: {error}", wrong()))?;
    Ok(found
        .map(|address| HostAddress {
            ip: Some(address.ip()),
            port,
        })
        .collect())
}
