//! The WebSocket server behind a subject that is a gateway to it.

use std::sync::Arc;

use crate::{
    lab::{Lab, servers::Placed},
    server::{Script, Secrecy, Server},
    verdict::{Finding, Outcome},
};

/// The letter whose port a set-up with a WebSocket server names.
pub(super) const SERVER: char = 'w';

impl Lab {
    /// The WebSocket server that the set-up names: every connection to it follows `script`.
    ///
    /// # Errors
    /// The harness's, where nobody can listen there.
    pub async fn websocket_server(&self, script: Script) -> Outcome<Arc<Server>> {
        let port = self.named_port(self.port(SERVER)?).await;
        self.serve(port, &script, &Secrecy::Plain, Placed::One)
    }

    /// The scheme of what a client asks for at the subject: its connection is within TLS, or in the clear.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        match self.running.tls(&self.world) {
            Some(_) => "https",
            None => "http",
        }
    }

    /// The path at which the subject is the gateway to that server.
    ///
    /// # Errors
    /// Absent where it does not say so.
    pub fn websocket_path(&self) -> Outcome<&str> {
        let path = self.running.websocket_path();
        path.ok_or_else(|| Finding::absent("it serves no WebSockets over extended CONNECT"))
    }
}
