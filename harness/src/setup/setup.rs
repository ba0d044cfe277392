//! What the subject is configured to for a case.

use crate::{
    protocol::{HttpVersion, Listener},
    setup::{HostRules, Product, Text},
};

/// A configuration of the subject. Cases of equal set-ups share one process.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Setup {
    /// Which ports are allowed.
    pub allow: Allow,
    /// Which names are allowed, or denied.
    pub hosts: HostRules,
    /// Whether addresses that mean this machine or this network are refused.
    pub refuse_private: bool,
    /// Whether it asks for credentials.
    pub credentials: bool,
    /// Whether it goes through another proxy, which the harness plays.
    pub upstream: bool,
    /// The version of HTTP in which it asks that one.
    pub upstream_version: HttpVersion,
    /// Whether it goes through another proxy, which is itself.
    pub through_itself: bool,
    /// Whether it is the gateway to a WebSocket server, which the harness plays.
    pub websocket: bool,
    /// What it listens with.
    pub listener: Listener,
    /// How long a silent tunnel lives, in seconds.
    pub idle: Option<u32>,
    /// How long it waits for a connection to the server, in seconds.
    pub connect: Option<u32>,
    /// How long a client may take to send a header section, in seconds.
    pub header: Option<u32>,
    /// Whether it serves clients at 127.0.0.1 only.
    pub few_clients: bool,
    /// Whether its access log takes no line: a pipe that is full, and that nobody reads.
    pub log_stands_still: bool,
    /// Lines of configuration, after all others; see [`Setup::with_lines`].
    pub lines: Option<Text>,
}

/// The ports of the web: those that are made up where a target has none.
pub const WEB: [u16; 2] = [80, 443];

/// Which ports are allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Allow {
    /// Those of the harness's servers; a subject without port lists allows what it likes.
    #[default]
    Servers,
    /// Those, and the port that the subject itself listens on.
    ServersAndItself,
    /// Those, and the ports of the web, 80 and 443.
    ServersAndWeb,
    /// No list is given.
    Default,
    /// No list is given, and nothing is known of what it allows then: no tunnel is promised.
    Unknown,
    /// Ports and ranges where placeholders in braces stand for ports: `{a} {b}-{c}`.
    Ports(String),
    /// A list as the configuration of a product writes it, taken verbatim once the placeholders in braces are replaced.
    AsWritten(Text),
}

/// The subject allows these ports; placeholders in braces stand for ports that the harness chooses: `{a} {b}-{c}`.
#[must_use]
pub fn allowing(ports: impl Into<String>) -> Setup {
    Setup {
        allow: Allow::Ports(ports.into()),
        ..Setup::default()
    }
}

/// The subject's list of ports has these words, as the configuration of that product writes it; placeholders in braces stand
/// for ports.
#[must_use]
pub fn allowing_as_written(of: Product, words: impl Into<String>) -> Setup {
    let text = words.into();
    Setup {
        allow: Allow::AsWritten(Text { of, text }),
        ..Setup::default()
    }
}

/// The subject allows the port that it listens on itself, too.
#[must_use]
pub fn allowing_itself() -> Setup {
    Setup {
        allow: Allow::ServersAndItself,
        ..Setup::default()
    }
}

/// The subject allows the ports of the web, 80 and 443, too.
#[must_use]
pub fn allowing_the_web() -> Setup {
    Setup {
        allow: Allow::ServersAndWeb,
        ..Setup::default()
    }
}

/// The subject is given no list of ports.
#[must_use]
pub fn no_list() -> Setup {
    Setup {
        allow: Allow::Default,
        ..Setup::default()
    }
}

/// The subject leads to names of a list, and to nothing else.
#[must_use]
pub fn allowing_hosts() -> Setup {
    Setup {
        hosts: HostRules::Allowed,
        ..Setup::default()
    }
}

/// The subject leads everywhere but to names of a list.
#[must_use]
pub fn denying_hosts() -> Setup {
    Setup {
        hosts: HostRules::Denied,
        ..Setup::default()
    }
}

/// The subject leads to names below those of a list, some of which are denied.
#[must_use]
pub fn excepting_hosts() -> Setup {
    Setup {
        hosts: HostRules::Excepted,
        ..Setup::default()
    }
}

/// The subject refuses addresses that mean this machine or this network.
#[must_use]
pub fn refusing_private() -> Setup {
    Setup {
        refuse_private: true,
        ..Setup::default()
    }
}

/// The subject asks for credentials.
#[must_use]
pub fn credentials() -> Setup {
    Setup {
        credentials: true,
        ..Setup::default()
    }
}

/// The subject goes through another proxy.
#[must_use]
pub fn upstream() -> Setup {
    Setup {
        upstream: true,
        ..Setup::default()
    }
}

/// The subject goes through another proxy, which it speaks to in that version of HTTP.
#[must_use]
pub fn upstream_over(version: HttpVersion) -> Setup {
    Setup {
        upstream_version: version,
        ..upstream()
    }
}

