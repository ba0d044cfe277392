//! From the TOML of a profile to its types: what serde cannot say is checked here, at its place.

mod raw;

use std::{
    io,
    ops::Range,
    path::{Component, Path, PathBuf},
    time::Duration,
};

use regex::Regex;
use serde::Deserialize;
use toml::Spanned;

use raw::{RawAccessLog, RawBaseline, RawDeviation, RawFile, RawLaunch, RawProfile, RawVersion};

use crate::{
    case_id::{CaseId, CaseIdError},
    protocol::{Protocol, UnknownProtocol},
    subject::offers::{Offers, Versions},
    subject::profile::{
        AccessLog, ConfigFile, Deviation, Launch, Profile, ProfileError, READY_WITHIN, STOP_WITHIN,
        Version, keys,
        mistake::{Mistake, did_you_mean, place},
        template::Template,
    },
};

/// Reads a profile; `read` gives the text of a template by the name that the profile uses.
pub(super) fn profile(
    origin: &str,
    folder: Option<&Path>,
    text: &str,
    read: &dyn Fn(&str) -> io::Result<String>,
) -> Result<Profile, ProfileError> {
    let source = Source { origin, text };
    keys::check(keys::of_profile, origin, text)?;
    let raw: RawProfile = source.deserialize()?;
    source.consistent(&raw.offers)?;
    let files = raw.file.iter().map(|file| source.file(file, read));
    Ok(Profile {
        origin: origin.to_owned(),
        folder: folder.map(Path::to_owned),
        title: raw.title.unwrap_or_else(|| raw.name.clone()),
        name: raw.name,
        homepage: raw.homepage,
        install: raw.install,
        like: raw.like,
        launch: source.launch(&raw.launch)?,
        files: files.collect::<Result<_, _>>()?,
        offers: raw.offers,
        access_log: raw
            .access_log
            .map(|log| source.access_log(&log))
            .transpose()?,
        deviations: source.deviations(raw.deviation)?,
    })
}

/// Reads a baseline: a file that holds `[[deviation]]` tables and nothing else.
///
/// # Errors
/// The first mistake in it.
pub fn parse_baseline(origin: &str, text: &str) -> Result<Vec<Deviation>, ProfileError> {
    let source = Source { origin, text };
    keys::check(keys::of_baseline, origin, text)?;
    let raw: RawBaseline = source.deserialize()?;
    Ok(source.deviations(raw.deviation)?)
}

