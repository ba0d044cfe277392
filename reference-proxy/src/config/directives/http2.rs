//! Directives about versions of HTTP: which ones are spoken, and how HTTP/2 is.

use super::Scope;
use super::words::{flag, interval, number, one, some};
use std::time::Duration;

type Done = Result<(), String>;

/// httpd's least `H2WindowSize`.
const WINDOW_LEAST: usize = 1024;

/// As in httpd the names of several lines add up.
pub(super) fn protocols(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let words = some("Protocols", words)?;
    scope.server.protocols.extend_from_slice(words);
    Ok(())
}

pub(super) fn honor_order(scope: &mut Scope<'_>, words: &[String]) -> Done {
    scope.server.honor_order = Some(flag("ProtocolsHonorOrder", words)?);
    Ok(())
}

pub(super) fn keep_alive(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let none = matches!(words, [none] if none == "0");
    scope.server.keep_alive = Some(match none {
        true => Duration::ZERO,
        false => interval("KeepAliveTimeout", words)?,
    });
    Ok(())
}

pub(super) fn direct(scope: &mut Scope<'_>, words: &[String]) -> Done {
    scope.server.http2.direct = Some(flag("H2Direct", words)?);
    Ok(())
}

pub(super) fn streams_most(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let most = number("H2MaxSessionStreams", words)?;
    if most == 0 {
        return Err("H2MaxSessionStreams: value must be > 0".into());
    }
    scope.server.http2.streams_most = u32::try_from(most).ok();
    Ok(())
}

pub(super) fn window(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let window = number("H2WindowSize", words)?;
    if window < WINDOW_LEAST {
        return Err(format!("H2WindowSize: value must be >= {WINDOW_LEAST}"));
    }
    scope.server.http2.window = u32::try_from(window).ok();
    Ok(())
}

pub(super) fn data_most(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let most = number("H2MaxDataFrameLen", words)?;
    scope.server.http2.data_most = Some(if most == 0 { usize::MAX } else { most });
    Ok(())
}

pub(super) fn stream_timeout(scope: &mut Scope<'_>, words: &[String]) -> Done {
    one("H2StreamTimeout", words)?;
    scope.server.http2.stream_timeout = Some(interval("H2StreamTimeout", words)?);
    Ok(())
}
