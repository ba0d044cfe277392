//! What a case needs of the subject or of this machine; what is not there is skipped, with the reason.

use std::fmt;

/// Something that has to be there before a case makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// The subject can be told which ports are allowed, so that others are denied.
    PortList,
    /// Its list can contain ranges.
    PortRanges,
    /// It takes the text of an `AllowCONNECT` directive.
    Directive,
    /// It takes lines of an httpd configuration.
    HttpdText,
    /// It can check a configuration without serving.
    ConfigCheck,
    /// What it allows without a list is known.
    DefaultPorts,
    /// It writes an access log that can be read.
    AccessLog,
    /// Its access log names the source port of the connection to the server.
    SourcePort,
    /// Its access log names the status.
    LoggedStatus,
    /// It connects to IPv6 addresses, and this machine has one.
    Ipv6,
    /// It resolves names.
    Names,
    /// It can be told to ask for credentials.
    Credentials,
    /// Its users may have any names and passwords.
    AnyPassword,
    /// It can be told which clients to serve, by their addresses.
    ClientRule,
    /// It can be told to go through another proxy.
    Upstream,
    /// It can be reached over TLS.
    TlsListener,
    /// It can be told how long to wait for a connection to the server.
    ConnectTimeout,
    /// It can be told how long a silent tunnel lives.
    IdleTimeout,
    /// It can be told how long a client may take to send a header section.
    HeaderTimeout,
    /// The harness launched it, so that its process can be watched.
    Launched,
}

impl Need {
    /// Why a case is skipped where this is absent.
    #[must_use]
    pub const fn absence(self) -> &'static str {
        match self {
            Self::PortList => "its allowed ports cannot be set",
            Self::PortRanges => "its list of allowed ports has no ranges",
            Self::Directive => "it does not take an AllowCONNECT directive",
            Self::HttpdText => "it does not take lines of an httpd configuration",
            Self::ConfigCheck => "it has no way to check a configuration",
            Self::DefaultPorts => "what it allows without a list is not declared",
            Self::AccessLog => "no access log is declared",
            Self::SourcePort => "its log does not name the source port",
            Self::LoggedStatus => "its log does not name the status",
            Self::Ipv6 => "it does not offer IPv6",
            Self::Names => "it does not offer to resolve names",
            Self::Credentials => "it cannot be told to ask for credentials",
            Self::AnyPassword => "its configuration takes only plain words as names and passwords",
            Self::ClientRule => "it cannot be told which clients to serve",
            Self::Upstream => "it cannot be told to use an upstream proxy",
            Self::TlsListener => "it has no TLS listener",
            Self::ConnectTimeout => "its connect timeout cannot be set",
            Self::IdleTimeout => "its idle timeout cannot be set",
            Self::HeaderTimeout => "its header timeout cannot be set",
            Self::Launched => "it was already running, so its process cannot be watched",
        }
    }

    /// The word for it, as `list` prints it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::PortList => "port-list",
            Self::PortRanges => "port-ranges",
            Self::Directive => "directive",
            Self::HttpdText => "httpd-text",
            Self::ConfigCheck => "config-check",
            Self::DefaultPorts => "default-ports",
            Self::AccessLog => "access-log",
            Self::SourcePort => "source-port",
            Self::LoggedStatus => "logged-status",
            Self::Ipv6 => "ipv6",
            Self::Names => "names",
            Self::Credentials => "credentials",
            Self::AnyPassword => "any-password",
            Self::ClientRule => "client-rule",
            Self::Upstream => "upstream",
            Self::TlsListener => "tls-listener",
            Self::ConnectTimeout => "connect-timeout",
            Self::IdleTimeout => "idle-timeout",
            Self::HeaderTimeout => "header-timeout",
            Self::Launched => "launched",
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
