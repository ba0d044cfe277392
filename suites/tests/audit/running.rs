//! An audit of a proxy that runs already: what it is asked, and when.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{Arc, Mutex},
};

use crate::{POLICY, connectspec, written};

/// A proxy that answers by what its targets are, and counts them; where it says yes, it is an echo itself.
struct Played {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
    said_inside: Arc<Mutex<Vec<u8>>>,
}

fn plays(grants: fn(&str) -> bool) -> Played {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let played = Played {
        address: listener.local_addr().unwrap().to_string(),
        asked: Arc::default(),
        said_inside: Arc::default(),
    };
    let (asked, said_inside) = (Arc::clone(&played.asked), Arc::clone(&played.said_inside));
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let mut head = Vec::new();
            let mut octet = [0];
            while !head.ends_with(b"\r\n\r\n") && socket.read(&mut octet).unwrap_or(0) > 0 {
                head.push(octet[0]);
            }
            let head = String::from_utf8(head).unwrap();
            let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
            let yes = grants(&target);
            asked.lock().unwrap().push(target);
            let answer: &[u8] = match yes {
                true => b"HTTP/1.1 200 OK\r\n\r\n",
                false => b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
            };
            let _ = socket.write_all(answer);
            if yes {
                let mut inside = vec![0; 4096];
                let count = socket.read(&mut inside).unwrap_or(0);
                let _ = socket.write_all(&inside[..count]);
                said_inside.lock().unwrap().extend(&inside[..count]);
            }
        }
    });
    played
}

/// What is said of the proxy, and the status.
fn of_a_running_one(played: &Played, more: &[&str]) -> (String, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    let policy = written(folder.path(), "policy.toml", POLICY);
    let said = ["audit", "--proxy", &played.address, "--policy", &policy];
    let output = connectspec(&[&said[..], more].concat()).output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (text, output.status.code())
}

#[test]
fn a_running_proxy_is_asked_nothing_before_somebody_says_yes() {
    let played = plays(|_| true);
    let (text, status) = of_a_running_one(&played, &[]);
    assert_eq!(status, Some(2), "{text}");
    assert!(text.contains("  registry.example.org:443\n  "), "{text}");
    assert!(text.contains("  169.254.169.254:443\n"), "{text}");
    assert!(text.contains("nothing was asked: say --yes"), "{text}");
    assert_eq!(*played.asked.lock().unwrap(), Vec::<String>::new());
}

/// Targets that the policy of these tests names, or that have a special use.
fn may_be_asked(target: &str) -> bool {
    let (host, _) = target.rsplit_once(':').unwrap();
    let named = ["registry.example.org", "secret.pkg.example.net"];
    let number = host.starts_with(|c: char| c.is_ascii_digit()) || host.starts_with('[');
    // Every number of the list has a special use; these are not among them.
    let public = host.starts_with("93.") || host.starts_with("[2606:");
    named.contains(&host) || host.to_ascii_lowercase().starts_with("localhost") || number && !public
}

#[test]
fn a_running_proxy_that_keeps_the_policy_is_green() {
    let played = plays(|target| target == "registry.example.org:443");
    let (text, status) = of_a_running_one(&played, &["--yes"]);
    assert_eq!(status, Some(0), "{text}");
    assert!(
        text.contains("leads to what the policy names and to nothing else"),
        "{text}"
    );
    // What cannot be asked is said.
    assert!(
        text.contains("the policy does not name where that leads"),
        "{text}"
    );
    let asked = played.asked.lock().unwrap();
    let strange: Vec<&String> = asked
        .iter()
        .filter(|target| !may_be_asked(target))
        .collect();
    assert!(asked.len() > 50 && strange.is_empty(), "{strange:?}");
    let inside = String::from_utf8(played.said_inside.lock().unwrap().clone()).unwrap();
    let words = inside.split("nonce-").skip(1);
    assert!(words.clone().all(|word| word.len() == 16), "{inside}");
    assert!(words.count() > 50, "{inside}");
}

#[test]
fn a_running_proxy_that_leads_inside_is_red() {
    let played = plays(|target| {
        target == "registry.example.org:443"
            || target.starts_with("169.254.")
            || target.starts_with("127.")
    });
    let (text, status) = of_a_running_one(&played, &["--yes"]);
    assert_eq!(status, Some(1), "{text}");
    assert!(
        text.contains("FAIL audit/special_use_is_refused[169.254.169.254:443]"),
        "{text}"
    );
    assert!(text.contains("and octets come out of the tunnel"), "{text}");
}

/// A yes to everybody is no proof of a connection, and no is no proof of a rule where it is said to everybody.
#[test]
fn a_running_proxy_that_says_the_same_to_everybody_is_not_blamed_for_leaks() {
    let (text, status) = of_a_running_one(&plays(|_| true), &["--yes"]);
    assert_eq!(status, Some(0), "{text}");
    assert!(
        text.contains("where nobody is, too: its yes is no proof of a connection"),
        "{text}"
    );
    let (text, status) = of_a_running_one(&plays(|_| false), &["--yes"]);
    assert_eq!(status, Some(1), "{text}");
    assert!(
        text.contains("FAIL audit/what_is_meant_is_reached[registry.example.org:443]"),
        "{text}"
    );
    assert!(!text.contains("FAIL audit/special"), "{text}");
}
