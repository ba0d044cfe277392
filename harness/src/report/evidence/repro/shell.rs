//! A failure as a shell script that needs bash and nc and nothing of ours.
//!
//! What the harness did is a command, what the proxy did then is a comment, so that the output can be held against it.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
    net::SocketAddr,
    ops::Range,
};

use crate::{
    report::evidence::repro::Repro,
    transcript::steps::Step,
    wire::{Event, Leg, Way, What},
};

/// The script.
#[must_use]
pub fn shell(repro: &Repro<'_>) -> String {
    let mut script = Script::new(repro.events);
    for &server in repro.servers {
        let name = format!("server{}", script.servers.len() + 1);
        script.servers.entry(server).or_insert(name);
    }
    let (steps, hidden) = repro.steps();
    for ((event, step), hidden) in repro.events.iter().zip(&steps).zip(&hidden) {
        script.step(event, step, hidden);
    }
    let mut text = head(repro);
    if script.needs_secret {
        text.push_str(SECRET);
    }
    text.push_str(PLAYERS);
    text.push_str(&script.listeners());
    text.push_str(&script.commands);
    text.push_str(TAIL);
    text
}

/// How the two sides are played.
const PLAYERS: &str = r#"
host=${PROXY%:*} port=${PROXY##*:}
host=${host#[} host=${host%]}
# OpenBSD's nc passes the end of its input on only when told to; ncat always does.
half=; [[ $(nc -h 2>&1) == *" -N"* || $(nc -h 2>&1) == *"-46CDdFhklNn"* ]] && half=-N
declare -A to; pids=()
trap '' PIPE
trap 'kill "${pids[@]}" 2>/dev/null' EXIT

show() { # what arrives, line by line, as the shell would quote it
  local line= more status
  while :; do
    IFS= read -r -t 0.2 more; status=$?; line+=$more
    if ((status == 0)) || [[ $line && ! $more ]]; then printf '%s  %s\n' "$1" "${line@Q}"; line=; fi
    ((status > 0 && status <= 128)) && break
  done
  [[ $line ]] && printf '%s  %s\n' "$1" "${line@Q}"
  printf '%s  (the end)\n' "$1"
}
alone() { local fd; for fd in "${to[@]}"; do exec {fd}>&-; done; }
dial() { exec {fd}> >(alone; exec nc $half "$host" "$port" > >(show "$1 ◀─ proxy ")); to[$1]=$fd; pids+=($!); }
listen() { exec {fd}> >(alone; exec nc $half -l "$2" "$3" > >(show "proxy ─▶ $1")); to[$1]=$fd; pids+=($!); }
send() { printf -- "${@:2}" >&"${to[$1]}"; }
end() { local fd=${to[$1]-}; [[ $fd ]] && exec {fd}>&-; unset "to[$1]"; }
pause() { read -r -t "${1:-0.4}" <> <(:); }

"#;

const SECRET: &str = r#"
: "${SECRET:?the request carries credentials: put their base64 form into SECRET}"
"#;

/// After a reset.
const EATEN: &str =
    "# (nc shows nothing of what arrived together with a reset; the test in Rust does)\n";

const TAIL: &str = r"
pause 1.5
exit 0 # it shows, and does not judge: `git bisect run` wants repro.py
";

fn head(repro: &Repro<'_>) -> String {
    let mut text = "#!/usr/bin/env bash\n".to_owned();
    for line in repro.heading() {
        // Here and below: writing to a string cannot fail.
        let _ = writeln!(text, "{}", format!("# {line}").trim_end());
    }
    text.push_str("# Needs bash 4.4 or later, and nc (OpenBSD's, or ncat).\n");
    text.push_str(": \"${PROXY:?say where the proxy is: PROXY=127.0.0.1:3128 $0}\"\n");
    text
}

/// What the script does, as far as it is known.
struct Script {
    commands: String,
    /// The name of each connection.
    names: HashMap<usize, String>,
    /// Where each server listens, and its name.
    servers: BTreeMap<SocketAddr, String>,
    /// Connections that cannot be played: nc takes one for each address.
    unplayed: usize,
    needs_secret: bool,
    /// Whether the proxy did something since the harness last did.
    waiting: bool,
}

impl Script {
    fn new(events: &[Event]) -> Self {
        let mut script = Self {
            commands: String::new(),
            names: HashMap::new(),
            servers: BTreeMap::new(),
            unplayed: 0,
            needs_secret: false,
            waiting: false,
        };
        let mut clients = 0;
        for event in events {
            let What::Opened { local, .. } = event.what else {
                continue;
            };
            let name = match event.leg {
                Leg::Client => {
                    clients += 1;
                    format!("client{clients}")
                }
                Leg::Names => continue,
                Leg::Server | Leg::Upstream if script.servers.contains_key(&local) => {
                    script.unplayed += 1;
                    continue;
                }
                Leg::Server | Leg::Upstream => {
                    let kind = match event.leg {
                        Leg::Upstream => "upstream",
                        _ => "server",
                    };
                    let name = format!("{kind}{}", script.servers.len() + 1);
                    script.servers.insert(local, name.clone());
                    name
                }
            };
            script.names.insert(event.connection, name);
        }
        script
    }

    fn listeners(&self) -> String {
        let mut text = String::new();
        for (address, name) in &self.servers {
            let _ = writeln!(text, "listen {name} {} {}", address.ip(), address.port());
        }
        if self.unplayed > 0 {
            let count = self.unplayed;
            let _ = writeln!(
                text,
                "# {count} connections more to the same addresses are not played: nc takes one each."
            );
        }
        if !self.servers.is_empty() {
            text.push_str("pause\n");
        }
        text
    }

    fn step(&mut self, event: &Event, step: &Step, hidden: &[Range<usize>]) {
        let Some(name) = self.names.get(&event.connection).cloned() else {
            return;
        };
        if event.way == Way::In {
            let arrow = match event.leg {
                Leg::Client => format!("{name} ◀─ proxy"),
                Leg::Server | Leg::Upstream | Leg::Names => format!("proxy ─▶ {name}"),
            };
            let _ = writeln!(self.commands, "# {arrow}  {}", step.text);
            if event.what == What::Reset {
                self.commands.push_str(EATEN);
            }
            self.waiting = true;
            return;
        }
        if std::mem::take(&mut self.waiting) {
            self.commands.push_str("pause\n");
        }
        let commands = &mut self.commands;
        match &event.what {
            What::Opened { .. } => {
                let _ = writeln!(commands, "dial {name}");
            }
            What::Data { kept, length, .. } => {
                if !kept.is_empty() {
                    let (format, secrets) = printf(kept, hidden);
                    self.needs_secret |= secrets > 0;
                    let arguments = " \"$SECRET\"".repeat(secrets);
                    let _ = writeln!(commands, "send {name} '{format}'{arguments}");
                }
                let missing = length - kept.len() as u64;
                if missing > 0 {
                    let _ = writeln!(commands, "# {missing} bytes more were not kept");
                }
            }
            // A name server is no part of it.
            What::Datagram(_) | What::Frame(_) => {}
            What::Fin => {
                let _ = writeln!(commands, "end {name}");
            }
            What::Reset => {
                let _ = writeln!(
                    commands,
                    "end {name}  # a reset in the run: nc can only close"
                );
            }
        }
    }
}

/// The bytes as a format of printf inside single quotes, and how many secrets it leaves open.
fn printf(bytes: &[u8], hidden: &[Range<usize>]) -> (String, usize) {
    let mut format = String::with_capacity(bytes.len() + bytes.len() / 4);
    let mut secrets = 0;
    for (index, &octet) in bytes.iter().enumerate() {
        if let Some(place) = hidden.iter().find(|place| place.contains(&index)) {
            if place.start == index {
                secrets += 1;
                format.push_str("%s");
            }
            continue;
        }
        match octet {
            b'\r' => format.push_str("\\r"),
            b'\n' => format.push_str("\\n"),
            b'%' => format.push_str("%%"),
            b'\\' => format.push_str("\\\\"),
            b'\'' => format.push_str("'\\''"),
            b' '..=b'~' => format.push(char::from(octet)),
            _ => {
                let _ = write!(format, "\\x{octet:02x}");
            }
        }
    }
    (format, secrets)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::CaseResult;
    use crate::report::sample::report;
    use crate::report::sample::transcript;
    use crate::transcript::redact::Secrets;
    use crate::verdict::Verdict;

    fn script(result: &CaseResult, secrets: &Secrets) -> String {
        shell(&Repro {
            result,
            events: &transcript(),
            servers: &["127.0.0.1:40124".parse().unwrap()],
            secrets,
            serve: Some("connectspec profile serve apache --allow '1-2'".to_owned()),
        })
    }

    #[test]
    fn a_network_of_the_runs_own_is_said() {
        let report = report();
        let result = report.with(Verdict::Fail).next().unwrap();
        let script = |server: &str| {
            shell(&Repro {
                result,
                events: &transcript(),
                servers: &[server.parse().unwrap()],
                secrets: &Secrets::default(),
                serve: None,
            })
        };
        assert!(script("93.184.216.34:443").contains("connectspec run --lab on '"));
        assert!(!script("127.0.0.1:443").contains("--lab"));
    }

    #[test]
    fn a_script_plays_both_sides() {
        let report = report();
        let failed = report.with(Verdict::Fail).next().unwrap();
        let script = script(failed, &Secrets::default());
        let (head, rest) = script.split_once(PLAYERS).unwrap();
        assert_snapshot!(head, @r#"
#!/usr/bin/env bash
# close/the_last_words_arrive: Data sent before a close is delivered before the close
#
# expected: 7 bytes, then the end
# observed: the end after 0 bytes
# see: https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6
#
# In the run the proxy was set up for `allow`.
# So set up, it is started by: connectspec profile serve apache --allow '1-2'
# Needs bash 4.4 or later, and nc (OpenBSD's, or ncat).
: "${PROXY:?say where the proxy is: PROXY=127.0.0.1:3128 $0}"
"#);
        assert_snapshot!(rest, @r"
listen server1 127.0.0.1 40123
listen server2 127.0.0.1 40124
pause
dial client1
send client1 'CONNECT 127.0.0.1:40123 HTTP/1.1\r\nHost: 127.0.0.1:40123\r\n\r\n'
# proxy ─▶ server1  connects to 127.0.0.1:40123 from 127.0.0.1:50001
# client1 ◀─ proxy  HTTP/1.1 200 Connection Established ⏎ ⏎
pause
send server1 'goodbye'
end server1
# client1 ◀─ proxy  FIN

pause 1.5
exit 0 # it shows, and does not judge: `git bisect run` wants repro.py
");
    }

    #[test]
    fn a_secret_is_asked_for() {
        let report = report();
        let failed = report.with(Verdict::Fail).next().unwrap();
        let script = script(failed, &Secrets::new(["Connection Established", "goodbye"]));
        assert!(!script.contains("goodbye"));
        assert!(script.contains("send server1 '%s' \"$SECRET\""));
        assert!(script.contains("${SECRET:?"));
    }

    #[test]
    fn every_octet_passes_through_the_shell() {
        // Led by a hyphen, it looks like an option.
        let all: Vec<u8> = [b'-'].into_iter().chain(0..=255).collect();
        let script = format!("printf -- '{}'", printf(&all, &[]).0);
        let bash = std::process::Command::new("bash")
            .args(["-c", &script])
            .output()
            .unwrap();
        assert_eq!(bash.stdout, all);
    }

    #[test]
    fn what_a_proxy_says_is_never_a_command() {
        let report = report();
        let mut failed = report.with(Verdict::Fail).next().unwrap().clone();
        failed.observed = Some("a\nrm -rf b\rc".to_owned());
        failed.setup = "x\ny".to_owned();
        let script = script(&failed, &Secrets::default());
        assert!(script.contains("# observed: rm -rf b c"));
        let first_command = script.lines().find(|line| !line.starts_with('#')).unwrap();
        assert!(first_command.starts_with(": \"${PROXY:?"));
    }
}
