//! Many names at once, for whoever has no runtime: those that a configuration names are looked up when it is read.

use super::Names;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How long all names of a configuration may take: start and reload wait for them.
const LONGEST: Duration = Duration::from_secs(10);
/// Names that are looked up at once.
const AT_ONCE: usize = 64;

/// The addresses of those `words` that have some. Words that are no names have none.
#[must_use]
pub fn all(words: HashSet<String>) -> HashMap<String, Vec<IpAddr>> {
    if words.is_empty() {
        return HashMap::new();
    }
    // A thread of its own, since this one may be a runtime's. Without one nothing is known.
    let looked_up = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.map_or_else(
            |_| HashMap::new(),
            |runtime| runtime.block_on(look_up(words)),
        )
    });
    looked_up.join().unwrap_or_default()
}

async fn look_up(words: HashSet<String>) -> HashMap<String, Vec<IpAddr>> {
    let (names, deadline) = (Arc::new(Names::new(AT_ONCE)), Instant::now() + LONGEST);
    let mut tasks = JoinSet::new();
    for word in words.into_iter().filter(|word| could_be_either(word)) {
        let names = Arc::clone(&names);
        tasks.spawn(async move {
            let found = match word.parse() {
                Ok(address) => Ok(vec![address]),
                Err(_) => names.addresses(&word, deadline).await,
            };
            found.ok().map(|found| (word, found))
        });
    }
    let mut known = HashMap::new();
    while let Some(found) = tasks.join_next().await {
        known.extend(found.ok().flatten());
    }
    known
}

/// Whether it could be a name or an address.
fn could_be_either(word: &str) -> bool {
    word.chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_told_apart() {
        let known = all(["localhost", "192.0.2.1", "*"].map(str::to_owned).into());
        assert!(known["localhost"].iter().all(IpAddr::is_loopback));
        assert_eq!(known["192.0.2.1"].len(), 1);
        assert!(!known.contains_key("*"));
    }
}
