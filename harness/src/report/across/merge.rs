//! The shares of one run, put together again: `--partition 1/3` to `3/3`, each on a machine of its own.
//!
//! A whole that only looks whole is worse than none: shares that overlap, are missing, or come from different runs are
//! errors.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::report::{Report, Totals};

/// Why reports are not the shares of one run. The text completes "could not …".
#[derive(Debug, thiserror::Error)]
#[error("merge {}: {reason}; {remedy}", path.display())]
pub struct MergeError {
    /// The report that does not fit.
    path: PathBuf,
    /// Why.
    reason: String,
    /// What to do about it.
    remedy: String,
}

/// The whole of which `shares` are the parts, each with the file that it came from.
///
/// # Errors
/// Where they are no parts of one run, or one is missing.
pub fn merge(shares: Vec<(PathBuf, Report)>) -> Result<Report, MergeError> {
    let mut seen: BTreeMap<usize, (PathBuf, Report)> = BTreeMap::new();
    let mut of = None;
    for (path, report) in shares {
        let (share, shares) = share(&path, &report)?;
        if *of.get_or_insert(shares) != shares {
            let reason = format!("it is one of {shares} shares, the others are not");
            return Err(error(&path, reason, "give the shares of one run only"));
        }
        if let Some((other, _)) = seen.get(&share) {
            let reason = format!("{} is share {share}/{shares}, too", other.display());
            return Err(error(&path, reason, "give each share once"));
        }
        if let Some((other, first)) = seen.values().next() {
            same_run(other, first, &path, &report)?;
        }
        seen.insert(share, (path, report));
    }
    let of = of.unwrap_or_default();
    if let Some(missing) = (1..=of).find(|share| !seen.contains_key(share)) {
        let path = seen
            .into_values()
            .next()
            .map(|(path, _)| path)
            .unwrap_or_default();
        let reason = format!("share {missing}/{of} is missing");
        return Err(error(&path, reason, "give every share of the run"));
    }
    let mut shares = seen.into_values();
    let Some((_, whole)) = shares.next() else {
        return Err(error(
            Path::new("nothing"),
            "no report was given".to_owned(),
            "give every share",
        ));
    };
    joined(whole, shares)
}

fn joined(
    mut whole: Report,
    shares: impl Iterator<Item = (PathBuf, Report)>,
) -> Result<Report, MergeError> {
    whole.run.partition = None;
    for (path, share) in shares {
        for result in &share.results {
            if whole.results.iter().any(|other| other.case == result.case) {
                let reason = format!("`{}` has a result in another share, too", result.case);
                return Err(error(&path, reason, "give the shares of one run only"));
            }
        }
        let run = &mut whole.run;
        // The shares ran beside each other: RFC 3339 in UTC sorts as text, and the longest is how long it took.
        run.started = std::mem::take(&mut run.started).min(share.run.started);
        run.took_ms = run.took_ms.max(share.run.took_ms);
        run.planned += share.run.planned;
        run.interrupted |= share.run.interrupted;
        run.refused = run.refused.take().or(share.run.refused);
        run.deaths.extend(share.run.deaths);
        for stale in share.run.stale {
            if !run.stale.contains(&stale) {
                run.stale.push(stale);
            }
        }
        whole.results.extend(share.results);
    }
    whole.results.sort_by(|a, b| a.case.cmp(&b.case));
    whole.totals = Totals::of(&whole.results);
    Ok(whole)
}

fn share(path: &Path, report: &Report) -> Result<(usize, usize), MergeError> {
    let Some(partition) = &report.run.partition else {
        let reason = "it is the report of a whole run".to_owned();
        return Err(error(path, reason, "run the shares with --partition I/N"));
    };
    partition
        .split_once('/')
        .and_then(|(share, of)| Some((share.parse().ok()?, of.parse().ok()?)))
        .filter(|&(share, of)| (1..=of).contains(&share))
        .ok_or_else(|| {
            let reason = format!("`{partition}` is no share");
            error(path, reason, "a share is written I/N, such as 2/5")
        })
}

fn same_run(other: &Path, first: &Report, path: &Path, report: &Report) -> Result<(), MergeError> {
    let facts = |report: &Report| {
        [
            ("the subject", report.subject.name()),
            ("the version of connectspec", report.run.connectspec.clone()),
            ("the seed", report.run.seed.to_string()),
            ("the selection", report.run.selectors.join(" ")),
            ("what it is over", report.run.over.join(" ")),
        ]
    };
    for ((what, ours), (_, theirs)) in facts(report).into_iter().zip(facts(first)) {
        if ours != theirs {
            let reason = format!("{what} is `{ours}`, but `{theirs}` in {}", other.display());
            return Err(error(path, reason, "give the shares of one run only"));
        }
    }
    Ok(())
}

fn error(path: &Path, reason: String, remedy: &str) -> MergeError {
    MergeError {
        path: path.to_owned(),
        reason,
        remedy: remedy.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::sample::report;

    /// The sample in so many shares.
    fn shares(of: usize) -> Vec<(PathBuf, Report)> {
        (1..=of)
            .map(|share| {
                let mut report = report();
                let mut place = 0;
                report.results.retain(|_| {
                    place += 1;
                    place % of == share % of
                });
                report.totals = Totals::of(&report.results);
                report.run.planned = report.results.len();
                report.run.partition = Some(format!("{share}/{of}"));
                (format!("{share}.json").into(), report)
            })
            .collect()
    }

    fn refusal(shares: Vec<(PathBuf, Report)>) -> String {
        merge(shares).unwrap_err().to_string()
    }

    #[test]
    fn the_shares_are_the_whole_in_any_order() {
        let mut three = shares(3);
        three.rotate_left(1);
        assert_eq!(merge(three).unwrap(), report());
        assert_eq!(merge(shares(1)).unwrap(), report());
    }

    #[test]
    fn shares_that_are_missing_or_double_are_refused() {
        let mut missing = shares(3);
        missing.remove(1);
        assert_snapshot!(refusal(missing), @"merge 1.json: share 2/3 is missing; give every share of the run");
        let mut double = shares(2);
        double.push(("again.json".into(), double[0].1.clone()));
        assert_snapshot!(refusal(double), @"merge again.json: 1.json is share 1/2, too; give each share once");
        assert_snapshot!(refusal(vec![]), @"merge nothing: no report was given; give every share");
    }

    #[test]
    fn shares_of_different_runs_are_refused() {
        let mut seeds = shares(2);
        seeds[1].1.run.seed = 8;
        assert_snapshot!(refusal(seeds), @"merge 2.json: the seed is `8`, but `7` in 1.json; give the shares of one run only");
        let mut counts = shares(2);
        counts.extend(shares(3).pop());
        assert_snapshot!(refusal(counts), @"merge 3.json: it is one of 3 shares, the others are not; give the shares of one run only");
        let mut overlap = shares(2);
        let stolen = overlap[0].1.results[0].clone();
        overlap[1].1.results.push(stolen);
        assert_snapshot!(refusal(overlap), @"merge 2.json: `auth/asks_for_credentials` has a result in another share, too; give the shares of one run only");
        assert_snapshot!(refusal(vec![("whole.json".into(), report())]), @"merge whole.json: it is the report of a whole run; run the shares with --partition I/N");
    }
}
