//! The directives: where each may stand, which module of httpd brings it, and what it sets.

mod access;
mod logging;
mod process;
mod proxying;
mod server;
mod words;

pub use words::listen_address;

use super::settings::{Block, Global, Settings};

/// Where a directive may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// The server config only.
    Global,
    /// The server config and `<VirtualHost>`.
    Server,
    /// Also `<Proxy>`.
    Section,
    /// Only `<Proxy>` and its kin.
    Inside,
}

/// What a directive writes to.
#[derive(Debug)]
pub struct Scope<'a> {
    /// The process.
    pub global: &'a mut Global,
    /// The server that it stands in.
    pub server: &'a mut Settings,
    /// The enclosing `<Proxy>`.
    pub block: Option<&'a mut Block>,
}

/// Sets what the words say.
type Setter = fn(&mut Scope<'_>, &[String]) -> Result<(), String>;

/// One directive.
#[derive(Debug)]
pub struct Directive {
    /// Its name as documented.
    pub name: &'static str,
    /// Where it may stand.
    pub context: Context,
    /// The module that must be loaded; empty for what is compiled in.
    pub module: &'static str,
    /// What it sets; `None`: it is known and means nothing here.
    pub set: Option<Setter>,
}

/// The directive of that name, in any case.
#[must_use]
pub fn named(name: &str) -> Option<&'static Directive> {
    DIRECTIVES
        .iter()
        .find(|directive| directive.name.eq_ignore_ascii_case(name))
}

/// The known name that is nearest to a wrong one.
#[must_use]
pub fn nearest(name: &str) -> &'static str {
    let lower = name.to_ascii_lowercase();
    let distance = |directive: &&Directive| {
        strsim::damerau_levenshtein(&directive.name.to_ascii_lowercase(), &lower)
    };
    DIRECTIVES
        .iter()
        .min_by_key(distance)
        .map_or("", |directive| directive.name)
}

use Context::{Global as G, Inside as I, Section as P, Server as S};

const fn set(name: &'static str, context: Context, module: &'static str, set: Setter) -> Directive {
    Directive {
        name,
        context,
        module,
        set: Some(set),
    }
}

const fn idle(name: &'static str, context: Context, module: &'static str) -> Directive {
    Directive {
        name,
        context,
        module,
        set: None,
    }
}

#[rustfmt::skip]
static DIRECTIVES: &[Directive] = &[
    set("AllowCONNECT", S, "proxy_connect_module", proxying::allow_connect),
    set("AuthName", I, "authn_core_module", access::auth_name),
    set("AuthType", I, "authn_core_module", access::auth_type),
    set("AuthUserFile", I, "authn_file_module", access::auth_user_file),
    set("CustomLog", S, "", logging::custom_log),
    set("ErrorLog", S, "", logging::error_log),
    set("ErrorLogFormat", S, "", logging::error_log_format),
    set("GracefulShutdownTimeout", G, "", process::drain),
    set("Group", G, "", process::group),
    set("LimitRequestFields", S, "", server::fields_limit),
    set("LimitRequestFieldSize", S, "", server::field_limit),
    set("LimitRequestLine", S, "", server::line_limit),
    set("Listen", G, "", process::listen),
    set("LogFormat", S, "", logging::log_format),
    set("LogLevel", P, "", logging::log_level),
    set("MaxRequestWorkers", G, "", process::connections_most),
    set("NoProxy", S, "proxy_module", proxying::no_proxy),
    set("PidFile", G, "", process::pid_file),
    set("ProxyBlock", S, "proxy_module", proxying::block),
    set("ProxyRemote", S, "proxy_module", proxying::remote),
    set("ProxyRequests", S, "proxy_module", proxying::requests),
    set("ProxySourceAddress", S, "proxy_module", proxying::source_address),
    set("ProxyTimeout", S, "proxy_module", proxying::timeout),
    set("ProxyVia", S, "proxy_module", proxying::via),
    set("RequestReadTimeout", S, "reqtimeout_module", server::head_time),
    set("Require", I, "authz_core_module", access::require),
    set("ServerAlias", S, "", server::alias),
    set("ServerName", S, "", server::name),
    set("ServerRoot", G, "", process::root),
    set("SSLCertificateFile", S, "ssl_module", server::certificate),
    set("SSLCertificateKeyFile", S, "ssl_module", server::key),
    set("SSLEngine", S, "ssl_module", server::tls),
    set("Timeout", S, "", server::timeout),
    set("TransferLog", S, "", logging::transfer_log),
    set("User", G, "", process::user),
    // Known, and without meaning for a CONNECT proxy of one process.
    idle("AcceptFilter", G, ""),
    idle("AddDefaultCharset", P, ""),
    idle("AllowEncodedSlashes", S, ""),
    idle("AsyncRequestWorkerFactor", G, ""),
    idle("AuthBasicProvider", I, "auth_basic_module"),
    idle("AuthzSendForbiddenOnFailure", I, "authz_core_module"),
    idle("CoreDumpDirectory", G, ""),
    idle("DefaultRuntimeDir", G, ""),
    idle("DocumentRoot", S, ""),
    idle("EnableMMAP", P, ""),
    idle("EnableSendfile", P, ""),
    idle("ErrorDocument", P, ""),
    idle("ExtendedStatus", G, ""),
    idle("HostnameLookups", P, ""),
    idle("HttpProtocolOptions", S, ""),
    idle("KeepAlive", S, ""),
    idle("KeepAliveTimeout", S, ""),
    idle("LimitRequestBody", P, ""),
    idle("ListenBacklog", G, ""),
    idle("MaxConnectionsPerChild", G, ""),
    idle("MaxKeepAliveRequests", S, ""),
    idle("MaxMemFree", G, ""),
    idle("MaxSpareThreads", G, ""),
    idle("MinSpareThreads", G, ""),
    idle("Mutex", G, ""),
    idle("Protocols", S, ""),
    idle("ProxyPreserveHost", P, "proxy_module"),
    idle("ProxyReceiveBufferSize", S, "proxy_module"),
    idle("ReceiveBufferSize", G, ""),
    idle("SendBufferSize", G, ""),
    idle("ServerAdmin", S, ""),
    idle("ServerLimit", G, ""),
    idle("ServerSignature", P, ""),
    idle("ServerTokens", G, ""),
    idle("SSLCipherSuite", S, "ssl_module"),
    idle("SSLHonorCipherOrder", S, "ssl_module"),
    idle("SSLProtocol", S, "ssl_module"),
    idle("SSLRandomSeed", G, "ssl_module"),
    idle("SSLSessionCache", G, "ssl_module"),
    idle("SSLSessionTickets", S, "ssl_module"),
    idle("StartServers", G, ""),
    idle("ThreadLimit", G, ""),
    idle("ThreadsPerChild", G, ""),
    idle("ThreadStackSize", G, ""),
    idle("TraceEnable", S, ""),
    idle("UseCanonicalName", P, ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_nearly() {
        assert_eq!(named("allowconnect").unwrap().name, "AllowCONNECT");
        assert_eq!(nearest("AllowConect"), "AllowCONNECT");
        assert_eq!(nearest("ProxyRequest"), "ProxyRequests");
    }
}
