//! Which targets a section is about.
//!
//! httpd compares the pattern with the target as the client spelled it, minding case, and a pattern without
//! wildcards fits whatever begins with it: `127.0.0.1:98` fits `127.0.0.1:9811`. Here the target is also compared in
//! its one canonical form, so that no spelling slips past a section. What fits in one way only is [`Here::Maybe`], and
//! such a section can take away and never give.

use crate::config::expression::Expression;
use crate::config::glob;
use crate::request::{Authority, Host};
use std::net::SocketAddr;
use std::sync::Arc;

/// The pattern of a section.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// For the target as it was spelled.
    spelled: Form,
    /// For the canonical target.
    canonical: Form,
    /// Whether it can only fit what begins with a slash.
    path: bool,
}

#[derive(Clone, Debug)]
enum Form {
    /// The target begins so (`<Proxy>`).
    Beginning(String),
    /// The target is this (`<Location>`); an empty text fits every target.
    Whole(String),
    /// With `*`, `?` and `[…]`.
    Wildcards(String),
    Expression(Arc<Expression>),
}

/// A target in all its forms.
#[derive(Clone, Debug)]
pub struct Target<'a> {
    /// As the client spelled it.
    spelled: &'a str,
    /// Its canonical form.
    canonical: String,
    /// The address that is dialled for it, once that is known.
    address: Option<String>,
}

/// How a pattern fits a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    /// Whether it does to httpd.
    pub as_httpd: bool,
    /// What that is worth here.
    pub here: Here,
}

/// What a fit is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Here {
    /// It does not fit.
    No,
    /// It fits in another spelling, or only the beginning.
    Maybe,
    /// It fits, whichever way one looks at it.
    Surely,
}

impl Pattern {
    /// The pattern of `<Proxy>`.
    #[must_use]
    pub fn proxy(text: &str) -> Self {
        let prefix = text.get(..PREFIX.len());
        let bare = match prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(PREFIX)) {
            true => &text[PREFIX.len()..],
            false => text,
        };
        Self::plain(bare, Form::Beginning)
    }

    /// The pattern of `<Location>`: of the paths that it is for, a CONNECT has none.
    #[must_use]
    pub fn location(text: &str) -> Self {
        Self::plain(text, Form::Whole)
    }

    /// The expression of `<ProxyMatch>` or `<LocationMatch>`.
    ///
    /// # Errors
    ///
    /// One that is none, or that httpd may read in another way.
    pub fn expression(text: &str) -> Result<Self, String> {
        let form = Form::Expression(Arc::new(Expression::parse(text)?));
        Ok(Self {
            spelled: form.clone(),
            canonical: form,
            path: begins_with_slash(text),
        })
    }

    fn plain(text: &str, how: fn(String) -> Form) -> Self {
        let spelled = match glob::is_one(text) {
            true => Form::Wildcards(text.to_owned()),
            false => how(text.to_owned()),
        };
        Self {
            canonical: canonical(text, how),
            spelled,
            path: text.starts_with('/'),
        }
    }

    /// What is odd about it: it says something else than it seems to.
    #[must_use]
    pub fn oddity(&self) -> Option<String> {
        let (Form::Beginning(text) | Form::Whole(text) | Form::Wildcards(text)) = &self.spelled
        else {
            return None;
        };
        let in_brackets = bracketed(text).is_some() && !text.starts_with('\\');
        if in_brackets && matches!(self.spelled, Form::Wildcards(_)) {
            let end = if text.ends_with('*') { "" } else { "*" };
            return Some(format!(
                "'{text}': to httpd the brackets are a set of characters, so that this section fits no address: \
                 write '\\{text}{end}'"
            ));
        }
        let url = text.contains("://");
        url.then(|| format!("'{text}' fits no CONNECT: its target is HOST:PORT, and no URL"))
    }

    /// Whether it is about paths, and so about no CONNECT: the target of one does not begin with a slash.
    #[must_use]
    pub fn is_path(&self) -> bool {
        self.path
    }

    /// How it fits; `None` when that could not be found out.
    #[must_use]
    pub fn fit(&self, target: &Target<'_>) -> Option<Fit> {
        let as_httpd = self.spelled.fits(target.spelled, false)?;
        let as_canonical = self.canonical.fits(&target.canonical, true)?;
        let here = match (as_httpd && as_canonical, &target.address) {
            (true, _) if self.is_whole(target.spelled) => Here::Surely,
            (true, _) => Here::Maybe,
            (false, None) => maybe(as_httpd || as_canonical),
            (false, Some(address)) => {
                maybe(as_httpd || as_canonical || self.canonical.fits(address, true)?)
            }
        };
        Some(Fit { as_httpd, here })
    }

    /// Whether it names a whole host, or a whole host and port, where it is the beginning of the target.
    fn is_whole(&self, spelled: &str) -> bool {
        let Form::Beginning(text) = &self.spelled else {
            return true;
        };
        let rest = &spelled[text.len()..];
        let port = match text.ends_with(':') {
            true => Some(rest),
            false => rest.strip_prefix(':'),
        };
        text.is_empty()
            || rest.is_empty()
            || port.is_some_and(|port| port.bytes().all(|c| c.is_ascii_digit()))
    }
}

