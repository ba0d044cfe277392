//! The command line: httpd's options, and the common directives as flags.

use crate::config::build::{self, Options};
use crate::config::{Config, ConfigError};
use crate::net::Descriptors;
use crate::pid_file::PidFile;
use crate::privileges::{self, Became};
use crate::proxy::{self, Proxy, Shared};
use crate::serve::{self, Listeners};
use clap::Parser;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How long passwords that are being checked may hold up the end of the process.
const CHECKS_LINGER: Duration = Duration::from_millis(50);

/// A CONNECT proxy with the configuration of Apache httpd's mod_proxy_connect.
#[derive(Clone, Debug, Parser)]
#[command(name = "reference-proxy", version, disable_version_flag = true)]
struct Arguments {
    /// Read this config file, in httpd's syntax.
    #[arg(short = 'f', value_name = "FILE")]
    file: Option<PathBuf>,
    /// Check the configuration and say so.
    #[arg(short = 't')]
    test: bool,
    /// Show the virtual hosts and what each allows.
    #[arg(short = 'S')]
    show: bool,
    /// Define a name for <IfDefine>; FOREGROUND is accepted and always true.
    #[arg(short = 'D', value_name = "NAME")]
    define: Vec<String>,
    /// A directive before the config file.
    #[arg(short = 'C', value_name = "DIRECTIVE")]
    before: Vec<String>,
    /// A directive behind the config file.
    #[arg(short = 'c', value_name = "DIRECTIVE")]
    after: Vec<String>,
    /// Print the version.
    #[arg(short = 'v', long = "version")]
    version: bool,
    /// Listen here; without a config file the default is 127.0.0.1:3128. [Listen]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Vec<String>,
    /// The ports that may be reached, as in '443 8000-8100'. [AllowCONNECT]
    #[arg(long, value_name = "PORTS")]
    allow_connect: Vec<String>,
    /// Whom to serve, as in 'ip 10.0.0.0/8'; the default is this machine. [Require]
    #[arg(long, value_name = "WHO")]
    require: Vec<String>,
    /// The access log. [CustomLog]
    #[arg(long, value_name = "FILE")]
    access_log: Option<String>,
    /// What its lines say. [LogFormat]
    #[arg(long, value_name = "FORMAT", default_value = DEFAULT_FORMAT)]
    log_format: String,
    /// The error log; the default is standard error. [ErrorLog]
    #[arg(long, value_name = "FILE")]
    error_log: Option<String>,
    /// How long a client may be silent. [Timeout]
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<String>,
    /// How long a server may take and be silent. [ProxyTimeout]
    #[arg(long, value_name = "SECONDS")]
    proxy_timeout: Option<String>,
}

const DEFAULT_FORMAT: &str = "%h %u %t \"%r\" %>s %I %O %D source=%{proxy-source-port}n";

/// Runs the program with `arguments`, the first of which is its name.
///
/// It returns when the proxy has ended. It must be called before the process has other threads, since it may
/// give up privileges.
pub fn main_with(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(3)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    if arguments.version {
        say(&format!(
            "Server version: reference-proxy/{}",
            env!("CARGO_PKG_VERSION")
        ));
        return ExitCode::SUCCESS;
    }
    match arguments.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            complain(&message);
            ExitCode::FAILURE
        }
    }
}

impl Arguments {
    fn run(&self) -> Result<(), String> {
        let config = self.config().map_err(|error| error.to_string())?;
        for warning in &config.warnings {
            complain(&format!("warning: {warning}"));
        }
        if self.show {
            say(config.to_string().trim_end());
        }
        if self.test || self.show {
            complain("Syntax OK");
            return Ok(());
        }
        self.serve(config).map_err(|error| error.to_string())
    }