/// The file that is being read, to name places in it.
struct Source<'a> {
    origin: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn deserialize<T: for<'de> Deserialize<'de>>(&self) -> Result<T, Mistake> {
        toml::from_str(self.text).map_err(|error| {
            let message = error.message().to_owned();
            self.mistake(error.span().unwrap_or(0..0), message)
        })
    }

    /// No offer is about another that is not made.
    fn consistent(&self, offers: &Offers) -> Result<(), Mistake> {
        const KEY: &str = "upstream-versions";
        if offers.upstream || offers.upstream_versions == Versions::default() {
            return Ok(());
        }
        let place = keys::place_of(self.text, "offers", KEY).unwrap_or(0..0);
        let message = format!("`{KEY}` is about an upstream proxy, and none is offered");
        let hint = "add `upstream = true`".to_owned();
        Err(self.mistake(place, message).hint(Some(hint)))
    }

    fn launch(&self, raw: &RawLaunch) -> Result<Launch, Mistake> {
        let templates =
            |raw: &[Spanned<String>]| raw.iter().map(|one| self.template(one)).collect();
        let within = |raw: Option<&Spanned<String>>, otherwise| {
            raw.map_or(Ok(otherwise), |raw| self.duration(raw))
        };
        let env = raw.env.iter();
        Ok(Launch {
            program: self.template(&raw.program)?,
            args: templates(&raw.args)?,
            env: env
                .map(|(name, value)| Ok((name.clone(), self.template(value)?)))
                .collect::<Result<_, Mistake>>()?,
            before: raw
                .before
                .as_ref()
                .map(|words| self.template(words))
                .transpose()?,
            version: raw
                .version
                .as_ref()
                .map(|raw| self.version(raw))
                .transpose()?,
            ready_within: within(raw.ready.as_ref().map(|ready| &ready.within), READY_WITHIN)?,
            stop_signal: raw
                .stop
                .as_ref()
                .map(|stop| stop.signal)
                .unwrap_or_default(),
            stop_within: within(
                raw.stop.as_ref().and_then(|s| s.within.as_ref()),
                STOP_WITHIN,
            )?,
            pid_file: raw
                .pid_file
                .as_ref()
                .map(|file| self.template(file))
                .transpose()?,
            check: raw.check.as_deref().map(templates).transpose()?,
        })
    }

    fn version(&self, raw: &RawVersion) -> Result<Version, Mistake> {
        let args = raw.args.iter().map(|arg| self.template(arg));
        let pattern = self.regex(&raw.pattern)?;
        if pattern.captures_len() < 2 {
            let message = "the pattern needs a group around the version".to_owned();
            let hint = "put ( and ) around the part that is the version".to_owned();
            return Err(self.mistake(raw.pattern.span(), message).hint(Some(hint)));
        }
        Ok(Version {
            args: args.collect::<Result<_, _>>()?,
            pattern,
        })
    }

    fn file(
        &self,
        raw: &RawFile,
        read: &dyn Fn(&str) -> io::Result<String>,
    ) -> Result<ConfigFile, Mistake> {
        let path = PathBuf::from(raw.path.get_ref());
        let inside = path
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if !inside || path.as_os_str().is_empty() {
            let message = format!(
                "`{}` is no path inside the scratch folder",
                raw.path.get_ref()
            );
            return Err(self.mistake(raw.path.span(), message));
        }
        let template = match (&raw.template, &raw.text) {
            (Some(name), None) => self.template_file(name, read)?,
            (None, Some(text)) => self.template(text)?,
            _ => {
                let message = "a [[file]] needs either `template` or `text`".to_owned();
                return Err(self.mistake(raw.path.span(), message));
            }
        };
        Ok(ConfigFile { path, template })
    }

    fn template_file(
        &self,
        name: &Spanned<String>,
        read: &dyn Fn(&str) -> io::Result<String>,
    ) -> Result<Template, Mistake> {
        let text = read(name.get_ref()).map_err(|cause| {
            let message = format!("could not read the template `{}`: {cause}", name.get_ref());
            self.mistake(name.span(), message)
        })?;
        // Named as the profile names it, but from where the user stands.
        let origin = Path::new(self.origin).with_file_name(name.get_ref());
        Template::parse(&origin.to_string_lossy(), 1, &text)
    }

    fn access_log(&self, raw: &RawAccessLog) -> Result<AccessLog, Mistake> {
        const GROUPS: [&str; 4] = ["source_port", "status", "target", "client"];
        let pattern = self.regex(&raw.pattern)?;
        for group in pattern.capture_names().flatten() {
            if !GROUPS.contains(&group) {
                let message = format!("unknown group `{group}` in the pattern");
                let hint = did_you_mean(group, GROUPS)
                    .unwrap_or_else(|| format!("the groups are: {}", GROUPS.join(", ")));
                return Err(self.mistake(raw.pattern.span(), message).hint(Some(hint)));
            }
        }
        Ok(AccessLog {
            from: raw.from,
            pattern,
        })
    }

    fn deviations(&self, raw: Vec<RawDeviation>) -> Result<Vec<Deviation>, Mistake> {
        let mut deviations: Vec<Deviation> = Vec::with_capacity(raw.len());
        for one in raw {
            let deviation = Deviation {
                until: one
                    .until
                    .as_ref()
                    .map(|until| self.date(until))
                    .transpose()?,
                case: self.case(&one.case)?,
                rows: self.rows(&one)?,
                over: self.over(&one)?,
                why: one.why,
                see: one.see,
                observed: one.observed,
                sometimes: one.sometimes,
            };
            let is_known = |case: &CaseId| deviations.iter().any(|known| known.is_of(case));
            if let Some(twice) = deviation.cases().find(is_known) {
                let message = format!("`{twice}` has a deviation already");
                let hint = "keep one of them".to_owned();
                return Err(self.mistake(one.case.span(), message).hint(Some(hint)));
            }
            deviations.push(deviation);
        }
        Ok(deviations)
    }

    fn case(&self, raw: &Spanned<String>) -> Result<CaseId, Mistake> {
        let read = raw.get_ref().parse();
        read.map_err(|error: CaseIdError| self.mistake(raw.span(), error.to_string()))
    }

    /// The rows that share the reason, where they are several.
    fn rows(&self, raw: &RawDeviation) -> Result<Vec<CaseId>, Mistake> {
        let Some(first) = raw.rows.first() else {
            return Ok(Vec::new());
        };
        let refused = |message: &str, hint: &str| {
            let mistake = self.mistake(first.span(), message.to_owned());
            Err(mistake.hint(Some(hint.to_owned())))
        };
        if !raw.over.is_empty() {
            let hint = "write an entry for each version, with the version in the id";
            return refused("an entry has either `rows` or `over`", hint);
        }
        if raw.case.get_ref().contains('[') {
            let hint = "take it out of the id, or leave `rows` out";
            return refused("the id names a row already", hint);
        }
        let each = raw.rows.iter().map(|row| {
            let id = format!("{}[{}]", raw.case.get_ref(), row.get_ref());
            let read = id.parse();
            read.map_err(|error: CaseIdError| self.mistake(row.span(), error.to_string()))
        });
        each.collect()
    }

    /// What the failure is known over, where that is more than the id says.
    fn over(&self, raw: &RawDeviation) -> Result<Vec<Protocol>, Mistake> {
        if let (Some(over), Some(_)) = (raw.over.first(), raw.case.get_ref().find('@')) {
            let message = "the id names a version already".to_owned();
            let hint = "take it out of the id, or leave `over` out".to_owned();
            return Err(self.mistake(over.span(), message).hint(Some(hint)));
        }
        let each = raw.over.iter().map(|word| {
            let read = word.get_ref().parse();
            read.map_err(|error: UnknownProtocol| self.mistake(word.span(), error.to_string()))
        });
        each.collect()
    }

    /// A template that stands in the profile itself.
    fn template(&self, raw: &Spanned<String>) -> Result<Template, Mistake> {
        let (line, _) = place(self.text, raw.span().start);
        let written = self.text.get(raw.span()).unwrap_or_default();
        let opening = written.trim_start_matches(['\'', '"']);
        // The newline behind three quotes is not part of the text.
        let skipped =
            usize::from(written.len() - opening.len() >= 3 && opening.starts_with(['\n', '\r']));
        Template::parse(self.origin, line + skipped, raw.get_ref())
    }

    fn duration(&self, raw: &Spanned<String>) -> Result<Duration, Mistake> {
        let parsed = raw.get_ref().parse::<jiff::SignedDuration>().ok();
        parsed
            .and_then(|duration| Duration::try_from(duration).ok())
            .ok_or_else(|| {
                let message = format!("`{}` is no duration", raw.get_ref());
                self.mistake(raw.span(), message)
                    .hint(Some("write it like \"10s\"".to_owned()))
            })
    }

    fn date(&self, raw: &Spanned<String>) -> Result<jiff::civil::Date, Mistake> {
        raw.get_ref().parse().map_err(|_| {
            let message = format!("`{}` is no date", raw.get_ref());
            self.mistake(raw.span(), message)
                .hint(Some("write it like \"2027-06-30\"".to_owned()))
        })
    }

    fn regex(&self, raw: &Spanned<String>) -> Result<Regex, Mistake> {
        Regex::new(raw.get_ref()).map_err(|error| {
            // The parser draws a picture over several lines; its last one says what is wrong.
            let drawn = error.to_string();
            let last = drawn.lines().last().unwrap_or_default();
            let message = last.trim_start_matches("error: ");
            self.mistake(raw.span(), format!("the pattern is wrong: {message}"))
        })
    }

    fn mistake(&self, span: Range<usize>, message: String) -> Mistake {
        Mistake::at(self.origin, self.text, &span, message)
    }
}

#[cfg(test)]
mod tests;
