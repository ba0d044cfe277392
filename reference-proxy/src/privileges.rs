//! Giving up root: `User` and `Group`.
//!
//! Linux keeps the identity of each thread; this runs while the process has one, so that every later thread
//! inherits it.

use rustix::process::{Gid, Uid, geteuid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use std::io;

/// Becomes `user` and `group`, when the process is root and they are set.
///
/// # Errors
///
/// An unknown name, or what the system says.
pub fn give_up(user: Option<&str>, group: Option<&str>) -> Result<(), String> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let failed = |what: &'static str| {
        move |error: rustix::io::Errno| format!("could not {what}: {}", io::Error::from(error))
    };
    let user = user
        .map(|user| id(user, "/etc/passwd").ok_or_else(|| format!("User: bad user name {user}")));
    let group = group.map(|group| {
        id(group, "/etc/group").ok_or_else(|| format!("Group: bad group name {group}"))
    });
    if let Some(gid) = group.transpose()? {
        let gid = Gid::from_raw(gid);
        set_thread_groups(&[gid]).map_err(failed("set the groups"))?;
        set_thread_res_gid(gid, gid, gid).map_err(failed("become the group"))?;
    }
    if let Some(uid) = user.transpose()? {
        let uid = Uid::from_raw(uid);
        set_thread_res_uid(uid, uid, uid).map_err(failed("become the user"))?;
    }
    Ok(())
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
