use super::*;

type Said<'a> = &'a [(&'a str, &'a [u8])];

fn section(lines: Said<'_>) -> Section {
    let mut section = Section::default();
    for (name, value) in lines {
        section.push(name.as_bytes(), value);
    }
    section
}

/// A CONNECT with further lines.
fn connect(more: Said<'_>) -> Section {
    let start: Said<'_> = &[(":method", b"CONNECT"), (":authority", b"a.test:443")];
    section(&[start, more].concat())
}

fn status(section: &Section) -> u16 {
    Request::of_stream(section, &HeadLimits::default()).map_or_else(|refusal| refusal.status, |_| 0)
}

#[test]
fn is_the_same_request_as_over_http1() {
    let section = connect(&[("x", b"1"), ("te", b"trailers"), ("x", b"2")]);
    let request = Request::of_stream(&section, &HeadLimits::default()).unwrap();
    assert_eq!(request.authority.as_ref().unwrap().port, 443);
    assert_eq!(request.field("x").unwrap(), b"1, 2");
    assert_eq!(request.field("host").unwrap(), b"a.test:443");
    assert_eq!(section.line(), b"CONNECT a.test:443 HTTP/2.0");
}

#[test]
fn every_malformed_field_is_refused() {
    let bad_in_a_name = |octet: &u8| !is_token(*octet) || octet.is_ascii_uppercase();
    for octet in (0..=255).filter(bad_in_a_name) {
        let mut section = connect(&[]);
        section.push(&[b'a', octet], b"x");
        assert_eq!(status(&section), 400, "{octet}");
    }
    for octet in (0..0x20).filter(|&octet| octet != b'\t').chain([0x7f]) {
        let section = connect(&[("x", &[b'a', octet, b'b'])]);
        assert_eq!(status(&section), 400, "{octet}");
    }
    for value in [" a", "a ", "\ta", "a\t", " "] {
        assert_eq!(
            status(&connect(&[("x", value.as_bytes())])),
            400,
            "{value:?}"
        );
    }
    for (name, value) in [
        ("X", "a"),
        ("", "a"),
        ("connection", "close"),
        ("proxy-connection", "keep-alive"),
        ("keep-alive", "5"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("te", "gzip"),
        ("te", "trailers, gzip"),
        ("content-length", "0"),
        ("content-length", "5"),
    ] {
        let section = connect(&[(name, value.as_bytes())]);
        assert_eq!(status(&section), 400, "{name}: {value}");
    }
    for good in ["", "a", "a b\tc", "\u{f6}"] {
        assert_eq!(status(&connect(&[("x", good.as_bytes())])), 0, "{good:?}");
    }
}

#[test]
fn pseudo_fields_are_those_of_a_connect() {
    let method: Said<'_> = &[(":method", b"CONNECT")];
    let authority: Said<'_> = &[(":authority", b"a.test:443")];
    let of = |parts: &[Said<'_>]| status(&section(&parts.concat()));
    assert_eq!(of(&[method, authority]), 0);
    assert_eq!(of(&[authority, method]), 0);
    for more in [
        ":scheme",
        ":path",
        ":protocol",
        ":status",
        ":foo",
        ":",
        ":Path",
    ] {
        assert_eq!(of(&[method, authority, &[(more, b"/")]]), 400, "{more}");
    }
    assert_eq!(of(&[method]), 400);
    assert_eq!(of(&[method, &[("host", b"a.test:443")]]), 400);
    assert_eq!(of(&[authority]), 400);
    assert_eq!(of(&[method, method, authority]), 400);
    assert_eq!(of(&[method, authority, authority]), 400);
    assert_eq!(of(&[method, &[("x", b"y")], authority]), 400);
    assert_eq!(of(&[&[(":method", b"CON NECT")], authority]), 400);
    // Another method has others, and is told apart later.
    let get: Said<'_> = &[(":method", b"GET"), (":scheme", b"http")];
    assert_eq!(of(&[get, &[(":path", b"/x")]]), 0);
    assert_eq!(of(&[get]), 400);
    assert_eq!(
        section(&[get, &[(":path", b"/x")]].concat()).line(),
        b"GET /x HTTP/2.0"
    );
}

#[test]
fn a_host_may_say_the_same() {
    for host in ["a.test", "A.test.", "a.test:443", "A.TEST:0443", "a.test:"] {
        assert_eq!(status(&connect(&[("host", host.as_bytes())])), 0, "{host}");
    }
    for host in ["b.test", "a.test:80", "", "a.test:x", "u@a.test", "[::1]"] {
        assert_eq!(
            status(&connect(&[("host", host.as_bytes())])),
            400,
            "{host}"
        );
    }
    assert_eq!(
        status(&connect(&[("host", b"a.test"), ("host", b"a.test")])),
        400
    );
    let literal: Said<'_> = &[
        (":method", b"CONNECT"),
        (":authority", b"[::1]:443"),
        ("host", b"[0::1]"),
    ];
    assert_eq!(status(&section(literal)), 0);
}

#[test]
fn limits_and_targets_are_those_of_http1() {
    let limits = HeadLimits {
        line: 40,
        field: 20,
        fields: 2,
    };
    let of = |section: &Section| {
        Request::of_stream(section, &limits).map_or_else(|refusal| refusal.status, |_| 0)
    };
    let to = |authority: &str| {
        section(&[
            (":method", b"CONNECT"),
            (":authority", authority.as_bytes()),
        ])
    };
    assert_eq!(of(&connect(&[])), 0);
    assert_eq!(of(&connect(&[("x", &[b'a'; 17])])), 0);
    assert_eq!(of(&connect(&[("x", &[b'a'; 18])])), 431);
    assert_eq!(of(&connect(&[("a", b""), ("b", b""), ("c", b"")])), 431);
    assert_eq!(of(&to("a-name-that-is-too-long.test:443")), 414);
    for target in [
        "",
        "a.test",
        "a.test:0",
        "u@a.test:1",
        "a.test:65979",
        "a b:1",
        "a:1\r\n",
    ] {
        assert_eq!(status(&to(target)), 400, "{target}");
    }
}
