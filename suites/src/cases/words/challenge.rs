//! Challenges as RFC 9110 §11 writes them: what a 407 says about the credentials that it wants.
//!
//! The one hard thing about them is the comma: it stands between challenges, and between the parameters of one. A name
//! with `=` after it is a parameter, any other begins a challenge.

/// A challenge: a scheme, and what it says beside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// The name of the scheme, as it was written.
    pub(crate) scheme: String,
    /// One opaque word in place of parameters.
    pub(crate) token68: Option<String>,
    /// In order.
    pub(crate) parameters: Vec<Parameter>,
}

/// A parameter of a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parameter {
    /// As it was written; compared without case.
    pub(crate) name: String,
    /// Without its quotes.
    pub(crate) value: String,
    /// Whether it was a quoted-string.
    pub(crate) is_quoted: bool,
}

impl Challenge {
    /// Whether its scheme is `name`.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(name)
    }

    /// The first parameter of that name.
    pub(crate) fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|known| known.is(name))
    }

    /// A name that stands before two of its parameters.
    pub(crate) fn repeated(&self) -> Option<&str> {
        let twice = self.parameters.iter().enumerate();
        let mut twice = twice.filter(|(index, later)| {
            let earlier = &self.parameters[..*index];
            earlier.iter().any(|known| known.is(&later.name))
        });
        twice.next().map(|(_, parameter)| parameter.name.as_str())
    }
}

impl Parameter {
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// The challenges of all field lines of one name; a line may be empty, and have none.
///
/// # Errors
/// Why one of the lines is no list of challenges, in words that follow "its challenge ".
pub(crate) fn challenges<'a>(
    lines: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<Challenge>, String> {
    let mut found = Vec::new();
    for line in lines {
        Scanner { rest: line }.list(&mut found)?;
    }
    Ok(found)
}

/// What is left of a field value.
struct Scanner<'a> {
    rest: &'a [u8],
}

