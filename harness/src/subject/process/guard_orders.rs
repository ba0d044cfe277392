//! What harness and guard say to each other: lines of a word and a number, over one socket.

use std::{io::Write, os::unix::net::UnixStream};

/// What a guard tells the harness, one line each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// The subject runs under this process id.
    Pid(i32),
    /// The subject could not be started, with the system's error number.
    NotStarted(i32),
    /// What was started has ended well, and left a process behind that is the subject from now on.
    Followed(i32),
    /// The subject has ended, with its wait status.
    Exit(i32),
    /// No process of the subject is left. The number says nothing.
    Gone(i32),
}

impl Report {
    pub(super) fn parse(line: &str) -> Option<Self> {
        let (word, number) = line.trim_end().split_once(' ')?;
        let number = number.parse().ok()?;
        match word {
            "pid" => Some(Self::Pid(number)),
            "not-started" => Some(Self::NotStarted(number)),
            "followed" => Some(Self::Followed(number)),
            "exit" => Some(Self::Exit(number)),
            "gone" => Some(Self::Gone(number)),
            _ => None,
        }
    }

    pub(super) fn send(self, mut to: &UnixStream) {
        let line = match self {
            Self::Pid(pid) => format!("pid {pid}\n"),
            Self::NotStarted(error) => format!("not-started {error}\n"),
            Self::Followed(pid) => format!("followed {pid}\n"),
            Self::Exit(status) => format!("exit {status}\n"),
            Self::Gone(number) => format!("gone {number}\n"),
        };
        // A harness that no longer listens is noticed by the thread that reads from it.
        let _ = to.write_all(line.as_bytes());
    }
}

/// What the harness tells a guard, one line each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Send the leader a signal.
    Signal(i32),
    /// Kill everything.
    Kill,
}

impl Order {
    pub(super) fn line(self) -> String {
        match self {
            Self::Signal(number) => format!("signal {number}\n"),
            Self::Kill => "kill\n".to_owned(),
        }
    }

    pub(super) fn parse(line: &str) -> Option<Self> {
        match line.trim_end().split_once(' ') {
            Some(("signal", number)) => number.parse().ok().map(Self::Signal),
            None if line.trim_end() == "kill" => Some(Self::Kill),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};

    use super::*;

    #[test]
    fn reports_and_orders_are_read_as_they_were_written() {
        for order in [Order::Signal(15), Order::Kill] {
            assert_eq!(Order::parse(&order.line()), Some(order));
        }
        for report in [
            Report::Pid(7),
            Report::NotStarted(2),
            Report::Followed(8),
            Report::Exit(256),
            Report::Gone(0),
        ] {
            let (guard, harness) = UnixStream::pair().unwrap();
            report.send(&guard);
            drop(guard);
            let line = BufReader::new(harness).lines().next().unwrap().unwrap();
            assert_eq!(Report::parse(&line), Some(report));
        }
        assert_eq!(Order::parse("signal x\n"), None);
        assert_eq!(Report::parse("running 0 tests"), None);
    }
}
