//! Directives that do nothing to a CONNECT as long as they say certain things, and are errors otherwise.

use super::Scope;
use super::words::some;

type Done = Result<(), String>;

/// As long as CONNECT is among them, or every method, nobody is kept out.
pub(super) fn allow_methods(_: &mut Scope<'_>, words: &[String]) -> Done {
    let lets_in = |word: &String| word == "CONNECT" || word.eq_ignore_ascii_case("reset");
    if some("AllowMethods", words)?.iter().any(lets_in) {
        return Ok(());
    }
    Err(
        "AllowMethods without CONNECT forbids every request that is served here: write Require all denied, or \
         leave it out"
            .into(),
    )
}

/// httpd has not known it since 2.0, and says so.
pub(super) fn port(_: &mut Scope<'_>, _: &[String]) -> Done {
    Err("Port was replaced with Listen in Apache 2.0".into())
}

/// Fields that a decision may look at, whatever the rules say.
const DECIDING: [&str; 4] = [
    "Authorization",
    "Host",
    "Max-Forwards",
    "Proxy-Authorization",
];

/// httpd changes fields only for the response, the log and what comes behind the access rules; a CONNECT that
/// goes to an upstream proxy carries none of them. But `early` comes before the rules: whether one looks at the
/// field is known when all is read. And `Max-Forwards` is looked at when all else is done.
pub(super) fn request_header(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let [_, field, ..] = words else {
        return Err("RequestHeader takes an action and a field".into());
    };
    let early = words.iter().any(|word| word.eq_ignore_ascii_case("early"));
    let deciding = DECIDING.iter().any(|own| own.eq_ignore_ascii_case(field));
    if deciding && (early || field.eq_ignore_ascii_case("Max-Forwards")) {
        return Err(format!(
            "RequestHeader … {field} can change whether a CONNECT is served, and is not understood here: leave it out"
        ));
    }
    if early {
        let place = scope.place.clone();
        scope.global.early_fields.push((field.clone(), place));
    }
    Ok(())
}

/// Outside of sections httpd keeps its rules for paths, and a CONNECT has none; one option takes that limit away.
pub(super) fn rewrite_options(_: &mut Scope<'_>, words: &[String]) -> Done {
    if words
        .iter()
        .any(|word| word.eq_ignore_ascii_case("AllowAnyURI"))
    {
        return Err(
            "RewriteOptions AllowAnyURI lets RewriteRule forbid a CONNECT or send it elsewhere, and is not \
             understood here: say with Require who may connect, and leave it out"
                .into(),
        );
    }
    Ok(())
}

/// `StdEnvVars` and its like are about scripts; two options are about who gets in.
pub(super) fn ssl_options(_: &mut Scope<'_>, words: &[String]) -> Done {
    for word in words {
        let option = word.trim_start_matches(['+', '-']);
        let deciding = ["FakeBasicAuth", "StrictRequire"]
            .into_iter()
            .find(|own| own.eq_ignore_ascii_case(option));
        if let Some(deciding) = deciding.filter(|_| !word.starts_with('-')) {
            return Err(format!(
                "SSLOptions {deciding} changes who gets in, and is not understood here: let users prove who they \
                 are with AuthType Basic, and leave it out"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::error::Place;
    use crate::config::settings::{Global, Settings};

    type Own = fn(&mut Scope<'_>, &[String]) -> Done;

    fn takes(own: Own, text: &str) -> bool {
        let (mut global, mut server) = (Global::default(), Settings::default());
        let mut scope = Scope {
            global: &mut global,
            server: &mut server,
            block: None,
            place: &Place {
                file: "test".into(),
                line: 1,
            },
            in_host: false,
        };
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        own(&mut scope, &words).is_ok()
    }

    #[test]
    fn what_changes_access_is_told_from_what_does_not() {
        for (own, text, good) in [
            (allow_methods as Own, "GET CONNECT", true),
            (allow_methods, "reset", true),
            (allow_methods, "GET POST", false),
            (allow_methods, "connect", false),
            (request_header, "unset X-Forwarded-For", true),
            (request_header, "unset Proxy early", true),
            (request_header, "set Proxy-Authorization x early", false),
            (request_header, "set Proxy-Authorization x", true),
            (request_header, "set max-forwards 0", false),
            (request_header, "set", false),
            (rewrite_options, "Inherit", true),
            (rewrite_options, "Inherit allowanyuri", false),
            (ssl_options, "+StdEnvVars -FakeBasicAuth", true),
            (ssl_options, "+StdEnvVars +fakebasicauth", false),
            (ssl_options, "StrictRequire", false),
            (port, "80", false),
        ] {
            assert_eq!(takes(own, text), good, "{text}");
        }
    }
}