impl Scanner<'_> {
    /// `#challenge`. Empty members are skipped: a recipient has to bear them (RFC 9110 §5.6.1.2).
    fn list(&mut self, found: &mut Vec<Challenge>) -> Result<(), String> {
        let before = found.len();
        loop {
            self.blanks();
            while self.takes(b',') {
                self.blanks();
            }
            if self.rest.is_empty() {
                break;
            }
            let name = self.token();
            if name.is_empty() {
                return Err(format!("has no name before {}", self.shown()));
            }
            let blanks = self.blanks();
            if self.rest.first() == Some(&b'=') {
                let parameter = self.parameter(name)?;
                let challenge = found[before..].last_mut();
                let challenge = challenge.filter(|known| known.token68.is_none());
                let unowned = || "begins with a parameter, and no scheme".to_owned();
                challenge.ok_or_else(unowned)?.parameters.push(parameter);
            } else {
                found.push(self.challenge(name, blanks)?);
            }
            if !self.rest.is_empty() && self.rest.first() != Some(&b',') {
                return Err(format!("goes on without a comma: {}", self.shown()));
            }
        }
        Ok(())
    }

    /// What follows the name of a scheme, up to the next comma.
    fn challenge(&mut self, scheme: String, blanks: usize) -> Result<Challenge, String> {
        let mut challenge = Challenge {
            scheme,
            ..Challenge::default()
        };
        if self.rest.first().is_none_or(|next| *next == b',') {
            return Ok(challenge);
        }
        if blanks == 0 {
            return Err(format!("has no scheme before {}", self.shown()));
        }
        if let Some(word) = self.token68() {
            challenge.token68 = Some(word);
            return Ok(challenge);
        }
        let name = self.token();
        self.blanks();
        if name.is_empty() || self.rest.first() != Some(&b'=') {
            return Err(format!("has no parameter before {}", self.shown()));
        }
        challenge.parameters.push(self.parameter(name)?);
        Ok(challenge)
    }

    /// What follows the name of a parameter.
    fn parameter(&mut self, name: String) -> Result<Parameter, String> {
        self.takes(b'=');
        self.blanks();
        let (value, is_quoted) = if self.takes(b'"') {
            (self.quoted(&name)?, true)
        } else {
            (self.token(), false)
        };
        if value.is_empty() && !is_quoted {
            return Err(format!("has no value after {name}="));
        }
        self.blanks();
        Ok(Parameter {
            name,
            value,
            is_quoted,
        })
    }

    /// A quoted-string after its first quote.
    fn quoted(&mut self, name: &str) -> Result<String, String> {
        let mut value = Vec::new();
        loop {
            let Some((&octet, rest)) = self.rest.split_first() else {
                return Err(format!("does not end the quotes of {name}"));
            };
            self.rest = rest;
            match octet {
                b'"' => return Ok(String::from_utf8_lossy(&value).into_owned()),
                b'\\' => {
                    let Some((&octet, rest)) = self.rest.split_first() else {
                        return Err(format!("does not end the quotes of {name}"));
                    };
                    self.rest = rest;
                    value.push(octet);
                }
                b'\t' | b' '..=b'~' | 0x80.. => value.push(octet),
                _ => return Err(format!("has a control character in the quotes of {name}")),
            }
        }
    }

    /// A token68, if all up to the next comma is one.
    fn token68(&mut self) -> Option<String> {
        let end = self.rest.iter().position(|octet| *octet == b',');
        let word = self.rest[..end.unwrap_or(self.rest.len())].trim_ascii_end();
        let padding = word.iter().rev().take_while(|octet| **octet == b'=');
        let body = &word[..word.len() - padding.count()];
        let right = |octet: &u8| octet.is_ascii_alphanumeric() || b"-._~+/".contains(octet);
        if body.is_empty() || !body.iter().all(right) {
            return None;
        }
        self.rest = &self.rest[end.unwrap_or(self.rest.len())..];
        Some(String::from_utf8_lossy(word).into_owned())
    }

    fn token(&mut self) -> String {
        let right =
            |octet: &u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(octet);
        let end = self.rest.iter().position(|octet| !right(octet));
        let (token, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        String::from_utf8_lossy(token).into_owned()
    }

    /// Skips blanks, and says how many.
    fn blanks(&mut self) -> usize {
        let before = self.rest.len();
        while let [b' ' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
        before - self.rest.len()
    }

    fn takes(&mut self, octet: u8) -> bool {
        match self.rest.split_first() {
            Some((&first, rest)) if first == octet => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// What comes next, for a reader.
    fn shown(&self) -> String {
        match self.rest {
            [] => "its end".to_owned(),
            rest => format!("{:?}", String::from_utf8_lossy(&rest[..rest.len().min(24)])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Vec<Challenge>, String> {
        challenges([line.as_bytes()])
    }

    fn schemes(line: &str) -> Vec<String> {
        let read = read(line).unwrap();
        read.into_iter().map(|challenge| challenge.scheme).collect()
    }

    #[test]
    fn commas_part_challenges_and_parameters() {
        let line = "Digest realm=\"a, b\", qop=\"auth\",nonce=0a, Basic realm=\"p\"";
        assert_eq!(schemes(line), ["Digest", "Basic"]);
        let read = read(line).unwrap();
        assert_eq!(read[0].parameters.len(), 3);
        assert_eq!(read[0].parameter("REALM").unwrap().value, "a, b");
        assert!(!read[0].parameter("nonce").unwrap().is_quoted);
        assert_eq!(schemes("Negotiate, NTLM"), ["Negotiate", "NTLM"]);
        assert_eq!(
            schemes(", ,Negotiate ,, Basic realm=\"\" ,"),
            ["Negotiate", "Basic"]
        );
        let lines = [&b"Negotiate"[..], b"Basic realm=\"x\""];
        assert_eq!(challenges(lines).unwrap().len(), 2);
    }

    #[test]
    fn an_empty_line_has_no_challenge() {
        assert_eq!(read(" , ").unwrap(), []);
        assert_eq!(read("").unwrap(), []);
        // The grammar has it so: an opaque word may end with an equals sign.
        assert_eq!(read("Basic realm=").unwrap()[0].parameters, []);
    }

    #[test]
    fn a_word_can_stand_in_place_of_parameters() {
        let read = read("NTLM TlRMTVNTUAAC==, Basic realm=\"x\"").unwrap();
        assert_eq!(read[0].token68.as_deref(), Some("TlRMTVNTUAAC=="));
        assert_eq!(read[1].parameter("realm").unwrap().value, "x");
    }

    #[test]
    fn blanks_may_stand_around_the_equals_sign() {
        let read = read("Basic  Realm \t= \"a \\\"b\\\"\" , charset = UTF-8").unwrap();
        assert_eq!(read[0].parameter("realm").unwrap().value, "a \"b\"");
        assert_eq!(read[0].parameter("charset").unwrap().value, "UTF-8");
    }

    #[test]
    fn repeated_names_are_found_within_one_challenge_only() {
        let repeated = |line| {
            let read = read(line).unwrap();
            read.iter().find_map(Challenge::repeated).map(str::to_owned)
        };
        assert_eq!(
            repeated("Basic realm=\"a\", Realm=\"b\""),
            Some("Realm".to_owned())
        );
        assert_eq!(repeated("Basic realm=\"a\", Digest realm=\"b\""), None);
    }

    #[test]
    fn what_is_no_challenge_is_explained() {
        for (line, why) in [
            ("realm=\"x\"", "begins with a parameter, and no scheme"),
            ("Basic realm=\"x", "does not end the quotes of realm"),
            (
                "\"Basic\" realm=\"x\"",
                "has no name before \"\\\"Basic\\\" realm=\\\"x\\\"\"",
            ),
            ("Basic a=\"b\", realm=", "has no value after realm="),
            (
                "Basic realm=\"x\" charset=\"y\"",
                "goes on without a comma: \"charset=\\\"y\\\"\"",
            ),
            ("Basic realm: x", "has no parameter before \": x\""),
            ("Basic@x", "has no scheme before \"@x\""),
        ] {
            assert_eq!(read(line).unwrap_err(), why, "{line}");
        }
    }
}
