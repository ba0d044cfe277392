//! Real credentials, given for a proxy that runs already: nothing that a run leaves behind tells them, in any form.

#![expect(clippy::unwrap_used, reason = "what helps a test may panic like one")]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::{SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

/// The suites that have to do with credentials.
const SUITES: [&str; 5] = [
    "challenges",
    "credentials",
    "admission",
    "secrets",
    "fields",
];

fn connectspec() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_connectspec"));
    command.env("NO_COLOR", "1");
    command
}

/// The reference proxy, which lets in that user.
struct Proxy {
    serving: Child,
    address: SocketAddr,
    /// Ports below those of other runs, so that none of them takes one.
    allow: &'static str,
}

impl Proxy {
    fn knowing(credentials: &str, allow: &'static str) -> Self {
        let address = TcpListener::bind("127.0.0.1:0")
            .and_then(|free| free.local_addr())
            .unwrap();
        let mut serving = connectspec()
            .args(["profile", "serve", "reference", "--allow", allow])
            .args([
                "--credentials",
                credentials,
                "--listen",
                &address.to_string(),
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let out = serving.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut said).unwrap();
        assert!(said.contains("listens on"), "{said}");
        Self {
            serving,
            address,
            allow,
        }
    }

    /// A run against it that leaves all that a run can leave behind.
    fn judged(&self, folder: &Path, give: impl FnOnce(&mut Command)) -> Output {
        let mut run = connectspec();
        run.args(["run", "-v", "--proxy", &self.address.to_string()])
            .args(["--allow", self.allow])
            .args(SUITES);
        for format in ["json", "junit", "html", "markdown"] {
            let path = folder.join(format).display().to_string();
            run.args(["--report", &format!("{format}={path}")]);
        }
        give(run.arg("--capture").arg(folder.join("captures")));
        run.output().unwrap()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Its guard takes down what it has launched.
        let _ = self.serving.kill();
        let _ = self.serving.wait();
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => vec![path],
        })
        .collect()
}

/// Where a text tells the password: as it is or nearly so, in any case, or in what can be read as base64.
fn told(text: &[u8], password: &str) -> Vec<String> {
    let nearly = password[..password.len() - 1].to_lowercase();
    let tells = |text: &[u8]| {
        String::from_utf8_lossy(text)
            .to_lowercase()
            .contains(&nearly)
    };
    let words = text.split(|it| !(it.is_ascii_alphanumeric() || b"+/".contains(it)));
    let decoded = words.filter_map(|word| {
        let most = word.len() - word.len() % 4;
        (most >= 8).then(|| STANDARD_NO_PAD.decode(&word[..most]).ok())?
    });
    let mut told: Vec<Vec<u8>> = decoded.filter(|word| tells(word)).collect();
    told.extend(
        text.split(|it| *it == b'\n')
            .filter(|line| tells(line))
            .map(<[u8]>::to_vec),
    );
    told.iter()
        .map(|it| String::from_utf8_lossy(it).into_owned())
        .collect()
}

#[test]
fn nothing_that_a_run_leaves_behind_tells_a_password_that_was_given() {
    const PASSWORD: &str = "Tr0ub4dor-3x";
    let credentials = format!("ann:{PASSWORD}");
    let proxy = Proxy::knowing(&credentials, "2000-5999");
    let folder = tempfile::tempdir().unwrap();
    let output = proxy.judged(folder.path(), |run| {
        run.args(["--credentials", &credentials]);
    });
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("PASS credentials/"), "{said}");
    assert!(
        said.contains("credentials that were given are not varied"),
        "{said}"
    );
    assert_eq!(told(&output.stdout, PASSWORD), [""; 0]);
    assert_eq!(told(&output.stderr, PASSWORD), [""; 0]);
    let files = files(folder.path());
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        let text = fs::read(&file).unwrap();
        assert_eq!(told(&text, PASSWORD), [""; 0], "{}", file.display());
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o} {}", file.display());
    }
}

/// To take the word out of every command would tell it. The credentials come from a file and from the environment.
#[test]
fn a_common_word_as_a_password_is_not_told_by_what_is_missing() {
    let proxy = Proxy::knowing("user:proxy", "6000-9999");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    fs::write(&file, "user:proxy\n").unwrap();
    let ways: [&dyn Fn(&mut Command); 2] = [
        &|run| {
            run.arg("--credentials-file").arg(&file);
        },
        &|run| {
            run.env("CONNECTSPEC_CREDENTIALS", "user:proxy");
        },
    ];
    for give in ways {
        let reports = tempfile::tempdir().unwrap();
        let output = proxy.judged(reports.path(), give);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("PASS credentials/"), "{said}");
        let json = fs::read_to_string(reports.path().join("json")).unwrap();
        assert!(json.contains(&format!("\"again\": \"--proxy {}", proxy.address)));
        assert!(
            json.contains("Proxy-Authorization: Basic [redacted]"),
            "{json}"
        );
        for text in [&*said, &*json] {
            assert!(!text.contains("--[redacted]"), "{text}");
            assert!(
                !text.contains(&STANDARD_NO_PAD.encode("user:proxy")),
                "{text}"
            );
        }
    }
}
