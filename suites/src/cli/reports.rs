//! Reports that are read back, and files that are written from them.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use connectspec_harness::report::{Destination, Report, ReportError, format::destination::Place};

use crate::cli::{Status, Trouble};

/// The JSON report at `path`; one that cannot be read is a mistake on the command line.
pub(super) fn read(path: &Path) -> Result<Report, Trouble> {
    Report::read(path).map_err(unusable)
}

/// Makes sure that the file can be written, before any work is done for it.
pub(super) fn place(destination: &Destination) -> Result<Place, Trouble> {
    Place::at(&destination.path, &format!("{} report", destination.format)).map_err(unusable)
}

/// Makes sure that no report is written over another one.
pub(super) fn differ(destinations: &[Destination]) -> Result<(), Trouble> {
    for (index, one) in destinations.iter().enumerate() {
        let same = |other: &&Destination| file_of(&other.path) == file_of(&one.path);
        // A device takes whatever comes.
        if (one.path.is_file() || !one.path.exists())
            && let Some(other) = destinations[..index].iter().find(same)
        {
            return Err(Trouble::usage(format!(
                "the {} report and the {} report would both be {}; give each a file of its own",
                other.format,
                one.format,
                one.path.display()
            )));
        }
    }
    Ok(())
}

/// The file that a path leads to, however it is written; one that is not there yet by its folder.
fn file_of(path: &Path) -> PathBuf {
    if let Ok(file) = path.canonicalize() {
        return file;
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

/// Where to say what is for people: a report on standard output has that for itself.
pub(super) fn beside(destinations: &[Destination]) -> Result<Box<dyn Write>, Trouble> {
    let there = destinations.iter().filter(|it| it.is_stdout()).count();
    match there {
        0 => Ok(Box::new(anstream::stdout())),
        1 => Ok(Box::new(anstream::stderr())),
        _ => Err(Trouble::usage(
            "standard output has room for one report; give the others a file",
        )),
    }
}

/// What the exit status of a report says.
pub(super) fn status(report: &Report) -> Status {
    match report.exit_status() {
        0 => Status::Conformant,
        1 => Status::Failed,
        _ => Status::NotJudged,
    }
}

/// Something that the command line named is not what it has to be.
pub(super) fn unusable(error: ReportError) -> Trouble {
    Trouble::usage(format!("could not {error}"))
}

/// A report could not be made, or not be written.
pub(super) fn could_not(error: ReportError) -> Trouble {
    Trouble::not_judged(format!("could not {error}"))
}
