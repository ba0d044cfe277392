//! The table: a row for each capability, from which everything else about it follows.

use crate::{
    protocol::{HttpVersion, Listener},
    setup::{Allow, HostRules, Setup},
    subject::{
        capability::claims::Claims,
        offers::{HostLists, Passwords, PortList, TimeoutKind},
    },
};

/// A capability, as it is written down.
pub(super) struct Row {
    pub(super) word: &'static str,
    pub(super) absence: &'static str,
    pub(super) keys: &'static [&'static str],
    pub(super) example: &'static str,
    pub(super) says: &'static str,
    pub(super) variables: &'static [&'static str],
    pub(super) claimed: fn(&Claims) -> bool,
    pub(super) asked: fn(&Setup) -> bool,
}

/// What a row says where it says nothing.
const NOTHING: Row = Row {
    word: "",
    absence: "",
    keys: &[],
    example: "",
    says: "",
    variables: &[],
    claimed: |_| false,
    asked: |_| false,
};

macro_rules! capabilities {
    ($($(#[$doc:meta])+ $need:ident { $($column:ident: $value:expr,)+ })+) => {
        /// Something that has to be there before a case makes sense; where it is not, the case is skipped with the reason.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Need {
            $($(#[$doc])+ $need,)+
        }

        impl Need {
            /// Every capability, in the order in which it is asked what is lacking.
            pub const ALL: &[Self] = &[$(Self::$need),+];
        }

        /// In the same order.
        #[expect(clippy::needless_update, reason = "some rows say everything")]
        pub(super) static ROWS: &[Row] = &[$(Row { $($column: $value,)+ ..NOTHING }),+];
    };
}

// word: as `list` prints it. absence: why a case is skipped. keys: in `[offers]`; where there are two, the second is what
// the first was called once. example, says: a value of that key, and what it means; the first row that has the key
// says so. variables: what a template has to make something of. claimed: whether a subject has it. asked: whether a
// set-up needs it.
capabilities! {
    /// The subject can be told which ports are allowed, so that others are denied.
    PortList {
        word: "port-list",
        absence: "its allowed ports cannot be set",
        keys: &["allowed-ports"],
        example: "\"ranges\"",
        says: "the ports that CONNECT may reach; \"list\" where it takes no ranges; { kind = \"list\", most = 16 } where it has room for so few",
        variables: &["allow"],
        claimed: |known| known.offers.allowed_ports.is_some(),
        asked: |setup| matches!(setup.allow, Allow::Ports(_)),
    }
    /// Its list can contain ranges.
    PortRanges {
        word: "port-ranges",
        absence: "its list of allowed ports has no ranges",
        keys: &["allowed-ports"],
        variables: &["allow"],
        claimed: |known| known.offers.allowed_ports.is_some_and(|list| list.kind == PortList::Ranges),
    }
    /// It takes its list of ports in the words of its own configuration.
    Directive {
        word: "directive",
        absence: "it does not take its list of ports in the words of a directive",
        keys: &["directive"],
        example: "true",
        says: "with `like`: it takes its list of ports in the words of its own configuration",
        variables: &["allow_text"],
        claimed: |known| known.offers.directive,
        asked: |setup| matches!(setup.allow, Allow::AsWritten(_)),
    }
    /// It takes lines in the language of its own configuration.
    ConfigLines {
        word: "config-lines",
        absence: "it does not take lines of configuration",
        keys: &["config-lines", "httpd-text"],
        example: "true",
        says: "with `like`: it takes lines in the language of its own configuration, after all others",
        variables: &["config_lines"],
        claimed: |known| known.offers.config_lines,
        asked: |setup| setup.lines.is_some(),
    }
    /// It can check a configuration without serving.
    ConfigCheck {
        word: "config-check",
        absence: "it has no way to check a configuration",
        claimed: |known| known.checks_configuration,
    }
    /// What it allows without a list is known.
    DefaultPorts {
        word: "default-ports",
        absence: "what it allows without a list is not declared",
        keys: &["default-ports"],
        example: "[443]",
        says: "what it allows when no list is given",
        claimed: |known| known.offers.default_ports.is_some(),
        asked: |setup| setup.allow == Allow::Default,
    }
    /// It writes an access log that can be read.
    AccessLog {
        word: "access-log",
        absence: "no access log is declared",
        variables: &["access_log"],
        claimed: |known| known.log.is_some(),
        asked: |setup| setup.log_stands_still,
    }
    /// Its access log names the source port of the connection to the server.
    SourcePort {
        word: "source-port",
        absence: "its log does not name the source port",
        variables: &["access_log"],
        claimed: |known| known.logs("source_port"),
    }
    /// Its access log names the status.
    LoggedStatus {
        word: "logged-status",
        absence: "its log does not name the status",
        variables: &["access_log"],
        claimed: |known| known.logs("status"),
    }
    /// It connects to IPv6 addresses, and this machine has one.
    Ipv6 {
        word: "ipv6",
        absence: "it does not offer IPv6",
        keys: &["ipv6"],
        example: "true",
        says: "it listens on and connects to ::1",
        variables: &["listen.host", "listen.authority"],
        claimed: |known| known.offers.ipv6,
    }
    /// It resolves names.
    Names {
        word: "names",
        absence: "it does not offer to resolve names",
        keys: &["names"],
        example: "true",
        says: "it resolves names itself",
        claimed: |known| known.offers.names,
    }
    /// It can be told which names are allowed, so that others, and addresses, are refused.
    HostList {
        word: "host-list",
        absence: "it cannot be told which names are allowed",
        keys: &["allowed-hosts"],
        example: "\"subdomains\"",
        says: "the names that CONNECT may reach, alone or with all below them; \"names\" where it holds only single ones",
        variables: &["hosts"],
        claimed: |known| known.offers.allowed_hosts.is_some(),
        asked: |setup| setup.hosts.allowed().is_some(),
    }
    /// Its list of allowed names can hold a name with all that is below it.
    HostSubdomains {
        word: "host-subdomains",
        absence: "its list of allowed names has no subdomains",
        keys: &["allowed-hosts"],
        variables: &["hosts"],
        claimed: |known| known.offers.allowed_hosts == Some(HostLists::Subdomains),
        asked: |setup| setup.hosts == HostRules::Excepted,
    }
    /// It can be told which names are denied.
    DeniedHosts {
        word: "denied-hosts",
        absence: "it cannot be told which names are denied",
        keys: &["denied-hosts"],
        example: "\"subdomains\"",
        says: "the names that CONNECT may not reach, alone or with all below them; \"names\" where it holds only single ones",
        variables: &["denied_hosts"],
        claimed: |known| known.offers.denied_hosts.is_some(),
        asked: |setup| setup.hosts.denied().is_some(),
    }
    /// Its list of denied names can hold a name with all that is below it.
    DeniedSubdomains {
        word: "denied-subdomains",
        absence: "its list of denied names has no subdomains",
        keys: &["denied-hosts"],
        variables: &["denied_hosts"],
        claimed: |known| known.offers.denied_hosts == Some(HostLists::Subdomains),
    }
    /// It can be told allowed and denied names at once.
    HostExceptions {
        word: "host-exceptions",
        absence: "it cannot be told allowed and denied names at once",
        keys: &["host-exceptions"],
        example: "true",
        says: "some names are allowed and some denied in one configuration, whichever rule wins",
        variables: &["hosts", "denied_hosts"],
        claimed: |known| known.offers.host_exceptions,
        asked: |setup| setup.hosts == HostRules::Excepted,
    }
    /// It refuses addresses that mean its own machine or network, as it is or when it is told to.
    RefusesPrivate {
        word: "refuses-private",
        absence: "it does not claim to refuse private addresses",
        keys: &["refuses-private"],
        example: "true",
        says: "loopback, link-local, private and shared addresses are refused, where a set-up says so",
        variables: &["refuse_private"],
        claimed: |known| known.offers.refuses_private,
        asked: |setup| setup.refuse_private,
    }
    /// It can be told to ask for credentials.
    Credentials {
        word: "credentials",
        absence: "it cannot be told to ask for credentials",
        keys: &["credentials"],
        example: "true",
        says: "who is let in; also as a file, `credentials.htpasswd`",
        variables: &["credentials.users"],
        claimed: |known| known.offers.credentials,
        asked: |setup| setup.credentials,
    }
    /// Its users may have any names and passwords.
    AnyPassword {
        word: "any-password",
        absence: "its configuration takes only plain words as names and passwords",
        keys: &["passwords"],
        example: "\"any\"",
        says: "it takes all of them; \"plain\": those of letters, digits, `.`, `_` and `-`; without it, one",
        variables: &["credentials.users"],
        claimed: |known| known.offers.credentials && known.offers.passwords == Passwords::Any,
    }
    /// It can be told which clients to serve, by their addresses.
    ClientRule {
        word: "client-rule",
        absence: "it cannot be told which clients to serve",
        keys: &["clients"],
        example: "true",
        says: "the addresses of those who are served, where a set-up says so",
        variables: &["clients"],
        claimed: |known| known.offers.clients,
        asked: |setup| setup.few_clients,
    }
    /// It can be told to go through another proxy.
    Upstream {
        word: "upstream",
        absence: "it cannot be told to use an upstream proxy",
        keys: &["upstream"],
        example: "true",
        says: "the next proxy, to which every CONNECT goes",
        variables: &["upstream.host", "upstream.port", "upstream.authority"],
        claimed: |known| known.offers.upstream,
        asked: |setup| setup.upstream || setup.through_itself,
    }
    /// It can be told to speak HTTP/2 in the clear to another proxy.
    UpstreamH2c {
        word: "upstream-h2c",
        absence: "it cannot be told to speak HTTP/2 in the clear to an upstream proxy",
        keys: &["upstream-versions"],
        example: "[\"http/1.1\", \"h2c\", \"h2\"]",
        says: "with `upstream`: the versions of HTTP in which it can ask the next proxy, by their names in ALPN",
        variables: &["upstream.version"],
        claimed: |known| known.offers.asks_upstream_in(HttpVersion::H2c),
        asked: |setup| setup.upstream_version == HttpVersion::H2c,
    }
    /// It can be told to speak HTTP/2 within TLS to another proxy.
    UpstreamH2 {
        word: "upstream-h2",
        absence: "it cannot be told to speak HTTP/2 over TLS to an upstream proxy",
        keys: &["upstream-versions"],
        variables: &["upstream.version", "upstream.ca"],
        claimed: |known| known.offers.asks_upstream_in(HttpVersion::H2),
        asked: |setup| setup.upstream_version == HttpVersion::H2,
    }
    /// It can be reached over TLS.
    TlsListener {
        word: "tls-listener",
        absence: "it has no TLS listener",
        keys: &["tls-listener"],
        example: "true",
        says: "clients speak TLS to it",
        variables: &["tls.certificate", "tls.key"],
        claimed: |known| known.offers.tls_listener,
        asked: |setup| setup.listener == Listener::Tls,
    }
    /// It serves HTTP/2 in the clear.
    H2c {
        word: "h2c",
        absence: "it does not serve HTTP/2 in the clear",
        keys: &["versions"],
        example: "[\"http/1.1\", \"h2c\", \"h2\"]",
        says: "the versions of HTTP that it serves, by their names in ALPN: the variable says which one is asked for",
        variables: &["version"],
        claimed: |known| known.offers.versions.0.contains(&HttpVersion::H2c),
        asked: |setup| setup.listener == Listener::H2c,
    }
    /// It serves HTTP/2 within TLS.
    H2 {
        word: "h2",
        absence: "it does not serve HTTP/2 over TLS",
        keys: &["versions"],
        variables: &["version", "tls.certificate", "tls.key"],
        claimed: |known| known.offers.versions.0.contains(&HttpVersion::H2),
        asked: |setup| setup.listener == Listener::H2,
    }
    /// It is the gateway to a WebSocket server, for clients that use extended CONNECT.
    Websocket {
        word: "websocket",
        absence: "it serves no WebSockets over extended CONNECT",
        keys: &["websocket"],
        example: "\"/path\"",
        says: "where a set-up names a server: the path at which extended CONNECT opens a WebSocket to it (RFC 8441)",
        variables: &["websocket.host", "websocket.port", "websocket.authority"],
        claimed: |known| known.offers.websocket.is_some(),
        asked: |setup| setup.websocket,
    }
    /// It can be told how long to wait for a connection to the server.
    ConnectTimeout {
        word: "connect-timeout",
        absence: "its connect timeout cannot be set",
        keys: &["timeouts"],
        example: "[\"connect\", \"idle\", \"header\"]",
        says: "those that can be set, in whole seconds",
        variables: &["timeouts.connect"],
        claimed: |known| known.offers.timeouts.contains(&TimeoutKind::Connect),
        asked: |setup| setup.connect.is_some(),
    }
    /// It can be told how long a silent tunnel lives.
    IdleTimeout {
        word: "idle-timeout",
        absence: "its idle timeout cannot be set",
        keys: &["timeouts"],
        variables: &["timeouts.idle"],
        claimed: |known| known.offers.timeouts.contains(&TimeoutKind::Idle),
        asked: |setup| setup.idle.is_some(),
    }
    /// It can be told how long a client may take to send a header section.
    HeaderTimeout {
        word: "header-timeout",
        absence: "its header timeout cannot be set",
        keys: &["timeouts"],
        variables: &["timeouts.header"],
        claimed: |known| known.offers.timeouts.contains(&TimeoutKind::Header),
        asked: |setup| setup.header.is_some(),
    }
    /// The harness launched it, so that its process can be watched.
    Launched {
        word: "launched",
        absence: "it was already running, so its process cannot be watched",
        claimed: |known| known.launched,
    }
}
