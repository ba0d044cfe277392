//! Files that somebody else may have put in place: read to a limit, and only if they are regular.
//!
//! A pipe would be waited for, perhaps for ever, and /dev/zero has no end. As in httpd /dev/null is an empty file.

use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Everything in `path`, which may hold at most so many octets.
///
/// # Errors
///
/// It is no regular file, it is larger, or what the system says.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    // Without it, opening a pipe waits for somebody at its other end.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let about = file.metadata()?;
    if about.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !about.is_file() && path != Path::new("/dev/null") {
        let text = "it is not a regular file: a pipe or a device may have no end";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    let mut octets = Vec::new();
    file.take(most + 1).read_to_end(&mut octets)?;
    if octets.len() as u64 > most {
        let text = format!("it is larger than {most} octets");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_are_read_and_only_to_their_limit() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "12345").unwrap();
        assert_eq!(read(file.path(), 5).unwrap(), b"12345");
        assert!(
            read(file.path(), 4)
                .unwrap_err()
                .to_string()
                .contains("larger")
        );
        assert!(read(Path::new("/dev/null"), 4).unwrap().is_empty());
        let error = read(Path::new("/dev/zero"), 4).unwrap_err();
        assert!(error.to_string().contains("not a regular file"));
        assert!(read(Path::new("/"), 4).is_err());
    }
}
