//! Who is judged, as the command line names it, and where its servers are.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::PathBuf,
};

use clap::Args;
use connectspec_harness::subject::{Who, remote::Remote};

use crate::{
    cli::{Trouble, address::Address, credentials},
    subjects,
};

/// Who is judged.
#[derive(Debug, Args)]
pub(super) struct Subject {
    /// A built-in profile, or a profile in a file
    #[arg(long, value_name = "NAME|FILE", conflicts_with = "proxy")]
    profile: Option<String>,
    /// A proxy that is already running; http:// and USER:PASSWORD@ may stand in front, https:// where it speaks TLS
    #[arg(long, value_name = "HOST:PORT")]
    proxy: Option<Address>,
    /// Certificates of the authority that vouches for an https:// proxy, or its own, as PEM; without it, those that this machine trusts
    #[arg(long, value_name = "FILE", requires = "proxy")]
    ca: Option<PathBuf>,
    /// The ports that it allows, such as '443 8000-8100' or 443,8000-8100
    #[arg(long, value_name = "PORTS", requires = "proxy")]
    allow: Option<String>,
    /// The credentials that it asks for. Every user of this machine can read them in the list of processes: better a file, or
    /// the variable CONNECTSPEC_CREDENTIALS
    #[arg(
        long,
        value_name = "USER:PASSWORD",
        requires = "proxy",
        conflicts_with = "credentials_file"
    )]
    credentials: Option<String>,
    /// A file whose first line is USER:PASSWORD; /dev/stdin reads them from there
    #[arg(long, value_name = "FILE", requires = "proxy")]
    credentials_file: Option<PathBuf>,
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
    /// Who it is, and the words that name it again.
    pub(super) fn who(&self) -> Result<(Who, String), Trouble> {
        let (who, mut again) = self.named()?;
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
        self.proxy.as_ref().is_some_and(|address| address.tls)
    }

    fn named(&self) -> Result<(Who, Vec<String>), Trouble> {
        if let Some(address) = &self.proxy {
            let remote = self.remote(address)?;
            return Ok((Who::Remote(Box::new(remote)), self.remote_again(address)));
        }
        let (name, again) = match &self.profile {
            None => (subjects::REFERENCE, Vec::new()),
            Some(name) => (name.as_str(), vec![format!("--profile {}", quoted(name))]),
        };
        let profile = subjects::profile(name).map_err(Trouble::usage)?;
        Ok((Who::Profile(Box::new(profile)), again))
    }

    /// The words that name a proxy that is already running; what no report may show, the reader has to fill in.
    fn remote_again(&self, address: &Address) -> Vec<String> {
        let log = self
            .access_log
            .as_ref()
            .map(|file| file.display().to_string());
        let ca = self.ca.as_ref().map(|file| file.display().to_string());
        // Those of the environment are there the next time, too.
        let said = self.credentials.as_ref().or(address.credentials.as_ref());
        let credentials = said.map(|_| "USER:PASSWORD".to_owned());
        let file = self
            .credentials_file
            .as_ref()
            .map(|file| file.display().to_string());
        let scheme = if address.tls { "https://" } else { "" };
        [
            ("--proxy", Some(format!("{scheme}{}", address.authority))),
            ("--ca", ca),
            ("--allow", self.allow.clone()),
            ("--credentials", credentials),
            ("--credentials-file", file),
            ("--access-log", log),
            ("--log-pattern", self.log_pattern.clone()),
        ]
        .into_iter()
        .filter_map(|(option, value)| Some(format!("{option} {}", quoted(&value?))))
        .collect()
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

    /// Those of the option, of the file, of the address, or of the environment.
    fn credentials(&self, address: &Address) -> Result<Option<String>, Trouble> {
        let (option, file) = (&self.credentials, self.credentials_file.as_deref());
        match &address.credentials {
            Some(_) if option.is_some() || file.is_some() => Err(Trouble::usage(
                "credentials stand in --proxy and in an option of their own; say them once",
            )),
            Some(beside) => Ok(Some(beside.clone())),
            None => credentials::given(option.as_deref(), file),
        }
    }

    fn remote(&self, address: &Address) -> Result<Remote, Trouble> {
        let mut remote = Remote::new(&address.authority).map_err(Trouble::usage)?;
        match (address.tls, &self.ca) {
            (true, ca) => remote = remote.over_tls(ca.as_deref()).map_err(Trouble::usage)?,
            (false, None) => {}
            (false, Some(_)) => {
                return Err(Trouble::usage(format!(
                    "--ca is for a proxy that speaks TLS: say --proxy https://{}",
                    address.authority
                )));
            }
        }
        if let Some(ports) = &self.allow {
            remote = remote.allowing(ports).map_err(Trouble::usage)?;
        }
        if let Some(credentials) = self.credentials(address)? {
            remote = remote.credentials(&credentials).map_err(Trouble::usage)?;
        }
        if let (Some(file), Some(pattern)) = (&self.access_log, &self.log_pattern) {
            remote = remote
                .access_log(file.clone(), pattern)
                .map_err(Trouble::usage)?;
        }
        Ok(remote)
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_-.:@%+,=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
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
