//! The program of a subject: where it is, and which version it says it is.

use std::{
    collections::HashMap,
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use regex::Regex;

use crate::{
    stop::Stop,
    subject::{
        process::{
            LaunchError,
            child::{Guarded, Start},
            guarding,
        },
        profile::Profile,
    },
};

/// Where Debian puts its daemons; not in every user's PATH.
const DAEMON_FOLDERS: [&str; 2] = ["/usr/sbin", "/sbin"];

/// How long a program may take to print its version. What it prints is kept as far as
/// [`Capture`](super::output::Capture) keeps any output.
const VERSION_WITHIN: Duration = Duration::from_secs(20);

/// The file of a program: relative to the profile when it has a slash, else looked up.
pub(super) fn find_program(program: &str, profile: &Profile) -> Result<PathBuf, LaunchError> {
    let missing = |searched: String| LaunchError::ProgramNotFound {
        program: program.to_owned(),
        searched,
        install: profile.install.clone(),
    };
    if program.contains('/') {
        let path = profile
            .folder
            .as_deref()
            .unwrap_or_else(|| Path::new(""))
            .join(program);
        // Its own folder will be the scratch folder, so that the path must not be relative to this one.
        let path = std::path::absolute(&path).unwrap_or(path);
        return if is_executable(&path) {
            Ok(path)
        } else {
            Err(missing(format!("at {}", path.display())))
        };
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(DAEMON_FOLDERS.map(PathBuf::from))
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(program))
        .find(|candidate| !program.is_empty() && is_executable(candidate))
        .ok_or_else(|| missing("in PATH".to_owned()))
}

/// Where a subject looks programs up: `PATH`, where daemons are, and where this program is. So a gateway that does nothing
/// without a proxy behind it finds `connectspec proxy` on every machine that runs a suite.
pub(super) fn search_path() -> Option<(String, String)> {
    let this = env::current_exe().ok()?;
    let beside = this.parent()?;
    // Cargo puts tests into a folder of their own, below that of the programs.
    let above = beside.parent().filter(|_| beside.ends_with("deps"));
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path)
        .chain(DAEMON_FOLDERS.map(PathBuf::from))
        .chain([above.unwrap_or(beside).to_owned()]);
    let joined = env::join_paths(folders).ok()?;
    Some(("PATH".to_owned(), joined.into_string().ok()?))
}

/// The first group of `pattern` in what the program prints; asked once for each program.
pub(super) fn version(
    program: &Path,
    args: &[String],
    pattern: &Regex,
    stop: &Stop,
) -> Option<String> {
    let key = (program.to_owned(), args.to_vec());
    let mut versions = VERSIONS.lock().unwrap_or_else(PoisonError::into_inner);
    versions
        .get_or_insert_with(HashMap::new)
        .entry(key)
        .or_insert_with(|| {
            let start = Start {
                guard: &guarding::guard_program(),
                program,
                args,
                env: &[],
                // No scratch folder, which the guard would remove.
                folder: Path::new("/"),
                pid_file: None,
                lines: None,
                stop,
            };
            let guarded = Guarded::start(&start).ok()?;
            guarded.wait_unless_stopped(VERSION_WITHIN);
            let output = guarded.output();
            Some(
                pattern
                    .captures(&output.text())?
                    .get(1)?
                    .as_str()
                    .to_owned(),
            )
        })
        .clone()
}

type Versions = HashMap<(PathBuf, Vec<String>), Option<String>>;

static VERSIONS: Mutex<Option<Versions>> = Mutex::new(None);

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::profile::template::Template;

    #[test]
    fn a_program_is_found_by_name_or_by_path() {
        let profile = Profile::for_program(Path::new("x"), [""; 0]).unwrap();
        assert!(find_program("sh", &profile).unwrap().is_absolute());
        assert_eq!(
            find_program("/bin/sh", &profile).unwrap(),
            Path::new("/bin/sh")
        );
        for missing in [
            "no-such-program",
            "/bin/no-such-program",
            "/etc/passwd",
            "/bin",
            "",
        ] {
            assert!(find_program(missing, &profile).is_err(), "{missing}");
        }
    }

    #[test]
    fn a_missing_program_comes_with_the_line_that_installs_it() {
        let mut profile = Profile::for_program(Path::new("x"), [""; 0]).unwrap();
        profile.install = Some("apt-get install no-such".to_owned());
        profile.launch.program = Template::literal("no-such");
        let error = super::super::find(&profile).unwrap_err().to_string();
        let expected = "could not find the program `no-such` in PATH; \
                        install it with: apt-get install no-such";
        assert_eq!(error, expected);
    }
}
