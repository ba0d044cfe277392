//! What lies behind a log: a file, or something that can stand still, as a pipe or a terminal.

use super::LogTarget;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags};
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::AsFd;
use std::path::Path;

/// What a pipe takes whole or not at all; POSIX promises 512, Linux 4096.
const ATOMIC: usize = 4096;
/// How long something that stands still is waited for before the caller looks around.
const LOOK_AROUND: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 200_000_000,
};

/// An open log.
#[derive(Debug)]
pub(super) struct Outlet {
    file: File,
    /// It is a regular file: it never makes anybody wait, and what it took in part can be taken back.
    pub(super) regular: bool,
    /// Something that could not be taken back stands at the end of it.
    torn: bool,
    /// How much of a line that is longer than [`ATOMIC`] is in the pipe already.
    begun: usize,
}

/// What became of octets that were to be written.
#[derive(Debug)]
pub(super) struct Written {
    /// How many of them are in the log, in whole lines.
    pub(super) octets: usize,
    /// Why it is not all of them; `None`: it is, or the rest may follow.
    pub(super) error: Option<io::Error>,
}

impl Outlet {
    /// Opens `target`, which is made if it is not there. It never waits for somebody at the other end.
    ///
    /// # Errors
    ///
    /// What the system says, with the name of the file.
    pub(super) fn open(target: &LogTarget) -> io::Result<Self> {
        let file = match target {
            LogTarget::Stderr => File::from(io::stderr().as_fd().try_clone_to_owned()?),
            LogTarget::Stdout => File::from(io::stdout().as_fd().try_clone_to_owned()?),
            LogTarget::File(path) => append(path).map_err(|error| {
                let text = format!("could not open log {}: {error}", path.display());
                io::Error::new(error.kind(), text)
            })?,
        };
        let regular = file.metadata()?.is_file();
        Ok(Self {
            file,
            regular,
            torn: false,
            begun: 0,
        })
    }

    /// Writes some of `lines`, which end with a line end: whole lines or none. What is left is for the next
    /// call, unless there is an error.
    pub(super) fn write(&mut self, lines: &[u8]) -> Written {
        if self.regular {
            self.write_to_file(lines)
        } else {
            self.write_to_pipe(lines)
        }
    }

    fn write_to_file(&mut self, lines: &[u8]) -> Written {
        let mut done = 0;
        let error = loop {
            if self.torn {
                // Ends what stands there, so that the next line is one.
                match self.file.write_all(b"\n") {
                    Ok(()) => self.torn = false,
                    Err(error) => break Some(error),
                }
            }
            match self.file.write(&lines[done..]) {
                Ok(0) => break Some(io::ErrorKind::WriteZero.into()),
                Ok(written) => done += written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Some(error),
            }
            if done == lines.len() {
                break None;
            }
        };
        let whole = whole(&lines[..done]);
        if whole < done && self.take_back(done - whole).is_err() {
            self.torn = true;
        }
        Written {
            octets: whole,
            error,
        }
    }

    /// Takes back the last octets of the file, unless somebody else has written behind them.
    fn take_back(&mut self, octets: usize) -> io::Result<()> {
        let (end, length) = (self.file.stream_position()?, self.file.metadata()?.len());
        if end != length {
            return Err(io::Error::other("somebody else has written"));
        }
        self.file.set_len(length - octets as u64)?;
        // Without append mode, as standard error may be, the position is where the next line goes.
        self.file.seek(io::SeekFrom::End(0)).map(drop)
    }

    /// Writes as many lines as go in one piece, when there is room.
    fn write_to_pipe(&mut self, lines: &[u8]) -> Written {
        let mut poll_fd = [PollFd::new(&self.file, PollFlags::OUT)];
        match poll(&mut poll_fd, Some(&LOOK_AROUND)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => return Written::nothing(),
            Ok(_) | Err(_) => {}
        }
        let piece = match whole(&lines[..lines.len().min(ATOMIC)]) {
            // A line that is longer than what goes in one piece.
            0 => lines
                .iter()
                .position(|&octet| octet == b'\n')
                .map_or(lines.len(), |end| end + 1),
            piece => piece,
        };
        let begun = self.begun.min(piece);
        match self.file.write(&lines[begun..piece]) {
            Ok(written) if begun + written < piece => {
                self.begun = begun + written;
                Written::nothing()
            }
            Ok(_) => {
                self.begun = 0;
                Written {
                    octets: piece,
                    error: None,
                }
            }
            Err(error) if is_about_now(&error) => Written::nothing(),
            Err(error) => {
                self.begun = 0;
                Written {
                    octets: 0,
                    error: Some(error),
                }
            }
        }
    }
}

impl Written {
    /// Nothing was taken, and nothing is wrong.
    const fn nothing() -> Self {
        Self {
            octets: 0,
            error: None,
        }
    }
}

fn is_about_now(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

/// How many of these octets are whole lines.
fn whole(octets: &[u8]) -> usize {
    octets
        .iter()
        .rposition(|&octet| octet == b'\n')
        .map_or(0, |end| end + 1)
}

fn append(path: &Path) -> io::Result<File> {
    let is_fifo = rustix::fs::stat(path)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo);
    // A pipe with a name, opened for both directions, needs nobody at its other end.
    let how = if is_fifo {
        OFlags::RDWR
    } else {
        OFlags::WRONLY
    };
    let flags =
        how | OFlags::APPEND | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    let mode = Mode::from_raw_mode(0o666);
    Ok(File::from(rustix::fs::open(path, flags, mode)?))
}
