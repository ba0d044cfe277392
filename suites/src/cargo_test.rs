//! The suite inside `cargo test`: every case one test, with the same ids as on the command line.
//!
//! ```no_run
//! // tests/connect.rs of any proxy written in Rust, with `harness = false` in Cargo.toml
//! use connectspec::cargo_test::{Subject, cargo_test};
//!
//! fn main() -> std::process::ExitCode {
//!     cargo_test(Subject::program("target/debug/my-proxy").args(["--listen", "{{ listen.authority }}"]))
//! }
//! ```
//!
//! `cargo test close::`, `--list`, `--exact` and cargo-nextest work as with any other test.

use std::{
    collections::{HashMap, HashSet},
    net::TcpListener,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Condvar, Mutex, PoisonError},
};

pub use connectspec_harness::protocol::{EVERY, Protocol};
use connectspec_harness::{
    case::Suite,
    case_id::CaseId,
    protocol::DEFAULT,
    report::{ReportFold, block},
    run::{self, Event, Options, Plan, Stop},
    subject::{
        Who,
        offers::Offers,
        process::guard_main_if_asked,
        profile::{
            ConfigFile, Deviation, Profile, ProfileError, parse_baseline, template::Template,
        },
        remote::Remote,
    },
    transcript::screen::plain,
    verdict::Verdict,
};
use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::suites;

/// The proxy that is judged.
#[derive(Debug)]
pub struct Subject {
    who: Result<Who, String>,
    over: Vec<Protocol>,
    baseline: Option<PathBuf>,
}

impl Subject {
    /// A program; its arguments say where it has to listen.
    #[must_use]
    pub fn program(program: impl AsRef<Path>) -> Self {
        Self::of(Profile::for_program::<&str>(program.as_ref(), []))
    }

    /// A profile in a file: for a proxy that needs more than arguments.
    #[must_use]
    pub fn profile(file: impl AsRef<Path>) -> Self {
        Self::of(Profile::load(file.as_ref()))
    }

    /// A function in this process that serves on the listener that it is given, until the tests are over.
    ///
    /// A server on tokio takes it over inside of a runtime:
    ///
    /// ```no_run
    /// use connectspec::cargo_test::{Subject, cargo_test};
    /// use tokio::{net::TcpListener, runtime::Runtime};
    ///
    /// async fn my_proxy(listener: TcpListener) -> std::io::Result<()> {
    ///     loop {
    ///         let (_client, _) = listener.accept().await?;
    ///     }
    /// }
    ///
    /// fn main() -> std::process::ExitCode {
    ///     cargo_test(Subject::serving(|listener| {
    ///         let serve = || -> std::io::Result<()> {
    ///             listener.set_nonblocking(true)?;
    ///             Runtime::new()?.block_on(async { my_proxy(TcpListener::from_std(listener)?).await })
    ///         };
    ///         serve().expect("the proxy serves")
    ///     }))
    /// }
    /// ```
    #[must_use]
    pub fn serving(serve: impl FnOnce(TcpListener) + Send + 'static) -> Self {
        let remote = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| {
            let address = listener.local_addr()?.to_string();
            std::thread::spawn(move || serve(listener));
            Ok(address)
        });
        let remote = remote
            .map_err(|error| format!("could not listen for the proxy: {error}"))
            .and_then(|address| Remote::new(&address).map_err(|error| error.to_string()));
        Self {
            who: remote.map(|remote| Who::Remote(Box::new(remote))),
            over: DEFAULT.to_vec(),
            baseline: None,
        }
    }

    /// Arguments of the program; templates, as in a profile.
    #[must_use]
    pub fn args<A: AsRef<str>>(self, args: impl IntoIterator<Item = A>) -> Self {
        self.with_profile(|profile| {
            for arg in args {
                profile
                    .launch
                    .args
                    .push(Template::parse("argument", 1, arg.as_ref())?);
            }
            Ok(())
        })
    }

    /// A file that is written into the program's folder before it is launched; a template, as in a profile.
    #[must_use]
    pub fn file(self, path: impl Into<PathBuf>, text: &str) -> Self {
        self.with_profile(|profile| {
            let path = path.into();
            let template = Template::parse(&path.display().to_string(), 1, text)?;
            profile.files.push(ConfigFile { path, template });
            Ok(())
        })
    }

    /// What the arguments and files can express; what is not offered is skipped.
    #[must_use]
    pub fn offering(self, offers: Offers) -> Self {
        self.with_profile(|profile| {
            profile.offers = offers;
            Ok(())
        })
    }

    /// The versions of HTTP that it is asked over, such as [`EVERY`]: each case is a test for each of them that it can be
    /// asked over. HTTP/1.1 in the clear, where this is not said.
    #[must_use]
    pub fn over(mut self, protocols: &[Protocol]) -> Self {
        self.over = protocols.to_vec();
        self
    }

    /// A file of known deviations, which keep the tests green as long as they are as known.
    #[must_use]
    pub fn baseline(mut self, file: impl Into<PathBuf>) -> Self {
        self.baseline = Some(file.into());
        self
    }

    /// The embedded reference proxy, as the program `connectspec` runs it.
    #[must_use]
    pub fn reference(connectspec: impl AsRef<Path>) -> Self {
        Self::of(crate::subjects::reference(connectspec.as_ref()))
    }

    fn of<E: std::fmt::Display>(profile: Result<Profile, E>) -> Self {
        let who = profile.map(|profile| Who::Profile(Box::new(profile)));
        Self {
            who: who.map_err(|error| error.to_string()),
            over: DEFAULT.to_vec(),
            baseline: None,
        }
    }

    fn with_profile(
        mut self,
        change: impl FnOnce(&mut Profile) -> Result<(), ProfileError>,
    ) -> Self {
        if let Ok(Who::Profile(profile)) = &mut self.who
            && let Err(error) = change(profile)
        {
            self.who = Err(error.to_string());
        }
        self
    }
}

