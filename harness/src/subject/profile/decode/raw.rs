//! A profile as serde reads it: strings that know their place, and nothing checked but names and types.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::subject::{
    offers::Offers,
    profile::{LogSource, StopSignal},
};

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct RawProfile {
    pub(super) name: String,
    pub(super) title: Option<String>,
    pub(super) homepage: Option<String>,
    pub(super) install: Option<String>,
    pub(super) like: Option<String>,
    pub(super) launch: RawLaunch,
    #[serde(default)]
    pub(super) file: Vec<RawFile>,
    #[serde(default)]
    pub(super) offers: Offers,
    pub(super) access_log: Option<RawAccessLog>,
    #[serde(default)]
    pub(super) deviation: Vec<RawDeviation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBaseline {
    #[serde(default)]
    pub(super) deviation: Vec<RawDeviation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLaunch {
    pub(super) program: Spanned<String>,
    #[serde(default)]
    pub(super) args: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) env: BTreeMap<String, Spanned<String>>,
    pub(super) before: Option<Spanned<String>>,
    pub(super) version: Option<RawVersion>,
    pub(super) ready: Option<RawReady>,
    pub(super) stop: Option<RawStop>,
    #[serde(rename = "pid-file")]
    pub(super) pid_file: Option<Spanned<String>>,
    pub(super) check: Option<Vec<Spanned<String>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawVersion {
    pub(super) args: Vec<Spanned<String>>,
    pub(super) pattern: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawReady {
    pub(super) within: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStop {
    #[serde(default)]
    pub(super) signal: StopSignal,
    pub(super) within: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFile {
    pub(super) path: Spanned<String>,
    pub(super) template: Option<Spanned<String>>,
    pub(super) text: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAccessLog {
    #[serde(default)]
    pub(super) from: LogSource,
    pub(super) pattern: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDeviation {
    pub(super) case: Spanned<String>,
    #[serde(default)]
    pub(super) rows: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) over: Vec<Spanned<String>>,
    pub(super) why: String,
    pub(super) see: Option<String>,
    pub(super) until: Option<Spanned<String>>,
    pub(super) observed: Option<String>,
    #[serde(default)]
    pub(super) sometimes: bool,
}
