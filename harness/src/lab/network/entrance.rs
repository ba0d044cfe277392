//! The way in: this program runs itself again in namespaces of its own, through util-linux's `unshare`.
//!
//! Making a namespace from Rust takes `unsafe`, or a process with one thread; `unshare` has neither trouble, and is part
//! of every Linux system. It replaces this process, so that whoever started it keeps its process id, its signals and its
//! exit status.

use std::{
    convert::Infallible,
    env, fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::lab::network::NoNetwork;

/// Set for the program inside: the namespaces that it came from.
///
/// A program in which it is set, and which still is where it came from, must not touch what it finds: it is the
/// machine's own network.
const CAME_FROM: &str = "CONNECTSPEC_CAME_FROM";

/// Where administrators' programs are, which an ordinary user's PATH may not contain.
const SBIN: [&str; 3] = ["/usr/sbin", "/sbin", "/usr/local/sbin"];

/// Whether this process is in namespaces of its own.
#[must_use]
pub fn is_inside() -> bool {
    let Some(from) = env::var_os(CAME_FROM) else {
        return false;
    };
    let from = from.to_string_lossy().into_owned();
    match (from.split_once(' '), namespaces()) {
        (Some((network, mounts)), Some(here)) => network != here[0] && mounts != here[1],
        _ => false,
    }
}

/// Runs this program again, with the same arguments, in a network of its own; it comes back only where that cannot be.
///
/// # Errors
/// What is missing, and which setting or package brings it.
pub fn enter() -> Result<Infallible, NoNetwork> {
    let here =
        namespaces().ok_or_else(|| no("namespaces are Linux's, and /proc has to be there"))?;
    let unshare =
        program("unshare").ok_or_else(|| no("`unshare` is missing: it is in util-linux"))?;
    let ip = program("ip").ok_or_else(|| no("`ip` is missing: it is in iproute2"))?;
    let mut said = String::new();
    for kind in kinds() {
        let mut trial = Command::new(&unshare);
        trial.args(*kind).arg("--").arg(&ip);
        match trial.args(["link", "set", "lo", "up"]).output() {
            Ok(output) if output.status.success() => {
                let program = env::current_exe()
                    .map_err(|error| no(format!("this program cannot be found again: {error}")))?;
                let mut again = Command::new(&unshare);
                again.args(*kind).arg("--").arg(program);
                again.args(env::args_os().skip(1));
                again.env(CAME_FROM, here.join(" "));
                return Err(no(format!("unshare: {}", again.exec())));
            }
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stderr);
                said = text.lines().next().unwrap_or_default().to_owned();
            }
            Err(error) => said = error.to_string(),
        }
    }
    Err(no(format!("{said}: {}", remedy())))
}

/// The options of `unshare` that may work, the better one first: for root, all users stay who they are.
fn kinds() -> &'static [&'static [&'static str]] {
    const ROOT: &[&str] = &["--net", "--mount"];
    const CONFINED_ROOT: &[&str] = &["--user", "--map-root-user", "--net", "--mount"];
    const ANYBODY: &[&str] = &[
        "--user",
        "--map-current-user",
        "--keep-caps",
        "--net",
        "--mount",
    ];
    if rustix::process::geteuid().is_root() {
        &[ROOT, CONFINED_ROOT]
    } else {
        &[ANYBODY]
    }
}

/// What keeps programs from making namespaces here, as far as the system says so.
fn remedy() -> String {
    let setting = |path: &str, bad: &str| {
        fs::read_to_string(Path::new("/proc/sys").join(path)).is_ok_and(|text| text.trim() == bad)
    };
    if setting("kernel/apparmor_restrict_unprivileged_userns", "1") {
        return "AppArmor keeps programs from user namespaces; `sysctl kernel.apparmor_restrict_unprivileged_userns=0` \
                lets them, or run as root"
            .to_owned();
    }
    if setting("kernel/unprivileged_userns_clone", "0") {
        return "`sysctl kernel.unprivileged_userns_clone=1` lets programs make user namespaces, or run as root"
            .to_owned();
    }
    if setting("user/max_user_namespaces", "0") {
        return "`sysctl user.max_user_namespaces=1000` lets programs make user namespaces"
            .to_owned();
    }
    "this system lets no program make namespaces; in a container, that takes one with user namespaces or CAP_SYS_ADMIN"
        .to_owned()
}

/// The network and the mounts that this process sees.
fn namespaces() -> Option<[String; 2]> {
    let of = |kind: &str| {
        let link = fs::read_link(format!("/proc/self/ns/{kind}")).ok()?;
        Some(link.to_string_lossy().into_owned())
    };
    Some([of("net")?, of("mnt")?])
}

/// Where a program is.
pub(super) fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(SBIN.iter().map(PathBuf::from));
    folders
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

fn no(reason: impl Into<String>) -> NoNetwork {
    NoNetwork(reason.into())
}
