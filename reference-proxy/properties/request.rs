//! A request head in two pieces: the pieces change nothing, and what is accepted prints as what it means.

use connectspec_reference_proxy::request::{Authority, HeadLimits, Request, Scan, Scanner};

/// Whether the input was accepted. Panics where the property does not hold; `cut` is where the second piece begins.
pub(crate) fn holds(cut: u8, octets: &[u8]) -> bool {
    let limits = HeadLimits {
        line: 200,
        field: 200,
        fields: 10,
    };
    let whole = Scanner::default().scan(octets, &limits);
    let mut scanner = Scanner::default();
    let split = match scanner.scan(&octets[..octets.len().min(cut.into())], &limits) {
        Scan::More => scanner.scan(octets, &limits),
        found => found,
    };
    assert_eq!(format!("{whole:?}"), format!("{split:?}"));
    if let Scan::Head { start, end } = whole
        && let Ok(Request {
            authority: Some(authority),
            ..
        }) = Request::parse(&octets[start..end])
    {
        assert_ne!(authority.port, 0);
        let printed = authority.to_string();
        assert_eq!(Authority::parse(printed.as_bytes()).ok(), Some(authority));
        return true;
    }
    false
}