/// The subject goes through another proxy, which is the subject.
#[must_use]
pub fn through_itself() -> Setup {
    Setup {
        through_itself: true,
        ..Setup::default()
    }
}

/// The subject is the gateway to a WebSocket server.
#[must_use]
pub fn websocket() -> Setup {
    Setup {
        websocket: true,
        ..Setup::default()
    }
}

/// The subject is reached over TLS.
#[must_use]
pub fn tls_listener() -> Setup {
    Setup {
        listener: Listener::Tls,
        ..Setup::default()
    }
}

/// The subject serves clients at 127.0.0.1, and nobody else.
#[must_use]
pub fn few_clients() -> Setup {
    Setup {
        few_clients: true,
        ..Setup::default()
    }
}

/// The subject's access log is a pipe that is full, and that nobody reads.
#[must_use]
pub fn log_that_stands_still() -> Setup {
    Setup {
        log_stands_still: true,
        ..Setup::default()
    }
}

/// The subject ends a tunnel that was silent for so many seconds.
#[must_use]
pub fn idle_timeout(seconds: u32) -> Setup {
    Setup {
        idle: Some(seconds),
        ..Setup::default()
    }
}

/// The subject gives a connection to the server up after so many seconds.
#[must_use]
pub fn connect_timeout(seconds: u32) -> Setup {
    Setup {
        connect: Some(seconds),
        ..Setup::default()
    }
}

/// The subject gives a client so many seconds for a header section.
#[must_use]
pub fn header_timeout(seconds: u32) -> Setup {
    Setup {
        header: Some(seconds),
        ..Setup::default()
    }
}

impl Setup {
    /// The subject's configuration ends with these lines, in the language of that product. PortPlaceholders in braces stand for
    /// ports, as in an allow list; `{access_log}` and `{error_log}` for its logs, `{port}` for the one that it listens
    /// on, and `{second_port}` for another that it may listen on. Braces after `%` and `$` are the language's own.
    #[must_use]
    pub fn with_lines(self, of: Product, lines: impl Into<String>) -> Self {
        let text = lines.into();
        Self {
            lines: Some(Text { of, text }),
            ..self
        }
    }

    /// The product in whose language a part of it is written.
    #[must_use]
    pub fn language(&self) -> Option<Product> {
        match (&self.lines, &self.allow) {
            (Some(text), _) | (None, Allow::AsWritten(text)) => Some(text.of),
            _ => None,
        }
    }

    /// Whether its cases use certain ports, and so cannot run at the same time.
    #[must_use]
    pub const fn names_ports(&self) -> bool {
        matches!(self.allow, Allow::Ports(_) | Allow::AsWritten(_))
            || self.lines.is_some()
            || self.upstream
            || self.websocket
    }

    /// Whether there are rules about the names or addresses of targets.
    #[must_use]
    pub fn judges_hosts(&self) -> bool {
        self.hosts != HostRules::None || self.refuse_private
    }

    /// For a reader.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut words = vec![match &self.allow {
            Allow::Servers => "allow".to_owned(),
            Allow::ServersAndItself => "allow itself, too".to_owned(),
            Allow::ServersAndWeb => "allow the web, too".to_owned(),
            Allow::Default => "no list".to_owned(),
            Allow::Unknown => "as its files have it".to_owned(),
            Allow::Ports(ports) => format!("allow {ports}"),
            Allow::AsWritten(list) => format!("{} {}", list.of.port_list, list.text),
        }];
        let seconds = |name: &str, value: Option<u32>| value.map(|s| format!("{name} {s}s"));
        words.extend(match self.hosts {
            HostRules::None => None,
            HostRules::Allowed => Some("names of a list".to_owned()),
            HostRules::Denied => Some("no names of a list".to_owned()),
            HostRules::Excepted => Some("names of a list, with exceptions".to_owned()),
        });
        words.extend(
            self.refuse_private
                .then(|| "no private addresses".to_owned()),
        );
        words.extend(self.credentials.then(|| "credentials".to_owned()));
        words.extend(self.upstream.then(|| match self.upstream_version {
            HttpVersion::Http1 => "upstream".to_owned(),
            other => format!("upstream over {}", other.name()),
        }));
        words.extend(self.through_itself.then(|| "through itself".to_owned()));
        words.extend(self.websocket.then(|| "websocket".to_owned()));
        words.extend(match self.listener {
            Listener::Tcp => None,
            Listener::Tls => Some("tls".to_owned()),
            Listener::H2c | Listener::H2 => Some(self.listener.version().name().to_owned()),
        });
        words.extend(self.few_clients.then(|| "few clients".to_owned()));
        words.extend(seconds("idle", self.idle));
        words.extend(seconds("connect", self.connect));
        words.extend(seconds("header", self.header));
        words.extend(
            self.log_stands_still
                .then(|| "a log that stands still".to_owned()),
        );
        words.extend(self.lines.as_ref().map(|Text { of, text }| {
            let lines: Vec<_> = text.lines().map(str::trim).collect();
            format!("{}: {}", of.word, lines.join("; "))
        }));
        words.join(", ")
    }
}
