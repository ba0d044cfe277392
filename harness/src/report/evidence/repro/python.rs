//! A failure as a program in Python that needs nothing but its standard library.
//!
//! Its exit status is what `git bisect run` asks for: 1 as long as the proxy does what it did in the run, 0 where it does not,
//! 125 where that could not be played.

use std::{fmt::Write as _, ops::Range};

use crate::{
    report::evidence::repro::{Cast, Repro, rust::fault},
    wire::{Way, What},
};

/// Both sides; and what is compared in the end.
const PLAYERS: &str = include_str!("play.py");

/// The program.
#[must_use]
pub fn python(repro: &Repro<'_>) -> String {
    let cast = Cast::of(repro);
    // The second line: an id may read like a declaration of another encoding.
    let mut text = "#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\n".to_owned();
    for line in repro.heading() {
        // Here and below: writing to a string cannot fail.
        let _ = writeln!(text, "{}", format!("# {line}").trim_end());
    }
    text.push_str("#\n# PROXY=127.0.0.1:3128 says where the proxy is. The exit status is 1 as long as it does what it did in the run, 0 where it\n");
    text.push_str(
        "# does not, and 125 where that could not be played: as `git bisect run` wants it.\n\n",
    );
    text.push_str(PLAYERS);
    text.push_str("\n\nplay = Play()\n");
    for (address, names) in &cast.servers {
        let _ = writeln!(text, "play.listen(\"{address}\", {names:?})");
    }
    text.push_str(&steps(repro, &cast));
    let observed = repro.result.observed.as_deref().unwrap_or_default();
    let observed = format!("{}: {observed}", repro.result.case);
    text.push_str("\nseen = play.seen()\nfault = [\n");
    for line in fault(repro.events, &cast) {
        let _ = writeln!(text, "    {},", literal(line.as_bytes()));
    }
    text.push_str("]\n");
    let _ = writeln!(
        text,
        "again = all(any(line.encode().startswith(part) for line in seen) for part in fault)\n\
         print(*seen, sep=\"\\n\")\n\
         print({}.decode() if again else \"not seen again\")\n\
         sys.stdout.flush()\n\
         os._exit(1 if again else 0)",
        literal(observed.as_bytes())
    );
    text
}

fn steps(repro: &Repro<'_>, cast: &Cast) -> String {
    let mut text = String::new();
    let mut waiting = false;
    let (steps, hidden) = repro.steps();
    for ((event, step), hidden) in repro.events.iter().zip(&steps).zip(&hidden) {
        let Some(name) = cast.names.get(&event.connection) else {
            continue;
        };
        if event.way == Way::In {
            let said = step.text.replace(char::is_control, " ");
            let _ = writeln!(text, "# {name} hears: {said}");
            waiting = true;
            continue;
        }
        if std::mem::take(&mut waiting) {
            text.push_str("play.pause()\n");
        }
        let _ = match &event.what {
            What::Opened { .. } => writeln!(text, "play.dial({name:?})"),
            What::Data { kept, length, .. } => {
                let missing = length - kept.len() as u64;
                if missing > 0 {
                    let _ = writeln!(text, "# {missing} bytes more were not kept.");
                }
                writeln!(text, "play.send({name:?}, {})", bytes(kept, hidden))
            }
            // A name server is no part of it.
            What::Datagram(_) | What::Frame(_) => Ok(()),
            What::Fin => writeln!(text, "play.end({name:?})"),
            What::Reset => writeln!(
                text,
                "play.end({name:?})  # a reset in the run: this can only close"
            ),
        };
    }
    text
}

/// Bytes as an expression; secrets are asked for.
fn bytes(bytes: &[u8], hidden: &[Range<usize>]) -> String {
    let mut parts = Vec::new();
    let mut from = 0;
    for place in hidden {
        parts.push(literal(&bytes[from..place.start]));
        parts.push("secret()".to_owned());
        from = place.end;
    }
    parts.push(literal(&bytes[from..]));
    parts.join(" + ")
}

/// What Rust calls an escape, Python does, too.
fn literal(bytes: &[u8]) -> String {
    format!("b\"{}\"", bytes.escape_ascii())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::report::evidence::repro::rust::tests::{own_address, proxy};
    use crate::report::sample::{report, transcript};
    use crate::transcript::redact::Secrets;
    use crate::verdict::Verdict;

    fn program_of(secrets: &Secrets) -> String {
        let report = report();
        python(&Repro {
            result: report.with(Verdict::Fail).next().unwrap(),
            events: &transcript(),
            servers: &["127.0.0.1:40124".parse().unwrap()],
            secrets,
            serve: None,
        })
    }

    #[test]
    fn it_ends_as_a_bisection_wants_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("repro.py");
        let text = program_of(&Secrets::default());
        let own = own_address(78);
        let text = text.replace("127.0.0.1:4012", &format!("{own}:4012"));
        std::fs::write(&file, text).unwrap();
        let run = |address: String| {
            let mut python = Command::new("python3");
            python.arg(&file).env("PROXY", address).output().unwrap()
        };
        for (forwards, status) in [(false, 1), (true, 0)] {
            let run = run(proxy(&own, forwards).to_string());
            let said = String::from_utf8_lossy(&run.stdout);
            assert_eq!(run.status.code(), Some(status), "{run:?}");
            assert_eq!(said.contains("the end after 0 bytes"), !forwards, "{said}");
        }
        // Nobody is there.
        assert_eq!(run("127.0.0.1:1".to_owned()).status.code(), Some(125));
    }

    #[test]
    fn a_secret_is_asked_for() {
        let text = program_of(&Secrets::new(["Connection Established", "goodbye"]));
        assert!(!text.contains("goodbye"));
        assert!(
            text.contains("play.send(\"server1\", b\"\" + secret() + b\"\")"),
            "{text}"
        );
    }
}
