//! Directives about who may use the proxy.

use super::Scope;
use super::words::one;
use crate::config::access::Require;
use crate::config::settings::Block;

type Done = Result<(), String>;

pub(super) fn require(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let require = Require::parse(words, &|module| scope.global.has(module))?;
    block(scope)?.requires.push(require);
    Ok(())
}

pub(super) fn auth_type(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let kind = one("AuthType", words)?.to_ascii_lowercase();
    block(scope)?.auth.basic = match kind.as_str() {
        "basic" => Some(true),
        "none" => Some(false),
        _ => return Err(format!("AuthType {kind}: only Basic is known here")),
    };
    Ok(())
}

pub(super) fn auth_name(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let realm = one("AuthName", words)?;
    if realm.chars().any(char::is_control) {
        return Err("AuthName holds a control character".into());
    }
    block(scope)?.auth.realm = Some(realm.to_owned());
    Ok(())
}

pub(super) fn auth_user_file(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let file = one("AuthUserFile", words)?;
    let file = scope
        .global
        .root
        .as_ref()
        .map_or_else(|| file.into(), |root| root.join(file));
    block(scope)?.auth.file = Some(file);
    Ok(())
}

fn block<'a>(scope: &'a mut Scope<'_>) -> Result<&'a mut Block, String> {
    scope
        .block
        .as_deref_mut()
        .ok_or_else(|| "not allowed here: it belongs into <Proxy>".into())
}
