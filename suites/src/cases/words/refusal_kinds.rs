//! Occasions for a reply: what a proxy answers with a tunnel, and what it answers with each kind of refusal.
//!
//! Rules that speak of every reply are asked on each of these. A case that is about one kind of refusal makes its own
//! request; these are the simplest ones of each kind.

use connectspec_harness::prelude::*;

/// An occasion for a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cases) enum RefusalKind {
    /// A right request for a server that listens.
    Granted,
    /// A port that is not on the list.
    Denied,
    /// An allowed port where nobody listens.
    ClosedPort,
    /// A host name that cannot exist.
    ImpossibleName,
    /// A request-target that is no authority.
    BadTarget,
    /// No credentials, where some are asked for.
    NoCredentials,
    /// An expectation that nobody knows.
    Expectation,
    /// A header section that is longer than proxies take.
    LongHead,
    /// A transfer coding that nobody knows.
    TransferCoding,
}

/// Every occasion for a refusal.
pub(in crate::cases) const REFUSALS: &[(&str, RefusalKind)] = &[
    ("denied", RefusalKind::Denied),
    ("closed_port", RefusalKind::ClosedPort),
    ("impossible_name", RefusalKind::ImpossibleName),
    ("bad_target", RefusalKind::BadTarget),
    ("no_credentials", RefusalKind::NoCredentials),
];

/// Every occasion for a refusal, and those where many proxies see none.
pub(in crate::cases) const MORE_REFUSALS: &[(&str, RefusalKind)] = &[
    ("denied", RefusalKind::Denied),
    ("closed_port", RefusalKind::ClosedPort),
    ("impossible_name", RefusalKind::ImpossibleName),
    ("bad_target", RefusalKind::BadTarget),
    ("no_credentials", RefusalKind::NoCredentials),
    ("expectation", RefusalKind::Expectation),
    ("long_head", RefusalKind::LongHead),
    ("transfer_coding", RefusalKind::TransferCoding),
];

/// Every occasion for a reply of an ordinary kind.
pub(in crate::cases) const REPLIES: &[(&str, RefusalKind)] = &[
    ("granted", RefusalKind::Granted),
    ("denied", RefusalKind::Denied),
    ("closed_port", RefusalKind::ClosedPort),
    ("impossible_name", RefusalKind::ImpossibleName),
    ("bad_target", RefusalKind::BadTarget),
    ("no_credentials", RefusalKind::NoCredentials),
];

/// Ten times what proxies allow for a header section, or more.
const LONG: usize = 256 * 1024;

impl RefusalKind {
    /// What the subject is configured to.
    pub(in crate::cases) fn setup(self) -> Setup {
        match self {
            Self::NoCredentials => credentials(),
            _ => Setup::default(),
        }
    }

    /// What has to be there.
    pub(in crate::cases) fn needs(self) -> Vec<Need> {
        match self {
            Self::Denied => vec![Need::PortList],
            Self::ImpossibleName => vec![Need::Names],
            _ => Vec::new(),
        }
    }

    /// Who asks.
    pub(in crate::cases) fn client(self, lab: &Lab) -> Client {
        match self {
            Self::NoCredentials => lab.client_of_its_own(),
            _ => lab.client(),
        }
    }

    /// What is asked.
    pub(in crate::cases) async fn request(self, lab: &Lab) -> Outcome<Request> {
        let target = match self {
            Self::Granted
            | Self::NoCredentials
            | Self::Expectation
            | Self::LongHead
            | Self::TransferCoding => lab.server(echo()).await?.authority(),
            Self::Denied => lab.denied_server(echo()).await?.authority(),
            Self::ClosedPort => format!("{}:{}", lab.host(), lab.refusing_port().await?),
            Self::ImpossibleName => {
                let server = lab.server(echo()).await?;
                format!("{}:{}", lab.impossible_name(), server.port())
            }
            Self::BadTarget => "/".to_owned(),
        };
        let request = self.client(lab).request(target);
        Ok(match self {
            Self::Expectation => request.field("Expect: nothing-that-exists"),
            Self::LongHead => request.field(["X-Long: ", &"x".repeat(LONG)].concat()),
            Self::TransferCoding => request.field("Transfer-Encoding: nothing-that-exists"),
            _ => request,
        })
    }

    /// Asks, and hands back the refusal and the connection that it came on. A request that was granted says nothing about
    /// refusals.
    pub(in crate::cases) async fn refusal(self, lab: &Lab) -> Outcome<(Reply, Connection)> {
        refused(self.asks(lab).await?)
    }

    /// Asks, and hands back what came of it.
    pub(in crate::cases) async fn asks(self, lab: &Lab) -> Outcome<Exchange> {
        let request = self.request(lab).await?;
        self.client(lab).asks(request).await
    }
}

/// The refusal in an exchange, and its connection.
pub(in crate::cases) fn refused(exchange: Exchange) -> Outcome<(Reply, Connection)> {
    let reply = exchange.reply()?.clone();
    if reply.is_success() {
        let why = format!("it was not refused: {}", reply.status_line());
        return Err(Finding::inconclusive(why));
    }
    Ok((reply, exchange.connection))
}

/// The replies to every occasion that needs no set-up of its own, from clients of HTTP/1.1 and of HTTP/1.0, with what
/// they are replies to. An occasion that brings none, for whatever reason, is left out.
pub(in crate::cases) async fn replies(lab: &Lab) -> Outcome<Vec<(String, Reply)>> {
    let mut replies = Vec::new();
    for &(name, occasion) in REPLIES {
        if occasion.setup() != Setup::default() {
            continue;
        }
        let request = match occasion.request(lab).await {
            Err(Finding::Absent { .. }) => continue,
            request => request?,
        };
        for version in ["HTTP/1.1", "HTTP/1.0"] {
            let request = request.clone().version(version);
            let exchange = occasion.client(lab).asks(request).await?;
            if let Answer::Reply(reply) = exchange.answer {
                replies.push((format!("{name}, {version}"), reply));
            }
        }
    }
    if replies.is_empty() {
        return Err(Finding::setup("there is no reply to judge"));
    }
    Ok(replies)
}
