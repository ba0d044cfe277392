//! The answer of an upstream proxy: no octets make the parser panic, more octets never change its mind, and an
//! interim answer that it writes anew is one that it reads.

#![no_main]

use connectspec_reference_proxy::upstream::reply::{Reply, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (cut, octets) = input;
    let whole = parse(octets);
    let part = parse(&octets[..octets.len().min(cut.into())]);
    assert!(part == Reply::More || std::mem::discriminant(&part) == std::mem::discriminant(&whole));
    if let Reply::Answer(answer, length) = whole {
        assert!(length <= octets.len());
        let _ = answer.proxy_status();
        let written = answer.interim();
        assert!(matches!(parse(&written), Reply::Answer(_, length) if length == written.len()));
    }
});
