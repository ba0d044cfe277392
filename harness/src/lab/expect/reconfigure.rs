//! The proxy in another configuration, for one case alone.

use crate::{
    lab::Lab,
    setup::Setup,
    verdict::{Finding, Outcome},
};

impl Lab {
    /// Another process of the proxy, configured to `setup`, which it has to take: where its own check says no, that is a
    /// violation, with what it says. For cases of which the configuration is a part; they need
    /// [`Need::ConfigCheck`](crate::subject::Need::ConfigCheck).
    ///
    /// # Errors
    /// A violation where the configuration is not taken; otherwise those of [`Lab::relaunched`].
    pub async fn reconfigured(&self, setup: &Setup) -> Outcome<Self> {
        let check = self.check_configuration(setup).await?;
        if check.accepted {
            return self.relaunched(setup).await;
        }
        Err(Finding::violation(
            format!("this configuration is taken: {}", setup.describe()),
            check.last_line(),
        ))
    }
}
