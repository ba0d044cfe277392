//! Arguments of directives, read as httpd reads them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// The longest time that a directive may ask for.
const TIME_LONGEST_MS: u64 = 365 * 86_400_000;

/// The only word.
pub(super) fn one<'a>(name: &str, words: &'a [String]) -> Result<&'a str, String> {
    match words {
        [word] => Ok(word),
        _ => Err(format!("{name} takes one argument")),
    }
}

/// At least one word.
pub(super) fn some<'a>(name: &str, words: &'a [String]) -> Result<&'a [String], String> {
    if words.is_empty() {
        return Err(format!("{name} requires at least one argument"));
    }
    Ok(words)
}

/// `On` or `Off`.
pub(super) fn flag(name: &str, words: &[String]) -> Result<bool, String> {
    match one(name, words).map(str::to_ascii_lowercase).as_deref() {
        Ok("on") => Ok(true),
        Ok("off") => Ok(false),
        _ => Err(format!("{name} must be On or Off")),
    }
}

/// A decimal number that fits into 31 bits, as httpd's do.
pub(super) fn number(name: &str, words: &[String]) -> Result<usize, String> {
    one(name, words)?
        .parse::<u32>()
        .ok()
        .filter(|&number| number <= i32::MAX as u32)
        .map(|number| number as usize)
        .ok_or_else(|| format!("{name} must be a number of at most 2147483647"))
}

/// Octets that the kernel may hold for a connection; `None`, which is 0 there: as it sees fit.
pub(super) fn buffer(name: &str, words: &[String]) -> Result<Option<usize>, String> {
    match number(name, words)? {
        0 => Ok(None),
        1..512 => Err(format!(
            "{name} must be >= 512 bytes, or 0 for system default."
        )),
        size => Ok(Some(size)),
    }
}

/// A time with one of httpd's units (`ms`, `s`, `mi`, `h`); seconds without one.
pub(super) fn interval(name: &str, words: &[String]) -> Result<Duration, String> {
    let text = one(name, words)?;
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let amount: u64 = text[..digits]
        .parse()
        .map_err(|_| format!("{name} has wrong format"))?;
    let unit_ms = match text[digits..].to_ascii_lowercase().as_str() {
        "" | "s" => 1000,
        "ms" => 1,
        "mi" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return Err(format!("{name} has wrong format")),
    };
    let milliseconds = amount.checked_mul(unit_ms);
    milliseconds
        .filter(|milliseconds| (1..=TIME_LONGEST_MS).contains(milliseconds))
        .map(Duration::from_millis)
        .ok_or_else(|| format!("{name} must be more than 0 and at most a year"))
}

/// Reads `3128`, `127.0.0.1:3128`, `*:3128` or `[::1]:3128`.
///
/// # Errors
///
/// What is wrong with it.
pub fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let wrong = || format!("Listen: '{text}' is not ADDRESS:PORT or PORT");
    let (host, port) = text.rsplit_once(':').unwrap_or(("*", text));
    let port: u16 = port.parse().map_err(|_| wrong())?;
    let address = match host {
        "*" => IpAddr::from(Ipv6Addr::UNSPECIFIED),
        "localhost" => Ipv4Addr::LOCALHOST.into(),
        _ => match host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
        {
            Some(inside) => inside.parse::<Ipv6Addr>().map_err(|_| wrong())?.into(),
            None => host.parse::<Ipv4Addr>().map_err(|_| wrong())?.into(),
        },
    };
    Ok(SocketAddr::new(address, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_that_of_the_system_or_has_512_octets() {
        let read = |word: &str| buffer("SendBufferSize", &[word.to_owned()]);
        assert_eq!(read("0"), Ok(None));
        assert_eq!(read("512"), Ok(Some(512)));
        for word in ["1", "511", "-1", "64k", "2147483648"] {
            assert!(
                read(word)
                    .unwrap_err()
                    .starts_with("SendBufferSize must be"),
                "{word}"
            );
        }
    }

    #[test]
    fn listens_where_told() {
        for (text, means) in [
            ("3128", "[::]:3128"),
            ("*:3128", "[::]:3128"),
            ("127.0.0.1:3128", "127.0.0.1:3128"),
            ("[::1]:3128", "[::1]:3128"),
        ] {
            assert_eq!(listen_address(text).unwrap().to_string(), means);
        }
        for bad in [
            "nonsense",
            "1.2.3.4",
            "::1:3128",
            "1.2.3.4:x",
            "1.2.3.4:65536",
            "",
        ] {
            assert!(listen_address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_have_units() {
        let of = |text: &str| interval("Timeout", &[text.to_owned()]).ok();
        assert_eq!(of("5"), Some(Duration::from_secs(5)));
        assert_eq!(of("5ms"), Some(Duration::from_millis(5)));
        assert_eq!(of("2mi"), Some(Duration::from_secs(120)));
        assert_eq!(
            [of("0"), of(""), of("5x"), of("99999999999999999999")],
            [None; 4]
        );
    }
}
