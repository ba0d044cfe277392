//! Directives about one server: its names, its limits, its TLS.

use super::Scope;
use super::words::{flag, interval, number, one, some};
use crate::config::head_time::HeadTime;
use crate::tls::Versions;
use std::path::PathBuf;

type Done = Result<(), String>;

pub(super) fn name(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let full = one("ServerName", words)?;
    let name = full.split_once("://").map_or(full, |(_, name)| name);
    let (name, port) = match name.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            let port = port.parse().ok().filter(|&port: &u16| port > 0).ok_or_else(|| {
                format!("The port number \"{full}\" is outside the appropriate range (i.e., 1..65535).")
            })?;
            (host, Some(port))
        }
        _ => (name, None),
    };
    scope.server.name = Some(name.to_owned());
    scope.server.name_port = port;
    Ok(())
}

pub(super) fn alias(scope: &mut Scope<'_>, words: &[String]) -> Done {
    if !scope.in_host {
        return Err("ServerAlias only used in <VirtualHost>".into());
    }
    scope
        .server
        .aliases
        .extend_from_slice(some("ServerAlias", words)?);
    Ok(())
}

pub(super) fn timeout(scope: &mut Scope<'_>, words: &[String]) -> Done {
    if matches!(words, [none] if none == "0") {
        return Err("Timeout 0 leaves no time for anything, and httpd then fails every CONNECT: give it some".into());
    }
    scope.server.timeout = Some(interval("Timeout", words)?);
    Ok(())
}

pub(super) fn line_limit(scope: &mut Scope<'_>, words: &[String]) -> Done {
    scope.server.line_limit = Some(number("LimitRequestLine", words)?);
    Ok(())
}

pub(super) fn field_limit(scope: &mut Scope<'_>, words: &[String]) -> Done {
    scope.server.field_limit = Some(number("LimitRequestFieldSize", words)?);
    Ok(())
}

pub(super) fn fields_limit(scope: &mut Scope<'_>, words: &[String]) -> Done {
    scope.server.fields_limit = Some(number("LimitRequestFields", words)?);
    Ok(())
}

/// Of the stages only the head has a meaning before a tunnel.
pub(super) fn head_time(scope: &mut Scope<'_>, words: &[String]) -> Done {
    for word in some("RequestReadTimeout", words)? {
        let (stage, value) = word.split_once('=').unwrap_or((word, ""));
        let time =
            HeadTime::parse(value).map_err(|wrong| format!("RequestReadTimeout: {wrong}"))?;
        match stage.to_ascii_lowercase().as_str() {
            "header" => scope.server.head_time = time,
            "body" | "handshake" => {}
            _ => return Err(format!("RequestReadTimeout: unknown stage '{stage}'")),
        }
    }
    Ok(())
}

pub(super) fn tls(scope: &mut Scope<'_>, words: &[String]) -> Done {
    scope.server.tls = Some(flag("SSLEngine", words)?);
    Ok(())
}

pub(super) fn certificate(scope: &mut Scope<'_>, words: &[String]) -> Done {
    scope.server.certificate = Some(file(scope, one("SSLCertificateFile", words)?));
    Ok(())
}

pub(super) fn key(scope: &mut Scope<'_>, words: &[String]) -> Done {
    scope.server.key = Some(file(scope, one("SSLCertificateKeyFile", words)?));
    Ok(())
}

pub(super) fn chain(scope: &mut Scope<'_>, words: &[String]) -> Done {
    scope.server.chain = Some(file(scope, one("SSLCertificateChainFile", words)?));
    Ok(())
}

pub(super) fn tls_versions(scope: &mut Scope<'_>, words: &[String]) -> Done {
    scope.server.tls_versions = Some(Versions::parse(some("SSLProtocol", words)?)?);
    Ok(())
}

/// Who vouches for an upstream proxy.
pub(super) fn proxy_authorities(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let authorities = file(scope, one("SSLProxyCACertificateFile", words)?);
    match scope.block {
        // httpd means by that the servers of a reverse proxy.
        Some(_) => scope.warn(
            "SSLProxyCACertificateFile in <Proxy> does nothing here: who vouches for an upstream proxy stands beside its \
             ProxyRemote",
        ),
        None => scope.server.proxy_authorities = Some(authorities),
    }
    Ok(())
}

fn file(scope: &Scope<'_>, name: &str) -> PathBuf {
    scope
        .global
        .root
        .as_ref()
        .map_or_else(|| name.into(), |root| root.join(name))
}