/// Judges `subject` in the way of `cargo test`: reads its arguments, prints its output, gives its exit status.
#[must_use]
pub fn cargo_test(subject: Subject) -> ExitCode {
    guard_main_if_asked();
    let mut arguments = Arguments::from_args();
    // Ids have a slash; people who are used to `cargo test` write a path of modules.
    arguments.filter = arguments.filter.map(|filter| filter.replace("::", "/"));
    match trials(subject, &arguments) {
        Ok((trials, board)) => {
            let conclusion = libtest_mimic::run(&arguments, trials);
            let deaths = board.deaths();
            for death in &deaths {
                anstream::eprintln!("{}", plain(death));
            }
            match deaths.is_empty() {
                true => conclusion.exit_code(),
                false => ExitCode::from(FAILED),
            }
        }
        Err(error) => {
            anstream::eprintln!("{}", plain(&error));
            ExitCode::from(2)
        }
    }
}

/// What `cargo test` ends with where tests have failed.
const FAILED: u8 = 101;

fn trials(subject: Subject, arguments: &Arguments) -> Result<(Vec<Trial>, Arc<Board>), String> {
    let who = Arc::new(subject.who?);
    let mut options = Options {
        slow: arguments.ignored || arguments.include_ignored,
        again: again(),
        ..Options::default()
    };
    if let Some(path) = &subject.baseline {
        let origin = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("could not read the baseline {origin}: {error}"))?;
        options.baseline = parse_baseline(&origin, &text).map_err(|error| error.to_string())?;
    }
    let catalogue = suites();
    living(&options, &catalogue)?;
    let board = Arc::new(Board::default());
    let unmet = unmet(&catalogue, &who, &options, arguments);
    let cases = catalogue.iter().flat_map(|suite| &suite.cases);
    let trials: Vec<Trial> = cases
        .filter(|case| subject.over.contains(&case.protocol))
        .map(|case| {
            let (board, id) = (Arc::clone(&board), case.id.clone());
            Trial::ignorable_test(id.to_string(), move || board.wait_for(&id))
                .with_ignored_flag(case.slow || unmet.contains(&case.id))
        })
        .collect();
    let wanted = |trial: &&Trial| !arguments.is_filtered_out(trial) && !arguments.is_ignored(trial);
    let selectors = &mut options.selection.selectors;
    *selectors = trials
        .iter()
        .filter(wanted)
        .map(|trial| trial.name().to_owned())
        .collect();
    if !arguments.list && !selectors.is_empty() {
        let board = Arc::clone(&board);
        std::thread::spawn(move || board.fill(&catalogue, who, options));
    } else {
        board.close("nothing is run", Vec::new());
    }
    Ok((trials, board))
}

