//! How long to wait for what: every deadline of the suite, in one place.
//!
//! A case waits for events. A deadline is only ever met by a proxy that does not do what is waited for, so generous
//! ones cost a right proxy nothing. "Nothing happens" is proven by a fence, an event that has to come later, where one
//! exists, and by one of the quiet periods below where none does.

use std::time::Duration;

/// A factor on every deadline: 2.0 waits twice as long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patience {
    factor: f64,
}

impl Default for Patience {
    fn default() -> Self {
        Self { factor: 1.0 }
    }
}

impl Patience {
    /// Waits `factor` times as long as usual.
    #[must_use]
    pub const fn times(factor: f64) -> Self {
        Self { factor }
    }

    /// For a TCP connection to the proxy: it is on this machine or near it.
    #[must_use]
    pub fn dial(self) -> Duration {
        self.scaled(5_000)
    }

    /// For the reply to a request. Connecting onward and a slow machine fit in; a proxy that is silent for longer is
    /// called silent, which alone never blames it.
    #[must_use]
    pub fn reply(self) -> Duration {
        self.scaled(6_000)
    }

    /// For an expected connection at a server, once the proxy said 2xx.
    #[must_use]
    pub fn visit(self) -> Duration {
        self.scaled(5_000)
    }

    /// For bytes that are on their way: without any progress for so long, they are not coming.
    #[must_use]
    pub fn progress(self) -> Duration {
        self.scaled(15_000)
    }

    /// For the resolver of this machine to say that a name does not exist. Where it takes longer, a proxy that asks it
    /// would be blamed for it.
    #[must_use]
    pub fn resolver(self) -> Duration {
        self.scaled(1_000)
    }

    /// For what needs no network and no other program: longer than any pause of a busy machine.
    #[must_use]
    pub fn soon(self) -> Duration {
        self.scaled(1_000)
    }

    /// For a proxy to give back what a connection took: some linger for thirty seconds.
    #[must_use]
    pub fn lingering(self) -> Duration {
        self.scaled(40_000)
    }

    /// Quiet period: how long a tunnel is watched in which nothing moves, for what it costs meanwhile.
    #[must_use]
    pub fn standstill(self) -> Duration {
        self.scaled(10_000)
    }

    /// Quiet period: how long a connection may be on its way whose first packets were dropped; kernels ask again after
    /// one second, and then after two and after four.
    #[must_use]
    pub fn retried_syn(self) -> Duration {
        self.scaled(9_000)
    }

    /// Quiet period: how long a tunnel pauses, or one of its readers does not read. Far shorter than any idle timeout,
    /// and long enough to fill the buffers in between.
    #[must_use]
    pub fn stall(self) -> Duration {
        self.scaled(1_000)
    }

    /// For the end of a connection whose other side has ended. Proxies that linger for 2 s fit in.
    #[must_use]
    pub fn end(self) -> Duration {
        self.scaled(10_000)
    }

    /// For a line in the log, once both directions have ended; some proxies write only every few seconds.
    #[must_use]
    pub fn log(self) -> Duration {
        self.scaled(12_000)
    }

    /// For a whole case, as a last resort: the sum of its waits should end before.
    #[must_use]
    pub fn case(self) -> Duration {
        self.scaled(90_000)
    }

    /// Quiet period: how long a server is watched for a connection that must not come, before the fence. A proxy that
    /// connects first and decides later has connected long before its answer.
    #[must_use]
    pub fn settle(self) -> Duration {
        self.scaled(50)
    }

    /// Quiet period: how long nothing may arrive where a proxy may add nothing.
    #[must_use]
    pub fn quiet(self) -> Duration {
        self.scaled(300)
    }

    /// Between two pieces of one request, so that they arrive as two segments and are read as such: longer than a proxy
    /// waits for its turn on a busy machine.
    #[must_use]
    pub fn pace(self) -> Duration {
        Duration::from_millis(20)
    }

    fn scaled(self, milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds).mul_f64(self.factor)
    }
}

/// Lets a quiet period pass: the only place where the harness waits for a clock.
#[expect(
    clippy::disallowed_methods,
    reason = "a quiet period is a wait for the clock, by definition"
)]
pub async fn pass(period: Duration) {
    tokio::time::sleep(period).await;
}
