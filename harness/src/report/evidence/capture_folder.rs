//! A folder for each finding, for whoever wants to look closer: the transcript as text, a capture file for Wireshark with
//! the keys of TLS sessions in it, and programs in shell, Python and
//! Rust that show the fault without us.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    http2::frame::PREFACE,
    report::{
        CaseResult, Report, ReportError, ReportFold, Reporter,
        evidence::{
            failure,
            repro::{self, Repro},
        },
        format::destination::Place,
    },
    run::{Event, event::Finished},
    transcript::{
        ciphertext::client_speaks_tls,
        columns::{Layout, lines},
        pcapng::{self, pcapng},
        redact::Secrets,
        steps::hidden,
    },
    verdict::Verdict,
    wire::{self, Leg, Way, What},
};

/// Writes a folder for each finding, as it comes.
#[derive(Debug)]
pub struct CaptureFolder {
    folder: PathBuf,
    /// Since 1970, when the run began; times inside a case are counted from there.
    began: Duration,
    fold: ReportFold,
    /// The first file that could not be written; later ones are not tried.
    failed: Option<ReportError>,
}

impl CaptureFolder {
    /// Makes the folder. Fails where nothing can be written into it, before anything ran.
    ///
    /// # Errors
    /// Where nothing can be written there.
    pub fn prepare(folder: &Path) -> Result<Self, ReportError> {
        make(folder)?;
        Place::at(&folder.join("transcript.txt"), "capture")?;
        Ok(Self {
            folder: folder.to_owned(),
            began: Duration::ZERO,
            fold: ReportFold::new(),
            failed: None,
        })
    }

    fn write(&self, finished: &Finished) -> Result<(), ReportError> {
        // A report of this result alone: it knows how to say it, and holds no secrets.
        let mut fold = self.fold.clone();
        fold.event(&Event::Finished(Box::new(finished.clone())));
        let report = fold.report();
        let Some(result) = report.results.first() else {
            return Ok(());
        };
        let folder = self.folder.join(folder_name(result.case.as_str()));
        make(&folder)?;
        let put = |name: &str, bytes: &[u8]| {
            let place = Place::at(&folder.join(name), "capture")?;
            place.private().write(bytes)
        };

        let mut text = transcript(&report, result);
        if let Some(port) = port_of_http2(&finished.transcript) {
            let words = format!("tshark -r capture.pcapng -d tcp.port=={port},http2");
            text.push_str("\nHTTP/2 in the clear is shown where the port is named: ");
            text.push_str(&words);
            text.push('\n');
        }
        put("transcript.txt", text.as_bytes())?;
        let secrets = self.fold.secrets(finished);
        let key_log = shown_keys(finished, &secrets);
        let capture = pcapng::Capture {
            events: &finished.transcript,
            secrets: &secrets,
            comment: &format!("{}: {} ({})", result.case, result.title, result.verdict),
            began: self.began,
            key_log,
        };
        put("capture.pcapng", &pcapng(&capture))?;
        if let Some(keys) = key_log {
            put("keys.log", keys.as_bytes())?;
        }
        let blames = matches!(
            result.verdict,
            Verdict::Fail | Verdict::Known | Verdict::Warn
        );
        if blames && client_speaks_tls(&finished.transcript) {
            put(
                "repro.txt",
                without_script(&report, result, finished).as_bytes(),
            )?;
        } else if blames {
            let on_tcp: Vec<wire::Event> = finished
                .transcript
                .iter()
                .filter(|event| event.layer == 0)
                .cloned()
                .collect();
            let repro = Repro {
                result,
                events: &on_tcp,
                servers: &finished.servers,
                secrets: &secrets,
                serve: serve(&report, finished),
            };
            put("repro.rs", repro::rust(&repro).as_bytes())?;
            for (program, text) in [
                ("repro.sh", repro::shell(&repro)),
                ("repro.py", repro::python(&repro)),
            ] {
                put(program, text.as_bytes())?;
                let path = folder.join(program);
                let executable = fs::Permissions::from_mode(0o700);
                let made = fs::set_permissions(&path, executable);
                made.map_err(|error| unwritable(&path, &error))?;
            }
        }
        Ok(())
    }
}

/// The port to which a client speaks HTTP/2 in the clear: nothing in a capture file says so to Wireshark, which knows it by its port.
fn port_of_http2(events: &[wire::Event]) -> Option<u16> {
    let of_client = |event: &&wire::Event| {
        event.leg == Leg::Client && event.way == Way::Out && event.layer == 0
    };
    let begins = |event: &wire::Event| match &event.what {
        What::Data { kept, .. } => kept.starts_with(PREFACE),
        _ => false,
    };
    let said = events
        .iter()
        .filter(of_client)
        .find(|event| begins(event))?;
    let of_it = |event: &&wire::Event| event.connection == said.connection;
    let opened = events.iter().filter(of_client).filter(of_it);
    opened.map(|event| &event.what).find_map(|what| match what {
        What::Opened { peer, .. } => Some(peer.port()),
        _ => None,
    })
}

/// What stands in the place of a script: nothing could play again what was encrypted for one session.
fn without_script(report: &Report, result: &CaseResult, finished: &Finished) -> String {
    let serve = serve(report, finished).map(|serve| {
        format!("So set up, with a certificate of yours, the proxy is started by\n\n{serve}\n\n")
    });
    format!(
        "The client speaks TLS to the proxy here, which no script of ours plays. What it says stands in transcript.txt, after\n\
         \"in TLS\"; `openssl s_client -quiet -connect HOST:PORT` says it by hand. {}This command does it all again:\n\n\
         {}\n",
        serve.unwrap_or_default(),
        report.again(result)
    )
}

