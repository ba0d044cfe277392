//! The folder of one launch: its config files, its logs, its password file. It goes when the subject goes.

use std::{
    env,
    fs::{self, File, OpenOptions},
    hash::{BuildHasher, Hasher, RandomState},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{self, Path, PathBuf},
};

use rustix::fs::{FileType, Mode, OFlags};
use tempfile::TempDir;

use crate::subject::{
    process::keeper::{Kept, PREFIX},
    written,
};

/// Subjects drop their privileges to users that the harness does not know; they have to read the rest.
const READABLE: u32 = 0o755;

/// As root only: those users have to write their logs, too. The sticky bit keeps them from each other's.
const WRITABLE_BY_ALL: u32 = 0o1777;

/// How many files of logs are read. Proxies write three or four.
const LOGS_READ: usize = 16;

/// How many octets of each are read, half of them from its end. A run makes a proxy write some hundred kilobytes.
const LOG_READ: u64 = 8 * 1024 * 1024;

/// Whoever the proxy is, it may open it.
const FILLED: u32 = 0o666;

/// A page: what a pipe takes whole, or not at all.
const PIECE: usize = 4096;

/// The folder, while it exists.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: TempDir,
    // Dropped when the folder is gone.
    kept: Kept,
    /// An access log that takes no line, for as long as somebody holds its reading end.
    full: Option<File>,
}

impl Scratch {
    /// Makes the folder, and `logs` in it.
    pub(super) fn new() -> io::Result<Self> {
        // Its name is known before it is made, so that there is no moment in which nobody would remove it.
        let random = RandomState::new().build_hasher().finish();
        let name = format!("{PREFIX}{random:016x}");
        let parent = path::absolute(env::temp_dir())?;
        let kept = Kept::new(parent.join(&name));
        let folder = tempfile::Builder::new()
            .prefix(&name)
            .rand_bytes(0)
            .permissions(fs::Permissions::from_mode(READABLE))
            .tempdir_in(parent)?;
        if let Some(odd) = inexpressible(folder.path()) {
            let why = format!(
                "the path {:?} has a {odd:?}, which configurations cannot express; set TMPDIR to a plain one: TMPDIR=/tmp",
                folder.path()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let scratch = Self {
            folder,
            kept,
            full: None,
        };
        // The mode of a new folder is cut by the umask; that of an existing one is not.
        fs::set_permissions(scratch.path(), fs::Permissions::from_mode(READABLE))?;
        fs::create_dir(scratch.logs())?;
        let root = rustix::process::geteuid().is_root();
        let mode = if root { WRITABLE_BY_ALL } else { READABLE };
        fs::set_permissions(scratch.logs(), fs::Permissions::from_mode(mode))?;
        Ok(scratch)
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A guard has it from now on.
    pub(super) fn is_guarded(&self) {
        self.kept.release();
    }

    pub(super) fn access_log(&self) -> PathBuf {
        self.logs().join("access.log")
    }

    /// Puts a pipe that is full, and that nobody reads, in the place of the access log: what a slow disk, or a program behind
    /// a pipe that hangs, is to a proxy.
    pub(super) fn fill_access_log(&mut self) -> io::Result<()> {
        let path = self.access_log();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            FileType::Fifo,
            Mode::from_raw_mode(FILLED),
            0,
        )?;
        fs::set_permissions(&path, fs::Permissions::from_mode(FILLED))?;
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
        // Open for both, it waits for nobody, and nobody who opens it to write waits either.
        let mut pipe = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(flags)
            .open(&path)?;
        for piece in [PIECE, 1] {
            while let Ok(1..) = pipe.write(&vec![b'\n'; piece]) {}
        }
        self.full = Some(pipe);
        Ok(())
    }

    pub(super) fn error_log(&self) -> PathBuf {
        self.logs().join("error.log")
    }

    /// The files in the folder of the logs: their names and what is in them, as far as it can be read and is not too much.
    pub(super) fn written_logs(&self) -> Vec<(String, String)> {
        let files = fs::read_dir(self.logs()).into_iter().flatten().flatten();
        let mut logs: Vec<_> = files
            .filter_map(|file| {
                let text = written::ends(&file.path(), LOG_READ).ok()?;
                let name = file.file_name().to_string_lossy().into_owned();
                Some((name, text))
            })
            .take(LOGS_READ)
            .collect();
        logs.sort();
        logs
    }

    /// Writes a file, with the folders above it.
    pub(super) fn write(&self, name: &Path, content: &str) -> io::Result<PathBuf> {
        let path = self.path().join(name);
        if let Some(above) = path.parent() {
            fs::create_dir_all(above)?;
            for folder in above
                .ancestors()
                .take_while(|folder| *folder != self.path())
            {
                if folder != self.logs() {
                    fs::set_permissions(folder, fs::Permissions::from_mode(READABLE))?;
                }
            }
        }
        fs::write(&path, content)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644))?;
        Ok(path)
    }

    fn logs(&self) -> PathBuf {
        self.path().join("logs")
    }
}

/// A character of the path that would end a word, or begin something else, in one or the other configuration.
fn inexpressible(path: &Path) -> Option<char> {
    let Some(path) = path.to_str() else {
        return Some(char::REPLACEMENT_CHARACTER);
    };
    let odd = |c: char| c.is_control() || "\"'`\\${}%#;".contains(c);
    path.chars().find(|c| odd(*c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_that_a_configuration_can_name() {
        for (path, odd) in [
            ("/tmp/connectspec-a1B2", None),
            ("/home/j\u{fc}rgen/my files", None),
            ("/tmp/a\"b", Some('"')),
            ("/tmp/it's", Some('\'')),
            ("/tmp/${HOME}", Some('$')),
            ("/tmp/a\nListen 1", Some('\n')),
        ] {
            assert_eq!(inexpressible(Path::new(path)), odd, "{path}");
        }
    }

    #[test]
    fn nested_files_are_readable_by_everybody_and_go_with_the_folder() {
        let scratch = Scratch::new().unwrap();
        let path = scratch.write(Path::new("a/b/c.conf"), "x").unwrap();
        for (path, mode) in [(path.as_path(), 0o644), (path.parent().unwrap(), READABLE)] {
            assert_eq!(
                fs::metadata(path).unwrap().permissions().mode() & 0o7777,
                mode
            );
        }
        drop(scratch);
        assert!(!path.exists());
    }
}
