//! The lines of the proxy's access log that belong to a request of the case.

use std::sync::Arc;

use crate::{
    lab::Lab,
    subject::log::{Asked, LogLine, Sought},
    verdict::{Finding, Outcome},
    wire::{Event, Leg, Way, What},
};

impl Lab {
    /// Waits for the line of the access log that contains `needle`; where the log names no User-Agent and `needle` is that of a
    /// request of this case, for the line of that request.
    ///
    /// # Errors
    /// Nothing follows where it does not come; absent where there is no log.
    pub async fn log_line(&self, needle: &str) -> Outcome<LogLine> {
        let running = Arc::clone(&self.running);
        let (sought, patience) = (self.sought(needle), self.world.patience.log());
        let line = tokio::task::spawn_blocking(move || running.log_line(&sought, patience)).await;
        line.map_err(|error| Finding::harness(error.to_string()))?
    }

    /// The lines of the access log that contain `needle`, or belong to its request, as of now.
    ///
    /// # Errors
    /// Absent where there is no log.
    pub fn log_lines(&self, needle: &str) -> Outcome<Vec<LogLine>> {
        self.running.log_lines(&self.sought(needle))
    }

    /// What is to be found, as far as the transcript tells whose User-Agent it is.
    fn sought(&self, needle: &str) -> Sought {
        Sought {
            needle: needle.to_owned(),
            since: self.logged_before,
            asked: asked(&self.transcript.events(), needle),
        }
    }
}

/// The request with this User-Agent among what clients have sent.
fn asked(events: &[Event], agent: &str) -> Option<Asked> {
    let field = format!("User-Agent: {agent}\r\n");
    let sent = |event: &Event| match &event.what {
        What::Data { kept, .. } if event.leg == Leg::Client && event.way == Way::Out => {
            Some((event.connection, String::from_utf8_lossy(kept).into_owned()))
        }
        _ => None,
    };
    let sent: Vec<(usize, String)> = events.iter().filter_map(sent).collect();
    let (connection, request) = sent.iter().find(|(_, text)| text.contains(&field))?;
    let target = request.split(' ').nth(1)?.to_owned();
    let asks = format!(" {target} HTTP/");
    let times = sent.iter().map(|(_, text)| text.matches(&asks).count());
    let client_port = events.iter().find_map(|event| match event.what {
        What::Opened { local, .. } if event.connection == *connection => Some(local.port()),
        _ => None,
    });
    Some(Asked {
        is_alone: times.sum::<usize>() == 1,
        target,
        client_port,
    })
}
