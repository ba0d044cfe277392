//! Credentials that somebody gives for a running proxy: best not on the command line, which the list of processes shows.

use std::{fs::File, io::Read as _, path::Path};

use connectspec_harness::subject::process::CREDENTIALS_VARIABLE;

use crate::cli::Trouble;

/// How much of a file is read: a line is asked for, and the wrong file may be a large one.
const READ_MAX: u64 = 64 * 1024;

/// `USER:PASSWORD`: said on the command line, in a file, or in the environment.
pub(super) fn given(option: Option<&str>, file: Option<&Path>) -> Result<Option<String>, Trouble> {
    if let Some(said) = option {
        return Ok(Some(said.to_owned()));
    }
    if let Some(file) = file {
        return first_line(file).map(Some);
    }
    match std::env::var(CREDENTIALS_VARIABLE) {
        Ok(said) if said.is_empty() => Ok(None),
        Ok(said) => Ok(Some(said)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        // Without what stands in it.
        Err(std::env::VarError::NotUnicode(_)) => Err(Trouble::usage(format!(
            "could not read {CREDENTIALS_VARIABLE}; write it as USER:PASSWORD in UTF-8"
        ))),
    }
}

fn first_line(file: &Path) -> Result<String, Trouble> {
    let mut text = String::new();
    File::open(file)
        .and_then(|opened| opened.take(READ_MAX).read_to_string(&mut text))
        .map_err(|error| {
            Trouble::usage(format!(
                "could not read the credentials in {}: {error}; write USER:PASSWORD into its first line",
                file.display()
            ))
        })?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
