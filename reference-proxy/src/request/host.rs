//! The Host field: it must be there, once, and well-formed. It decides nothing.
//!
//! RFC 9112, section 3.2, owes a 400 to a request that has no Host, two, or a malformed one. What a
//! well-formed one says is ignored: the target of a CONNECT is its request target (section 3.3), and
//! everyday clients leave out the port or name the proxy here.

use super::{Fields, Version};
use crate::refusal::Refusal;

/// Checks the Host lines of a request.
///
/// # Errors
///
/// 400 for a missing one in HTTP/1.1, for two in any version, and for a malformed one.
pub fn check(fields: &Fields, version: Version) -> Result<(), Refusal> {
    let mut hosts = fields.all("host");
    let Some(host) = hosts.next() else {
        return match version {
            Version::Http10 | Version::Http2 => Ok(()),
            Version::Http11 => Err(Refusal::bad_request("the Host field is missing")),
        };
    };
    if hosts.next().is_some() {
        return Err(Refusal::bad_request("there are two Host fields"));
    }
    if !is_uri_host(host) {
        return Err(Refusal::bad_request("the Host field is malformed"));
    }
    Ok(())
}

/// `uri-host [":" port]` of RFC 9110, section 7.2; empty is legal, and so is a port without digits.
fn is_uri_host(value: &[u8]) -> bool {
    let (host_is_good, after) = match value.first() {
        Some(b'[') => match value.iter().position(|&octet| octet == b']') {
            Some(end) => (is_ip_literal(&value[1..end]), &value[end + 1..]),
            None => return false,
        },
        _ => {
            let end = value
                .iter()
                .position(|&octet| octet == b':')
                .unwrap_or(value.len());
            (is_reg_name(&value[..end]), &value[end..])
        }
    };
    let port_is_good = match after.split_first() {
        None => true,
        Some((b':', digits)) => digits.iter().all(u8::is_ascii_digit),
        Some(_) => false,
    };
    host_is_good && port_is_good
}

fn is_reg_name(name: &[u8]) -> bool {
    let mut rest = name;
    while let Some((&octet, tail)) = rest.split_first() {
        rest = match (octet, tail) {
            (b'%', [high, low, after @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                after
            }
            _ if is_unreserved(octet) || is_sub_delimiter(octet) => tail,
            _ => return false,
        };
    }
    true
}

fn is_ip_literal(inside: &[u8]) -> bool {
    let Ok(inside) = std::str::from_utf8(inside) else {
        return false;
    };
    if let Some(future) = inside.strip_prefix(['v', 'V']) {
        let Some((version, address)) = future.split_once('.') else {
            return false;
        };
        let well_formed =
            |octet: u8| is_unreserved(octet) || is_sub_delimiter(octet) || octet == b':';
        return !version.is_empty()
            && version.bytes().all(|digit| digit.is_ascii_hexdigit())
            && !address.is_empty()
            && address.bytes().all(well_formed);
    }
    inside.parse::<std::net::Ipv6Addr>().is_ok()
}

fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~".contains(&octet)
}

fn is_sub_delimiter(octet: u8) -> bool {
    b"!$&'()*+,;=".contains(&octet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_grammar() {
        for good in [
            "",
            "a",
            "a:",
            "a:80",
            "a,b",
            "a%41",
            "h:99999",
            "[::1]",
            "[::1]:80",
            "[v1.x:y]:80",
            "127.0.0.1:1",
        ] {
            assert!(is_uri_host(good.as_bytes()), "{good:?}");
        }
        for bad in [
            "a b", "a/b", "a@b", "a:b", "a:1x", "[::1", "a\"b", "a%4", "[::1]x", "[x]:1", "::1",
            "a:1:2",
        ] {
            assert!(!is_uri_host(bad.as_bytes()), "{bad:?}");
        }
    }
}
