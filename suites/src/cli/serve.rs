//! `connectspec profile serve`: start the proxy of a profile as a case had it, to repeat by hand what a report shows.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::Parser;
use connectspec_harness::{
    protocol::HttpVersion,
    setup::{Hosts, PortRange},
    subject::{
        configuration::{Configuration, Credentials, Timeouts, TlsFiles},
        process::Subject,
    },
    transcript::screen::plain,
};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    cli::{Status, Trouble},
    subjects,
};

/// Longer than anybody leaves a proxy running.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Start the proxy of a profile, and leave it running until Ctrl-C.
#[derive(Debug, Parser)]
pub(super) struct Serve {
    /// A built-in profile, or a profile in a file
    #[arg(value_name = "NAME|FILE")]
    profile: String,
    /// Where it listens
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:3128")]
    listen: SocketAddr,
    /// The ports that it allows, such as '443 8000-8100'; without it, what it allows by itself
    #[arg(long, value_name = "PORTS", value_parser = PortList::parse)]
    allow: Option<PortList>,
    /// Its list of ports in the words of its own configuration, such as those of AllowCONNECT
    #[arg(long, value_name = "WORDS")]
    allow_text: Option<String>,
    /// A name that it leads to, if repeated one of several; with a dot in front, also names below it. Without it, all
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// A name that it does not lead to, in the same way
    #[arg(long = "denied-host", value_name = "NAME")]
    denied_hosts: Vec<String>,
    /// It refuses addresses of its own machine and network
    #[arg(long)]
    refuse_private: bool,
    /// Lines of its own configuration after all others
    #[arg(long, value_name = "LINES", alias = "httpd-text")]
    config_lines: Option<String>,
    /// The user that it lets in. Not a real one: every user of this machine can read it in the list of processes
    #[arg(long, value_name = "USER:PASSWORD", value_parser = credentials)]
    credentials: Option<Credentials>,
    /// The address of a client that it serves, of several if repeated; without it, all of this machine
    #[arg(long = "client", value_name = "ADDR")]
    clients: Vec<IpAddr>,
    /// The proxy that it goes through
    #[arg(long, value_name = "ADDR:PORT")]
    upstream: Option<SocketAddr>,
    /// The version of HTTP in which it asks that one: http/1.1, h2c, or h2 with an authority
    #[arg(long, value_name = "VERSION", value_parser = http_version, default_value = "http/1.1", requires = "upstream")]
    upstream_http: HttpVersion,
    /// The certificate of the authority that vouches for that one, in PEM
    #[arg(long, value_name = "FILE", requires = "upstream")]
    upstream_ca: Option<PathBuf>,
    /// The server to which it is the gateway for WebSockets
    #[arg(long, value_name = "ADDR:PORT")]
    websocket: Option<SocketAddr>,
    /// The certificate with which it speaks TLS to its clients, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The key of that certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// The version of HTTP that clients speak to it, where it serves several: http/1.1, h2c, or h2 with a certificate
    #[arg(long, value_name = "VERSION", value_parser = http_version, default_value = "http/1.1")]
    http: HttpVersion,
    /// How long it waits for a server, in seconds
    #[arg(long, value_name = "S")]
    connect_timeout: Option<u32>,
    /// How long a silent tunnel lives, in seconds
    #[arg(long, value_name = "S")]
    idle_timeout: Option<u32>,
    /// How long a client may take to send a header section, in seconds
    #[arg(long, value_name = "S")]
    header_timeout: Option<u32>,
}

/// Ports and ranges between blanks.
#[derive(Clone, Debug)]
struct PortList(Vec<PortRange>);

impl PortList {
    fn parse(text: &str) -> Result<Self, String> {
        PortRange::parse_list(text)
            .map(Self)
            .map_err(|error| error.to_string())
    }
}

/// The names of a list, if there is one.
fn hosts(names: &[String]) -> Option<Vec<Hosts>> {
    (!names.is_empty()).then(|| names.iter().map(|name| Hosts::one(name)).collect())
}

