//! The differences that are meant, by their names in the table of deviations.

/// The names that a `-t` may differ by: for a word of `AllowCONNECT` that httpd takes and this proxy does not.
pub(crate) fn of_word(word: &str) -> Option<&'static str> {
    if word.is_empty() {
        return Some("allow-empty-word");
    }
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    if !digits(first) {
        return None;
    }
    let bare = last.trim_start();
    let unsigned = bare.strip_prefix(['+', '-']).unwrap_or(bare);
    if !digits(unsigned) {
        return None;
    }
    if !digits(last) {
        return Some("allow-signs");
    }
    let number = |text: &str| text.parse::<u128>().unwrap_or(u128::MAX);
    if number(first) > 65535 || number(last) > 65535 {
        return Some("allow-past-65535");
    }
    if number(last) < number(first) {
        Some("allow-inverted")
    } else {
        None
    }
}

/// The name that the outcome of a request may differ by.
pub(crate) fn of_request(
    request: &super::strategies::Request,
    setup: &super::strategies::Setup,
    open: bool,
) -> Option<&'static str> {
    let allowed = setup.allows(request.host, request.port.parse().unwrap_or(0));
    let super::strategies::Request {
        method,
        host,
        port,
        version,
        hosts,
        fields,
    } = request;
    let digits = port.bytes().all(|digit| digit.is_ascii_digit());
    let numeric = port.strip_prefix(['+', '-']).unwrap_or(port);
    let number = numeric.bytes().all(|digit| digit.is_ascii_digit()) && !numeric.is_empty();
    if *method != "CONNECT" {
        return Some("other-methods");
    }
    if number && (!digits || port.parse::<u64>().is_ok_and(|port| port > 65535)) {
        return Some("port-modulo");
    }
    if number && port.trim_start_matches('0').is_empty() {
        return Some("port-zero");
    }
    if *version == "HTTP/2.0" {
        return Some("higher-major-version");
    }
    if ["[127.0.0.1]", "0x7f000001", "[v1.a]", "[]", "0.0.0.0"].contains(host) {
        return Some("odd-hosts");
    }
    if hosts.len() > 1
        || hosts
            .iter()
            .any(|host| ["a b", "a/b", "a@b", "a:1x", "[::1"].contains(host))
    {
        return Some("host-field");
    }
    if *version == "HTTP/1.2" && hosts.is_empty() {
        return Some("host-field");
    }
    if *version == "HTTP/1.0" && fields.contains(&"Expect: tea") {
        return Some("old-expectations");
    }
    for field in fields {
        match field.split(':').next().unwrap_or_default() {
            "Content-Length" | "Transfer-Encoding" => return Some("content"),
            "X-Folded" => return Some("folded-fields"),
            _ => {}
        }
    }
    let judged_before = setup.denies() || fields.contains(&"Expect: tea");
    if judged_before && (host.is_empty() || !number) {
        return Some("malformed-first");
    }
    // Neither has an address.
    if ["name.invalid", "two.test"].contains(host) && !allowed {
        return Some("policy-before-lookup");
    }
    if allowed && !open {
        Some("connect-failure")
    } else {
        None
    }
}

/// Every name that excuses a difference stands in the table.
pub(crate) fn names_are_documented() {
    const THIS: &str = include_str!("known.rs");
    let names = THIS
        .split("Some(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    for name in names.filter(|name| name.contains('-')) {
        assert!(is_documented(name), "{name}");
    }
}

/// Whether a row of the table has this name.
pub(crate) fn is_documented(name: &str) -> bool {
    const TABLE: &str = include_str!("../../src/deviations.rs");
    TABLE.contains(&format!("//! | `{name}` |"))
}
