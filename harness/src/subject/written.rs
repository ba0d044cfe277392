//! What a subject writes to disk, read as what it is: a stranger's file, of any size and any kind.
//!
//! Regular files only, opened without waiting: a FIFO where a log should be has a reader wait for ever, and a device never
//! ends. No more is read than is kept, since a sparse file of gigabytes costs its writer nothing.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use rustix::fs::OFlags;

/// Opens a file for reading, and says how long it is.
///
/// # Errors
/// Where it cannot be opened, or is no regular file.
pub(super) fn open(path: &Path) -> io::Result<(File, u64)> {
    // Only opening a FIFO or a device waits; the flag has no effect on what a regular file says.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let flags = i32::try_from(flags).unwrap_or_default();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    let known = file.metadata()?;
    if !known.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is no regular file",
        ));
    }
    Ok((file, known.len()))
}

/// The first and the last of a file, `most` octets in all, with a line between them that says how much is missing.
///
/// # Errors
/// As those of [`open`], and what reading says.
pub(super) fn ends(path: &Path, most: u64) -> io::Result<String> {
    let (mut file, length) = open(path)?;
    if length <= most {
        return text(&mut file, most);
    }
    let first = text(&mut file, most / 2)?;
    file.seek(SeekFrom::Start(length - most / 2))?;
    let last = text(&mut file, most / 2)?;
    Ok(format!("{first}\n[… {} bytes …]\n{last}", length - most))
}

/// The end of a file.
///
/// # Errors
/// As those of [`ends`].
pub(super) fn last(path: &Path, most: u64) -> io::Result<String> {
    let (mut file, length) = open(path)?;
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    text(&mut file, most)
}

/// As much as there is, and no more than that: the file may be growing.
fn text(file: &mut File, most: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As long as one that took 6.4 GB of memory.
    const SPARSE: u64 = 3 << 30;

    #[test]
    fn of_a_sparse_file_of_gigabytes_both_ends_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        std::fs::write(&path, "first words").unwrap();
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(SPARSE).unwrap();
        let text = ends(&path, 1000).unwrap();
        assert!(
            text.starts_with("first words") && text.len() < 1100,
            "{text}"
        );
        assert!(
            text.contains(&format!("[… {} bytes …]", SPARSE - 1000)),
            "{text}"
        );
        assert_eq!(last(&path, 1000).unwrap().len(), 1000);
    }

    #[test]
    fn a_short_file_is_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        std::fs::write(&path, "one two").unwrap();
        assert_eq!(ends(&path, 7).unwrap(), "one two");
        assert_eq!(last(&path, 3).unwrap(), "two");
    }

    #[test]
    fn nobody_waits_at_a_pipe_a_device_or_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("access.log");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        for path in [&pipe, Path::new("/dev/zero"), folder.path()] {
            let error = open(path).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{error}");
        }
    }
}
