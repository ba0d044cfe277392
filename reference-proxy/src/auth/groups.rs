//! Files of groups (`AuthGroupFile`): a name, a colon, and who is in it.

use super::FILE_LONGEST;
use crate::regular;
use std::io;
use std::path::Path;

/// The groups that `user` is in. As in httpd the file is read for every request that asks.
///
/// # Errors
///
/// The file cannot be read.
pub fn of(user: &str, path: &Path) -> io::Result<Vec<String>> {
    let text = String::from_utf8(regular::read(path, FILE_LONGEST)?).map_err(io::Error::other)?;
    Ok(named(user, &text))
}

fn named(user: &str, text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(':'))
        .filter(|(_, members)| members.split_whitespace().any(|member| member == user))
        .map(|(name, _)| name.trim().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_whole_words() {
        let text = "# staff: eve\nstaff: ann bob\nempty:\nnone\nguests:carl ann\nstaff: dora\n";
        assert_eq!(named("ann", text), ["staff", "guests"]);
        assert_eq!(named("dora", text), ["staff"]);
        for nobody in ["", "an", "staff", "eve"] {
            assert!(named(nobody, text).is_empty(), "{nobody}");
        }
    }
}
