//! How many files may be open: sockets are files.

use rustix::process::{Resource, getrlimit, setrlimit};

/// How many files a subject may open at least, and we too, where the system lets it: two for each tunnel of the largest
/// case, and plenty besides. Shells start with anything from 256 upwards, and proxies size themselves by it.
const FILES_MIN: u64 = 8192;

/// Raises what this process may open to what a run needs, as far as the system lets it.
pub(crate) fn raise_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = files_to_be_had();
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(wanted);
        // With fewer files, a subject is still a subject, and most cases can be asked.
        let _ = setrlimit(Resource::Nofile, limit);
    }
}

/// How many files this process may open once its limit is raised.
pub(crate) fn files_to_be_had() -> u64 {
    let most = getrlimit(Resource::Nofile).maximum;
    most.map_or(FILES_MIN, |maximum| maximum.min(FILES_MIN))
}
