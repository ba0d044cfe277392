//! Directives about who may use the proxy.

use super::Scope;
use super::words::{flag, one, some};
use crate::config::access::hosts::{Order, Origin, Satisfy};
use crate::config::access::{Block, Fate, Merging, Require};
use std::path::PathBuf;

type Done = Result<(), String>;

pub(super) fn require(scope: &mut Scope<'_>, words: &[String]) -> Done {
    block(scope, "Require")?;
    let require = Require::parse(words, &|module| scope.global.has(module))?;
    block(scope, "Require")?.require(require)
}

pub(super) fn merging(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let block = block(scope, "AuthMerging")?;
    let word = one("AuthMerging", words)?.to_ascii_lowercase();
    block.rules.merging = Some(match word.as_str() {
        "off" => Merging::Off,
        "and" => Merging::And,
        "or" => Merging::Or,
        _ => return Err("AuthMerging must be one of: Off | And | Or".into()),
    });
    Ok(())
}

pub(super) fn order(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let block = lists(scope, "Order")?;
    let order = one("Order", words).ok().and_then(Order::parse).ok_or(
        "Order takes one argument, 'allow,deny', 'deny,allow', or 'mutual-failure', without a blank in it",
    )?;
    let other = block.other_methods;
    let hosts = block.hosts();
    hosts.order = if other { hosts.order } else { order };
    Ok(())
}

pub(super) fn allow(scope: &mut Scope<'_>, words: &[String]) -> Done {
    from(scope, "Allow", true, words)
}

pub(super) fn deny(scope: &mut Scope<'_>, words: &[String]) -> Done {
    from(scope, "Deny", false, words)
}

fn from(scope: &mut Scope<'_>, name: &str, allowed: bool, words: &[String]) -> Done {
    let block = lists(scope, name)?;
    let origins = match words {
        [from, origins @ ..] if from.eq_ignore_ascii_case("from") && !origins.is_empty() => origins,
        _ => {
            return Err(format!(
                "{name} requires at least two arguments, 'from' followed by hostnames or IP-address wildcards"
            ));
        }
    };
    let origins = origins.iter().map(|word| Origin::parse(word));
    block.list(allowed, origins.collect::<Result<_, _>>()?);
    Ok(())
}

pub(super) fn satisfy(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let block = block(scope, "Satisfy")?;
    let word = one("Satisfy", words)?.to_ascii_lowercase();
    let satisfy = match word.as_str() {
        "all" => Satisfy::All,
        "any" => Satisfy::Any,
        _ => return Err("Satisfy either 'any' or 'all'.".into()),
    };
    let other = block.other_methods;
    let hosts = block.hosts();
    hosts.satisfy = if other { hosts.satisfy } else { satisfy };
    Ok(())
}

pub(super) fn auth_type(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let block = block(scope, "AuthType")?;
    let kind = one("AuthType", words)?;
    block.rules.auth.basic = match kind.to_ascii_lowercase().as_str() {
        "basic" => Some(true),
        "none" => Some(false),
        _ => {
            return Err(format!(
                "AuthType {kind}: only Basic is known here: write AuthType Basic, with an AuthUserFile that \
                 htpasswd makes"
            ));
        }
    };
    Ok(())
}

pub(super) fn auth_name(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let block = block(scope, "AuthName")?;
    let realm = one("AuthName", words)?;
    if realm.chars().any(char::is_control) {
        return Err("AuthName holds a control character".into());
    }
    block.rules.auth.realm = Some(realm.to_owned());
    Ok(())
}

pub(super) fn auth_user_file(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let file = file(scope, "AuthUserFile", words)?;
    block(scope, "AuthUserFile")?.rules.auth.file = Some(file);
    Ok(())
}

pub(super) fn auth_group_file(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let file = file(scope, "AuthGroupFile", words)?;
    block(scope, "AuthGroupFile")?.rules.auth.groups = Some(file);
    Ok(())
}

pub(super) fn forbid_on_failure(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let on = flag("AuthzSendForbiddenOnFailure", words)?;
    block(scope, "AuthzSendForbiddenOnFailure")?
        .rules
        .auth
        .forbid = Some(on);
    Ok(())
}

/// The file of passwords is the only one who vouches.
pub(super) fn basic_provider(scope: &mut Scope<'_>, words: &[String]) -> Done {
    block(scope, "AuthBasicProvider")?;
    let mut words = some("AuthBasicProvider", words)?.iter();
    match words.find(|word| *word != "file") {
        Some(other) => Err(format!(
            "AuthBasicProvider {other} would let in whom another source of users knows, and only 'file' is known \
             here: write AuthBasicProvider file, with an AuthUserFile"
        )),
        None => Ok(()),
    }
}

/// There is nobody else to ask, so that it makes no difference to who is let in.
pub(super) fn basic_authoritative(scope: &mut Scope<'_>, words: &[String]) -> Done {
    block(scope, "AuthBasicAuthoritative")?;
    flag("AuthBasicAuthoritative", words).map(drop)
}

pub(super) fn basic_digest(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let remedy = "would hold passwords against hashes of another kind, which are not known here: take it out, and \
                  make the AuthUserFile with htpasswd -B";
    only_off(scope, "AuthBasicUseDigestAlgorithm", words, remedy)
}

pub(super) fn basic_fake(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let remedy = "would send credentials on that the client did not give, which is not known here: take it out";
    only_off(scope, "AuthBasicFake", words, remedy)
}

fn only_off(scope: &mut Scope<'_>, name: &str, words: &[String], remedy: &str) -> Done {
    block(scope, name)?;
    match words {
        [word] if word.eq_ignore_ascii_case("off") => Ok(()),
        [] => Err(format!("{name} requires at least one argument")),
        _ => Err(format!("{name} {remedy}")),
    }
}

/// The section that a line stands in.
fn block<'s>(scope: &'s mut Scope<'_>, name: &str) -> Result<&'s mut Block, String> {
    let block = scope
        .block
        .as_deref_mut()
        .ok_or("not allowed here: it belongs into <Proxy>")?;
    match &block.fate {
        Fate::Applies => Ok(block),
        Fate::Unknown(section) => Err(format!(
            "{name} in <{section}> would apply where an expression holds, and expressions are not known here: write \
             <Proxy>, <ProxyMatch> or <VirtualHost> for the targets that it is about, and Require for the clients"
        )),
    }
}

/// The same for what may not stand in `<RequireAll>` and its kin.
fn lists<'s>(scope: &'s mut Scope<'_>, name: &str) -> Result<&'s mut Block, String> {
    let block = block(scope, name)?;
    match block.container() {
        Some(container) => Err(format!("{name} not allowed in <{container}> context")),
        None => Ok(block),
    }
}

fn file(scope: &Scope<'_>, name: &str, words: &[String]) -> Result<PathBuf, String> {
    let file = one(name, words)?;
    let root = scope.global.root.as_ref();
    Ok(root.map_or_else(|| file.into(), |root| root.join(file)))
}
