//! How long the head of a request may take: `RequestReadTimeout`.

use std::time::Duration;

/// The longest time, where a rate is given and no end: even a client at that rate is through by then.
const LONGEST: Duration = Duration::from_secs(3600);

/// A time that grows with what arrives, up to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadTime {
    first: Duration,
    most: Duration,
    /// Octets that buy one more second; 0: none do.
    rate: u32,
}

impl Default for HeadTime {
    /// httpd's default: `header=20-40,MinRate=500`.
    fn default() -> Self {
        Self {
            first: Duration::from_secs(20),
            most: Duration::from_secs(40),
            rate: 500,
        }
    }
}

impl HeadTime {
    /// Reads what follows `header=`: `20`, `20-40,MinRate=500`, `20,MinRate=500`. `None` for 0, which in httpd
    /// lifts the limit.
    ///
    /// # Errors
    ///
    /// Anything else.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        let wrong = || format!("'{text}' is not SECONDS[-SECONDS][,MinRate=RATE]");
        let seconds = |text: &str| {
            text.parse::<u32>()
                .map(|s| Duration::from_secs(s.into()))
                .map_err(|_| wrong())
        };
        let (times, rate) = match text.split_once(',') {
            None => (text, None),
            Some((times, rate)) => (times, Some(rate)),
        };
        let rate = match rate.map(|rate| rate.split_once('=')) {
            None => 0,
            Some(Some((name, rate))) if name.eq_ignore_ascii_case("minrate") => rate
                .parse::<u32>()
                .ok()
                .filter(|&rate| rate > 0)
                .ok_or_else(wrong)?,
            Some(_) => return Err(wrong()),
        };
        let (first, most) = match times.split_once('-') {
            // An end without a rate would never be reached, and httpd refuses it.
            Some(_) if rate == 0 => return Err(wrong()),
            Some((first, most)) => (seconds(first)?, seconds(most)?),
            None if rate == 0 => (seconds(times)?, seconds(times)?),
            None => (seconds(times)?, LONGEST),
        };
        if most < first {
            return Err(wrong());
        }
        Ok((!first.is_zero()).then_some(Self { first, most, rate }))
    }

    /// How long it may take when so many octets have arrived.
    #[must_use]
    pub fn after(&self, octets: usize) -> Duration {
        let earned = octets.checked_div(self.rate as usize).unwrap_or(0);
        self.most
            .min(self.first + Duration::from_secs(earned as u64))
    }

    /// How long it may take whatever arrives: for a TLS handshake, too.
    #[must_use]
    pub const fn most(&self) -> Duration {
        self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_earned_by_what_arrives() {
        let after = |text: &str, octets| {
            HeadTime::parse(text)
                .unwrap()
                .unwrap()
                .after(octets)
                .as_secs()
        };
        assert_eq!(
            [
                after("20-40,MinRate=500", 0),
                after("20-40,MinRate=500", 1000)
            ],
            [20, 22]
        );
        assert_eq!(after("20-40,minrate=500", 1 << 20), 40);
        assert_eq!([after("5", 0), after("5", 1 << 20)], [5, 5]);
        assert_eq!(after("5,MinRate=1", 100), 105);
        assert_eq!(HeadTime::parse("0"), Ok(None));
        for bad in [
            "",
            "x",
            "5-",
            "5-10",
            "10-5,MinRate=1",
            "5,MinRate=0",
            "5,Rate=1",
            "5,MinRate",
        ] {
            assert!(HeadTime::parse(bad).is_err(), "{bad}");
        }
    }
}