/// The cases that will be skipped whatever the proxy does, for a caller that does not hear from a test that it was skipped:
/// cargo-nextest counts whatever ends well as passed, and starts a process for each. It asks for the list first, and
/// then for each test by its whole name. `cargo test` hears the reason instead.
fn unmet(
    catalogue: &[Suite],
    who: &Arc<Who>,
    options: &Options,
    arguments: &Arguments,
) -> HashSet<CaseId> {
    if !(arguments.list || arguments.exact && arguments.ignored) {
        return HashSet::new();
    }
    let plan = Plan::new(catalogue, Arc::clone(who), options.clone());
    let skipped = plan.skipped.into_iter();
    skipped
        .map(|(planned, _)| planned.case.id.clone())
        .collect()
}

/// A list that names cases which are gone excuses nothing, and hides that from whoever reads it.
fn living(options: &Options, catalogue: &[Suite]) -> Result<(), String> {
    let mut listed = options.baseline.iter().flat_map(Deviation::cases);
    let gone = listed.find(|known| {
        let mut cases = catalogue.iter().flat_map(|suite| &suite.cases);
        !cases.any(|case| case.id == *known)
    });
    gone.map_or(Ok(()), |known| {
        Err(format!(
            "the baseline names {known}, and there is no such case; take the entry off the list"
        ))
    })
}

/// The command that repeats a test of this program, up to the name of the test.
fn again() -> String {
    let program = std::env::current_exe().unwrap_or_default();
    let name = program.file_stem().unwrap_or_default().to_string_lossy();
    // Cargo puts a hash behind the name of the target.
    let target = name.rsplit_once('-').map_or(&*name, |parts| parts.0);
    let package = match std::env::var("CARGO_PKG_NAME") {
        Ok(package) => format!("-p {package} "),
        Err(_) => String::new(),
    };
    format!("cargo test {package}--test {target} -- --exact")
}

/// Where the run pins its verdicts, and where each test waits for its own.
#[derive(Debug, Default)]
struct Board {
    pinned: Mutex<Pinned>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Pinned {
    verdicts: HashMap<CaseId, Said>,
    /// Why there will be no more.
    over: Option<String>,
    /// How the subject died where no case alone brings it about.
    deaths: Vec<String>,
}

/// What a test says: it passed, or was not judged for a reason, or failed.
type Said = Result<Option<String>, String>;

impl Board {
    fn fill(&self, catalogue: &[Suite], who: Arc<Who>, options: Options) {
        let plan = Plan::new(catalogue, who, options);
        let mut start = ReportFold::new();
        run::run(plan, &Stop::default(), &mut |event| match event {
            Event::Finished(_) => {
                let mut fold = start.clone();
                fold.event(event);
                let report = fold.report();
                for result in &report.results {
                    let said = match result.verdict {
                        Verdict::Pass | Verdict::Info | Verdict::Warn => Ok(None),
                        Verdict::Known | Verdict::Skip => {
                            Ok(Some(result.reason.clone().unwrap_or_default()))
                        }
                        _ => Err(block(&report, result)),
                    };
                    self.pin(result.case.clone(), said);
                }
            }
            Event::Ended(_) => {
                start.event(event);
                let run = start.report().run;
                self.close(
                    run.refused.as_deref().unwrap_or("the run has ended"),
                    run.deaths,
                );
            }
            _ => start.event(event),
        });
    }

    fn pin(&self, case: CaseId, said: Said) {
        let mut pinned = self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        pinned.verdicts.insert(case, said);
        self.changed.notify_all();
    }

    fn close(&self, why: &str, deaths: Vec<String>) {
        let mut pinned = self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        pinned.over = Some(why.to_owned());
        pinned.deaths = deaths;
        self.changed.notify_all();
    }

    /// Waits for the end of the run.
    fn deaths(&self) -> Vec<String> {
        let pinned = self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        let goes_on = |pinned: &mut Pinned| pinned.over.is_none();
        let pinned = self.changed.wait_while(pinned, goes_on);
        pinned
            .unwrap_or_else(PoisonError::into_inner)
            .deaths
            .clone()
    }

    fn wait_for(&self, case: &CaseId) -> Result<Completion, Failed> {
        let mut pinned = self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(said) = pinned.verdicts.remove(case) {
                return match said? {
                    None => Ok(Completion::Completed),
                    Some(reason) => Ok(Completion::ignored_with(reason)),
                };
            }
            if let Some(over) = &pinned.over {
                return Err(Failed::from(over));
            }
            pinned = self
                .changed
                .wait(pinned)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests;
