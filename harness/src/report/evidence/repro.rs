//! A failure as a program that needs nothing of ours: whoever maintains a proxy can run it, read it and change it.
//!
//! It plays both sides as the transcript has them: a shell script shows what the proxy does, a program in Python and a test in Rust
//! say whether it is the fault again.

mod python;
mod rust;
mod shape;
mod shell;

/// What a test in Rust brings with it, so that the compiler sees it here, too.
#[cfg(test)]
#[expect(dead_code, reason = "the tests that use it are generated")]
mod play {
    include!("repro/play.rs");
    include!("repro/shape.rs");
}

pub use python::python;
pub use rust::rust;
pub use shell::shell;

use std::{collections::HashMap, net::SocketAddr, ops::Range};

use crate::{
    report::CaseResult,
    transcript::{redact::Secrets, steps},
    wire::{Event, Leg, What},
};

/// What a program that repeats a failure is made from.
#[derive(Debug)]
pub struct Repro<'r> {
    /// The failure.
    pub result: &'r CaseResult,
    /// What passed.
    pub events: &'r [Event],
    /// Where servers listened, also those that nobody came to.
    pub servers: &'r [SocketAddr],
    /// What must not be in it: it is asked for.
    pub secrets: &'r Secrets,
    /// The command that brings the proxy into the same set-up, where there is one.
    pub serve: Option<String>,
}

impl Repro<'_> {
    /// What it is about, a line each, without whatever could end a comment.
    fn heading(&self) -> Vec<String> {
        let result = self.result;
        let mut lines = vec![format!("{}: {}", result.case, result.title), String::new()];
        let mut say = |label: &str, said: &str| {
            lines.extend(said.lines().map(|line| format!("{label}: {line}")));
        };
        for expected in &result.expected {
            say("expected", expected);
        }
        say("observed", result.observed.as_deref().unwrap_or_default());
        for cite in &result.cites {
            say("see", cite);
        }
        lines.push(String::new());
        let setup = &result.setup;
        lines.push(format!("In the run the proxy was set up for `{setup}`."));
        lines.push(match &self.serve {
            Some(serve) => format!("So set up, it is started by: {serve}"),
            None => "Let it allow the ports that are listened on below, and no others.".to_owned(),
        });
        if self.servers.iter().any(|server| !server.ip().is_loopback()) {
            lines.push(format!(
                "Its servers had addresses that may be only in a network of the run's own: \
                 `connectspec run --lab on '{}'` asks it again there.",
                result.case
            ));
        }
        for line in &mut lines {
            *line = line.replace(char::is_control, " ");
        }
        lines
    }

    fn steps(&self) -> (Vec<steps::Step>, Vec<Vec<Range<usize>>>) {
        let steps = steps::steps(self.events, self.secrets);
        (steps, steps::hidden(self.events, self.secrets))
    }
}

/// Who plays which connection.
#[derive(Debug, Default)]
struct Cast {
    /// The name of each connection.
    names: HashMap<usize, String>,
    /// Where servers listen, and the names of the connections to each, in the order in which they came.
    servers: Vec<(SocketAddr, Vec<String>)>,
    clients: usize,
}

impl Cast {
    fn of(repro: &Repro<'_>) -> Self {
        let mut cast = Self::default();
        for event in repro.events {
            let What::Opened { local, .. } = event.what else {
                continue;
            };
            let name = match event.leg {
                Leg::Client => {
                    cast.clients += 1;
                    format!("client{}", cast.clients)
                }
                Leg::Server | Leg::Upstream | Leg::Names => cast.visit(event.leg, local),
            };
            cast.names.insert(event.connection, name);
        }
        for &server in repro.servers {
            if !cast.servers.iter().any(|(known, _)| *known == server) {
                cast.servers.push((server, Vec::new()));
            }
        }
        cast
    }

    fn visit(&mut self, leg: Leg, address: SocketAddr) -> String {
        let word = if leg == Leg::Upstream {
            "upstream"
        } else {
            "server"
        };
        if let Some(index) = self.servers.iter().position(|(known, _)| *known == address) {
            let visits = &mut self.servers[index].1;
            visits.push(format!("{word}{}.{}", index + 1, visits.len() + 1));
            return visits[visits.len() - 1].clone();
        }
        let name = format!("{word}{}", self.servers.len() + 1);
        self.servers.push((address, vec![name.clone()]));
        name
    }
}
