//! Directives of mod_proxy and mod_proxy_connect.

use super::Scope;
use super::words::{buffer, flag, interval, one, some};
use crate::config::AllowConnect;
use crate::config::destinations;
use crate::config::routes::{Direct, Remote, Via};

type Done = Result<(), String>;

pub(super) fn requests(scope: &mut Scope<'_>, words: &[String]) -> Done {
    scope.server.proxy_requests = Some(flag("ProxyRequests", words)?);
    Ok(())
}

pub(super) fn allow_connect(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let list = AllowConnect::parse(words.iter().map(String::as_str))?;
    let earlier = scope.server.allow.take();
    scope.server.allow = Some(earlier.map_or_else(|| list.clone(), |earlier| earlier.and(&list)));
    Ok(())
}

pub(super) fn allow_destination(scope: &mut Scope<'_>, words: &[String]) -> Done {
    for word in some("AllowDestination", words)? {
        let networks = destinations::parse(word)?;
        scope.server.destinations.allowed.extend(networks);
    }
    Ok(())
}

pub(super) fn deny_destination(scope: &mut Scope<'_>, words: &[String]) -> Done {
    for word in some("DenyDestination", words)? {
        let networks = destinations::parse(word)?;
        scope.server.destinations.denied.extend(networks);
    }
    Ok(())
}

pub(super) fn timeout(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let time = interval("ProxyTimeout", words)?;
    scope.server.proxy_timeout = Some(time);
    Ok(())
}

pub(super) fn source_address(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let [address] = words else {
        return Err("ProxySourceAddress takes one address of this machine".into());
    };
    let address = address
        .parse()
        .map_err(|_| format!("ProxySourceAddress: '{address}' is no IP address"))?;
    scope.server.source_address = Some(address);
    Ok(())
}

pub(super) fn receive_buffer(scope: &mut Scope<'_>, words: &[String]) -> Done {
    scope.server.receive_buffer = Some(buffer("ProxyReceiveBufferSize", words)?);
    Ok(())
}

pub(super) fn block(scope: &mut Scope<'_>, words: &[String]) -> Done {
    for word in some("ProxyBlock", words)? {
        let known = scope
            .global
            .addresses
            .get(word)
            .map_or(&[][..], Vec::as_slice);
        scope.server.routes.block(word, known);
    }
    Ok(())
}

pub(super) fn remote(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let remote = Remote::parse(words)?;
    scope.server.routes.remotes.push(remote);
    Ok(())
}

pub(super) fn remote_match(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let remote = Remote::parse_match(words)?;
    scope.server.routes.remotes.push(remote);
    Ok(())
}

pub(super) fn no_proxy(scope: &mut Scope<'_>, words: &[String]) -> Done {
    for word in some("NoProxy", words)? {
        scope.server.routes.direct.push(Direct::parse(word)?);
    }
    Ok(())
}

pub(super) fn via(scope: &mut Scope<'_>, words: &[String]) -> Done {
    scope.server.routes.via = Some(
        match one("ProxyVia", words)?.to_ascii_lowercase().as_str() {
            "off" => Via::Off,
            "on" => Via::On,
            "full" => Via::Full,
            "block" => Via::Block,
            _ => return Err("ProxyVia must be one of: off | on | full | block".into()),
        },
    );
    Ok(())
}