    fn serve(&self, config: Config) -> io::Result<()> {
        let listeners = Listeners::open(&config)?;
        let pid_file = config.pid_file.as_deref().map(PidFile::write);
        // Held to the end of the process.
        let _pid_file = pid_file.transpose()?;
        let (user, group) = (config.user.as_deref(), config.group.as_deref());
        let descriptors = Descriptors::of_this_process();
        descriptors.share_out();
        let shared = Arc::new(Shared::new(descriptors));
        let of_root = shared.sinks.open_those_of_root(config.log_targets())?;
        let became = privileges::give_up(user, group).map_err(io::Error::other)?;
        // Opened by whom the process has become, who has to open them anew at every rotation.
        let mut proxy = open_logs(config, &shared, became)?;
        drop(of_root);
        proxy.listening = listeners.addresses();
        let mut runtime = match std::thread::available_parallelism() {
            Ok(cores) if cores.get() > 1 => tokio::runtime::Builder::new_multi_thread(),
            // One core: threads would only take turns.
            _ => tokio::runtime::Builder::new_current_thread(),
        };
        let runtime = runtime
            .enable_all()
            .max_blocking_threads(proxy::CHECKS_AT_ONCE)
            .build()?;
        let arguments = self.clone();
        let read = Arc::new(move || arguments.config());
        let served = runtime.block_on(serve::run(proxy, listeners, read));
        runtime.shutdown_timeout(CHECKS_LINGER);
        shared.sinks.settle();
        served
    }

    fn config(&self) -> Result<Config, ConfigError> {
        let mut options = Options {
            defines: self.define.clone(),
            before: self.before.clone(),
            after: self.after.clone(),
            every_module: self.file.is_none(),
        };
        if self.file.is_none() {
            options.before.push("ProxyRequests On".into());
            if self.listen.is_empty() {
                options.before.push("Listen 127.0.0.1:3128".into());
            }
        }
        options.after.extend(self.directives());
        build::read(self.file.as_deref(), &options)
    }

    /// The flags as directives, so that both have one meaning.
    fn directives(&self) -> Vec<String> {
        let one = |name: &str, value: &Option<String>| {
            value
                .as_ref()
                .map(|value| format!("{name} {}", quoted(value)))
        };
        let mut directives: Vec<String> = self
            .listen
            .iter()
            .map(|address| format!("Listen {address}"))
            .collect();
        directives.extend(
            self.allow_connect
                .iter()
                .map(|ports| format!("AllowCONNECT {ports}")),
        );
        directives.extend(
            [
                one("ErrorLog", &self.error_log),
                one("Timeout", &self.timeout),
                one("ProxyTimeout", &self.proxy_timeout),
            ]
            .into_iter()
            .flatten(),
        );
        if !self.require.is_empty() {
            let lines: String = self
                .require
                .iter()
                .map(|who| format!("Require {who}\n"))
                .collect();
            directives.push(format!("<Proxy \"*\">\n{lines}</Proxy>"));
        }
        if let Some(file) = &self.access_log {
            directives.push(format!(
                "CustomLog {} {}",
                quoted(file),
                quoted(&self.log_format)
            ));
        }
        directives
    }
}

/// Opens the logs. When the process has just become somebody else, it must be able to do so again at any time.
fn open_logs(config: Config, shared: &Arc<Shared>, became: Became) -> io::Result<Proxy> {
    let (user, fixed) = (
        config.user.clone().unwrap_or_default(),
        became == Became::Same,
    );
    let remedy = "chown it and its folder, or choose another folder";
    let explained = |error: io::Error| {
        let text = format!("{error}: User {user} has to open it: {remedy}");
        io::Error::new(error.kind(), text)
    };
    let proxy = Proxy::new(config, Arc::clone(shared));
    if fixed {
        return proxy;
    }
    let proxy = proxy.map_err(explained)?;
    if let Err(error) = shared.sinks.can_be_rotated() {
        complain(&format!(
            "warning: {error}: User {user} cannot open it anew, and a reload goes on with the file that is open: {remedy}"
        ));
    }
    Ok(proxy)
}

/// `text` as one word of a config line.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(arguments: &[&str]) -> Config {
        let arguments = std::iter::once("reference-proxy").chain(arguments.iter().copied());
        Arguments::try_parse_from(arguments)
            .unwrap()
            .config()
            .unwrap()
    }

    #[test]
    fn listens_on_loopback_and_allows_what_httpd_allows() {
        let config = config(&[]);
        assert_eq!(config.listen[0].address.to_string(), "127.0.0.1:3128");
        assert_eq!(config.main.allow.to_string(), "443 563");
    }

    #[test]
    fn flags_are_directives() {
        let config = config(&[
            "--listen",
            "127.0.0.1:1",
            "--allow-connect",
            "443 8000-8100",
            "--access-log",
            "/a b\\c",
        ]);
        assert_eq!(config.listen.len(), 1);
        assert_eq!(config.main.allow.to_string(), "443 8000-8100");
        assert_eq!(config.main.logs.len(), 1);
    }
}
