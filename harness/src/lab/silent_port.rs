//! A port that neither answers nor refuses, as a host behind a filter that drops packets does.
//!
//! A listener with no room for a connection that nobody accepts: once it holds one, Linux drops what else asks, and the
//! other side asks again and again. It needs no root, and no other machine.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, timeout, timeout_at},
};

use crate::{
    lab::{Lab, Port},
    tunnel::{End, Side},
    verdict::{Finding, Outcome},
    wire::{Leg, Stream, Tap, Transcript},
};

/// How soon a port of this machine answers, if it does.
const ANSWERS_WITHIN: Duration = Duration::from_millis(150);

/// More connections than any listener without room takes.
const FILLERS: usize = 8;

/// A port that is silent until it is opened.
#[derive(Debug)]
pub struct BlackHole {
    authority: String,
    address: SocketAddr,
    listener: TcpListener,
    /// What takes up the room.
    fillers: Vec<TcpStream>,
    transcript: Transcript,
    patience: crate::patience::Patience,
    /// Given back once the listener is gone: fields are dropped in order.
    _port: Port,
}

impl Lab {
    /// A port that the proxy allows and that is silent; absent on machines whose listeners are never full.
    ///
    /// # Errors
    /// Absent where a listener is never full.
    pub async fn black_hole(&self) -> Outcome<BlackHole> {
        let port = self.allowed_port().await?;
        let address = SocketAddr::new(self.world.bind, port.number());
        let failed = |error: std::io::Error| {
            Finding::harness(format!("could not listen on {address}: {error}"))
        };
        let listener = port.listen_without_room().map_err(failed)?;
        let mut fillers = Vec::new();
        while fillers.len() < FILLERS {
            match timeout(ANSWERS_WITHIN, TcpStream::connect(address)).await {
                Ok(filler) => fillers.push(filler.map_err(failed)?),
                Err(_) => {
                    return Ok(BlackHole {
                        authority: format!("{}:{}", self.host(), port.number()),
                        address,
                        listener,
                        fillers,
                        transcript: self.transcript().clone(),
                        patience: self.patience(),
                        _port: port,
                    });
                }
            }
        }
        Err(Finding::absent("on this machine, a listener is never full"))
    }
}

impl BlackHole {
    /// `host:port`, as a request-target names it.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Its address, for a name that leads there.
    #[must_use]
    pub const fn address(&self) -> std::net::IpAddr {
        self.address.ip()
    }

    /// Its port, which the proxy allows at every address.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Takes the connections that come within `period`, and those that had been waiting, without the harness's own.
    ///
    /// # Errors
    /// The harness's, where it cannot accept.
    pub async fn opens(&mut self, period: Duration) -> Outcome<Vec<End>> {
        let failed = |error: std::io::Error| Finding::harness(error.to_string());
        let mut own = Vec::new();
        for filler in &self.fillers {
            own.push(filler.local_addr().map_err(failed)?);
        }
        let deadline = Instant::now() + period;
        let mut came = Vec::new();
        while let Ok(accepted) = timeout_at(deadline, self.listener.accept()).await {
            let (socket, peer) = accepted.map_err(failed)?;
            if own.contains(&peer) {
                continue;
            }
            let tap = Tap::accepted(socket, peer, Leg::Server, &self.transcript).map_err(failed)?;
            came.push(End::new(Stream::plain(tap), Side::Server, self.patience));
        }
        Ok(came)
    }
}
