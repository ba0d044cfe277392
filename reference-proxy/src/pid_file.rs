//! `PidFile`: there while the process is, and never written through somebody else's link.
//!
//! As in httpd the file is made anew and put in its place, so that a symbolic link there is replaced and what it leads
//! to is left alone.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The file with the process id; it is gone when this is dropped.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    file: File,
}

impl PidFile {
    /// Writes the id of this process to `path`.
    ///
    /// # Errors
    ///
    /// What the system says, with the name of the file.
    pub fn write(path: &Path) -> io::Result<Self> {
        let id = std::process::id();
        let named = |error: io::Error| {
            let text = format!("could not write PidFile {}: {error}", path.display());
            io::Error::new(error.kind(), text)
        };
        let mut new = path.as_os_str().to_owned();
        new.push(format!(".{id}"));
        let new = PathBuf::from(new);
        // What a process of the same number left behind. Nothing that is there is opened.
        let _ = std::fs::remove_file(&new);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&new)
            .map_err(named)?;
        let placed = writeln!(file, "{id}").and_then(|()| std::fs::rename(&new, path));
        if let Err(error) = placed {
            let _ = std::fs::remove_file(&new);
            return Err(named(error));
        }
        let path = path.to_owned();
        Ok(Self { path, file })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // Unless another process has put its own there meanwhile.
        let own = format!("{}\n", std::process::id());
        let still = std::fs::read_to_string(&self.path).is_ok_and(|text| text == own);
        if still && std::fs::remove_file(&self.path).is_err() {
            // Whom this process has become may not remove it: an empty file misleads nobody.
            let _ = self.file.set_len(0);
        }
    }
}
