//! Vitals: what a subject holds and has used, read from the kernel while it runs.

use std::{collections::HashSet, fs, time::Duration};

/// What a subject's processes hold and have used, summed over all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vitals {
    /// How many processes it consists of.
    pub processes: usize,
    /// Open file descriptors. Processes of another user do not show theirs, except to root.
    pub open_fds: usize,
    /// Threads.
    pub threads: usize,
    /// Resident memory in bytes. Pages that its processes share are counted for each of them.
    pub rss: u64,
    /// CPU time spent so far, in user and kernel mode.
    pub cpu: Duration,
}

impl Vitals {
    /// Of a process, its process group, and all that descend from them.
    #[must_use]
    pub fn of(leader: i32) -> Self {
        family(leader)
            .iter()
            .map(Process::vitals)
            .fold(Self::default(), Self::plus)
    }

    fn plus(self, other: Self) -> Self {
        Self {
            processes: self.processes + other.processes,
            open_fds: self.open_fds + other.open_fds,
            threads: self.threads + other.threads,
            rss: self.rss + other.rss,
            cpu: self.cpu + other.cpu,
        }
    }
}

/// Leaves each process of a subject room for only so many files beside those that it has open.
pub(super) fn leave_spare_files(leader: i32, spare: usize) -> std::io::Result<()> {
    for process in family(leader) {
        let pid = rustix::process::Pid::from_raw(process.pid);
        let files = (process.vitals().open_fds + spare) as u64;
        let mut limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        limit.current = Some(files);
        rustix::process::prlimit(pid, rustix::process::Resource::Nofile, limit)?;
    }
    Ok(())
}

/// Whether a process has ended, or is about to: the kernel marks it before it closes the connections, and
/// tells its parent only afterwards.
pub(super) fn is_ending(pid: i32) -> bool {
    /// `PF_EXITING` of the kernel.
    const EXITING: u64 = 0x4;
    /// Which field of `/proc/PID/stat` holds the flags, counted from the state, which is the third.
    const FLAGS: usize = 9 - 3;
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return true;
    };
    let Some((_, rest)) = stat.rsplit_once(") ") else {
        return true;
    };
    let mut fields = rest.split_ascii_whitespace();
    let flags = fields
        .clone()
        .nth(FLAGS)
        .and_then(|flags| flags.parse::<u64>().ok());
    matches!(fields.next(), Some("Z" | "X")) || flags.is_some_and(|flags| flags & EXITING != 0)
}

/// One process, as the kernel lists it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) parent: i32,
    group: i32,
    threads: usize,
    cpu: Duration,
}

impl Process {
    /// From `/proc/PID/stat`. The name stands in parentheses and may hold anything, also parentheses.
    fn parse(stat: &str) -> Option<Self> {
        let (pid, rest) = stat.split_once(" (")?;
        let (_, rest) = rest.rsplit_once(") ")?;
        // The first field behind the name is the third of proc(5).
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        if matches!(fields.first(), Some(&("Z" | "X"))) {
            return None;
        }
        let ticks = number(14)? + number(15)?;
        let milliseconds = ticks * 1000 / rustix::param::clock_ticks_per_second().max(1);
        Some(Self {
            pid: pid.parse().ok()?,
            parent: i32::try_from(number(4)?).ok()?,
            group: i32::try_from(number(5)?).ok()?,
            threads: usize::try_from(number(20)?).ok()?,
            cpu: Duration::from_millis(milliseconds),
        })
    }

    fn vitals(&self) -> Vitals {
        let folder = format!("/proc/{}", self.pid);
        let fds = fs::read_dir(format!("{folder}/fd"));
        let pages = fs::read_to_string(format!("{folder}/statm"))
            .ok()
            .and_then(|statm| statm.split_ascii_whitespace().nth(1)?.parse::<u64>().ok());
        Vitals {
            processes: 1,
            open_fds: fds.map_or(0, Iterator::count),
            threads: self.threads,
            rss: pages.unwrap_or(0) * rustix::param::page_size() as u64,
            cpu: self.cpu,
        }
    }
}

/// Every process that runs; not those that have ended and were not yet reaped.
pub(crate) fn processes() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter(|entry| {
            entry
                .file_name()
                .as_encoded_bytes()
                .iter()
                .all(u8::is_ascii_digit)
        })
        .filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok())
        .filter_map(|stat| Process::parse(&stat))
        .collect()
}

fn family(leader: i32) -> Vec<Process> {
    let all = processes();
    let mut members: HashSet<i32> = HashSet::new();
    loop {
        let before = members.len();
        for process in &all {
            let belongs = process.pid == leader || process.group == leader;
            if belongs || members.contains(&process.parent) {
                members.insert(process.pid);
            }
        }
        if members.len() == before {
            return all
                .into_iter()
                .filter(|process| members.contains(&process.pid))
                .collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_also_when_its_name_is_hostile() {
        let stat = "42 (a) S (b) ) R 7 42 1 0 -1 0 1 2 3 4 50 25 0 0 20 0 3 0 9 0 0";
        let process = Process::parse(stat).unwrap();
        assert_eq!((process.pid, process.parent, process.group), (42, 7, 42));
        assert_eq!(process.threads, 3);
        assert!(process.cpu >= Duration::from_millis(75));
        assert!(Process::parse("42 (x) Z 7 42 1 0 -1 0 1 2 3 4 50 25 0 0 20 0 3").is_none());
    }

    #[test]
    fn this_process_has_vitals() {
        let own = rustix::process::getpid().as_raw_pid();
        let before = Vitals::of(own);
        let file = fs::File::open("/proc/self/stat").unwrap();
        let processes = processes();
        let process = processes.iter().find(|process| process.pid == own).unwrap();
        assert!(process.vitals().open_fds > 0 && before.rss > 0 && before.threads > 0);
        drop(file);
    }
}
