//! Who came to a server, and how that went.

use std::{
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::{
    patience::Patience,
    verdict::Outcome,
    wire::{Leg, Transcript},
};

/// What the acceptors of a server write and the case reads.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) transcript: Transcript,
    /// Whether it stands where servers do, or plays an upstream proxy.
    pub(crate) leg: Leg,
    pub(crate) patience: Patience,
    pub(super) visits: Mutex<Vec<Visit>>,
    pub(super) fences: Mutex<Vec<SocketAddr>>,
    pub(super) changed: Notify,
}

impl Shared {
    /// Nobody has come yet.
    pub(crate) fn new(transcript: &Transcript, leg: Leg, patience: Patience) -> Self {
        Self {
            transcript: transcript.clone(),
            leg,
            patience,
            visits: Mutex::default(),
            fences: Mutex::default(),
            changed: Notify::new(),
        }
    }
}

/// A connection that came to a server.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Where it came from: the proxy's address on this leg.
    pub peer: SocketAddr,
    /// Its number in the transcript; a fence has none.
    pub(super) connection: Option<usize>,
    /// How its script went; `None` while it is still being played.
    pub played: Option<Outcome>,
}

impl Shared {
    pub(super) fn visits(&self) -> MutexGuard<'_, Vec<Visit>> {
        self.visits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn fences(&self) -> MutexGuard<'_, Vec<SocketAddr>> {
        self.fences.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a connection from `peer` is the harness's own.
    pub(crate) fn is_fence(&self, peer: SocketAddr) -> bool {
        self.fences().contains(&peer)
    }

    /// Notes a connection and gives it an index.
    pub(crate) fn note_visit(&self, peer: SocketAddr, connection: Option<usize>) -> usize {
        let mut visits = self.visits();
        visits.push(Visit {
            peer,
            connection,
            played: None,
        });
        let index = visits.len() - 1;
        drop(visits);
        self.changed.notify_waiters();
        index
    }

    pub(crate) fn note_played(&self, index: usize, outcome: Outcome) {
        self.visits()[index].played = Some(outcome);
        self.changed.notify_waiters();
    }
}
