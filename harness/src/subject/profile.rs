//! Profiles: how one proxy is launched, what it can be told, and where it is known to be wrong.
//!
//! A profile is a TOML file that somebody writes for their proxy without reading this code, so every
//! mistake in it is named with its file, line and column, and with what would have been right.

mod decode;
mod deviation;
pub(crate) mod keys;
pub mod mistake;
pub mod template;

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use regex::Regex;
use serde::Deserialize;

use crate::subject::{
    capability::Claims,
    offers::Offers,
    profile::{mistake::Mistake, template::Template},
};
pub use decode::parse_baseline;
pub use deviation::Deviation;

/// How to launch and configure one proxy, what it offers, and its known deviations.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Where the profile was read, as messages name it.
    pub origin: String,
    /// The profile's own folder; built-in profiles have none.
    pub folder: Option<PathBuf>,
    /// The short name: what `--profile` takes.
    pub name: String,
    /// The name as people write it.
    pub title: String,
    /// Where its documentation is.
    pub homepage: Option<String>,
    /// The command that installs it, shown when the program is missing.
    pub install: Option<String>,
    /// The product whose ways it follows, with its version: it is asked the cases about that one, too.
    pub like: Option<String>,
    /// How it is started and stopped.
    pub launch: Launch,
    /// The files that are rendered into the scratch folder before each launch.
    pub files: Vec<ConfigFile>,
    /// What its templates can express.
    pub offers: Offers,
    /// How its access log reads; absent when it writes none.
    pub access_log: Option<AccessLog>,
    /// Its known, explained failures.
    pub deviations: Vec<Deviation>,
}

/// How a subject is started and stopped.
#[derive(Clone, Debug)]
pub struct Launch {
    /// Looked up in PATH; with a slash, relative to the profile.
    pub program: Template,
    /// Its arguments. One that renders empty is dropped.
    pub args: Vec<Template>,
    /// Environment variables beside the caller's own.
    pub env: Vec<(String, Template)>,
    /// What a shell does in the scratch folder before the program starts. What it leaves running ends with the program.
    pub before: Option<Template>,
    /// How to ask for its version.
    pub version: Option<Version>,
    /// How long it may take until it accepts connections.
    pub ready_within: Duration,
    /// The signal that asks it to end.
    pub stop_signal: StopSignal,
    /// How long it may take to end before it is killed.
    pub stop_within: Duration,
    /// Where a program that goes into the background writes its process id: that process is the subject then.
    pub pid_file: Option<Template>,
    /// Arguments with which it only checks its configuration, and exits non-zero on a bad one.
    pub check: Option<Vec<Template>>,
}

/// How long a subject may take to listen when its profile does not say: enough for an interpreter on a
/// busy machine, where others run at the same time; one that ends meanwhile is not waited for.
pub const READY_WITHIN: Duration = Duration::from_secs(30);

/// How long a subject may take to end when its profile does not say.
pub const STOP_WITHIN: Duration = Duration::from_secs(5);

/// How to ask a program for its version.
#[derive(Clone, Debug)]
pub struct Version {
    /// The arguments that make it print its version and exit.
    pub args: Vec<Template>,
    /// Its first group is the version, wherever in stdout or stderr it matches.
    pub pattern: Regex,
}

/// The signal that asks a subject to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum StopSignal {
    /// SIGHUP
    Hup,
    /// SIGINT
    Int,
    /// SIGKILL, for programs that end no other way.
    Kill,
    /// SIGQUIT
    Quit,
    /// SIGTERM
    #[default]
    Term,
    /// SIGUSR1
    Usr1,
    /// SIGUSR2
    Usr2,
}

/// A file that is rendered into the scratch folder.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    /// Its path in the scratch folder.
    pub path: PathBuf,
    /// Its content.
    pub template: Template,
}

/// How an access log reads.
#[derive(Clone, Debug)]
pub struct AccessLog {
    /// Where it is written to.
    pub from: LogSource,
    /// Finds the named groups `source_port`, `status`, `target` and `client`, as far as it has them.
    pub pattern: Regex,
}

/// Where a subject writes its access log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogSource {
    /// The file that the template variable `access_log` names.
    #[default]
    File,
    /// Its standard error.
    Stderr,
    /// Its standard output.
    Stdout,
}

impl Profile {
    /// Reads a built-in profile. `templates` gives the text of a template by the path that the profile
    /// names it with; messages name the profile `origin`.
    ///
    /// # Errors
    /// The first mistake in the profile or in one of its templates.
    pub fn parse(
        origin: &str,
        text: &str,
        templates: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ProfileError> {
        let read = |name: &str| {
            let missing = || io::Error::new(io::ErrorKind::NotFound, "there is no such template");
            templates(name).ok_or_else(missing)
        };
        decode::profile(origin, None, text, &read)
    }

    /// Reads a profile from a file; its templates are relative to it.
    ///
    /// # Errors
    /// When the file cannot be read; otherwise the first mistake in it or in one of its templates.
    pub fn load(path: &Path) -> Result<Self, ProfileError> {
        let origin = path.display().to_string();
        let unreadable = |cause| ProfileError::Unreadable {
            origin: origin.clone(),
            cause,
        };
        let text = fs::read_to_string(path).map_err(unreadable)?;
        let absolute = fs::canonicalize(path).map_err(unreadable)?;
        let folder = absolute.parent().unwrap_or_else(|| Path::new("/"));
        let read = |name: &str| fs::read_to_string(folder.join(name));
        decode::profile(&origin, Some(folder), &text, &read)
    }

    /// A profile that says nothing but how to start a program, for programs that take all they need as
    /// arguments.
    ///
    /// # Errors
    /// When an argument is no template.
    pub fn for_program<A: AsRef<str>>(
        program: &Path,
        args: impl IntoIterator<Item = A>,
    ) -> Result<Self, ProfileError> {
        let template = |text: &str| Template::parse("argument", 1, text);
        let program_text = program.to_string_lossy();
        let name = program
            .file_stem()
            .map_or_else(|| program_text.clone(), |stem| stem.to_string_lossy());
        Ok(Self {
            origin: "this program".to_owned(),
            folder: None,
            name: name.clone().into_owned(),
            title: name.into_owned(),
            homepage: None,
            install: None,
            like: None,
            launch: Launch {
                program: Template::literal(&program_text),
                args: args
                    .into_iter()
                    .map(|arg| template(arg.as_ref()))
                    .collect::<Result<_, _>>()?,
                env: Vec::new(),
                before: None,
                version: None,
                ready_within: READY_WITHIN,
                stop_signal: StopSignal::default(),
                stop_within: STOP_WITHIN,
                pid_file: None,
                check: None,
            },
            files: Vec::new(),
            offers: Offers::default(),
            access_log: None,
            deviations: Vec::new(),
        })
    }

    /// What it says of its proxy.
    #[must_use]
    pub fn claims(&self) -> Claims {
        let groups = |log: &AccessLog| {
            let names = log.pattern.capture_names().flatten();
            names.map(str::to_owned).collect()
        };
        Claims {
            offers: self.offers.clone(),
            checks_configuration: self.launch.check.is_some(),
            log: self.access_log.as_ref().map(groups),
            launched: true,
        }
    }
}

/// Why a profile could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Something in it, or in a template of it, is wrong.
    #[error(transparent)]
    Mistake(#[from] Mistake),
    /// The file cannot be read.
    #[error("could not read the profile {origin}: {cause}")]
    Unreadable {
        /// The file, as it was named.
        origin: String,
        /// What the system said.
        cause: io::Error,
    },
}

#[cfg(test)]
mod tests;
