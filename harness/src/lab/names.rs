//! Host names, and what the resolver of this machine makes of them.

use tokio::{net::lookup_host, time::timeout};

use crate::{
    lab::Lab,
    verdict::{Finding, Outcome},
};

/// One letter more than a label of a domain name may have (RFC 1035, section 2.3.4).
const TOO_LONG: usize = 64;

/// The name that every machine has for itself.
const LOCALHOST: &str = "localhost";

impl Lab {
    /// A host name that cannot exist, though the grammar of a URI allows it: one of its labels is too long for the
    /// domain name system. A resolver knows that without asking anybody, so no network decides how a case ends.
    #[must_use]
    pub fn impossible_name(&self) -> String {
        format!("{:x<TOO_LONG$}.invalid", self.nonce())
    }

    /// Absent where `localhost` leads nowhere on this machine: in some containers, no list of hosts has it.
    ///
    /// # Errors
    /// Absent as said.
    pub async fn knows_localhost(&self) -> Outcome {
        let look_up = async || {
            let found = timeout(self.patience().resolver(), lookup_host((LOCALHOST, 1))).await;
            let found = found.ok().and_then(Result::ok);
            found.is_some_and(|mut found| found.any(|address| address.ip().is_loopback()))
        };
        match self.world.knows_localhost.get_or_init(look_up).await {
            true => Ok(()),
            false => Err(Finding::absent(
                "on this machine, the name localhost leads nowhere: /etc/hosts lacks it",
            )),
        }
    }

    /// A host name that nobody has registered; absent where the resolver of this machine does not say so at once. A
    /// question to the network may get lost, so a case that uses it may take seconds.
    ///
    /// # Errors
    /// Absent where the resolver does not say so at once.
    pub async fn unregistered_name(&self) -> Outcome<String> {
        let name = format!("{}.invalid", self.nonce());
        let limit = self.patience().resolver();
        let resolved = timeout(limit, lookup_host((name.clone(), 1))).await;
        match resolved.map(|found| found.is_ok()) {
            Ok(false) => Ok(name),
            Ok(true) => Err(Finding::absent("on this machine, every name resolves")),
            Err(_) => Err(Finding::absent(format!(
                "the resolver of this machine does not answer within {limit:?}"
            ))),
        }
    }
}
