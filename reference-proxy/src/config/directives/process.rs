//! Directives about the process as a whole.

use super::Scope;
use super::words::{buffer, interval, listen_address, number, one};
use crate::config::Listen;
use std::path::PathBuf;

type Done = Result<(), String>;

pub(super) fn listen(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let address = match words {
        [address] => address,
        [address, protocol] if ["http", "https"].contains(&protocol.as_str()) => address,
        _ => return Err("Listen takes an address or a port, and a protocol".into()),
    };
    let listen = Listen {
        address: listen_address(address)?,
    };
    if scope.global.listen.contains(&listen) {
        return Err(format!(
            "Cannot define multiple Listeners on the same IP:port: {address}"
        ));
    }
    scope.global.listen.push(listen);
    Ok(())
}

pub(super) fn connections_most(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let most = number("MaxRequestWorkers", words)?;
    if most == 0 {
        return Err("MaxRequestWorkers must be at least 1".into());
    }
    scope.global.connections_most = Some(most);
    Ok(())
}

pub(super) fn send_buffer(scope: &mut Scope<'_>, words: &[String]) -> Done {
    scope.global.buffers.send = buffer("SendBufferSize", words)?;
    Ok(())
}

pub(super) fn receive_buffer(scope: &mut Scope<'_>, words: &[String]) -> Done {
    scope.global.buffers.receive = buffer("ReceiveBufferSize", words)?;
    Ok(())
}

pub(super) fn pid_file(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let file = PathBuf::from(one("PidFile", words)?);
    let root = scope.global.root.clone().unwrap_or_default();
    scope.global.pid_file = Some(root.join(file));
    Ok(())
}

pub(super) fn root(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let root = PathBuf::from(one("ServerRoot", words)?);
    if !root.is_dir() {
        return Err("ServerRoot must be a valid directory".into());
    }
    scope.global.root = Some(root);
    Ok(())
}

pub(super) fn drain(scope: &mut Scope<'_>, words: &[String]) -> Done {
    // In httpd 0 stands for no limit; there is a limit on everything here, so it stands for the default.
    scope.global.drain = match words {
        [word] if word == "0" => None,
        words => Some(interval("GracefulShutdownTimeout", words)?),
    };
    Ok(())
}

pub(super) fn user(scope: &mut Scope<'_>, words: &[String]) -> Done {
    scope.global.user = Some(one("User", words)?.to_owned());
    Ok(())
}

pub(super) fn group(scope: &mut Scope<'_>, words: &[String]) -> Done {
    scope.global.group = Some(one("Group", words)?.to_owned());
    Ok(())
}
