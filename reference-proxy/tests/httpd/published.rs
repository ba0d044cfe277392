//! Configurations in the manner of those that administrators publish, each a file with what is asked of it.
//!
//! A line `#> TARGET [from ADDRESS] [at PORT] [as USER [wrongly]] [with NAME:VALUE] [over-tls] -> DECISION` is a request
//! and what httpd decides about it. The reference takes the file and decides alike, unless the line goes on:
//! `, here DECISION by ROW`, a row of the table of deviations.

use super::Test;
use super::beside::MODULES;
use super::known;
use super::pair::{Ask, Decision, Home, Running, Who, bare, echo_at, echo_on};
use super::users::{GROUPS, USERS, basic, password};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::LazyLock;

macro_rules! files {
    ($($name:literal)*) => {
        vec![$((concat!("published::", $name), || {
            hold(include_str!(concat!("configurations/", $name, ".conf")));
        })),*]
    };
}

pub(crate) fn trials() -> Vec<Test> {
    files!(
        "address-ranges" "all-but-some" "blocked" "chained" "chained-with-password" "groups" "list-of-hosts"
        "log-conditions" "mixed" "names" "network-or-password" "one-host" "order" "password" "port-of-its-own" "ports"
        "ssh" "tls" "user-agents" "web-and-proxy"
    )
}

/// Modules that these files use besides.
const MORE: &[&str] = &["alias", "dir", "env", "headers", "socache_shmcb", "ssl"];

/// Where the configurations lead, by the names that they have for it.
struct Servers {
    names: [(&'static str, String); 4],
    certificate: [String; 2],
}

impl Servers {
    fn open() -> Self {
        let both = || loop {
            let port = echo_at("127.0.0.1");
            let others = ["127.0.0.2", "::1"].map(|address| TcpListener::bind((address, port)));
            if let [Ok(second), Ok(third)] = others {
                echo_on(second);
                echo_on(third);
                return port;
            }
        };
        let key = rcgen::generate_simple_self_signed(["proxy.example.test".to_owned()]).unwrap();
        let ports = [
            both(),
            both(),
            upstream(None),
            upstream(Some("branch:office")),
        ];
        let names = ["OPEN", "OTHER", "UPSTREAM", "GUARDED"];
        Self {
            names: std::array::from_fn(|index| (names[index], ports[index].to_string())),
            certificate: [key.cert.pem(), key.signing_key.serialize_pem()],
        }
    }

    fn home(&self, who: Who, text: &str) -> Home {
        let home = Home::new(who, &configuration(text))
            .with_file("users", USERS)
            .with_file("groups", GROUPS)
            .with_file("certificate.pem", &self.certificate[0])
            .with_file("key.pem", &self.certificate[1]);
        let names = self.names.iter();
        names.fold(home, |home, (name, value)| home.with_name(name, value))
    }

    /// With the ports for their names.
    fn named(&self, text: &str) -> String {
        let names = self.names.iter();
        names.fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("${{{name}}}"), value)
        })
    }
}

/// They are the same for all files.
static SERVERS: LazyLock<Servers> = LazyLock::new(Servers::open);

fn hold(text: &str) {
    let asked: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("#> "))
        .map(|line| (line, Asked::read(&SERVERS.named(line))))
        .collect();
    assert!(asked.len() > 1, "{text}");
    for who in [Who::Httpd, Who::Reference] {
        let proxy = SERVERS.home(who, text).launch();
        for (line, asked) in &asked {
            let expected = asked.expected(who);
            assert_eq!(asked.decision(&proxy), expected, "{who:?}: {line}");
        }
    }
}

fn configuration(text: &str) -> String {
    bare(&[MODULES, MORE].concat(), text)
}

/// A line of a file.
struct Asked {
    ask: Ask,
    over_tls: bool,
    /// Of httpd, and of the reference.
    expected: [Decision; 2],
}

impl Asked {
    fn read(line: &str) -> Self {
        let (words, expected) = line.split_once(" -> ").unwrap();
        let mut words = words.split(' ').peekable();
        let mut ask = Ask::new(words.next().unwrap());
        let mut over_tls = false;
        while let Some(word) = words.next() {
            let mut next = || words.next().unwrap();
            match word {
                "from" => ask.from = next().parse().unwrap(),
                "at" => ask.port = Some(next().parse().unwrap()),
                "with" => ask.fields += &(next().replacen(':', ": ", 1) + "\r\n"),
                "over-tls" => over_tls = true,
                "as" => {
                    let user = next();
                    let wrongly = words.next_if_eq(&"wrongly").is_some();
                    let word = if wrongly { "wrong" } else { password(user) };
                    ask.fields += &basic(&format!("{user}:{word}"));
                }
                _ => panic!("{word} in {line}"),
            }
        }
        let (theirs, ours) = match expected.split_once(", here ") {
            None => (expected, expected),
            Some((theirs, here)) => {
                let (ours, row) = here.split_once(" by ").unwrap();
                assert!(known::is_documented(row), "{row} in {line}");
                (theirs, ours)
            }
        };
        let expected = [theirs, ours].map(|word| match word {
            "tunnel" => Decision::Tunnel,
            "closed" => Decision::Other(200),
            "unreached" => Decision::Unreached,
            "denied" => Decision::Denied,
            "user-wanted" => Decision::UserWanted,
            _ => panic!("{word} in {line}"),
        });
        Self {
            ask,
            over_tls,
            expected,
        }
    }

    fn expected(&self, who: Who) -> Decision {
        let [theirs, ours] = self.expected;
        match who {
            Who::Httpd => theirs,
            Who::Reference => ours,
        }
    }

    fn decision(&self, proxy: &Running) -> Decision {
        match self.over_tls {
            true => proxy.decides_over_tls(&self.ask),
            false => proxy.decides(&self.ask),
        }
    }
}

/// A proxy that leads to names in `.test`, where everything is sent back, and closes the other tunnels; with
/// `credentials`, it wants them.
fn upstream(credentials: Option<&'static str>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let wanted = credentials.map_or_else(String::new, |credentials| {
        basic(credentials).trim_end().to_owned()
    });
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let wanted = wanted.clone();
            std::thread::spawn(move || tunnel_to_test(stream.unwrap(), &wanted));
        }
    });
    port
}

fn tunnel_to_test(mut stream: TcpStream, wanted: &str) {
    let (mut head, mut octet) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut octet), Ok(1)) {
        head.push(octet[0]);
    }
    let head = String::from_utf8_lossy(&head);
    let host = head.split([' ', ':']).nth(1).unwrap_or_default();
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
    if !host.ends_with(".test") || !head.contains(wanted) {
        return;
    }
    while let Ok(1) = stream.read(&mut octet) {
        let _ = stream.write_all(&octet);
    }
}
