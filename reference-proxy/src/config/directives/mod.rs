//! The directives: [`table`] knows them all, and the setters here do what those say that are understood.

mod access;
mod conditional;
mod http2;
mod logging;
mod process;
mod proxying;
mod server;
pub mod table;
mod variables;
mod words;

pub use words::listen_address;

use super::access::Block;
use super::error::Place;
use super::settings::{Global, Settings};

/// What a directive writes to.
#[derive(Debug)]
pub struct Scope<'a> {
    /// The process.
    pub global: &'a mut Global,
    /// The server that it stands in.
    pub server: &'a mut Settings,
    /// The enclosing `<Proxy>`.
    pub block: Option<&'a mut Block>,
    /// Where it stands.
    pub place: &'a Place,
    /// Whether the server is that of a `<VirtualHost>`.
    pub in_host: bool,
}

impl Scope<'_> {
    /// Says that a line does not do what somebody may expect of it.
    fn warn(&mut self, message: &str) {
        self.global.warn(self.place, message);
    }
}

/// Sets what the words say, or says why it may not be.
pub type Setter = fn(&mut Scope<'_>, &[String]) -> Result<(), String>;

/// What a directive that is understood does; `None` for one that the first pass reads, as `Define`.
#[must_use]
pub fn setter(name: &str) -> Option<Setter> {
    SETTERS
        .iter()
        .find(|(own, _)| own.eq_ignore_ascii_case(name))
        .map(|&(_, setter)| setter)
}

/// Where each may stand, and which module brings it, is said in [`table`].
#[rustfmt::skip]
static SETTERS: &[(&str, Setter)] = &[
    ("Allow", access::allow),
    ("AllowCONNECT", proxying::allow_connect),
    ("AllowDestination", proxying::allow_destination),
    ("AllowMethods", conditional::allow_methods),
    ("AuthBasicAuthoritative", access::basic_authoritative),
    ("AuthBasicFake", access::basic_fake),
    ("AuthBasicProvider", access::basic_provider),
    ("AuthBasicUseDigestAlgorithm", access::basic_digest),
    ("AuthGroupFile", access::auth_group_file),
    ("AuthMerging", access::merging),
    ("AuthName", access::auth_name),
    ("AuthType", access::auth_type),
    ("AuthUserFile", access::auth_user_file),
    ("AuthzSendForbiddenOnFailure", access::forbid_on_failure),
    ("BrowserMatch", variables::browser_match),
    ("BrowserMatchNoCase", variables::browser_match_no_case),
    ("CustomLog", logging::custom_log),
    ("Deny", access::deny),
    ("DenyDestination", proxying::deny_destination),
    ("ErrorLog", logging::error_log),
    ("ErrorLogFormat", logging::error_log_format),
    ("GlobalLog", logging::global_log),
    ("GracefulShutdownTimeout", process::drain),
    ("Group", process::group),
    ("H2Direct", http2::direct),
    ("H2MaxDataFrameLen", http2::data_most),
    ("H2MaxSessionStreams", http2::streams_most),
    ("H2StreamTimeout", http2::stream_timeout),
    ("H2WindowSize", http2::window),
    ("KeepAliveTimeout", http2::keep_alive),
    ("LimitRequestFields", server::fields_limit),
    ("LimitRequestFieldSize", server::field_limit),
    ("LimitRequestLine", server::line_limit),
    ("Listen", process::listen),
    ("LogFormat", logging::log_format),
    ("LogLevel", logging::log_level),
    ("MaxClients", process::connections_most),
    ("MaxRequestWorkers", process::connections_most),
    ("NoProxy", proxying::no_proxy),
    ("Order", access::order),
    ("PassEnv", variables::pass_env),
    ("PidFile", process::pid_file),
    ("Port", conditional::port),
    ("Protocols", http2::protocols),
    ("ProtocolsHonorOrder", http2::honor_order),
    ("ProxyBlock", proxying::block),
    ("ProxyReceiveBufferSize", proxying::receive_buffer),
    ("ProxyRemote", proxying::remote),
    ("ProxyRemoteMatch", proxying::remote_match),
    ("ProxyRequests", proxying::requests),
    ("ProxySourceAddress", proxying::source_address),
    ("ProxyTimeout", proxying::timeout),
    ("ProxyVia", proxying::via),
    ("ReceiveBufferSize", process::receive_buffer),
    ("RequestHeader", conditional::request_header),
    ("RequestReadTimeout", server::head_time),
    ("Require", access::require),
    ("Satisfy", access::satisfy),
    ("RewriteOptions", conditional::rewrite_options),
    ("SendBufferSize", process::send_buffer),
    ("ServerAlias", server::alias),
    ("ServerName", server::name),
    ("ServerRoot", process::root),
    ("SetEnv", variables::set_env),
    ("SetEnvIf", variables::set_env_if),
    ("SetEnvIfNoCase", variables::set_env_if_no_case),
    ("SSLCertificateChainFile", server::chain),
    ("SSLCertificateFile", server::certificate),
    ("SSLCertificateKeyFile", server::key),
    ("SSLEngine", server::tls),
    ("SSLOptions", conditional::ssl_options),
    ("SSLProtocol", server::tls_versions),
    ("SSLProxyCACertificateFile", server::proxy_authorities),
    ("Timeout", server::timeout),
    ("TransferLog", logging::transfer_log),
    ("UnsetEnv", variables::unset_env),
    ("User", process::user),
];

#[cfg(test)]
mod tests {
    use super::*;
    use table::Meaning;

    /// What the first pass knows.
    const READ: [&str; 6] = [
        "Define",
        "Error",
        "Include",
        "IncludeOptional",
        "LoadModule",
        "UnDefine",
    ];

    #[test]
    fn what_is_understood_has_a_setter_and_nothing_else_has_one() {
        for known in table::all() {
            let run = matches!(known.meaning, Meaning::Run | Meaning::Checked);
            let understood = setter(known.name).is_some() || READ.contains(&known.name);
            assert_eq!(run, understood, "{}", known.name);
        }
        for (name, _) in SETTERS {
            assert_eq!(table::lines(name)[0].name, *name);
        }
    }
}
