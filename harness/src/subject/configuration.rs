//! What a set-up asks of the proxy under test.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use crate::{
    protocol::HttpVersion,
    setup::{Hosts, PortRange},
    subject::offers::Passwords,
};
use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};

/// The configuration of one launch. What is not set is `none` in the templates: the subject is to be
/// left at its own default there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Configuration {
    /// Where the subject has to listen.
    pub listen: SocketAddr,
    /// The destination ports that CONNECT may reach. An empty list means none at all.
    pub allow: Option<Vec<PortRange>>,
    /// The list of these ports as the subject's own configuration writes it, taken verbatim.
    pub allow_text: Option<String>,
    /// The names that CONNECT may reach, and with them no address; without it, all.
    pub hosts: Option<Vec<Hosts>>,
    /// The names that it may not reach.
    pub denied_hosts: Option<Vec<Hosts>>,
    /// Whether addresses that mean the subject's own machine or network are refused.
    pub refuse_private: bool,
    /// The user that is let in.
    pub credentials: Option<Credentials>,
    /// Others that are let in, where there are credentials: names and passwords that not every subject can express.
    pub more_users: Vec<Credentials>,
    /// The only clients that are served; without it, all that the subject's template lets in.
    pub clients: Option<Vec<IpAddr>>,
    /// The proxy that the subject has to go through.
    pub upstream: Option<SocketAddr>,
    /// The version of HTTP in which the subject asks that proxy.
    pub upstream_version: HttpVersion,
    /// The certificate, in PEM, of the authority that vouches for that proxy, where it is asked within TLS.
    pub upstream_ca: Option<String>,
    /// The server to which the subject is the gateway, where a client opens a WebSocket with extended CONNECT.
    pub websocket: Option<SocketAddr>,
    /// The certificate of a listener that speaks TLS.
    pub tls: Option<TlsFiles>,
    /// The version of HTTP that clients speak to it.
    pub version: HttpVersion,
    /// How long the subject waits.
    pub timeouts: Timeouts,
    /// Lines in the language of the subject's own configuration, which are to stand after all others.
    pub lines: Option<String>,
    /// Whether the access log takes no line.
    pub log_stands_still: bool,
    /// Three free ports for whatever else a subject insists on opening (an admin port, say).
    pub spare_ports: [u16; 3],
}

impl Configuration {
    /// A subject that listens there, and is at its own defaults otherwise.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            allow: None,
            allow_text: None,
            hosts: None,
            denied_hosts: None,
            refuse_private: false,
            credentials: None,
            more_users: Vec::new(),
            clients: None,
            upstream: None,
            upstream_version: HttpVersion::Http1,
            upstream_ca: None,
            websocket: None,
            tls: None,
            version: HttpVersion::Http1,
            timeouts: Timeouts::default(),
            lines: None,
            log_stands_still: false,
            spare_ports: [0; 3],
        }
    }

    /// Everybody who is let in, as far as the subject can express it.
    pub fn users(&self, passwords: Passwords) -> impl Iterator<Item = &Credentials> {
        let users = self.credentials.iter().chain(&self.more_users);
        let most = match passwords {
            Passwords::One => 1,
            Passwords::Any | Passwords::Plain => usize::MAX,
        };
        users
            .filter(move |user| passwords == Passwords::Any || user.is_plain())
            .take(most)
    }
}

/// The words of `connectspec profile serve` that ask for this configuration, for a shell. A password is not among them:
/// `secret` stands for it.
impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--listen {}", self.listen)?;
        if let Some(allow) = &self.allow {
            let ports: Vec<String> = allow.iter().map(ToString::to_string).collect();
            write!(f, " --allow '{}'", ports.join(" "))?;
        }
        if let Some(words) = &self.allow_text {
            write!(f, " --allow-text '{}'", words.replace('\'', r"'\''"))?;
        }
        for host in self.hosts.iter().flatten() {
            write!(f, " --host={host}")?;
        }
        for host in self.denied_hosts.iter().flatten() {
            write!(f, " --denied-host={host}")?;
        }
        if self.refuse_private {
            f.write_str(" --refuse-private")?;
        }
        if let Some(credentials) = &self.credentials {
            write!(f, " --credentials {}:secret", credentials.username)?;
        }
        for client in self.clients.iter().flatten() {
            write!(f, " --client {client}")?;
        }
        if let Some(upstream) = self.upstream {
            write!(f, " --upstream {upstream}")?;
            if self.upstream_version != HttpVersion::Http1 {
                write!(f, " --upstream-http {}", self.upstream_version.name())?;
            }
            if self.upstream_ca.is_some() {
                // The file of a run is gone with it.
                f.write_str(" --upstream-ca upstream.pem")?;
            }
        }
        if let Some(server) = self.websocket {
            write!(f, " --websocket {server}")?;
        }
        if self.tls.is_some() {
            // The files of a run are gone with it.
            f.write_str(" --tls-certificate proxy.pem --tls-key proxy.key")?;
        }
        if self.version != HttpVersion::Http1 {
            write!(f, " --http {}", self.version.name())?;
        }
        if let Some(lines) = &self.lines {
            let lines = lines.replace('\\', r"\\").replace('\'', r"\'");
            write!(f, " --config-lines $'{}'", lines.replace('\n', r"\n"))?;
        }
        let timeouts = self.timeouts;
        for (name, seconds) in [
            ("connect", timeouts.connect),
            ("idle", timeouts.idle),
            ("header", timeouts.header),
        ] {
            if let Some(seconds) = seconds {
                write!(f, " --{name}-timeout {seconds}")?;
            }
        }
        Ok(())
    }
}

/// The one user that a subject lets in.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Credentials {
    /// The name: no colon, no control characters.
    pub username: String,
    /// The password.
    pub password: String,
}

impl Credentials {
    /// Reads `user:password`, split at the first colon.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (username, password) = text.split_once(':')?;
        Some(Self {
            username: username.to_owned(),
            password: password.to_owned(),
        })
    }

    /// Whether name and password are words of letters, digits, dots, underscores and hyphens.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        [&self.username, &self.password]
            .into_iter()
            .all(|word| !word.is_empty() && word.bytes().all(plain))
    }

    /// The value of a field that carries them as HTTP Basic does (RFC 7617, section 2).
    #[must_use]
    pub fn basic(&self) -> String {
        format!("Basic {}", self.token())
    }

    /// What no report may show.
    #[must_use]
    pub fn secrets(&self) -> [String; 2] {
        [self.password.clone(), self.token()]
    }

    /// What stands after the scheme.
    #[must_use]
    pub fn token(&self) -> String {
        BASE64.encode(format!("{}:{}", self.username, self.password))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A real proxy's password may be given on the command line: it must not reach a log.
        write!(f, "Credentials {{ username: {:?}, .. }}", self.username)
    }
}

/// What is in the files of a listener that speaks TLS, in PEM. They lie in the folder of the launch and go with it, whoever
/// is killed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TlsFiles {
    /// The certificate, with its chain after it.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

/// How long the subject waits, in whole seconds, before it gives up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Timeouts {
    /// For a server to accept.
    pub connect: Option<u32>,
    /// For the next byte in a tunnel.
    pub idle: Option<u32>,
    /// For a whole request head.
    pub header: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_stay_out_of_debug_output() {
        let credentials = Credentials::parse("user:pass:word").unwrap();
        assert_eq!(credentials.password, "pass:word");
        assert!(!format!("{credentials:?}").contains("pass:word"));
    }
}
