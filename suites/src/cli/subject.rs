//! Who is judged, as the command line names it, and where its servers are.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::PathBuf,
};

use clap::Args;
use connectspec_harness::{
    protocol::{HttpVersion, Protocol},
    subject::{Who, offers::Versions, remote::Remote},
};

use crate::{
    cli::{
        Trouble,
        running::{Running, quoted},
    },
    subjects,
};

/// Who is judged.
#[derive(Debug, Args)]
pub(super) struct Subject {
    /// A built-in profile, or a profile in a file
    #[arg(long, value_name = "NAME|FILE", conflicts_with = "proxy")]
    profile: Option<String>,
    #[command(flatten)]
    running: Running,
    /// The ports that it allows, such as '443 8000-8100' or 443,8000-8100
    #[arg(long, value_name = "PORTS", requires = "proxy")]
    allow: Option<String>,
    /// The access log that it writes
    #[arg(long, value_name = "FILE", requires_all = ["proxy", "log_pattern"])]
    access_log: Option<PathBuf>,
    /// A regular expression with the groups source_port, status, target and client
    #[arg(long, value_name = "REGEX", requires = "access_log")]
    log_pattern: Option<String>,
    /// The address on which the harness's servers listen, for a proxy in a container or on another host
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    backend_bind: IpAddr,
    /// The name or address by which the proxy reaches them, where that is another one
    #[arg(long, value_name = "NAME", value_parser = host)]
    backend_host: Option<String>,
}

impl Subject {
    /// Who it is, and the words that name it again; a running one serves the versions of HTTP that are named, and HTTP/1.1 where none is.
    pub(super) fn who(&self, named: Vec<HttpVersion>) -> Result<(Who, String), Trouble> {
        let (who, mut again) = self.named()?;
        let who = match who {
            Who::Remote(remote) if !named.is_empty() => {
                Who::Remote(Box::new(remote.serving(Versions(named))))
            }
            who => who,
        };
        again.extend(self.backend()?);
        Ok((who, again.join(" ")))
    }

    /// Where the servers listen.
    pub(super) const fn bind(&self) -> IpAddr {
        self.backend_bind
    }

    /// How the proxy reaches them, if not by that address.
    pub(super) fn host(&self) -> Option<String> {
        self.backend_host.clone()
    }

    /// Whether it is a running one that speaks TLS to its clients.
    pub(super) fn is_reached_over_tls(&self) -> bool {
        self.running.is_reached_over_tls()
    }

    /// Over what a proxy with a profile is asked where nobody says anything else.
    pub(super) fn first_protocol(&self) -> Option<Protocol> {
        let profile = subjects::profile(self.profile.as_deref()?).ok()?;
        Some(subjects::first_protocol(&profile))
    }

    fn named(&self) -> Result<(Who, Vec<String>), Trouble> {
        if let Some(remote) = self.running.remote()? {
            let remote = self.remote(remote)?;
            return Ok((Who::Remote(Box::new(remote)), self.remote_again()));
        }
        let (name, again) = match &self.profile {
            None => (subjects::REFERENCE, Vec::new()),
            Some(name) => (name.as_str(), vec![format!("--profile {}", quoted(name))]),
        };
        let profile = subjects::profile(name).map_err(Trouble::usage)?;
        Ok((Who::Profile(Box::new(profile)), again))
    }

    /// The words that name a proxy that is already running, and what is said of it.
    fn remote_again(&self) -> Vec<String> {
        let log = self
            .access_log
            .as_ref()
            .map(|file| file.display().to_string());
        let more = [
            ("--allow", self.allow.clone()),
            ("--access-log", log),
            ("--log-pattern", self.log_pattern.clone()),
        ];
        let more = more
            .into_iter()
            .filter_map(|(option, value)| Some(format!("{option} {}", quoted(&value?))));
        self.running.again().into_iter().chain(more).collect()
    }

    /// The words that say where the servers are, if not where they always are.
    fn backend(&self) -> Result<Vec<String>, Trouble> {
        let (bind, host) = (self.backend_bind, self.backend_host.as_deref());
        if bind.is_unspecified() && host.is_none() {
            return Err(Trouble::usage(format!(
                "--backend-bind {bind} is every address of this machine; say with --backend-host by which one the proxy reaches it"
            )));
        }
        let bind =
            (bind != IpAddr::V4(Ipv4Addr::LOCALHOST)).then(|| format!("--backend-bind {bind}"));
        let host = host.map(|host| format!("--backend-host {}", quoted(host)));
        Ok(bind.into_iter().chain(host).collect())
    }

    fn remote(&self, mut remote: Remote) -> Result<Remote, Trouble> {
        if let Some(ports) = &self.allow {
            remote = remote.allowing(ports).map_err(Trouble::usage)?;
        }
        if let (Some(file), Some(pattern)) = (&self.access_log, &self.log_pattern) {
            remote = remote
                .access_log(file.clone(), pattern)
                .map_err(Trouble::usage)?;
        }
        Ok(remote)
    }
}

/// A name or an address, as the host of a target is written.
fn host(text: &str) -> Result<String, String> {
    let address = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    if address.unwrap_or(text).parse::<Ipv6Addr>().is_ok() {
        return Ok(address.unwrap_or(text).to_owned());
    }
    let of_a_name = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if text.is_empty() || !text.chars().all(of_a_name) {
        return Err("a name or an address, without a port".to_owned());
    }
    Ok(text.to_owned())
}
