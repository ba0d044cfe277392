//! Secrets, and where they stand in bytes and text, so that no report shows one.
//!
//! A secret is found as it is, in capitals, shortened by a letter, percent-encoded, and inside base64 at any alignment: the
//! password of `user:password` starts in the middle of a base64 group. One that is short or a common word is looked for
//! in fields of credentials, beside its user and in a URI, and nowhere else: to take `proxy` out of every sentence would
//! tell the password to whoever knows the sentence.

mod field;
mod forms;

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use aho_corasick::AhoCorasick;

use crate::transcript::{redact::forms::Needle, screen::without_sequences};

/// What stands in the place of a secret.
pub const REDACTED: &str = "[redacted]";

/// What must not be shown.
#[derive(Clone, Default)]
pub struct Secrets {
    known: Arc<Known>,
}

#[derive(Default)]
struct Known {
    /// As they were given.
    secrets: Vec<String>,
    needles: Vec<Needle>,
    /// Looks for all of them at once; `None` where there are none.
    search: Option<AhoCorasick>,
}

/// How many lists of secrets are remembered: a run has one for each set-up, and few of those have any.
const REMEMBERED: usize = 32;

/// Every result has its list, and nearly all have the same.
static KNOWN: LazyLock<Mutex<HashMap<Vec<String>, Arc<Known>>>> = LazyLock::new(Mutex::default);

impl Secrets {
    /// Each secret in each of its forms; empty ones are no secrets.
    pub fn new<S: AsRef<str>>(secrets: impl IntoIterator<Item = S>) -> Self {
        let secrets = secrets.into_iter().map(|secret| secret.as_ref().to_owned());
        let mut secrets: Vec<String> = secrets.filter(|secret| !secret.is_empty()).collect();
        secrets.sort();
        secrets.dedup();
        let mut all = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(&secrets) {
            let known = Arc::clone(known);
            return Self { known };
        }
        let known = Arc::new(Known::new(secrets.clone()));
        if all.len() >= REMEMBERED {
            all.clear();
        }
        all.insert(secrets, Arc::clone(&known));
        Self { known }
    }

    /// Whether there is nothing to hide.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.secrets.is_empty()
    }

    /// Where secrets stand, in order and without overlap.
    #[must_use]
    pub fn places(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut places = field::places(bytes, &self.known.secrets);
        if let Some(search) = &self.known.search {
            let needles = &self.known.needles;
            let found = search.find_overlapping_iter(bytes);
            places.extend(
                found.map(|found| match needles[found.pattern()].inside_base64 {
                    true => widen(bytes, found.range()),
                    false => found.range(),
                }),
            );
        }
        joined(places)
    }

    /// The text without them, and without sequences for a terminal: whatever a report says of a stranger comes this way.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        let mut from = 0;
        for place in self.places(text.as_bytes()) {
            // Needles are whole UTF-8 strings, so that a place never cuts a character.
            shown.push_str(&text[from..place.start]);
            shown.push_str(REDACTED);
            from = place.end;
        }
        shown.push_str(&text[from..]);
        without_sequences(shown)
    }
}

impl Known {
    fn new(secrets: Vec<String>) -> Self {
        let pairs = secrets.iter().filter_map(|secret| forms::pair(secret));
        let pairs: Vec<_> = pairs.filter(|(_, it)| secrets.contains(it)).collect();
        let mut needles: Vec<Needle> = Vec::new();
        for secret in &secrets {
            // Of passwords alone: what else is a secret is no word that somebody has chosen.
            let is_password = pairs.iter().any(|(_, password)| password == secret);
            if !is_password || !forms::is_weak(secret) {
                needles.extend(forms::everywhere(secret));
            }
        }
        for (user, password) in &pairs {
            needles.extend(forms::with_user(user, password));
        }
        needles.sort();
        needles.dedup();
        let search = AhoCorasick::new(needles.iter().map(|needle| &needle.bytes));
        Self {
            // It fails past two thousand million states only, and finds nothing without needles.
            search: search.ok().filter(|_| !needles.is_empty()),
            needles,
            secrets,
        }
    }
}

/// Shows how many there are, and nothing of them.
impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets")
            .field("needles", &self.known.needles.len())
            .finish()
    }
}

fn widen(bytes: &[u8], place: Range<usize>) -> Range<usize> {
    let base64 = |octet: &&u8| octet.is_ascii_alphanumeric() || b"+/-_".contains(octet);
    let before = bytes[..place.start].iter().rev().take_while(base64).count();
    let behind = bytes[place.end..]
        .iter()
        .take_while(|octet| base64(octet) || **octet == b'=')
        .count();
    place.start - before..place.end + behind
}

