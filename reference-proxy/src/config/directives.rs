//! The directives: where each may stand, which module brings it, and what it sets.

use super::access::Require;
use super::settings::{Global, LogFormatName, Settings};
use super::{AllowConnect, Listen};
use crate::log::LogTarget;
use crate::log::format::Format;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Where a directive may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// The server config only.
    Global,
    /// The server config and `<VirtualHost>`.
    Server,
    /// Also `<Proxy>`.
    Section,
}

/// What a directive writes to.
#[derive(Debug)]
pub struct Scope<'a> {
    /// The process.
    pub global: &'a mut Global,
    /// The server that it stands in.
    pub server: &'a mut Settings,
    /// What the enclosing `<Proxy>` requires so far.
    pub requires: Option<&'a mut Vec<Require>>,
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
    let distance = |directive: &&Directive| edits(&directive.name.to_ascii_lowercase(), &lower);
    DIRECTIVES
        .iter()
        .min_by_key(distance)
        .map_or("", |directive| directive.name)
}

const fn known(name: &'static str, context: Context, set: Setter) -> Directive {
    Directive {
        name,
        context,
        set: Some(set),
    }
}

const fn idle(name: &'static str, context: Context) -> Directive {
    Directive {
        name,
        context,
        set: None,
    }
}

static DIRECTIVES: &[Directive] = &[
    known("AllowCONNECT", Context::Server, allow_connect),
    known("CustomLog", Context::Server, custom_log),
    known("ErrorLog", Context::Server, error_log),
    known("GracefulShutdownTimeout", Context::Global, drain),
    known("LimitRequestFieldSize", Context::Server, field_limit),
    known("LimitRequestFields", Context::Server, fields_limit),
    known("LimitRequestLine", Context::Server, line_limit),
    known("Listen", Context::Global, listen),
    known("LoadModule", Context::Global, load_module),
    known("LogFormat", Context::Server, log_format),
    known("MaxRequestWorkers", Context::Global, connections_most),
    known("PidFile", Context::Global, pid_file),
    known("ProxyRequests", Context::Server, proxy_requests),
    known("ProxyTimeout", Context::Server, proxy_timeout),
    known("RequestReadTimeout", Context::Server, head_time),
    known("Require", Context::Section, require),
    known("ServerAlias", Context::Server, server_alias),
    known("ServerName", Context::Server, server_name),
    known("ServerRoot", Context::Global, server_root),
    known("Timeout", Context::Server, timeout),
    known("TransferLog", Context::Server, transfer_log),
    idle("DefaultRuntimeDir", Context::Global),
    idle("HostnameLookups", Context::Section),
    idle("KeepAlive", Context::Server),
    idle("KeepAliveTimeout", Context::Server),
    idle("ListenBacklog", Context::Global),
    idle("LogLevel", Context::Section),
    idle("MaxConnectionsPerChild", Context::Global),
    idle("MaxKeepAliveRequests", Context::Server),
    idle("MaxSpareThreads", Context::Global),
    idle("MinSpareThreads", Context::Global),
    idle("Mutex", Context::Global),
    idle("ServerAdmin", Context::Server),
    idle("ServerLimit", Context::Global),
    idle("ServerSignature", Context::Section),
    idle("ServerTokens", Context::Global),
    idle("StartServers", Context::Global),
    idle("ThreadLimit", Context::Global),
    idle("ThreadsPerChild", Context::Global),
    idle("User", Context::Global),
    idle("Group", Context::Global),
];

fn allow_connect(scope: &mut Scope<'_>, words: &[String]) -> Result<(), String> {
    let list = AllowConnect::parse(words.iter().map(String::as_str))?;
    let server = &mut scope.server;
    server.allow = Some(
        server
            .allow
            .take()
            .map_or_else(|| list.clone(), |earlier| earlier.and(&list)),
    );
    Ok(())
}

fn custom_log(scope: &mut Scope<'_>, words: &[String]) -> Result<(), String> {
    let [file, format] = words else {
        return Err(
            "CustomLog takes a file name and a format; conditions are not known here".into(),
        );
    };
    let target = LogTarget::parse(file, scope.global.root.as_deref())?;
    scope
        .server
        .logs
        .push((target, LogFormatName::Text(format.clone())));
    Ok(())
}

fn transfer_log(scope: &mut Scope<'_>, words: &[String]) -> Result<(), String> {
    let target = LogTarget::parse(one("TransferLog", words)?, scope.global.root.as_deref())?;
    scope.server.logs.push((target, LogFormatName::Transfer));
    Ok(())
}