fn http_version(word: &str) -> Result<HttpVersion, String> {
    let all = [HttpVersion::Http1, HttpVersion::H2c, HttpVersion::H2];
    let known = all.into_iter().find(|version| version.name() == word);
    known.ok_or_else(|| "there are http/1.1, h2c and h2".to_owned())
}

fn credentials(text: &str) -> Result<Credentials, String> {
    Credentials::parse(text).ok_or_else(|| "write them as USER:PASSWORD".to_owned())
}

/// What stands in the files, of which the proxy gets copies.
fn tls_files((certificate, key): (&PathBuf, &PathBuf)) -> Result<TlsFiles, Trouble> {
    Ok(TlsFiles {
        certificate: text_of(certificate)?,
        key: text_of(key)?,
    })
}

fn text_of(path: &Path) -> Result<String, Trouble> {
    fs::read_to_string(path)
        .map_err(|error| Trouble::usage(format!("could not read {}: {error}", path.display())))
}

/// Launches, says where it listens, and waits for a signal or for the end of the proxy.
pub(super) fn main(arguments: &Serve) -> Result<Status, Trouble> {
    let profile = subjects::profile(&arguments.profile).map_err(Trouble::usage)?;
    let mut configuration = Configuration::new(arguments.listen);
    configuration.allow = arguments.allow.clone().map(|list| list.0);
    configuration.allow_text.clone_from(&arguments.allow_text);
    configuration.hosts = hosts(&arguments.hosts);
    configuration.denied_hosts = hosts(&arguments.denied_hosts);
    configuration.refuse_private = arguments.refuse_private;
    configuration.lines.clone_from(&arguments.config_lines);
    configuration.credentials.clone_from(&arguments.credentials);
    configuration.clients = (!arguments.clients.is_empty()).then(|| arguments.clients.clone());
    configuration.upstream = arguments.upstream;
    configuration.upstream_version = arguments.upstream_http;
    let authority = arguments.upstream_ca.as_deref();
    configuration.upstream_ca = authority.map(text_of).transpose()?;
    configuration.websocket = arguments.websocket;
    let tls = arguments.tls_certificate.iter().zip(&arguments.tls_key);
    configuration.tls = tls.map(tls_files).next().transpose()?;
    configuration.version = arguments.http;
    configuration.timeouts = Timeouts {
        connect: arguments.connect_timeout,
        idle: arguments.idle_timeout,
        header: arguments.header_timeout,
    };
    configuration.spare_ports = spare_ports().map_err(Trouble::not_judged)?;
    let subject = Subject::launch(&profile, &configuration).map_err(Trouble::not_judged)?;
    let subject = Arc::new(subject);
    super::say(&format!(
        "{} listens on {}; Ctrl-C ends it\n",
        plain(&profile.title),
        subject.address()
    ));
    let ended = wait(&subject).map_err(Trouble::not_judged)?;
    subject.stop();
    if ended {
        return Err(Trouble::not_judged(format!(
            "{} has ended by itself:\n{}",
            profile.title,
            subject.output().trim_end()
        )));
    }
    Ok(Status::Conformant)
}

/// Whether the proxy ended before anybody wanted it to.
fn wait(subject: &Arc<Subject>) -> std::io::Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let watched = Arc::clone(subject);
    let ended = runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let end = tokio::task::spawn_blocking(move || watched.wait(FOR_EVER));
        tokio::select! {
            _ = interrupt.recv() => Ok(false),
            _ = terminate.recv() => Ok(false),
            _ = end => Ok(true),
        }
    });
    // The thread that waits for the proxy ends with it.
    runtime.shutdown_background();
    ended
}

/// Ports that were free a moment ago.
fn spare_ports() -> std::io::Result<[u16; 3]> {
    let listen = || TcpListener::bind((IpAddr::V4(Ipv4Addr::LOCALHOST), 0));
    let listeners = [listen()?, listen()?, listen()?];
    let mut ports = [0; 3];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}