fn joined(mut places: Vec<Range<usize>>) -> Vec<Range<usize>> {
    places.sort_by_key(|place| (place.start, place.end));
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(places.len());
    for place in places {
        match joined.last_mut() {
            Some(last) if place.start < last.end => last.end = last.end.max(place.end),
            _ => joined.push(place),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::*;

    #[test]
    fn a_secret_is_hidden_in_each_of_its_forms() {
        let secrets = Secrets::new(["s3cret/pass word"]);
        for text in [
            "password=s3cret/pass word.",
            "http://u:s3cret%2Fpass%20word@host",
            "http://u:s3cret%2fpass%20word@host",
            "Basic dXNlcjpzM2NyZXQvcGFzcyB3b3Jk",
            "Basic dXNlMTpzM2NyZXQvcGFzcyB3b3Jk",
            "Basic dTpzM2NyZXQvcGFzcyB3b3Jk",
            "Basic dXM6czNjcmV0L3Bhc3Mgd29yZA==",
        ] {
            let hidden = secrets.hide(text);
            assert!(hidden.contains(REDACTED), "{hidden}");
            assert!(
                !hidden.contains("cret") && !hidden.contains("dX"),
                "{hidden}"
            );
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        let secrets = Secrets::new(["", "abc-12-xyz"]);
        assert_eq!(secrets.hide("ab YWI= grüße"), "ab YWI= grüße");
        assert_eq!(secrets.hide("xabc-12-xyzx"), "x[redacted]x");
        assert!(Secrets::new([""]).is_empty());
    }

    #[test]
    fn overlapping_secrets_become_one_place() {
        let secrets = Secrets::new(["user1:pass", "pass:word2"]);
        assert_eq!(secrets.hide("-user1:pass:word2-"), "-[redacted]-");
    }

    /// As it was: each of these stood in a report, in the clear.
    #[test]
    fn what_is_derived_from_a_secret_is_one() {
        let secrets = given("ann", "Tr0ub4dor&3");
        let basic = |text: &str| STANDARD.encode(text);
        for derived in [
            "Tr0ub4dor&3",
            "Tr0ub4dor&",
            "r0ub4dor&3",
            "TR0UB4DOR&3",
            "tr0ub4dor&3",
            "Tr0ub4dor%263",
            "TR0UB4DOR%263",
            &basic("ann:Tr0ub4dor&"),
            &basic("ann:TR0UB4DOR&3"),
            &basic("mabel:Tr0ub4dor&3"),
            &basic("ann:Tr0ub4dor&3\0x"),
        ] {
            let hidden = secrets.hide(&format!("<{derived}>"));
            assert_eq!(hidden, "<[redacted]>", "{derived}");
        }
    }

    #[test]
    fn a_common_word_is_hidden_where_credentials_stand_and_nowhere_else() {
        let secrets = given("user", "proxy");
        let again = "connectspec run --proxy 127.0.0.1:3128: the proxy said: no Proxy here";
        assert_eq!(secrets.hide(again), again);
        let basic = |text: &str| STANDARD.encode(text);
        for (told, hidden) in [
            (
                format!(
                    "Proxy-Authorization: Basic {}\r\nX: proxy",
                    basic("user:proxy")
                ),
                "Proxy-Authorization: Basic [redacted]\r\nX: proxy",
            ),
            (
                format!("proxy-authorization:Basic {}", basic("mabel:PROXY")),
                "proxy-authorization:Basic [redacted]",
            ),
            (
                format!("Authorization: Basic {}", basic("user:prox")),
                "Authorization: Basic [redacted]",
            ),
            (
                "Proxy-Authorization: Basic proxy".to_owned(),
                "Proxy-Authorization: Basic [redacted]",
            ),
            (format!("seen: {}", basic("user:proxy")), "seen: [redacted]"),
            (
                "http://user:proxy@host/".to_owned(),
                "http://[redacted]host/",
            ),
        ] {
            assert_eq!(secrets.hide(&told), hidden, "{told}");
        }
        let wrong = format!("Proxy-Authorization: Basic {}", basic("user:nonce"));
        assert_eq!(secrets.hide(&wrong), wrong);
    }

    /// As a set-up knows them.
    fn given(user: &str, password: &str) -> Secrets {
        Secrets::new([
            password.to_owned(),
            STANDARD.encode(format!("{user}:{password}")),
        ])
    }

    #[test]
    fn debug_output_shows_no_secret() {
        assert!(!format!("{:?}", Secrets::new(["hidden"])).contains("hidden"));
    }
}
