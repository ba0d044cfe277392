//! Who asks for a tunnel: a connection of HTTP/1.1, or a stream of HTTP/2.

use crate::net::Client;
use crate::upstream::{Answer, Listener};
use std::io;
use tokio::io::AsyncWriteExt;

/// The client, until its tunnel stands.
pub(super) trait Asker: Listener {
    /// Ends when the client has given up, so that nobody works for it any more.
    fn lost(&mut self) -> impl Future<Output = ()> + Send;
}

impl Listener for Client {
    async fn hear(&mut self, answer: &Answer) -> io::Result<()> {
        self.write_all(&answer.interim()).await
    }
}

impl Asker for Client {
    async fn lost(&mut self) {
        Self::lost(self).await;
    }
}
