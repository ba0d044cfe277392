//! Reports that go to a file: which format, where to, and written so that no reader ever sees half of one.
//!
//! A path that cannot be written is known before the run starts. The report itself is written beside its place and
//! moved there, at the end and also when the run was interrupted.

use std::{
    fmt,
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    str::FromStr,
};

use crate::{
    report::{
        Format, Report, ReportError, Reporter,
        format::{html, json, junit, markdown},
    },
    run::Event,
};

/// The path that stands for standard output.
const STDOUT: &str = "-";

/// A format and a path, written `FORMAT=PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The format.
    pub format: Format,
    /// The file; `-` is standard output.
    pub path: PathBuf,
}

impl Format {
    /// The report in this format.
    ///
    /// # Errors
    /// Where it cannot be put into the format.
    pub fn of(self, report: &Report) -> Result<String, ReportError> {
        match self {
            Self::Json => json::json(report),
            Self::Junit => junit::junit(report),
            Self::Html => html::html(report),
            Self::Markdown => Ok(markdown::markdown(report)),
        }
    }
}

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let formats = || Format::ALL.map(Format::word).join(", ");
        let Some((word, path)) = text.split_once('=').filter(|(_, path)| !path.is_empty()) else {
            return Err(format!(
                "`{text}` names no file; write FORMAT=PATH, for example `json=report.json`"
            ));
        };
        let format = Format::ALL.into_iter().find(|format| format.word() == word);
        let format = format
            .ok_or_else(|| format!("`{word}` is no format; the formats are {}", formats()))?;
        Ok(Self {
            format,
            path: path.into(),
        })
    }
}

impl Destination {
    /// Whether it is standard output, which then belongs to the report alone.
    #[must_use]
    pub fn is_stdout(&self) -> bool {
        self.path == Path::new(STDOUT)
    }

    /// A reporter that writes there. Fails where the file cannot be written, before anything ran.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn prepare(&self) -> Result<impl Reporter + fmt::Debug + use<>, ReportError> {
        let place = Place::at(&self.path, &format!("{} report", self.format))?;
        Ok(FileReport {
            format: self.format,
            place,
        })
    }
}

#[derive(Debug)]
struct FileReport {
    format: Format,
    place: Place,
}

impl Reporter for FileReport {
    fn event(&mut self, event: &Event) {
        if let Event::Started(start) = event
            && start.credentials_given
        {
            self.place.mode = PRIVATE;
        }
    }

    fn finish(&mut self, report: &Report) -> Result<(), ReportError> {
        let text = self.format.of(report)?;
        self.place.write(text.as_bytes())
    }
}

/// A file that will be written as a whole.
#[derive(Debug)]
pub struct Place {
    what: String,
    path: PathBuf,
    /// Where the file really is, through symbolic links.
    target: PathBuf,
    /// What the umask takes away from.
    mode: u32,
}

/// As any other file that a user writes.
const ORDINARY: u32 = 0o666;

/// For nobody else: what may hold a secret in a form that no filter knows.
const PRIVATE: u32 = 0o600;

impl Place {
    /// Makes sure that `path` can be written; `what` names its content in errors.
    ///
    /// # Errors
    /// Where it cannot.
    pub fn at(path: &Path, what: &str) -> Result<Self, ReportError> {
        let place = Self {
            what: what.to_owned(),
            path: path.to_owned(),
            target: path.canonicalize().unwrap_or_else(|_| path.to_owned()),
            mode: ORDINARY,
        };
        if place.is_stdout() {
            return Ok(place);
        }
        if place.target.is_dir() {
            return Err(place.unwritable("it is a folder", "add a file name to the path"));
        }
        if !place.folder().is_dir() {
            let reason = format!("there is no folder {}", place.folder().display());
            let remedy = format!("make it first: mkdir -p {}", place.folder().display());
            return Err(place.unwritable(&reason, &remedy));
        }
        if place.is_special() {
            let opened = std::fs::OpenOptions::new().write(true).open(&place.target);
            opened.map_err(|error| place.failed(&error))?;
        } else {
            place.draft().map_err(|error| place.failed(&error))?;
        }
        Ok(place)
    }

