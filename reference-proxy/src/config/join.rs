//! Joins what the main server says with what a virtual host says, as httpd does: mostly the virtual host
//! wins, `AllowCONNECT` and the routes add up, the logs of a virtual host replace those of the main server.

use super::access::Access;
use super::routes::{Routes, Speaks};
use super::settings::{Global, LogFormatName, LogLine, Settings};
use super::{AccessLog, AllowConnect, Connects, Http2, Protocols, Server};
use crate::log::LogTarget;
use crate::log::error::Level;
use crate::log::format::Format;
use crate::net::dial::Origin;
use crate::request::HeadLimits;
use crate::tls::{self, Files};
use std::sync::Arc;
use std::time::Duration;

/// httpd's `Timeout`.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How long tunnels last after SIGTERM when nothing is said; init systems kill after 10 s and more.
pub(super) const DRAIN: Duration = Duration::from_secs(3);

/// The settings of the server with this index.
///
/// # Errors
///
/// What cannot be used, as a certificate that is not there.
pub fn join(
    main: &Settings,
    own: &Settings,
    index: usize,
    global: &Global,
) -> Result<Server, String> {
    let timeout = own.timeout.or(main.timeout).unwrap_or(TIMEOUT);
    let proxy_timeout = own.proxy_timeout.or(main.proxy_timeout).unwrap_or(timeout);
    let (logs, logging) = if own.logs.is_empty() {
        (&main.logs, main)
    } else {
        (&own.logs, own)
    };
    let logs = logs.iter().chain(&global.logs);
    let defaults = HeadLimits::default();
    let protocols = protocols(main, own, global);
    let routes = main.routes.and(&own.routes);
    Ok(Server {
        index,
        name: own.name.as_deref().or(main.name.as_deref()).map(Into::into),
        name_port: own.name_port.or(main.name_port),
        aliases: own.aliases.clone(),
        connects: connects(own.proxy_requests.or(main.proxy_requests), global),
        allow: match (&main.allow, &own.allow) {
            (Some(main), Some(own)) => main.clone().and(own),
            (Some(list), None) | (None, Some(list)) => list.clone(),
            (None, None) => AllowConnect::default(),
        },
        access: Access {
            main: Arc::clone(&main.sections),
            own: Arc::clone(&own.sections),
        },
        destinations: main.destinations.and(&own.destinations),
        upstream_tls: upstream_tls(&routes, main, own)?,
        routes,
        environment: main.environment.and(&own.environment),
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
        head_time: own.head_time.or(main.head_time).unwrap_or_default(),
        connect_time: proxy_timeout,
        origin: Origin {
            source: own.source_address.or(main.source_address),
            receive_buffer: own.receive_buffer.or(main.receive_buffer).flatten(),
        },
        idle_time: timeout.max(proxy_timeout),
        tls: secure(main, own, &protocols)?,
        protocols,
        http2: Http2::join(main, own, timeout, proxy_timeout),
        logs: access_logs(logs, logging, global)?,
        error_log: own
            .error_log
            .clone()
            .or_else(|| main.error_log.clone())
            .unwrap_or(LogTarget::Stderr),
        error_format: own
            .error_format
            .clone()
            .or_else(|| main.error_format.clone())
            .unwrap_or_default(),
        log_level: own.log_level.or(main.log_level).unwrap_or(Level::Warn),
    })
}

fn connects(requests: Option<bool>, global: &Global) -> Connects {
    match (
        requests.unwrap_or(false),
        global.has("proxy_connect_module"),
    ) {
        (false, _) => Connects::ProxyOff,
        (true, false) => Connects::NoModule,
        (true, true) => Connects::Yes,
    }
}

/// As in httpd the list of a virtual host replaces that of the main server.
fn protocols(main: &Settings, own: &Settings, global: &Global) -> Protocols {
    let words = match own.protocols.as_slice() {
        [] => &main.protocols,
        own => own,
    };
    let honor_order = own.honor_order.or(main.honor_order).unwrap_or(true);
    Protocols::new(words, honor_order, global.has("http2_module"))
}

fn secure(
    main: &Settings,
    own: &Settings,
    protocols: &Protocols,
) -> Result<Option<Arc<rustls::ServerConfig>>, String> {
    if !own.tls.or(main.tls).unwrap_or(false) {
        return Ok(None);
    }
    let certificate = own.certificate.as_ref().or(main.certificate.as_ref());
    let key = own.key.as_ref().or(main.key.as_ref());
    let certificate = certificate.ok_or("SSLEngine is on: say which SSLCertificateFile to use")?;
    let chain = own.chain.as_ref().or(main.chain.as_ref());
    let files = Files {
        certificate,
        key: key.map(|key| &**key),
        chain: chain.map(|chain| &**chain),
    };
    let versions = own.tls_versions.or(main.tls_versions).unwrap_or_default();
    tls::server(files, versions, protocols).map(Some)
}

/// Without a word nobody vouches for an upstream proxy: which authorities a system trusts for web sites says nothing about it.
fn upstream_tls(
    routes: &Routes,
    main: &Settings,
    own: &Settings,
) -> Result<Option<Arc<rustls::ClientConfig>>, String> {
    let mut remotes = routes.remotes.iter();
    let Some(remote) = remotes.find(|remote| remote.speaks == Speaks::Http2Tls) else {
        return Ok(None);
    };
    let authorities = own.proxy_authorities.as_ref();
    let authorities = authorities.or(main.proxy_authorities.as_ref()).ok_or_else(|| {
        format!(
            "ProxyRemote h2://{}: say in SSLProxyCACertificateFile whose certificates vouch for it",
            remote.proxy
        )
    })?;
    tls::client(authorities).map(Some)
}

fn access_logs<'a>(
    logs: impl Iterator<Item = &'a LogLine>,
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
    logs.map(|log| {
        Ok(AccessLog {
            target: log.target.clone(),
            format: format(&log.format)?,
            condition: log.condition.clone(),
        })
    })
    .collect()
}
