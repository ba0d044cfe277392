//! A run with one result of every verdict, made by hand, for the tests of the reports.

use std::time::Duration;

use crate::{
    case::select::Selection,
    citation::Document,
    report::{Report, ReportFold},
    run::{
        Event,
        event::{End, Finished, Start, Subject},
    },
    verdict::{Level, Verdict},
    wire::{self, Leg, Way, What},
};

const RFC_9110: Document = Document::new(
    "RFC 9110",
    "https://www.rfc-editor.org/rfc/rfc9110",
    "#section-",
);

/// A run with one result of every verdict.
pub(crate) fn events() -> Vec<Event> {
    let start = Start {
        at: "2026-03-01T12:00:00Z".parse().unwrap(),
        connectspec: "0.1.0".to_owned(),
        subject: Subject {
            profile: "apache".to_owned(),
            title: "Apache httpd".to_owned(),
            version: Some("2.4.66".to_owned()),
            command: vec![
                "apache2".to_owned(),
                "-f".to_owned(),
                "httpd.conf".to_owned(),
                "--password=sesame-7".to_owned(),
            ],
            again: "--profile apache".to_owned(),
        },
        results: 11,
        seed: 7,
        selection: Selection::default(),
        partition: None,
        secrets: vec!["sesame-7".to_owned()],
        policy: Vec::new(),
        credentials_given: false,
    };
    let mut events = vec![Event::Started(Box::new(start))];
    for finished in results() {
        let case = finished.case.clone();
        events.push(Event::Begun { case });
        events.push(Event::Finished(Box::new(finished)));
    }
    events.push(Event::Ended(End {
        took: Duration::from_millis(812),
        ..End::default()
    }));
    events
}

/// The report of [`events`].
pub(crate) fn report() -> Report {
    let mut fold = ReportFold::new();
    for event in &events() {
        fold.event(event);
    }
    fold.report()
}

fn results() -> Vec<Finished> {
    let mut results = judged();
    results.extend(not_judged());
    results
}

fn judged() -> Vec<Finished> {
    use {Level as L, Verdict as V};
    let mut failed = finished(
        "close/the_last_words_arrive",
        "Data sent before a close is delivered before the close",
        L::Must,
        V::Fail,
    );
    failed.expected = vec!["7 bytes, then the end".to_owned()];
    failed.observed = Some("the end after 0 bytes".to_owned());
    failed.transcript = transcript();
    let mut known = finished(
        "target/refuses_a_bad_port[past_65535]",
        "A port past 65535 is refused",
        L::Must,
        V::Known,
    );
    known.expected = vec!["a 4xx".to_owned(), "a closed connection".to_owned()];
    known.observed = Some("200 Connection Established".to_owned());
    known.reason = Some("The port is cut to 16 bits, so 65536+p reaches p.".to_owned());
    let mut warned = finished("refuse/says_why", "A refusal says why", L::Should, V::Warn);
    warned.expected = vec!["a body".to_owned(), "a Proxy-Status field".to_owned()];
    warned.observed = Some("an empty 403".to_owned());
    let mut healed = finished(
        "host/two_hosts_are_refused",
        "Two Host fields are refused",
        L::Must,
        V::Healed,
    );
    healed.reason = Some("It takes the first Host field.".to_owned());
    healed.observed = Some("400 Bad Request".to_owned());
    let mut survey = finished(
        "close/half_close_is_passed_on_or_not",
        "What becomes of a half-closed tunnel",
        L::Survey,
        V::Info,
    );
    survey.observed = Some("the other half stays open".to_owned());
    vec![
        failed,
        finished(
            "tunnel/carries_every_octet",
            "A tunnel carries every octet",
            L::Must,
            V::Pass,
        ),
        known,
        warned,
        healed,
        survey,
        finished(
            "may/answers_with_a_body",
            "A 2xx may have a body",
            L::May,
            V::Info,
        ),
    ]
}

fn not_judged() -> [Finished; 4] {
    use {Level as L, Verdict as V};
    let mut skipped = finished(
        "chain/goes_through_the_upstream",
        "The upstream proxy is used",
        L::Must,
        V::Skip,
    );
    skipped.reason = Some("the profile offers no upstream".to_owned());
    let mut skipped_too = skipped.clone();
    skipped_too.case = "chain/refuses_when_the_upstream_refuses".parse().unwrap();
    let mut blocked = finished(
        "auth/asks_for_credentials",
        "A request without credentials is asked for them",
        L::Must,
        V::Blocked,
    );
    blocked.reason = Some(
        "the control tunnel of this setup failed: 500 where a 200 was due, for user sesame-7"
            .to_owned(),
    );
    blocked.secrets = vec!["sesame-7".to_owned()];
    blocked.subject_said =
        Some("AH00526: Syntax error on line 3\nno such user: sesame-7".to_owned());
    let mut broken = finished(
        "tls/exports_the_same_key",
        "Both ends export the same key",
        L::Must,
        V::Broken,
    );
    broken.reason = Some("the case panicked: index out of bounds".to_owned());
    [skipped, skipped_too, blocked, broken]
}

fn finished(case: &str, title: &str, level: Level, verdict: Verdict) -> Finished {
    Finished {
        case: case.parse().unwrap(),
        title: title.to_owned(),
        suite: case.split('/').next().unwrap().to_owned(),
        level,
        verdict,
        expected: vec![],
        observed: None,
        reason: None,
        relies_on: vec![],
        follows_from: None,
        death: None,
        covers: vec!["CLS-001"],
        cites: vec![RFC_9110.section("9.3.6")],
        source: "suites/src/close.rs:24".to_owned(),
        took: Duration::from_millis(12),
        setup: "allow".to_owned(),
        transcript: vec![],
        left_out: 0,
        key_log: String::new(),
        servers: vec![],
        serve: Some("--listen 127.0.0.1:3128 --allow '40000-40639'".to_owned()),
        subject_said: None,
        gone: false,
        secrets: vec![],
    }
}

/// A tunnel whose last words are lost.
pub(crate) fn transcript() -> Vec<wire::Event> {
    let event = |us, leg, way, what| wire::Event {
        at: Duration::from_micros(us),
        leg,
        connection: leg as usize,
        way,
        layer: 0,
        what,
    };
    let data = |bytes: &[u8]| What::Data {
        kept: bytes.to_vec(),
        length: bytes.len() as u64,
        digest: None,
    };
    let opened = |local: &str, peer: &str| What::Opened {
        local: local.parse().unwrap(),
        peer: peer.parse().unwrap(),
    };
    let request = b"CONNECT 127.0.0.1:40123 HTTP/1.1\r\nHost: 127.0.0.1:40123\r\n\r\n";
    let established = b"HTTP/1.1 200 Connection Established\r\n\r\n";
    vec![
        event(
            0,
            Leg::Client,
            Way::Out,
            opened("127.0.0.1:50000", "127.0.0.1:3128"),
        ),
        event(20, Leg::Client, Way::Out, data(request)),
        event(
            700,
            Leg::Server,
            Way::In,
            opened("127.0.0.1:40123", "127.0.0.1:50001"),
        ),
        event(1200, Leg::Client, Way::In, data(established)),
        event(1300, Leg::Server, Way::Out, data(b"goodbye")),
        event(1310, Leg::Server, Way::Out, What::Fin),
        event(1400, Leg::Client, Way::In, What::Fin),
    ]
}
