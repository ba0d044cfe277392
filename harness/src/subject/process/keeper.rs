//! The keeper: a small program that removes the folders of a harness that is killed before somebody guards them.
//!
//! A [guard](super::guard) is started inside of the folder that it removes, so that there is a moment in which the folder has been
//! made and filled, and nobody but the harness knows of it. The keeper hears of each before it is made, and of the guard that
//! has it from then on; when nothing more is to be heard, it removes what nobody has.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    io::{self, BufRead, Read, Write},
    os::{
        fd::OwnedFd,
        unix::{ffi::OsStrExt, net::UnixStream, process::CommandExt},
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
};

use crate::subject::process::guarding::{self, Stage};

/// What it is called in a list of processes, as guards are not called like the harness.
const NAME: &std::ffi::CStr = c"folder-keeper";

/// A path is no longer (`PATH_MAX`), and a letter stands before it.
const LINE_MAX: u64 = 4096 + 2;

/// How the names of folders begin that a guard or the keeper removes.
pub(super) const PREFIX: &str = "connectspec-";

/// A folder that is about to be made.
const BEGUN: u8 = b'+';

/// A folder that has gone, or has a guard.
const DONE: u8 = b'-';

/// Whether it is called like one of those folders.
pub(super) fn is_one(folder: &Path) -> bool {
    let name = folder.file_name().map(OsStr::as_encoded_bytes);
    name.is_some_and(|name| name.starts_with(PREFIX.as_bytes()))
}

/// The keeper of this process, while there is something to keep.
static KEEPER: Mutex<Keeper> = Mutex::new(Keeper {
    folders: 0,
    running: None,
});

struct Keeper {
    folders: usize,
    running: Option<(UnixStream, Child)>,
}

/// A folder that goes when the harness is killed, until this is dropped.
#[derive(Debug)]
pub(super) struct Kept(PathBuf);

impl Kept {
    /// From now on; it need not be there yet.
    pub(super) fn new(folder: PathBuf) -> Self {
        let mut keeper = KEEPER.lock().unwrap_or_else(PoisonError::into_inner);
        if keeper.running.is_none() {
            keeper.running = start().ok();
        }
        keeper.folders += 1;
        keeper.say(BEGUN, &folder);
        drop(keeper);
        Self(folder)
    }

    /// Somebody else has it.
    pub(super) fn release(&self) {
        let mut keeper = KEEPER.lock().unwrap_or_else(PoisonError::into_inner);
        keeper.say(DONE, &self.0);
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let mut keeper = KEEPER.lock().unwrap_or_else(PoisonError::into_inner);
        keeper.say(DONE, &self.0);
        keeper.folders -= 1;
        if keeper.folders == 0
            && let Some((_, mut child)) = keeper.running.take()
        {
            // It has nothing to do any more, and nobody else would reap it where the first process of a container reaps none.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Keeper {
    /// Where none can be started, or somebody has killed it, the harness still removes its folders when it ends by itself.
    fn say(&mut self, word: u8, folder: &Path) {
        let line = [&[word], folder.as_os_str().as_bytes(), b"\n"].concat();
        if let Some((socket, _)) = &mut self.running {
            let _ = socket.write_all(&line);
        }
    }
}

fn start() -> io::Result<(UnixStream, Child)> {
    let (ours, theirs) = UnixStream::pair()?;
    let child = Command::new(guarding::guard_program())
        .arg0("connectspec-keeper")
        .args([guarding::ARGUMENT, Stage::Keep.word()])
        .current_dir("/")
        .env(guarding::MARK, "1")
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // What a terminal sends to the harness is not meant for it.
        .process_group(0)
        .spawn()?;
    Ok((ours, child))
}

/// Listens to the harness on standard input, and removes what is left when that has gone.
pub(super) fn main() -> io::Result<()> {
    rustix::thread::set_name(NAME)?;
    for folder in left(io::stdin().lock()) {
        let _ = fs::remove_dir_all(folder);
    }
    Ok(())
}

/// The folders that were begun, and not done with, at the end.
fn left(mut harness: impl BufRead) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::new();
    let mut line = Vec::new();
    while matches!(
        harness.by_ref().take(LINE_MAX).read_until(b'\n', &mut line),
        Ok(1..)
    ) {
        // A line that was cut off names another folder, if any.
        if let (Some((word, path)), true) = (line.split_first(), line.ends_with(b"\n")) {
            let folder = PathBuf::from(OsStr::from_bytes(path.trim_ascii_end()));
            match *word {
                BEGUN if is_one(&folder) => folders.insert(folder),
                _ => folders.remove(&folder),
            };
        }
        line.clear();
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_and_not_done_with_is_left() {
        let said = b"+/tmp/connectspec-1\n+/tmp/connectspec-2\n-/tmp/connectspec-1\n+/tmp/else\n+/tmp/connectspec-3";
        let left: Vec<PathBuf> = left(&said[..]).into_iter().collect();
        assert_eq!(left, [PathBuf::from("/tmp/connectspec-2")]);
    }
}
