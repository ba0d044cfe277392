//! Debian's own configuration, with the modules of a forward proxy enabled and a site of five lines.

use super::Test;
use super::pair::{Ask, Decision, Home, Who, echo};
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

pub(crate) fn trials() -> Vec<Test> {
    vec![
        ("debian::a_site_of_five_lines", a_site_of_five_lines),
        ("debian::no_site_at_all", no_site_at_all),
        (
            "debian::a_site_that_requires_nothing",
            a_site_that_requires_nothing,
        ),
    ]
}

/// Where the package puts it.
const STOCK: &str = "/etc/apache2";

/// Whether it is there: other packages of httpd have it elsewhere.
pub(crate) fn is_there() -> bool {
    Path::new(STOCK).join("mods-available/proxy.load").exists()
}

/// The stock file and its folder, with `a2enmod proxy proxy_connect`, and `site`.
fn home(who: Who, site: &str) -> Home {
    let stock = std::fs::read_to_string(format!("{STOCK}/apache2.conf")).unwrap();
    // As its comment says that one should, for another place.
    let own = stock.replacen("#ServerRoot ", "ServerRoot ${SCRATCH}/apache2 # ", 1);
    let own = match own == stock {
        true => format!("ServerRoot ${{SCRATCH}}/apache2\n{stock}"),
        false => own.replacen("/apache2 # ", "/apache2\n# ", 1),
    };
    let home = Home::new(who, &own);
    let scratch = home.scratch.path().to_owned();
    let copied = Command::new("cp")
        .arg("-a")
        .arg(STOCK)
        .arg(scratch.join("apache2"))
        .status();
    assert!(copied.unwrap().success());
    for name in ["proxy.load", "proxy.conf", "proxy_connect.load"] {
        let link = scratch.join("apache2/mods-enabled").join(name);
        if !link.exists() {
            symlink(Path::new("../mods-available").join(name), link).unwrap();
        }
    }
    // As in the package, nobody but root may write there.
    let logs = scratch.join("apache2/logs");
    std::fs::create_dir(&logs).unwrap();
    std::fs::set_permissions(&logs, Permissions::from_mode(0o750)).unwrap();
    let scratch = scratch.display().to_string();
    home.with_file("apache2/ports.conf", "Listen ${LISTEN}\n")
        .with_file("apache2/sites-enabled/proxy.conf", site)
        .with_name("APACHE_RUN_USER", "www-data")
        .with_name("APACHE_RUN_GROUP", "www-data")
        .with_name("APACHE_PID_FILE", &format!("{scratch}/pid"))
        .with_name("APACHE_RUN_DIR", &scratch)
        .with_name("APACHE_LOCK_DIR", &scratch)
        .with_name("APACHE_LOG_DIR", &logs.display().to_string())
}

/// What the reference says about it: that it starts, and nothing but warnings.
fn warnings(site: &str) -> Vec<String> {
    let (good, said) = home(Who::Reference, site).check();
    assert!(good, "{said}");
    let mut lines: Vec<String> = said.lines().map(str::to_owned).collect();
    assert_eq!(lines.pop().as_deref(), Some("Syntax OK"), "{said}");
    for line in &lines {
        assert!(line.starts_with("warning: "), "{line}");
    }
    lines
}

fn a_site_of_five_lines() {
    let (open, other) = (echo(), echo());
    let site = format!(
        "ProxyRequests On\nAllowCONNECT 443 {open}\n<Proxy *>\n  Require ip 127.0.0.1\n</Proxy>\n"
    );
    warnings(&site);
    let pair = [Who::Httpd, Who::Reference].map(|who| home(who, &site).launch());
    let from_elsewhere = Ask {
        from: [127, 0, 0, 5].into(),
        ..Ask::new(&format!("localhost:{open}"))
    };
    for (ask, expected) in [
        (Ask::new(&format!("localhost:{open}")), Decision::Tunnel),
        (Ask::new(&format!("127.0.0.1:{open}")), Decision::Tunnel),
        (Ask::new(&format!("localhost:{other}")), Decision::Denied),
        (Ask::new("localhost:443"), Decision::Unreached),
        (Ask::new("localhost:22"), Decision::Denied),
        (from_elsewhere, Decision::Denied),
    ] {
        let decisions = pair.each_ref().map(|running| running.decides(&ask));
        assert_eq!(decisions, [expected; 2], "{ask:?}");
    }
}

fn no_site_at_all() {
    // The modules alone make no proxy.
    let [httpd, reference] = [Who::Httpd, Who::Reference].map(|who| home(who, "").launch());
    let ask = Ask::new(&format!("localhost:{}", echo()));
    assert!(!httpd.decides(&ask).lets_in());
    assert!(!reference.decides(&ask).lets_in());
}

fn a_site_that_requires_nothing() {
    let port = echo();
    let site = format!("ProxyRequests On\nAllowCONNECT {port}\n");
    // httpd would serve the world.
    let warned = warnings(&site);
    let told = warned.iter().find(|line| line.contains("Require"));
    assert!(
        told.is_some_and(|line| line.contains("this machine")),
        "{warned:?}"
    );
    let ask = Ask::new(&format!("localhost:{port}"));
    let pair = [Who::Httpd, Who::Reference].map(|who| home(who, &site).launch());
    assert_eq!(
        pair.map(|running| running.decides(&ask)),
        [Decision::Tunnel; 2]
    );
}