impl Fit {
    /// Whether httpd and this proxy do not make the same of it.
    pub(super) fn is_doubtful(self) -> bool {
        match self.here {
            Here::No => self.as_httpd,
            Here::Maybe => true,
            Here::Surely => !self.as_httpd,
        }
    }
}

impl Form {
    /// Whether `target` fits; it is canonical where `any_case` is true. `None`: that could not be found out.
    fn fits(&self, target: &str, any_case: bool) -> Option<bool> {
        Some(match self {
            Self::Beginning(text) => target.starts_with(&**text),
            Self::Whole(text) => text.is_empty() || target == text,
            Self::Wildcards(text) => glob::fits(text, target, any_case),
            Self::Expression(expression) => return expression.fits(target, any_case),
        })
    }
}

impl<'a> Target<'a> {
    /// The target of a request: as it was spelled, and what was read.
    #[must_use]
    pub fn new(spelled: &'a str, target: &Authority) -> Self {
        Self {
            spelled,
            canonical: target.to_string(),
            address: None,
        }
    }

    /// The same, when `address` is dialled for it.
    #[must_use]
    pub fn at(&self, address: SocketAddr) -> Self {
        let host = Host::Address(address.ip().to_canonical());
        let port = address.port();
        Self {
            address: Some(Authority { host, port }.to_string()),
            ..self.clone()
        }
    }
}

/// What httpd puts in front of the target, and takes off the pattern.
const PREFIX: &str = "proxy:";

const fn maybe(fits: bool) -> Here {
    if fits { Here::Maybe } else { Here::No }
}

/// Whether all that an expression fits begins with a slash. One that may be repeated may also be missing.
fn begins_with_slash(expression: &str) -> bool {
    let behind = expression.strip_prefix("^/");
    let always = behind.is_some_and(|behind| !behind.starts_with(['?', '*', '{']));
    always && !expression.contains('|')
}

/// The pattern for canonical targets: the host in its canonical form, where `text` has a whole one. An address in
/// brackets is an address, whatever httpd makes of it.
fn canonical(text: &str, how: fn(String) -> Form) -> Form {
    if let Some((host, rest)) = bracketed(text) {
        return match glob::is_one(rest) {
            true => Form::Wildcards(host.to_string().replace('[', "\\[") + rest),
            false => how(host.to_string() + rest),
        };
    }
    if glob::is_one(text) {
        return Form::Wildcards(text.to_owned());
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    how(match (Host::parse(host), port) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_string(),
        (None, _) => text.to_ascii_lowercase(),
    })
}

