//! Addresses that a reply should not name.

use std::net::IpAddr;

/// The first private address in `text` that is not `asked`: a literal of a network that the internet does not carry.
pub(in crate::cases) fn private_address(text: &str, asked: &str) -> Option<String> {
    let words = text.split(|c: char| !(c.is_ascii_hexdigit() || c == '.' || c == ':'));
    words
        .filter(|word| *word != asked.trim_matches(['[', ']']))
        .flat_map(|word| [word, word.rsplit_once(':').map_or(word, |(host, _)| host)])
        .find(|word| word.parse().is_ok_and(is_private) && *word != asked)
        .map(ToOwned::to_owned)
}

pub(in crate::cases) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_found_between_words() {
        let found = |text| private_address(text, "127.0.0.1");
        assert_eq!(found("1.1 gw (10.1.2.3:8080)").as_deref(), Some("10.1.2.3"));
        assert_eq!(found("next-hop=\"fd00::1\"").as_deref(), Some("fd00::1"));
        assert_eq!(found("for 127.0.0.1; 1.1 example; 8.8.8.8; 1.22.3"), None);
        assert_eq!(private_address("to 10.0.0.1", "10.0.0.1"), None);
    }
}
