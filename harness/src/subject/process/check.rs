//! A configuration that the subject itself looks at, without serving it.

use std::{process::ExitStatus, time::Duration};

use crate::{
    stop::Stop,
    subject::{
        configuration::Configuration,
        process::{LaunchError, Subject, prepared::Prepared},
        profile::Profile,
    },
};

/// What the subject's own check said of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckOutcome {
    /// Whether the check exited with 0.
    pub accepted: bool,
    /// How the check ended.
    pub status: ExitStatus,
    /// What it printed on stdout and stderr.
    pub output: String,
}

impl CheckOutcome {
    /// What the check said last: the error, after warnings.
    #[must_use]
    pub fn last_line(&self) -> String {
        let mut lines = self.output.lines().map(str::trim);
        lines
            .rfind(|line| !line.is_empty())
            .unwrap_or("nothing")
            .to_owned()
    }
}

/// How long a check may take: it reads a small file, but an interpreter may have to start for that.
pub const CHECK_WITHIN: Duration = Duration::from_secs(10);

impl Subject {
    /// Lets the proxy check a configuration, without serving it. Blocks.
    ///
    /// # Errors
    /// When the profile has no check, when the check cannot be run, or when it does not end within
    /// [`CHECK_WITHIN`].
    pub fn check(
        profile: &Profile,
        configuration: &Configuration,
    ) -> Result<CheckOutcome, LaunchError> {
        Self::check_until(profile, configuration, &Stop::default())
    }

    /// As [`Subject::check`], for a run that may be ended.
    ///
    /// # Errors
    /// As those of [`Subject::check`], and when the run is ended meanwhile.
    pub fn check_until(
        profile: &Profile,
        configuration: &Configuration,
        run: &Stop,
    ) -> Result<CheckOutcome, LaunchError> {
        let Some(check) = &profile.launch.check else {
            return Err(LaunchError::NoCheck {
                origin: profile.origin.clone(),
            });
        };
        // Declared first, so that it is dropped last: see the fields of a subject.
        let guarded;
        let prepared = Prepared::new(profile, configuration)?;
        let args = prepared.render(check)?;
        guarded = prepared.start(&args, None, None, run)?;
        guarded.wait_unless_stopped(CHECK_WITHIN);
        let status = guarded.exit_status();
        guarded.kill();
        if let Some(cause) = guarded.refusal() {
            return Err(LaunchError::NotRun {
                program: prepared.program,
                cause,
            });
        }
        match status {
            Some(status) => Ok(CheckOutcome {
                accepted: status.success(),
                status,
                output: guarded.output().text(),
            }),
            None if run.is_asked() => Err(LaunchError::Stopped),
            None => Err(LaunchError::CheckHung {
                command: prepared.command(&args).join(" "),
                within: CHECK_WITHIN,
                output: guarded.output().text(),
            }),
        }
    }
}
