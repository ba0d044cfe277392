//! Directives that give a request variables, for access rules and logs.

use super::Scope;
use super::words::some;
use crate::config::environment::Rules;

type Done = Result<(), String>;

pub(super) fn set_env_if(scope: &mut Scope<'_>, words: &[String]) -> Done {
    set_if(scope, "SetEnvIf", words, false)
}

pub(super) fn set_env_if_no_case(scope: &mut Scope<'_>, words: &[String]) -> Done {
    set_if(scope, "SetEnvIfNoCase", words, true)
}

pub(super) fn browser_match(scope: &mut Scope<'_>, words: &[String]) -> Done {
    set_if(scope, "BrowserMatch", &of_browser(words), false)
}

pub(super) fn browser_match_no_case(scope: &mut Scope<'_>, words: &[String]) -> Done {
    set_if(scope, "BrowserMatchNoCase", &of_browser(words), true)
}

pub(super) fn set_env(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let (name, value) = match words {
        [name] => (name, ""),
        [name, value] => (name, value.as_str()),
        _ => return Err("SetEnv takes a name and a value".into()),
    };
    if name.contains('=') {
        scope.warn(&format!(
            "AH10032: SetEnv {name}: the '=' is part of the name; a blank separates name and value"
        ));
    }
    if !in_section(scope, "SetEnv") {
        rules(scope)?.set(name, value);
        warn_of(scope, &[name]);
    }
    Ok(())
}

/// The value is that of this process now. One that there is not is none, as in httpd.
pub(super) fn pass_env(scope: &mut Scope<'_>, words: &[String]) -> Done {
    if in_section(scope, "PassEnv") {
        return Ok(());
    }
    for name in some("PassEnv", words)? {
        match std::env::var(name) {
            Ok(value) => rules(scope)?.set(name, &value),
            Err(_) => scope.warn(&format!("AH01506: PassEnv variable {name} was undefined")),
        }
    }
    Ok(())
}

pub(super) fn unset_env(scope: &mut Scope<'_>, words: &[String]) -> Done {
    if in_section(scope, "UnsetEnv") {
        return Ok(());
    }
    for name in some("UnsetEnv", words)? {
        rules(scope)?.unset(name);
    }
    Ok(())
}

/// Whether it stands in a section: there it is not done. Access rules never see what it sets, so only a log could tell.
fn in_section(scope: &mut Scope<'_>, name: &str) -> bool {
    let inside = scope.block.is_some();
    if inside {
        scope.warn(&format!(
            "{name} is not done in a section: write it outside, if a log is to tell"
        ));
    }
    inside
}

fn set_if(scope: &mut Scope<'_>, name: &str, words: &[String], any_case: bool) -> Done {
    rules(scope)?.set_if(name, words, any_case)?;
    let sets: Vec<&str> = words.iter().skip(2).map(String::as_str).collect();
    warn_of(scope, &sets);
    Ok(())
}

/// Says so where a variable is one that httpd's mod_proxy_connect looks at and this proxy does not.
fn warn_of(scope: &mut Scope<'_>, sets: &[&str]) {
    let name = |set: &str| {
        set.split('=')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    if sets.iter().any(|set| name(set) == NO_HALF_CLOSE) {
        scope.warn(
            "proxy-nohalfclose is not known here: the end of one side is passed on to the other",
        );
    }
}

const NO_HALF_CLOSE: &str = "proxy-nohalfclose";

/// The words of the `SetEnvIf` that a `BrowserMatch` stands for.
fn of_browser(words: &[String]) -> Vec<String> {
    std::iter::once("User-Agent".to_owned())
        .chain(words.iter().cloned())
        .collect()
}

fn rules<'a>(scope: &'a mut Scope<'_>) -> Result<&'a mut Rules, String> {
    match scope.block {
        Some(_) => Err(
            "SetEnvIf and its kin are not understood here in a section, and access rules see what they set: write \
             them outside"
                .into(),
        ),
        None => Ok(&mut scope.server.environment),
    }
}