    /// The same, for a file that nobody else may read.
    #[must_use]
    pub fn private(self) -> Self {
        Self {
            mode: PRIVATE,
            ..self
        }
    }

    /// Puts `bytes` there, all or nothing.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn write(&self, bytes: &[u8]) -> Result<(), ReportError> {
        self.try_write(bytes).map_err(|error| self.failed(&error))
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<()> {
        if self.is_stdout() {
            let mut stdout = io::stdout().lock();
            stdout.write_all(bytes)?;
            return stdout.flush();
        }
        if self.is_special() {
            return std::fs::write(&self.target, bytes);
        }
        let mut draft = self.draft()?;
        draft.write_all(bytes)?;
        draft.persist(&self.target)?;
        Ok(())
    }

    fn is_stdout(&self) -> bool {
        self.path == Path::new(STDOUT)
    }

    /// A pipe or a device (`/dev/stdout`): there is nothing to move a file over.
    fn is_special(&self) -> bool {
        self.target.exists() && !self.target.is_file()
    }

    fn folder(&self) -> &Path {
        match self.target.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        }
    }

    fn draft(&self) -> io::Result<tempfile::NamedTempFile> {
        let permissions = std::fs::Permissions::from_mode(self.mode);
        tempfile::Builder::new()
            .prefix(".connectspec-")
            .permissions(permissions)
            .tempfile_in(self.folder())
    }

    fn failed(&self, error: &io::Error) -> ReportError {
        let remedy = match error.kind() {
            io::ErrorKind::StorageFull => "make room, or choose another place",
            _ => "choose a place that you may write to",
        };
        // Without the name of the draft, which nobody asked for.
        self.unwritable(&error.kind().to_string(), remedy)
    }

    fn unwritable(&self, reason: &str, remedy: &str) -> ReportError {
        ReportError::Unwritable {
            what: self.what.clone(),
            path: self.path.clone(),
            reason: reason.to_owned(),
            remedy: remedy.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{ReportFold, sample::events};

    #[test]
    fn a_destination_is_a_format_and_a_path() {
        let destination: Destination = "json=a=b.json".parse().unwrap();
        assert_eq!(destination.format, Format::Json);
        assert_eq!(destination.path, Path::new("a=b.json"));
        for bad in ["json", "json=", "yaml=x"] {
            assert!(bad.parse::<Destination>().is_err(), "{bad}");
        }
    }

    #[test]
    fn every_format_is_written_as_a_whole_also_after_an_interruption() {
        let folder = tempfile::tempdir().unwrap();
        for format in Format::ALL {
            let path = folder.path().join(format.word());
            let mut reporter = Destination {
                format,
                path: path.clone(),
            }
            .prepare()
            .unwrap();
            let mut fold = ReportFold::new();
            for event in events().iter().take(4) {
                reporter.event(event);
                fold.event(event);
            }
            assert!(!path.exists());
            reporter.finish(&fold.report()).unwrap();
            assert!(!std::fs::read_to_string(&path).unwrap().is_empty());
        }
        let files = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(files, Format::ALL.len());
    }

    #[test]
    fn what_cannot_be_written_is_known_before_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let error = Place::at(folder.path(), "json report")
            .unwrap_err()
            .to_string();
        assert!(
            error.ends_with("it is a folder; add a file name to the path"),
            "{error}"
        );
        let path = folder.path().join("missing/report.json");
        let error = Place::at(&path, "json report").unwrap_err().to_string();
        assert!(
            error.contains("mkdir -p ") && error.contains("missing/report.json"),
            "{error}"
        );
        let error = Place::at(Path::new("/proc/report.json"), "json report").unwrap_err();
        assert!(error.to_string().contains("/proc/report.json"), "{error}");
    }

    #[test]
    fn a_link_stays_a_link_and_a_device_is_written_directly() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        std::fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        Place::at(&link, "report").unwrap().write(b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new");
        Place::at(Path::new("/dev/null"), "report")
            .unwrap()
            .write(b"new")
            .unwrap();
    }
}