/// The IPv6 address that a pattern begins with, in its canonical form, and what follows.
fn bracketed(text: &str) -> Option<(Host, &str)> {
    let inside = text.strip_prefix('\\').unwrap_or(text).strip_prefix('[')?;
    let (address, rest) = inside.split_once(']')?;
    let address = address.strip_suffix('\\').unwrap_or(address);
    let address: std::net::Ipv6Addr = address.parse().ok()?;
    Some((Host::Address(address.to_canonical()), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(pattern: &Pattern, spelled: &str) -> Fit {
        let target = Authority::parse(spelled.as_bytes()).unwrap();
        pattern.fit(&Target::new(spelled, &target)).unwrap()
    }

    /// As httpd, and here.
    fn proxy(pattern: &str, spelled: &str) -> (bool, Here) {
        let Fit { as_httpd, here } = fit(&Pattern::proxy(pattern), spelled);
        (as_httpd, here)
    }

    #[test]
    fn the_beginning_fits_and_is_worth_little() {
        use Here::{Maybe, No, Surely};
        for (pattern, target, expected) in [
            ("a.test", "a.test:1", (true, Surely)),
            ("a.test:", "a.test:1", (true, Surely)),
            ("a.test:1", "a.test:1", (true, Surely)),
            ("a.test:1", "a.test:12", (true, Maybe)),
            ("a.te", "a.test:1", (true, Maybe)),
            ("a.test", "a.test.evil:1", (true, Maybe)),
            ("127.0.0.1:98", "127.0.0.1:9811", (true, Maybe)),
            ("a.test", "b.a.test:1", (false, No)),
            ("", "a.test:1", (true, Surely)),
            ("proxy:a.test", "a.test:1", (true, Surely)),
            ("http://a.test", "a.test:1", (false, No)),
        ] {
            assert_eq!(proxy(pattern, target), expected, "{pattern} {target}");
        }
    }

    #[test]
    fn no_spelling_slips_past() {
        use Here::{Maybe, No, Surely};
        for (pattern, target, expected) in [
            ("a.test", "A.test:1", (false, Maybe)),
            ("A.test", "a.test:1", (false, Maybe)),
            ("a.test", "a.test.:1", (true, Maybe)),
            ("a.test:1", "a.test.:1", (false, Maybe)),
            ("a.test.:1", "a.test:1", (false, Maybe)),
            ("a.test:1", "a.test:01", (false, Maybe)),
            ("local*", "LOCALHOST:1", (false, Maybe)),
            ("127.0.0.1:*", "[::ffff:127.0.0.1]:1", (false, Maybe)),
            ("127.0.0.1", "[::ffff:127.0.0.1]:1", (false, Maybe)),
            ("[::ffff:127.0.0.1]:1", "127.0.0.1:1", (false, Maybe)),
            ("[::1]:1", "[::1]:1", (false, Maybe)),
            ("[0:0::1]", "[::1]:1", (false, Maybe)),
            ("\\[::1]:*", "[::1]:1", (true, Surely)),
            ("\\[0::1]:*", "[::1]:1", (false, Maybe)),
            ("\\[::1]:*", "[::2]:1", (false, No)),
            ("*:1", "a.test:1", (true, Surely)),
        ] {
            assert_eq!(proxy(pattern, target), expected, "{pattern} {target}");
        }
    }

    #[test]
    fn a_location_fits_the_whole_target() {
        use Here::{Maybe, No, Surely};
        for (pattern, target, expected) in [
            ("*", "a.test:1", (true, Surely)),
            ("", "a.test:1", (true, Surely)),
            ("/", "a.test:1", (false, No)),
            ("/*", "a.test:1", (false, No)),
            ("a.test", "a.test:1", (false, No)),
            ("a.test:1", "a.test:1", (true, Surely)),
            ("a.test:1", "A.test:1", (false, Maybe)),
            ("a*", "a.test:1", (true, Surely)),
        ] {
            let Fit { as_httpd, here } = fit(&Pattern::location(pattern), target);
            assert_eq!((as_httpd, here), expected, "{pattern} {target}");
        }
    }

    #[test]
    fn a_slash_that_may_be_missing_makes_no_path() {
        for (expression, whether) in [
            ("^/", true),
            ("^/+x", true),
            ("^/x?", true),
            ("^/?x", false),
            ("^/*x", false),
            ("^/{0,1}x", false),
            ("^/|x", false),
            ("/", false),
        ] {
            let pattern = Pattern::expression(expression).unwrap();
            assert_eq!(pattern.is_path(), whether, "{expression}");
        }
    }

    #[test]
    fn the_address_of_a_name_counts() {
        let target = Authority::parse(b"a.test:1").unwrap();
        let target = Target::new("a.test:1", &target);
        let at = |address: &str| target.at(address.parse().unwrap());
        let pattern = Pattern::proxy("127.0.0.1:*");
        let here = |target: &Target<'_>| pattern.fit(target).unwrap().here;
        assert_eq!(here(&target), Here::No);
        assert_eq!(here(&at("127.0.0.1:1")), Here::Maybe);
        assert_eq!(here(&at("[::ffff:127.0.0.1]:1")), Here::Maybe);
        assert_eq!(here(&at("127.0.0.2:1")), Here::No);
    }

    #[test]
    fn what_says_something_else_than_it_seems_is_told() {
        for (pattern, odd) in [
            ("[::1]:443", true),
            ("[::1]:*", true),
            ("\\[::1]:*", false),
            ("[a-c].test:*", false),
            ("http://a.test/", true),
            ("a.test", false),
        ] {
            assert_eq!(Pattern::proxy(pattern).oddity().is_some(), odd, "{pattern}");
        }
    }
}
