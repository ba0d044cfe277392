//! A proxy that is already running, as the command line names it, and how it is reached.

use std::path::PathBuf;

use clap::Args;
use connectspec_harness::subject::remote::Remote;

use crate::cli::{Trouble, address::Address, credentials};

/// A proxy that is already running.
#[derive(Debug, Args)]
pub(super) struct Running {
    /// A proxy that is already running; http:// and USER:PASSWORD@ may stand in front, https:// where it speaks TLS
    #[arg(long, value_name = "HOST:PORT")]
    proxy: Option<Address>,
    /// Certificates of the authority that vouches for an https:// proxy, or its own, as PEM; without it, those that this machine trusts
    #[arg(long, value_name = "FILE", requires = "proxy")]
    ca: Option<PathBuf>,
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
}

impl Running {
    /// It, if one was named.
    pub(super) fn remote(&self) -> Result<Option<Remote>, Trouble> {
        let Some(address) = &self.proxy else {
            return Ok(None);
        };
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
        if let Some(credentials) = self.credentials(address)? {
            remote = remote.credentials(&credentials).map_err(Trouble::usage)?;
        }
        Ok(Some(remote))
    }

    /// Whether it speaks TLS to its clients.
    pub(super) fn is_reached_over_tls(&self) -> bool {
        self.proxy.as_ref().is_some_and(|address| address.tls)
    }

    /// The words that name it again; what no report may show, the reader has to fill in.
    pub(super) fn again(&self) -> Vec<String> {
        let Some(address) = &self.proxy else {
            return Vec::new();
        };
        let path = |file: &Option<PathBuf>| file.as_ref().map(|file| file.display().to_string());
        // Those of the environment are there the next time, too.
        let said = self.credentials.as_ref().or(address.credentials.as_ref());
        let credentials = said.map(|_| "USER:PASSWORD".to_owned());
        let scheme = if address.tls { "https://" } else { "" };
        [
            ("--proxy", Some(format!("{scheme}{}", address.authority))),
            ("--ca", path(&self.ca)),
            ("--credentials", credentials),
            ("--credentials-file", path(&self.credentials_file)),
        ]
        .into_iter()
        .filter_map(|(option, value)| Some(format!("{option} {}", quoted(&value?))))
        .collect()
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
}

/// A word as a shell takes it.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_-.:@%+,=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
