//! `connectspec matrix`: several proxies side by side.

use std::path::Path;

use clap::Parser;
use connectspec_harness::report::{Destination, Format, Report, ReportError, across::matrix};

use crate::cli::{
    Status, Trouble, reports, run, signals,
    which::{Versions, Which},
};

/// What single proxies do wrong is for the matrix to show.
const EXIT_STATUS: &str = "\
Exit status:
  0  each of them was judged, whatever they do wrong
  2  one of them could not be judged
  3  the command line, or a file that it names, is wrong";

/// Show several proxies side by side.
#[derive(Debug, Parser)]
#[command(after_help = EXIT_STATUS)]
pub(super) struct Arguments {
    /// JSON reports, and profiles that are run first
    #[arg(value_name = "REPORT.json|PROFILE", required = true)]
    subjects: Vec<String>,
    /// Where profiles are run, which cases: a glob over ids; may be said more than once
    #[arg(long, value_name = "SELECTOR")]
    only: Vec<String>,
    #[command(flatten)]
    over: Versions,
    /// Write the matrix to a file: html=PATH or markdown=PATH. Without it, the table as Markdown
    #[arg(long, value_name = "FORMAT=PATH")]
    report: Vec<Destination>,
}

/// Writes the matrix. What single proxies do wrong is for it to show, not for its exit status: that is 0, or 2 where
/// one of them could not be judged. After a signal, it is a matrix of what there is, and the status says so.
pub(super) fn main(arguments: &Arguments) -> Result<Status, Trouble> {
    reports::differ(&arguments.report)?;
    let mut places = Vec::new();
    for destination in &arguments.report {
        if !matches!(destination.format, Format::Html | Format::Markdown) {
            return Err(Trouble::usage(format!(
                "there is no matrix as {}; write html=PATH or markdown=PATH",
                destination.format
            )));
        }
        places.push((destination.format, reports::place(destination)?));
    }
    // What is to be read comes first: a slip in the last word must not cost the runs of the others.
    let mut subjects = Vec::new();
    for subject in &arguments.subjects {
        let path = Path::new(subject);
        subjects.push(match path.extension() {
            Some(extension) if extension == "json" => Subject::Read(Box::new(reports::read(path)?)),
            _ => Subject::Run(Box::new(run::Arguments::of_profile(
                subject,
                Which::of(arguments.only.clone(), arguments.over.clone()),
            )?)),
        });
    }
    let mut judged = Vec::new();
    let stop = signals::stop();
    for subject in subjects {
        if stop.is_asked() {
            break;
        }
        judged.push(match subject {
            Subject::Read(report) => *report,
            Subject::Run(arguments) => run::judge_quietly(&arguments)?,
        });
    }
    if places.is_empty() {
        super::say(&matrix::markdown(&judged));
    }
    for (format, place) in places {
        let text = rendered(format, &judged).map_err(reports::could_not)?;
        place.write(text.as_bytes()).map_err(reports::could_not)?;
    }
    let mut status = Status::Conformant;
    for report in judged.iter().filter(|report| report.results.is_empty()) {
        let why = report.run.refused.as_deref().unwrap_or("no case ran");
        super::tell(&format!("{} was not judged: {why}", report.subject.name()));
        status = Status::NotJudged;
    }
    if stop.is_asked() {
        let all = arguments.subjects.len();
        super::tell(&format!(
            "interrupted: {} of {all} proxies are in it",
            judged.len()
        ));
        status = Status::Interrupted;
    }
    Ok(status)
}

enum Subject {
    Read(Box<Report>),
    Run(Box<run::Arguments>),
}

fn rendered(format: Format, reports: &[Report]) -> Result<String, ReportError> {
    match format {
        Format::Html => matrix::html(reports),
        _ => Ok(matrix::markdown(reports)),
    }
}
