//! What the proxy does with a request, as verbs: refuses, carries, tolerates.
//!
//! Each verb knows every server of its case, so that a connection to any of them is seen, and each has the catalogue's
//! rule for what is held, violated, or says nothing.

use std::sync::Arc;

use crate::{
    client::Exchange,
    lab::{Lab, lock},
    patience::pass,
    server::Server,
    tunnel::{End, first_to_be_spoken_to},
    verdict::{Finding, Outcome},
};

/// Statuses that say nothing about a well-formed request: policy, credentials, a header timer.
pub(super) const OTHER_REASONS: [u16; 3] = [403, 407, 408];

/// What is said of a 2xx to which no connection belongs.
pub const TO_NOBODY: &str = "but no connection to any server";

impl Lab {
    /// A tunnel with both of its ends in the case's hands: the client's and the server's.
    ///
    /// A 2xx that was sent before the proxy connects, and a proxy that waits for the client's first bytes, are for the cases
    /// about opening a tunnel to judge: to all others, there is none.
    ///
    /// # Errors
    /// The set-up's, where there is none.
    pub async fn tunnel(&self) -> Outcome<(End, End)> {
        let server = self.server(crate::server::script::hand_over()).await?;
        self.tunnel_to(&server).await
    }

    /// As [`Lab::tunnel`], to a server that leaves its connections to the case.
    ///
    /// # Errors
    /// As those of [`Lab::tunnel`].
    pub async fn tunnel_to(&self, server: &Server) -> Outcome<(End, End)> {
        let near = self.client().connect(server).await?;
        match server.accepts().await {
            Ok(far) => self.carried_by(near, far, server).await,
            Err(Finding::Violation { expected, observed }) => Err(Finding::setup(format!(
                "a 2xx, and of {}, {observed}: the client has said nothing yet",
                expected.join(" or ")
            ))),
            Err(other) => Err(other),
        }
    }

    /// Both ends of the tunnel whose client's end is `near`: `far`, or where the proxy has made more connections than that one
    /// before its 2xx, the one that carries what the client says. The others stay open and mute, as they were.
    ///
    /// # Errors
    /// A violation where none carries it.
    pub async fn carried_by(
        &self,
        mut near: End,
        far: End,
        server: &Server,
    ) -> Outcome<(End, End)> {
        server.fence().await?;
        let mut others = server.came_too().await;
        if others.is_empty() {
            return Ok((near, far));
        }
        let (mut candidates, nonce) = (vec![far], self.nonce());
        candidates.append(&mut others);
        near.sends(&nonce).await?;
        let carrier = first_to_be_spoken_to(&mut candidates).await;
        let mut far = candidates.swap_remove(carrier.unwrap_or_default());
        far.receives(nonce).await?;
        far.sends_to(&mut near, self.nonce()).await?;
        self.note(format!(
            "{} connections for one tunnel",
            candidates.len() + 1
        ));
        lock(&self.spare).append(&mut candidates);
        Ok((near, far))
    }

    /// For a 2xx that should not be: where it leads, for a reader.
    pub(super) async fn where_it_leads(&self, exchange: Exchange, known: &Visits) -> String {
        let status = exchange.answer.describe();
        let nonce = self.nonce();
        let mut near = exchange.connection.into_tunnel();
        let sent = near.sends(&nonce).await;
        let echoed = sent.is_ok() && near.receives(&nonce).await.is_ok();
        drop(near);
        let visited = known.visited_since(self);
        match (visited, echoed) {
            (Some(server), true) => format!("{status}, and a tunnel to {}", server.authority()),
            (Some(server), false) => {
                format!("{status}, and a connection to {}", server.authority())
            }
            (None, true) => format!("{status}, and a tunnel to somewhere else"),
            (None, false) => format!("{status}, {TO_NOBODY}"),
        }
    }

    /// No server of this case has seen a connection.
    ///
    /// # Errors
    /// A violation where one has.
    pub async fn nobody_came(&self) -> Outcome {
        let from_the_beginning = Visits { counts: Vec::new() };
        from_the_beginning.none_since(self, None).await
    }

    /// How many connections each server of this case has seen up to now.
    pub(super) fn visits(&self) -> Visits {
        let servers = lock(&self.servers);
        Visits {
            counts: servers.iter().map(|server| server.visits().len()).collect(),
        }
    }
}

/// How many connections each server of a case had seen at some time.
#[derive(Clone, Debug)]
pub(super) struct Visits {
    counts: Vec<usize>,
}

impl Visits {
    /// No server has seen a connection since, except `allowed`.
    pub(super) async fn none_since(&self, lab: &Lab, allowed: Option<&Server>) -> Outcome {
        let servers = lock(&lab.servers).clone();
        pass(lab.world.patience.settle()).await;
        for (index, server) in servers.iter().enumerate() {
            if allowed.is_some_and(|allowed| std::ptr::eq(allowed, &raw const **server)) {
                continue;
            }
            server.has_no_more_visits_than(self.before(index)).await?;
        }
        Ok(())
    }

    /// A tunnel that was opened since, and that has carried bytes, has led to `server`.
    pub(super) fn led_to(&self, lab: &Lab, server: &Server) -> Outcome {
        let expected = format!("a tunnel to {}", server.authority());
        if self.has_led_to(lab, server) {
            return Ok(());
        }
        let seen = self.visited_since(lab).map_or_else(
            || "a tunnel to somewhere else".to_owned(),
            |other| format!("a tunnel to {}", other.authority()),
        );
        Err(Finding::violation(expected, seen))
    }

    /// Whether `server` has seen a connection since.
    pub(super) fn has_led_to(&self, lab: &Lab, server: &Server) -> bool {
        let servers = lock(&lab.servers);
        let index = servers
            .iter()
            .position(|known| std::ptr::eq(server, &raw const **known));
        index.is_some_and(|index| server.visits().len() > self.before(index))
    }

    /// A server that has seen a connection since.
    pub(super) fn visited_since(&self, lab: &Lab) -> Option<Arc<Server>> {
        let servers = lock(&lab.servers);
        let mut visited = servers
            .iter()
            .enumerate()
            .filter(|(index, server)| server.visits().len() > self.before(*index));
        visited.next().map(|(_, server)| Arc::clone(server))
    }

    pub(super) fn before(&self, index: usize) -> usize {
        self.counts.get(index).copied().unwrap_or(0)
    }
}

/// What a silent proxy may be doing; nothing follows from it.
pub(super) fn silence() -> Finding {
    Finding::inconclusive("silence: it may be waiting for the end of a line")
}
