//! The answer of an upstream proxy: no octets make the parser panic, more octets never change its mind, and an
//! interim answer that it writes anew is one that it reads.

use connectspec_reference_proxy::upstream::reply::{Reply, parse};

/// Whether the input was accepted. Panics where the property does not hold; `cut` is how much of it has come first.
pub(crate) fn holds(cut: u8, octets: &[u8]) -> bool {
    let whole = parse(octets);
    let part = parse(&octets[..octets.len().min(cut.into())]);
    assert!(part == Reply::More || std::mem::discriminant(&part) == std::mem::discriminant(&whole));
    if let Reply::Answer(answer, length) = whole {
        assert!(length <= octets.len());
        let _ = answer.proxy_status();
        let written = answer.interim();
        assert!(matches!(parse(&written), Reply::Answer(_, length) if length == written.len()));
        return true;
    }
    false
}
