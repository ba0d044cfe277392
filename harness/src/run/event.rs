//! What a run tells: the only thing that reports are made from.

use std::{net::SocketAddr, time::Duration};

use crate::{
    case::select::Selection,
    case_id::CaseId,
    citation::Citation,
    verdict::{Level, Verdict},
    wire,
};

/// Something that happened in a run.
#[derive(Clone, Debug)]
pub enum Event {
    /// The first event: what is about to be judged.
    Started(Box<Start>),
    /// A case begins.
    Begun {
        /// Its id.
        case: CaseId,
    },
    /// A case has its verdict.
    Finished(Box<Finished>),
    /// The subject has died, and none of the cases that ran then brings it about alone: how, and which.
    Died(String),
    /// The last event.
    Ended(End),
}

/// What is about to be judged, and how.
#[derive(Clone, Debug)]
pub struct Start {
    /// When.
    pub at: jiff::Timestamp,
    /// The version of connectspec.
    pub connectspec: String,
    /// Who.
    pub subject: Subject,
    /// How many results will come.
    pub results: usize,
    /// What makes everything random repeatable.
    pub seed: u64,
    /// Which cases were asked for.
    pub selection: Selection,
    /// `2/5`: the second of five shares.
    pub partition: Option<String>,
    /// For an audit, what is meant to be reachable, in lines; empty for a run of cases.
    pub policy: Vec<String>,
    /// Secrets that no report may show, wherever they turn up.
    pub secrets: Vec<String>,
    /// Whether there are real ones among them, which somebody has given for a proxy that runs already.
    pub credentials_given: bool,
}

/// The proxy under test.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// The name of its profile, or the address of a proxy that was already running.
    pub profile: String,
    /// What people call it.
    pub title: String,
    /// As it says itself.
    pub version: Option<String>,
    /// How it is launched; empty for one that was already running.
    pub command: Vec<String>,
    /// The words that select it again on the command line, for example `--profile apache`; empty for the default.
    pub again: String,
}

/// A case and its verdict.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its id: `suite/sentence_in_snake_case`, with `[row]` after it for a row of a family.
    pub case: CaseId,
    /// The requirement.
    pub title: String,
    /// The title of its suite.
    pub suite: String,
    /// How much weight it has.
    pub level: Level,
    /// What it means.
    pub verdict: Verdict,
    /// For a violation: each outcome that would have been right.
    pub expected: Vec<String>,
    /// What was seen: the violation, or what a case that held wants to say.
    pub observed: Option<String>,
    /// Why there is no judgement; for a known deviation, its reason.
    pub reason: Option<String>,
    /// Cases without which it says nothing.
    pub relies_on: Vec<CaseId>,
    /// The case that is violated, and of which this result is a consequence.
    pub follows_from: Option<CaseId>,
    /// How the proxy died of it, if it did: deaths with one mark have one cause.
    pub death: Option<String>,
    /// The rows of the register that it covers.
    pub covers: Vec<&'static str>,
    /// Where the requirement stands.
    pub cites: Vec<Citation>,
    /// The file and line of the case.
    pub source: String,
    /// How long it took.
    pub took: Duration,
    /// What the subject was configured to.
    pub setup: String,
    /// Everything on both legs.
    pub transcript: Vec<wire::Event>,
    /// Events that the transcript did not keep.
    pub left_out: u64,
    /// The secrets of its TLS sessions, in the format that `SSLKEYLOGFILE` names; empty where there were none.
    pub key_log: String,
    /// Where its servers listened, also those that nobody came to.
    pub servers: Vec<SocketAddr>,
    /// The words of `connectspec profile serve` that bring the subject into the same set-up; `None` for one that was
    /// already running.
    pub serve: Option<String>,
    /// The end of what the subject itself printed or logged, where that helps to understand.
    pub subject_said: Option<String>,
    /// Whether nobody listened any more where the subject was.
    pub gone: bool,
    /// Secrets that no report may show.
    pub secrets: Vec<String>,
}

/// How the run ended.
#[derive(Clone, Debug, Default)]
pub struct End {
    /// How long it took.
    pub took: Duration,
    /// Whether somebody ended it early.
    pub interrupted: bool,
    /// Why nothing could be judged: the subject did not start, or is no working CONNECT proxy.
    pub refused: Option<String>,
    /// Deviations that name no case, or have expired: the list is out of date.
    pub stale: Vec<String>,
}
