//! How far a run is: a bar on a terminal, plain lines elsewhere, few enough for the log of a build.

use std::{
    fmt,
    io::Write,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    run::{Event, event::Start},
    verdict::Verdict,
};

/// Between two lines of progress: a build log shall show that it is alive, and be read afterwards.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// Columns of the bar.
const BAR: &str = "{bar:28.green} {pos}/{len}  {wide_msg}";

/// Where progress is shown.
pub struct Progress(Shown);

enum Shown {
    Nothing,
    Bar(ProgressBar),
    Lines(Lines),
}

struct Lines {
    out: Box<dyn Write + Send>,
    last: Instant,
    between: Duration,
    planned: usize,
}

/// What has happened so far.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    finished: usize,
    troubled: usize,
}

impl Progress {
    /// No progress.
    #[must_use]
    pub fn none() -> Self {
        Self(Shown::Nothing)
    }

    /// A bar on standard error; nothing where that is no terminal.
    #[must_use]
    pub fn bar() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        // The template is a constant; were it wrong, the default style is a bar, too.
        if let Ok(style) = ProgressStyle::with_template(BAR) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        Self(Shown::Bar(bar))
    }

    /// A line now and then.
    #[must_use]
    pub fn lines(out: Box<dyn Write + Send>) -> Self {
        Self::lines_every(BETWEEN_LINES, out)
    }

    fn lines_every(between: Duration, out: Box<dyn Write + Send>) -> Self {
        Self(Shown::Lines(Lines {
            out,
            last: Instant::now(),
            between,
            planned: 0,
        }))
    }

    /// Adds what happened to the picture.
    pub(crate) fn event(&mut self, event: &Event, tally: &mut Tally) {
        tally.event(event);
        match &mut self.0 {
            Shown::Nothing => {}
            Shown::Bar(bar) => on_bar(bar, event, tally.0),
            Shown::Lines(lines) => lines.event(event, tally.0),
        }
    }

    /// Takes a bar away, so that the result has the screen to itself.
    pub(crate) fn clear(&self) {
        if let Shown::Bar(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Shown::Nothing => "Progress::none",
            Shown::Bar(_) => "Progress::bar",
            Shown::Lines(_) => "Progress::lines",
        })
    }
}

/// Counts results as they come.
#[derive(Debug, Default)]
pub(crate) struct Tally(Count);

impl Tally {
    fn event(&mut self, event: &Event) {
        if let Event::Finished(finished) = event {
            self.0.finished += 1;
            let troubled = finished.verdict.is_trouble() && finished.verdict != Verdict::Warn;
            self.0.troubled += usize::from(troubled);
        }
    }
}

impl Count {
    fn trouble(self) -> String {
        match self.troubled {
            0 => String::new(),
            count => format!("{count} to look at"),
        }
    }
}

fn on_bar(bar: &ProgressBar, event: &Event, count: Count) {
    match event {
        Event::Started(start) => bar.set_length(start.results as u64),
        Event::Begun { case } => {
            let trouble = count.trouble();
            let gap = if trouble.is_empty() { "" } else { "  " };
            bar.set_message(format!("{trouble}{gap}{case}"));
        }
        Event::Finished(_) => bar.inc(1),
        Event::Died(_) => {}
        Event::Ended(_) => bar.finish_and_clear(),
    }
}

impl Lines {
    fn event(&mut self, event: &Event, count: Count) {
        let line = match event {
            Event::Started(start) => {
                self.planned = start.results;
                Some(beginning(start))
            }
            Event::Finished(_) if self.last.elapsed() >= self.between => {
                let trouble = count.trouble();
                let gap = if trouble.is_empty() { "" } else { ", " };
                Some(format!(
                    "  {} of {}{gap}{trouble}",
                    count.finished, self.planned
                ))
            }
            Event::Begun { .. } | Event::Finished(_) | Event::Died(_) | Event::Ended(_) => None,
        };
        if let Some(line) = line {
            self.last = Instant::now();
            // Who closes standard error wants no progress; the run goes on.
            drop(writeln!(self.out, "{line}"));
        }
    }
}

fn beginning(start: &Start) -> String {
    let subject = &start.subject;
    let title = if subject.title.is_empty() {
        &subject.profile
    } else {
        &subject.title
    };
    let version = subject.version.as_deref();
    let gap = if version.is_some() { " " } else { "" };
    let cases = if start.results == 1 { "case" } else { "cases" };
    format!(
        "{} {cases} against {title}{gap}{}",
        start.results,
        version.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::report::sample::events;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn lines(between: Duration) -> Vec<String> {
        let shared = Shared::default();
        let mut progress = Progress::lines_every(between, Box::new(shared.clone()));
        let mut tally = Tally::default();
        for event in &events() {
            progress.event(event, &mut tally);
        }
        let text = String::from_utf8(shared.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_short_run_says_one_line() {
        assert_eq!(
            lines(BETWEEN_LINES),
            ["11 cases against Apache httpd 2.4.66"]
        );
    }

    #[test]
    fn a_long_run_says_how_far_it_is() {
        let lines = lines(Duration::ZERO);
        assert_eq!(lines.len(), 12);
        assert_eq!(lines[11], "  11 of 11, 4 to look at");
    }
}
