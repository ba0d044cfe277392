//! How long to wait for what: every deadline of the suite, in one place.
//!
//! A case waits for events. A deadline is only ever met by a proxy that does not do what is waited for, so generous
//! ones cost a right proxy nothing. "Nothing happens" is proven by a fence, an event that has to come later, where one
//! exists, and by one of the quiet periods below where none does.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

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

    /// For a question that was met with silence, and is asked again: a process that has just begun, or was stopped for some
    /// seconds, answers within that.
    #[must_use]
    pub fn once_more(self) -> Self {
        Self {
            factor: self.factor * 3.0,
        }
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
    /// connects first and decides later has connected long before its answer. On a busy machine it takes longer: as many
    /// turns as fit into it on an idle one.
    #[must_use]
    pub fn settle(self) -> Duration {
        self.scaled(50) + TURNS * LAG.now()
    }

    /// Quiet period: how long nothing may arrive where a proxy may add nothing.
    #[must_use]
    pub fn quiet(self) -> Duration {
        self.scaled(300) + TURNS * LAG.now()
    }

    /// Between two pieces of one request, so that they arrive as two segments and are read as such: longer than a proxy
    /// waits for its turn on a busy machine.
    #[must_use]
    pub fn pace(self) -> Duration {
        Duration::from_millis(20) + 2 * LAG.now()
    }

    fn scaled(self, milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds).mul_f64(self.factor)
    }
}

/// How late this machine is at present: what a sleeper waits for its turn, a proxy waits for each of its own.
static LAG: Lag = Lag::none();

/// Turns that a request takes before a proxy has connected to where it should not: reading, deciding, looking up, connecting.
const TURNS: u32 = 10;

/// The lag of an idle machine: clocks are that coarse.
const USUAL_LAG: Duration = Duration::from_millis(3);

/// A machine that is later than this is not waited for: a quiet period stays shorter than any deadline.
const LAG_LIMIT: Duration = Duration::from_millis(100);

/// How late timers fire, in microseconds. It rises at once, and falls slowly.
#[derive(Debug)]
struct Lag {
    microseconds: AtomicU64,
}

impl Lag {
    const fn none() -> Self {
        Self {
            microseconds: AtomicU64::new(0),
        }
    }

    /// Takes in how late somebody was.
    fn note(&self, late: Duration) {
        let late = late.saturating_sub(USUAL_LAG).min(LAG_LIMIT);
        let late = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
        let fallen = |before: u64| Some(late.max(before - before / 8));
        // The last one to write is as good as any other.
        let _ = self
            .microseconds
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fallen);
    }

    fn now(&self) -> Duration {
        Duration::from_micros(self.microseconds.load(Ordering::Relaxed))
    }
}

/// Lets a quiet period pass: the only place where the harness waits for a clock. How late that wakes it tells how busy the
/// machine is.
#[expect(
    clippy::disallowed_methods,
    reason = "a quiet period is a wait for the clock, by definition"
)]
pub async fn pass(period: Duration) {
    let due = Instant::now() + period;
    tokio::time::sleep(period).await;
    LAG.note(Instant::now().saturating_duration_since(due));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_period_grows_with_the_lag_of_the_machine_and_shrinks_again() {
        let lag = Lag::none();
        lag.note(USUAL_LAG);
        assert_eq!(lag.now(), Duration::ZERO);
        lag.note(USUAL_LAG + Duration::from_millis(16));
        assert_eq!(lag.now(), Duration::from_millis(16));
        lag.note(Duration::ZERO);
        assert_eq!(lag.now(), Duration::from_millis(14));
        for _ in 0..100 {
            lag.note(Duration::ZERO);
        }
        assert!(lag.now() < Duration::from_millis(1));
        lag.note(Duration::from_secs(60));
        assert_eq!(lag.now(), LAG_LIMIT);
    }
}
