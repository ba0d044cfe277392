//! The ways in which a connection to a proxy comes to its end, for cases that count what is left behind.

use connectspec_harness::prelude::*;

use crate::cases::words::refusal_kinds::{RefusalKind, refused};

/// How a connection ends.
#[derive(Clone, Copy, Debug)]
pub(in crate::cases) enum Way {
    Tunnel(TunnelEnd),
    /// By a refusal.
    Refused,
    /// By a refusal, since nobody listens at the target.
    Fails,
}

/// How a tunnel ends.
#[derive(Clone, Copy, Debug)]
pub(in crate::cases) enum TunnelEnd {
    ClientCloses,
    ServerCloses,
    ClientResets,
    ServerResets,
}

pub(in crate::cases) const WAYS: &[(&str, Way)] = &[
    ("the_client_closes", Way::Tunnel(TunnelEnd::ClientCloses)),
    ("the_server_closes", Way::Tunnel(TunnelEnd::ServerCloses)),
    ("the_client_resets", Way::Tunnel(TunnelEnd::ClientResets)),
    ("the_server_resets", Way::Tunnel(TunnelEnd::ServerResets)),
    ("it_is_refused", Way::Refused),
    ("nobody_listens", Way::Fails),
];

/// A request that nobody could serve is refused.
pub(in crate::cases) async fn is_refused(lab: &Lab) -> Outcome {
    let (reply, mut connection) = RefusalKind::BadTarget.refusal(lab).await?;
    connection.body(&reply).await;
    Ok(())
}

/// A tunnel to where nobody listens is refused.
pub(in crate::cases) async fn fails(lab: &Lab, closed: &str) -> Outcome {
    let exchange = lab.client().asks(lab.client().request(closed)).await?;
    let (reply, mut connection) = refused(exchange)?;
    connection.body(&reply).await;
    Ok(())
}

impl TunnelEnd {
    /// One tunnel that ends in this way, seen to its end by whoever is left.
    pub(in crate::cases) async fn ends(self, lab: &Lab, server: &Server) -> Outcome {
        let (near, far) = lab.tunnel_to(server).await?;
        self.of(near, far).await
    }

    /// The end of a tunnel that stands.
    pub(in crate::cases) async fn of(self, mut near: End, mut far: End) -> Outcome {
        match self {
            Self::ClientCloses => {
                near.finishes().await?;
                far.ends_somehow().await?;
                far.leaves();
                near.ends_somehow().await?;
            }
            Self::ServerCloses => {
                far.finishes().await?;
                near.ends_somehow().await?;
                near.leaves();
                far.ends_somehow().await?;
            }
            Self::ClientResets => {
                near.resets()?;
                far.ends_somehow().await?;
            }
            Self::ServerResets => {
                far.resets()?;
                near.ends_somehow().await?;
            }
        }
        Ok(())
    }
}