fn error_log(scope: &mut Scope<'_>, words: &[String]) -> Result<(), String> {
    scope.server.error_log = Some(LogTarget::parse(
        one("ErrorLog", words)?,
        scope.global.root.as_deref(),
    )?);
    Ok(())
}

fn log_format(scope: &mut Scope<'_>, words: &[String]) -> Result<(), String> {
    let (text, nickname) = match words {
        [text] => (text, None),
        [text, nickname] => (text, Some(nickname)),
        _ => return Err("LogFormat takes a format and a nickname".into()),
    };
    let format = Arc::new(Format::parse(text)?);
    match nickname {
        Some(nickname) => {
            scope.global.formats.insert(nickname.clone(), format);
        }
        None => scope.server.transfer_format = Some(format),
    }
    Ok(())
}

fn listen(scope: &mut Scope<'_>, words: &[String]) -> Result<(), String> {
    let address = match words {
        [address] => address,
        [address, protocol] if ["http", "https"].contains(&protocol.as_str()) => address,
        _ => return Err("Listen takes an address or a port, and a protocol".into()),
    };
    let address = listen_address(address)?;
    scope.global.listen.push(Listen { address });
    Ok(())
}

/// Reads `3128`, `127.0.0.1:3128`, `*:3128` or `[::1]:3128`.
///
/// # Errors
///
/// What is wrong with it.
pub fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let every = IpAddr::from(Ipv6Addr::UNSPECIFIED);
    if let Ok(port) = text.parse() {
        return Ok(SocketAddr::new(every, port));
    }
    if let Some(port) = text.strip_prefix("*:").and_then(|port| port.parse().ok()) {
        return Ok(SocketAddr::new(every, port));
    }
    if let Some(port) = text
        .strip_prefix("localhost:")
        .and_then(|port| port.parse().ok())
    {
        return Ok(SocketAddr::new(std::net::Ipv4Addr::LOCALHOST.into(), port));
    }
    text.parse()
        .map_err(|_| format!("Listen: '{text}' is not ADDRESS:PORT or PORT"))
}

fn load_module(scope: &mut Scope<'_>, words: &[String]) -> Result<(), String> {
    let [identifier, file] = words else {
        return Err(
            "LoadModule takes two arguments, a module name and the name of a shared object file \
                    to load it from"
                .into(),
        );
    };
    let source = file.rsplit('/').next().unwrap_or(file).replace(".so", ".c");
    scope.global.modules.extend([identifier.clone(), source]);
    Ok(())
}

fn connections_most(scope: &mut Scope<'_>, words: &[String]) -> Result<(), String> {
    let most = number("MaxRequestWorkers", words)?;
    if most == 0 {
        return Err("MaxRequestWorkers must be at least 1".into());
    }
    scope.global.connections_most = Some(most);
    Ok(())
}

fn pid_file(scope: &mut Scope<'_>, words: &[String]) -> Result<(), String> {
    let file = PathBuf::from(one("PidFile", words)?);
    let root = scope.global.root.clone().unwrap_or_default();
    scope.global.pid_file = Some(root.join(file));
    Ok(())
}

fn proxy_requests(scope: &mut Scope<'_>, words: &[String]) -> Result<(), String> {
    scope.server.proxy_requests = Some(flag("ProxyRequests", words)?);
    Ok(())
}

fn proxy_timeout(scope: &mut Scope<'_>, words: &[String]) -> Result<(), String> {
    scope.server.proxy_timeout = Some(interval("ProxyTimeout", words)?);
    Ok(())
}

fn timeout(scope: &mut Scope<'_>, words: &[String]) -> Result<(), String> {
    scope.server.timeout = Some(interval("Timeout", words)?);
    Ok(())
}

fn drain(scope: &mut Scope<'_>, words: &[String]) -> Result<(), String> {
    scope.global.drain = Some(Duration::from_secs(
        number("GracefulShutdownTimeout", words)? as u64,
    ));
    Ok(())
}

fn line_limit(scope: &mut Scope<'_>, words: &[String]) -> Result<(), String> {
    scope.server.line_limit = Some(number("LimitRequestLine", words)?);
    Ok(())
}

fn field_limit(scope: &mut Scope<'_>, words: &[String]) -> Result<(), String> {
    scope.server.field_limit = Some(number("LimitRequestFieldSize", words)?);
    Ok(())
}

