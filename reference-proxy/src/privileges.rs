//! Giving up root: `User` and `Group`.
//!
//! As in httpd a process that is root becomes both, with the supplementary groups of that user and no others. What
//! httpd would take and what leaves root's powers behind is an error: half a change is worse than none, since
//! nobody looks for it. What the process has become is asked of the system afterwards.

use nix::unistd::{
    Gid, Group, Uid, User, geteuid, getgroups, getresgid, getresuid, initgroups, setgroups,
    setresgid, setresuid,
};
use std::ffi::CString;

/// The number that means "no change" to the system calls, and nobody.
const NO_ID: u32 = u32::MAX;

/// What has become of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Became {
    /// It is who it was.
    Same,
    /// It was root and is somebody else.
    Other,
}

/// Becomes `user` and `group`, when the process is root and they are set.
///
/// # Errors
///
/// An unknown name, one of the two without the other, root itself, or what the system says.
pub fn give_up(user: Option<&str>, group: Option<&str>) -> Result<Became, String> {
    if !geteuid().is_root() {
        return Ok(Became::Same);
    }
    let (user, group) = match (user, group) {
        (None, None) => return Ok(Became::Same),
        (Some(user), Some(group)) => (user, group),
        (Some(user), None) => {
            return Err(format!(
                "User {user} without Group would leave the process in the group of root: say Group, too"
            ));
        }
        (None, Some(group)) => {
            return Err(format!(
                "Group {group} without User would leave the process root: say User, too"
            ));
        }
    };
    let (uid, name) = user_of(user)?;
    let gid = group_of(group)?;
    if uid.is_root() {
        return Err(format!(
            "User {user} is root, which no proxy should be: name somebody else, or leave User and Group out"
        ));
    }
    become_them(uid, gid, name)?;
    check(uid, gid)?;
    Ok(Became::Other)
}

fn become_them(uid: Uid, gid: Gid, name: Option<CString>) -> Result<(), String> {
    let failed = |what: &'static str| move |error| format!("could not {what}: {error}");
    setresgid(gid, gid, gid).map_err(failed("become the group"))?;
    set_groups(gid, name).map_err(failed("set the groups"))?;
    setresuid(uid, uid, uid).map_err(failed("become the user"))
}

/// The groups of the user, or its one group when it has no name.
fn set_groups(gid: Gid, name: Option<CString>) -> nix::Result<()> {
    match name {
        Some(name) => initgroups(&name, gid),
        None => setgroups(&[gid]),
    }
}

/// Whether the process is who it was to become, and cannot go back.
fn check(uid: Uid, gid: Gid) -> Result<(), String> {
    let wrong = |what: &str| format!("the process has not given up root: {what}");
    let users = getresuid().map_err(|error| wrong(&error.to_string()))?;
    let groups = getresgid().map_err(|error| wrong(&error.to_string()))?;
    if [users.real, users.effective, users.saved] != [uid; 3] {
        return Err(wrong("it has another user"));
    }
    if [groups.real, groups.effective, groups.saved] != [gid; 3] {
        return Err(wrong("it has another group"));
    }
    let roots = Gid::from_raw(0);
    let others = getgroups().map_err(|error| wrong(&error.to_string()))?;
    if gid != roots && others.contains(&roots) {
        return Err(wrong("it is in the group of root"));
    }
    match setresuid(Uid::from_raw(0), Uid::from_raw(0), Uid::from_raw(0)) {
        Ok(()) => Err(wrong("it can become root again")),
        Err(_) => Ok(()),
    }
}

/// The user of a name or `#number`, and the name if it has one.
fn user_of(text: &str) -> Result<(Uid, Option<CString>), String> {
    let bad = || format!("User: bad user name {text}");
    let known = match number(text) {
        Some(number) => {
            let uid = Uid::from_raw(number.map_err(|()| bad())?);
            match User::from_uid(uid) {
                Ok(Some(user)) => user,
                _ => return Ok((uid, None)),
            }
        }
        None => User::from_name(text).ok().flatten().ok_or_else(bad)?,
    };
    Ok((known.uid, CString::new(known.name).ok()))
}

fn group_of(text: &str) -> Result<Gid, String> {
    let bad = || format!("Group: bad group name {text}");
    match number(text) {
        Some(number) => Ok(Gid::from_raw(number.map_err(|()| bad())?)),
        None => Ok(Group::from_name(text).ok().flatten().ok_or_else(bad)?.gid),
    }
}

/// What `#7` says, which must be an id; `None` for a name.
fn number(text: &str) -> Option<Result<u32, ()>> {
    let number = text.strip_prefix('#')?.parse();
    Some(number.map_err(|_| ()).and_then(|id| match id {
        NO_ID => Err(()),
        id => Ok(id),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_ids() {
        assert!(user_of("root").unwrap().0.is_root());
        assert_eq!(user_of("#33").unwrap().0.as_raw(), 33);
        assert_eq!(group_of("#7").unwrap().as_raw(), 7);
        for bad in [
            "nobody-has-this-name",
            "#4294967295",
            "#-1",
            "#",
            "#4294967296",
            "",
        ] {
            assert!(user_of(bad).is_err(), "{bad}");
            assert!(group_of(bad).is_err(), "{bad}");
        }
    }
}