/// The keys of the case's TLS sessions, unless a secret stands in one of them: they would open it to every reader.
fn shown_keys<'f>(finished: &'f Finished, secrets: &Secrets) -> Option<&'f str> {
    let holds_secret = hidden(&finished.transcript, secrets)
        .iter()
        .zip(&finished.transcript)
        .any(|(places, event)| event.layer > 0 && !places.is_empty());
    (!finished.key_log.is_empty() && !holds_secret).then_some(&*finished.key_log)
}

impl Reporter for CaptureFolder {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Started(start) => {
                self.began =
                    Duration::try_from(start.at.duration_since(jiff::Timestamp::UNIX_EPOCH))
                        .unwrap_or_default();
                self.fold.event(event);
            }
            Event::Finished(finished) if is_finding(finished.verdict) && self.failed.is_none() => {
                self.failed = self.write(finished).err();
            }
            _ => {}
        }
    }

    fn finish(&mut self, _report: &Report) -> Result<(), ReportError> {
        self.failed.take().map_or(Ok(()), Err)
    }
}

/// The command that brings the proxy into the same set-up.
fn serve(report: &Report, finished: &Finished) -> Option<String> {
    let name = match report.subject.again.strip_prefix("--profile ") {
        // What may stand behind it says where the servers were.
        Some(name) => name.split(" --backend-").next().unwrap_or(name),
        None => &report.subject.profile,
    };
    let words = finished.serve.as_ref()?;
    Some(format!("connectspec profile serve {name} {words}"))
}

/// Whether there is something to look at: also what is known, and what a person might want to see again.
const fn is_finding(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Fail
        | Verdict::Warn
        | Verdict::Known
        | Verdict::Healed
        | Verdict::Blocked
        | Verdict::Broken => true,
        Verdict::Pass | Verdict::Info | Verdict::Skip => false,
    }
}

/// The result as on a terminal, and the transcript in full after it where that was folded.
fn transcript(report: &Report, result: &CaseResult) -> String {
    let mut text = failure::block(report, result);
    let layout = Layout {
        width: None,
        lines: usize::MAX,
    };
    let all = lines(&result.transcript, result.left_out, &layout);
    if all.len() > Layout::default().lines {
        text.push_str("\nThe whole transcript:\n\n");
        text.push_str(&all.join("\n"));
        text.push('\n');
    }
    text
}

/// The id as the name of one folder: `close/a[b]` is `close--a.b`.
fn folder_name(case: &str) -> String {
    let name: String = case
        .trim_end_matches(']')
        .replace('/', "--")
        .chars()
        .map(|c| match c {
            '[' => '.',
            c if c.is_ascii_alphanumeric() || "-_.".contains(c) => c,
            _ => '_',
        })
        .collect();
    // `.` and `..` are no names, and a leading dot hides.
    name.trim_start_matches('.').to_owned()
}

fn make(folder: &Path) -> Result<(), ReportError> {
    fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> ReportError {
    ReportError::Unwritable {
        what: "capture".to_owned(),
        path: path.to_owned(),
        reason: error.kind().to_string(),
        remedy: "choose a folder that you may write to".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::events;

    #[test]
    fn each_finding_has_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("new/captures");
        let mut capture = CaptureFolder::prepare(&root).unwrap();
        for event in &events() {
            capture.event(event);
        }
        let report = capture.fold.report();
        capture.finish(&report).unwrap();

        let mut names: Vec<String> = fs::read_dir(&root)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            [
                "auth--asks_for_credentials",
                "close--the_last_words_arrive",
                "host--two_hosts_are_refused",
                "refuse--says_why",
                "target--refuses_a_bad_port.past_65535",
                "tls--exports_the_same_key",
            ]
        );
        let failed = root.join("close--the_last_words_arrive");
        let text = fs::read_to_string(failed.join("transcript.txt")).unwrap();
        assert!(
            text.starts_with("FAIL close/the_last_words_arrive"),
            "{text}"
        );
        assert!(fs::read(failed.join("capture.pcapng")).unwrap().len() > 500);
        for entry in fs::read_dir(&failed).unwrap() {
            let mode = entry.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{mode:o}");
        }
        let script = fs::metadata(failed.join("repro.sh")).unwrap();
        assert_eq!(script.permissions().mode() & 0o777, 0o700);
        let test = fs::read_to_string(failed.join("repro.rs")).unwrap();
        assert!(test.contains("fn the_last_words_arrive()"), "{test}");
        assert!(
            test.contains("profile serve apache --listen 127.0.0.1:3128"),
            "{test}"
        );
        let blocked = root.join("auth--asks_for_credentials");
        assert!(!blocked.join("repro.sh").exists());
        for entry in fs::read_dir(blocked).unwrap() {
            let bytes = fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(8).any(|window| window == b"sesame-7"));
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_known_before_the_run() {
        let error = CaptureFolder::prepare(Path::new("/proc/captures")).unwrap_err();
        assert!(error.to_string().contains("/proc/captures"), "{error}");
    }

    #[test]
    fn an_id_is_one_folder() {
        assert_eq!(folder_name("a/b[c.d]"), "a--b.c.d");
        assert_eq!(folder_name("../x"), "--x");
    }
}
