//! What to say on the command line where first contact fails: most running proxies are right, and lack one option of ours.

use crate::{
    subject::{Who, remote::Remote},
    verdict::Finding,
    wire::{Event, Leg, Way, What},
};

/// A line with the remedy, led by the end of the line before; empty where none is known.
pub(super) fn of(who: &Who, finding: &Finding, events: &[Event]) -> String {
    let heard = heard(events);
    let remedy = match who {
        Who::Remote(remote) => of_running(remote, &finding.to_string(), &heard),
        Who::Profile(_) => None,
    };
    remedy.map_or_else(String::new, |remedy| format!("\n{remedy}"))
}

/// The first octets that the proxy has said to the client.
fn heard(events: &[Event]) -> Vec<u8> {
    let said = events.iter().filter_map(|event| match &event.what {
        What::Data { kept, .. } if event.leg == Leg::Client && event.way == Way::In => Some(kept),
        _ => None,
    });
    said.flatten().copied().collect()
}

fn of_running(remote: &Remote, finding: &str, heard: &[u8]) -> Option<String> {
    let name = &remote.name;
    if remote.tls.is_some() {
        return over_tls(name, finding);
    }
    if speaks_tls(heard) {
        return Some(format!(
            "it speaks TLS there: say --proxy https://{name}, with --ca FILE where its certificate is not from an authority that this machine trusts"
        ));
    }
    match status(heard)? {
        407 if remote.credentials.is_none() => Some(
            "it asks for credentials: say --credentials USER:PASSWORD, or --proxy http://USER:PASSWORD@HOST:PORT"
                .to_owned(),
        ),
        407 => Some(
            "it did not take these credentials: see the user and the password of --credentials, and that it asks for Basic"
                .to_owned(),
        ),
        401..=405 if remote.allow.is_none() => Some(
            "it refused a port of the suite: let it allow some high ports, and say which with --allow, such as --allow 20000-20099; it must also serve clients and reach servers at the address above (--backend-bind, --backend-host)"
                .to_owned(),
        ),
        401..=405 => Some(
            "it refused a port that --allow lists: see that it really allows it, and that it may reach servers at the address above (--backend-bind, --backend-host)"
                .to_owned(),
        ),
        500..=599 => Some(
            "it could not reach the server of the suite at the address above: where it runs in a container or on another host, say --backend-bind ADDR and --backend-host NAME"
                .to_owned(),
        ),
        _ => None,
    }
}

fn over_tls(name: &str, finding: &str) -> Option<String> {
    if !finding.contains("no TLS handshake") {
        return None;
    }
    Some(if finding.contains("certificate") {
        format!(
            "say with --ca FILE which certificate it shows, or that of its authority; \
             `openssl s_client -showcerts -connect {name}` prints them"
        )
    } else {
        format!("where it does not speak TLS, say --proxy http://{name}")
    })
}

/// An alert or a handshake, or the words of those who guess what a client has missed.
fn speaks_tls(heard: &[u8]) -> bool {
    let text = String::from_utf8_lossy(heard).to_ascii_lowercase();
    matches!(heard, [0x15 | 0x16, 3, ..])
        || [
            "to https port",
            "to an https",
            "to https server",
            "use https",
        ]
        .iter()
        .any(|words| text.contains(words))
        || text.contains("speaking plain http to an ssl")
}

/// The status of its answer.
fn status(heard: &[u8]) -> Option<u16> {
    let line = heard.strip_prefix(b"HTTP/1.")?.get(2..5)?;
    std::str::from_utf8(line).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remedy(heard: &[u8]) -> String {
        let remote = Remote::new("127.0.0.1:3128").unwrap();
        of_running(&remote, "", heard).unwrap_or_default()
    }

    #[test]
    fn each_answer_has_the_option_that_is_lacking() {
        assert!(remedy(b"HTTP/1.1 403 Forbidden\r\n\r\n").contains("--allow 20000-20099"));
        assert!(remedy(b"HTTP/1.0 407 \r\n\r\n").contains("--credentials USER:PASSWORD"));
        assert!(remedy(b"HTTP/1.1 502 Bad Gateway\r\n\r\n").contains("--backend-bind"));
        for tls in [
            &b"\x15\x03\x01\x00\x02\x02\x46"[..],
            b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
        ] {
            assert!(remedy(tls).contains("--proxy https://127.0.0.1:3128"));
        }
        assert_eq!(remedy(b"SSH-2.0-OpenSSH"), "");
        assert_eq!(remedy(b""), "");
    }

    #[test]
    fn what_was_said_already_is_not_said_again() {
        let remote = Remote::new("127.0.0.1:3128").unwrap();
        let told = remote.allowing("443").unwrap().credentials("a:b").unwrap();
        let said = |heard: &[u8]| of_running(&told, "", heard).unwrap();
        assert!(said(b"HTTP/1.1 403 Forbidden\r\n").starts_with("it refused a port that --allow"));
        assert!(said(b"HTTP/1.1 407 Who\r\n").starts_with("it did not take these"));
    }
}