fn fields_limit(scope: &mut Scope<'_>, words: &[String]) -> Result<(), String> {
    scope.server.fields_limit = Some(number("LimitRequestFields", words)?);
    Ok(())
}

fn head_time(scope: &mut Scope<'_>, words: &[String]) -> Result<(), String> {
    for word in words {
        let Some(times) = word.strip_prefix("header=") else {
            continue;
        };
        let longest = times
            .split(',')
            .next()
            .unwrap_or_default()
            .split('-')
            .next_back()
            .unwrap_or_default();
        let seconds = longest
            .parse()
            .map_err(|_| format!("RequestReadTimeout: '{word}' is not header=SECONDS"))?;
        scope.server.head_time = Some(Duration::from_secs(seconds));
    }
    Ok(())
}

fn require(scope: &mut Scope<'_>, words: &[String]) -> Result<(), String> {
    let require = Require::parse(words)?;
    match &mut scope.requires {
        Some(requires) => requires.push(require),
        None => return Err("Require not allowed here".into()),
    }
    Ok(())
}

fn server_alias(scope: &mut Scope<'_>, words: &[String]) -> Result<(), String> {
    scope.server.aliases.extend_from_slice(words);
    Ok(())
}

fn server_name(scope: &mut Scope<'_>, words: &[String]) -> Result<(), String> {
    let full = one("ServerName", words)?;
    let name = full.split_once("://").map_or(full, |(_, name)| name);
    let (name, port) = match name.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            let port = port
                .parse()
                .map_err(|_| format!("ServerName: '{port}' is no port"))?;
            (host, Some(port))
        }
        _ => (name, None),
    };
    scope.server.name = Some(name.to_owned());
    scope.server.name_port = port;
    Ok(())
}

fn server_root(scope: &mut Scope<'_>, words: &[String]) -> Result<(), String> {
    scope.global.root = Some(PathBuf::from(one("ServerRoot", words)?));
    Ok(())
}

/// The only word.
pub(super) fn one<'a>(name: &str, words: &'a [String]) -> Result<&'a str, String> {
    match words {
        [word] => Ok(word),
        _ => Err(format!("{name} takes one argument")),
    }
}

/// `On` or `Off`.
pub(super) fn flag(name: &str, words: &[String]) -> Result<bool, String> {
    match one(name, words).map(str::to_ascii_lowercase).as_deref() {
        Ok("on") => Ok(true),
        Ok("off") => Ok(false),
        _ => Err(format!("{name} must be On or Off")),
    }
}

/// A decimal number that fits into 31 bits, as httpd's do.
pub(super) fn number(name: &str, words: &[String]) -> Result<usize, String> {
    one(name, words)?
        .parse::<u32>()
        .ok()
        .filter(|&number| number <= i32::MAX as u32)
        .map(|number| number as usize)
        .ok_or_else(|| format!("{name} must be a number of at most 2147483647"))
}

/// A time with httpd's units: `ms`, `s`, `mi`, `h`; seconds without one.
pub(super) fn interval(name: &str, words: &[String]) -> Result<Duration, String> {
    let text = one(name, words)?;
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let amount: u64 = text[..digits]
        .parse()
        .map_err(|_| format!("{name} has wrong format"))?;
    let unit_ms = match text[digits..].to_ascii_lowercase().as_str() {
        "" | "s" => 1000,
        "ms" => 1,
        "mi" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return Err(format!("{name} has wrong format")),
    };
    let milliseconds = amount
        .checked_mul(unit_ms)
        .filter(|&ms| ms > 0 && ms <= 365 * 86_400_000);
    milliseconds
        .map(Duration::from_millis)
        .ok_or_else(|| format!("{name} must be more than 0 and less than a year"))
}

/// How many characters have to be put in, taken out or changed.
fn edits(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.bytes().enumerate() {
            let change = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_nearly() {
        assert_eq!(named("allowconnect").unwrap().name, "AllowCONNECT");
        assert_eq!(nearest("AllowConect"), "AllowCONNECT");
        assert_eq!(nearest("ProxyRequest"), "ProxyRequests");
    }

    #[test]
    fn listens_where_told() {
        assert_eq!(listen_address("3128").unwrap().to_string(), "[::]:3128");
        assert_eq!(
            listen_address("127.0.0.1:3128").unwrap().to_string(),
            "127.0.0.1:3128"
        );
        assert_eq!(
            listen_address("[::1]:3128").unwrap().to_string(),
            "[::1]:3128"
        );
        assert!(listen_address("nonsense").is_err() && listen_address("1.2.3.4").is_err());
    }
}
