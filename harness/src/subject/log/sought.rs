//! Which line of a log belongs to a request.
//!
//! A request is found by its User-Agent, which is like no other one; but most logs have none. There it is found by the port
//! that its client has, where a line names that, and else by its target: each server of a case has a port of its own. A target
//! that the case asks for more than once tells nothing.

use std::net::SocketAddr;

use crate::subject::log::line::LogLine;

/// What is looked for in a log.
#[derive(Clone, Debug)]
pub struct Sought {
    /// Text that no other line has.
    pub needle: String,
    /// How many lines there were before: ports are used again, and an older line may have the same target.
    pub since: u64,
    /// The request that carried the needle as its User-Agent, if one did.
    pub asked: Option<Asked>,
}

/// A request, as a log may name it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What it asked for.
    pub target: String,
    /// The client's port.
    pub client_port: Option<u16>,
    /// Whether no other request of the case asked for that.
    pub is_alone: bool,
}

impl Sought {
    /// Whether `line` is it; `names_agents` says that the log has the User-Agent of each request.
    pub(super) fn is_in(&self, line: &LogLine, names_agents: bool) -> bool {
        line.text.contains(&self.needle)
            || !names_agents && self.asked.as_ref().is_some_and(|asked| asked.is_in(line))
    }
}

impl Asked {
    fn is_in(&self, line: &LogLine) -> bool {
        let client: Option<SocketAddr> =
            line.client.as_ref().and_then(|client| client.parse().ok());
        match (client, self.client_port) {
            (Some(client), Some(port)) => client.port() == port,
            _ => self.is_alone && self.is_named_in(line),
        }
    }

    /// Whether the line names the target, and not one that only begins or ends like it.
    fn is_named_in(&self, line: &LogLine) -> bool {
        if let Some(target) = &line.target {
            return target.eq_ignore_ascii_case(&self.target);
        }
        let ends = |after: &str| !after.starts_with(|next: char| next.is_ascii_digit());
        let begins =
            |before: &str| !before.ends_with(|last: char| last.is_alphanumeric() || last == '.');
        let mut found = line.text.match_indices(&self.target);
        found.any(|(at, target)| begins(&line.text[..at]) && ends(&line.text[at + target.len()..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, target: Option<&str>, client: Option<&str>) -> LogLine {
        LogLine {
            text: text.to_owned(),
            source_port: None,
            status: None,
            target: target.map(str::to_owned),
            client: client.map(str::to_owned),
            is_understood: true,
        }
    }

    fn sought(is_alone: bool) -> Sought {
        Sought {
            needle: "nonce-1".to_owned(),
            since: 0,
            asked: Some(Asked {
                target: "127.0.0.1:8001".to_owned(),
                client_port: Some(40_001),
                is_alone,
            }),
        }
    }

    #[test]
    fn a_line_without_a_user_agent_is_found_by_its_target() {
        let found = |text| sought(true).is_in(&line(text, None, None), false);
        assert!(found("CONNECT 127.0.0.1:8001 200"));
        assert!(!found("CONNECT 127.0.0.1:80010 200"));
        assert!(!found("CONNECT 1127.0.0.1:8001 200"));
        let named = line("x", Some("127.0.0.1:8001"), None);
        assert!(sought(true).is_in(&named, false));
        assert!(
            !sought(false).is_in(&named, false),
            "two requests asked for it"
        );
    }

    #[test]
    fn the_client_s_port_says_more_than_the_target() {
        let with = |client| line("x", Some("127.0.0.1:8001"), Some(client));
        assert!(sought(false).is_in(&with("127.0.0.1:40001"), false));
        assert!(!sought(true).is_in(&with("127.0.0.1:40002"), false));
        assert!(
            sought(true).is_in(&with("127.0.0.1"), false),
            "no port in it"
        );
    }

    #[test]
    fn a_log_that_names_user_agents_is_searched_for_nothing_else() {
        let named = line("x", Some("127.0.0.1:8001"), None);
        assert!(!sought(true).is_in(&named, true));
        assert!(sought(true).is_in(&line("agent=nonce-1", None, None), true));
    }
}
