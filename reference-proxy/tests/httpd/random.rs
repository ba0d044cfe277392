//! Random configs and requests.

use super::pair::{Home, Running, Seen, Who, both, config, echo};
use super::strategies::{Ports, Request, Setup, quoted, request, setup, word};
use super::{Test, known};
use proptest::collection::vec;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

pub(crate) fn trials() -> Vec<Test> {
    vec![
        ("random::words_of_allow_connect", words_of_allow_connect),
        ("random::configs_and_requests", configs_and_requests),
    ]
}

/// How many, from the environment.
pub(crate) fn count(name: &str, default: u32) -> u32 {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

/// The same values on every run; `CONNECTSPEC_HTTPD_SEED` changes them.
pub(crate) fn runner(cases: u32) -> TestRunner {
    let mut seed = [7; 32];
    seed[..4].copy_from_slice(&count("CONNECTSPEC_HTTPD_SEED", 1).to_be_bytes());
    let config = Config {
        cases,
        max_shrink_iters: 30,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

fn words_of_allow_connect() {
    let mut runner = runner(count("CONNECTSPEC_HTTPD_CONFIGS", 40));
    let outcome = runner.run(&vec(word(), 1..4), |words| {
        let line = words
            .iter()
            .map(|word| quoted(word))
            .collect::<Vec<_>>()
            .join(" ");
        let config = config(&format!("AllowCONNECT {line}\n"));
        let [theirs, ours] =
            [Who::Httpd, Who::Reference].map(|who| Home::new(who, &config).check());
        let deviation = words.iter().find_map(|word| known::of_word(word));
        match (theirs.0, ours.0, deviation) {
            (true, false, Some(_)) => Ok(()),
            (same, own, _) if same == own && same => Ok(()),
            // Which of two wrong words is told first may differ where one of them is only wrong here.
            (false, false, Some(_)) => Ok(()),
            (false, false, None) if complaint(&theirs.1) == complaint(&ours.1) => Ok(()),
            _ => Err(TestCaseError::fail(format!(
                "{line}\nhttpd: {theirs:?}\nhere:  {ours:?}"
            ))),
        }
    });
    outcome.unwrap();
}

/// The line behind the one that names the place.
pub(crate) fn complaint(said: &str) -> String {
    let mut lines = said
        .lines()
        .skip_while(|line| !line.contains("AH00526"))
        .skip(1);
    lines.next().unwrap_or_default().to_owned()
}

fn configs_and_requests() {
    let held = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    held.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .unwrap();
    let closed = held.local_addr().unwrap().as_socket().unwrap().port();
    let ports = Ports {
        open: [echo(), echo(), echo()],
        closed,
    };
    let requests = count("CONNECTSPEC_HTTPD_REQUESTS", 12) as usize;
    let case = (setup(ports), vec(request(ports), requests..=requests));
    let (mut compared, mut deviating) = (0, 0);
    let mut runner = runner(count("CONNECTSPEC_HTTPD_CONFIGS", 10));
    let outcome = runner.run(&case, |(setup, requests)| {
        let text = config(&setup.text("*"));
        let pair = both(&text);
        for request in requests {
            match compare(&pair, &setup, &request, ports) {
                Ok(Some(_)) => DEVIATING.with(|count| count.set(count.get() + 1)),
                Ok(None) => COMPARED.with(|count| count.set(count.get() + 1)),
                Err(difference) => return Err(TestCaseError::fail(difference)),
            }
        }
        Ok(())
    });
    COMPARED.with(|count| compared += count.get());
    DEVIATING.with(|count| deviating += count.get());
    outcome.unwrap();
    // The generator must not drift into a corner where everything is excused.
    assert!(
        compared > deviating / 2,
        "{compared} compared, {deviating} excused"
    );
}

thread_local! {
    static COMPARED: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
    static DEVIATING: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// Compares one exchange; `Ok(Some)` names the deviation that excuses it.
fn compare(
    [httpd, reference]: &[Running; 2],
    setup: &Setup,
    request: &Request,
    ports: Ports,
) -> Result<Option<&'static str>, String> {
    let octets = request.octets();
    let (theirs, ours) = (httpd.exchange(&octets), reference.exchange(&octets));
    let port = request.port.parse().unwrap_or(0);
    let excuse = known::of_request(request, setup, ports.open.contains(&port));
    let told = || {
        format!(
            "{excuse:?}\n{}{}\nhttpd: {theirs:#?}\nhere:  {ours:#?}",
            setup.text("*"),
            String::from_utf8_lossy(&octets)
        )
    };
    // Whatever the excuse, this proxy never opens what httpd keeps shut; but an expectation shuts nothing.
    let open = setup.allows(request.host, port);
    if ours.tunnel && !theirs.tunnel && !(open && excuse == Some("old-expectations")) {
        return Err(told());
    }
    match excuse {
        Some(name) => Ok(Some(name)),
        None if comparable(&theirs) == comparable(&ours) => Ok(None),
        None => Err(told()),
    }
}

/// What must agree: the outcome and the log line, of which the source port only counts as there or not.
pub(crate) fn comparable(seen: &Seen) -> (u16, bool, Vec<String>) {
    let mut line = seen.line.clone();
    if let Some(note) = line.get_mut(1) {
        *note = if note == "-" { "-" } else { "a port" }.to_owned();
    }
    // Behind a refusal httpd keeps the connection, and says so in %X.
    if let Some(after) = line.get_mut(5).filter(|_| !seen.tunnel) {
        "-".clone_into(after);
    }
    // Of a request that got no further than its head, each logs what it had read by then (log-of-malformed).
    if [400, 417].contains(&seen.status) {
        for index in [2, 7, 9] {
            if let Some(part) = line.get_mut(index) {
                "-".clone_into(part);
            }
        }
    }
    (seen.status, seen.tunnel, line)
}
