//! Giving up root: `User` and `Group`.
//!
//! Linux keeps the identity of each thread; this runs while the process has one, so that every later thread
//! inherits it.

use rustix::process::geteuid;

/// Becomes `user` and `group`, when the process is root and they are set.
///
/// # Errors
///
/// An unknown name, or what the system says.
pub fn give_up(user: Option<&str>, group: Option<&str>) -> Result<(), String> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let number = |name: &str, what: &str, file: &str| {
        id(name, file)
            .ok_or_else(|| format!("{what}: bad {} name {name}", what.to_ascii_lowercase()))
    };
    let group = group
        .map(|group| number(group, "Group", "/etc/group"))
        .transpose()?;
    let user = user
        .map(|user| number(user, "User", "/etc/passwd"))
        .transpose()?;
    switch_to(user, group)
}

#[cfg(target_os = "linux")]
fn switch_to(user: Option<u32>, group: Option<u32>) -> Result<(), String> {
    use rustix::process::{Gid, Uid};
    use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
    let failed = |what: &'static str| {
        move |error: rustix::io::Errno| format!("could not {what}: {}", std::io::Error::from(error))
    };
    if let Some(group) = group.map(Gid::from_raw) {
        set_thread_groups(&[group]).map_err(failed("set the groups"))?;
        set_thread_res_gid(group, group, group).map_err(failed("become the group"))?;
    }
    if let Some(user) = user.map(Uid::from_raw) {
        set_thread_res_uid(user, user, user).map_err(failed("become the user"))?;
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn switch_to(user: Option<u32>, group: Option<u32>) -> Result<(), String> {
    match (user, group) {
        (None, None) => Ok(()),
        _ => Err(
            "User and Group are only known on Linux: start the proxy as the user that it shall be"
                .into(),
        ),
    }
}

/// The number of `name` in a file like /etc/passwd; `#7` is 7.
fn id(name: &str, file: &str) -> Option<u32> {
    if let Some(number) = name.strip_prefix('#') {
        return number.parse().ok();
    }
    let text = std::fs::read_to_string(file).ok()?;
    let mut lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    lines
        .find(|fields| fields.first() == Some(&name))?
        .get(2)?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_numbers() {
        assert_eq!(id("root", "/etc/passwd"), Some(0));
        assert_eq!(id("#33", "/etc/passwd"), Some(33));
        assert_eq!(id("nobody-has-this-name", "/etc/passwd"), None);
    }
}
