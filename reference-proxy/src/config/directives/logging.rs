//! Directives about the logs.

use super::Scope;
use super::words::{one, some};
use crate::config::settings::{LogFormatName, LogLine};
use crate::log::error::{ErrorFormat, Level};
use crate::log::format::Format;
use crate::log::{Condition, LogTarget};
use std::sync::Arc;

type Done = Result<(), String>;

pub(super) fn custom_log(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let line = log_line("CustomLog", scope, words)?;
    scope.server.logs.push(line);
    Ok(())
}

/// A log for every virtual host, also for those that have their own.
pub(super) fn global_log(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let line = log_line("GlobalLog", scope, words)?;
    scope.global.logs.push(line);
    Ok(())
}

fn log_line(name: &str, scope: &Scope<'_>, words: &[String]) -> Result<LogLine, String> {
    let (file, format, condition) = match words {
        [file, format] => (file, format, None),
        [file, format, condition] => (file, format, Some(Condition::parse(condition)?)),
        _ => {
            return Err(format!(
                "{name} takes a file name, a format, and 'env=' with a variable"
            ));
        }
    };
    let target = LogTarget::parse(file, scope.global.root.as_deref())?;
    // Read now, so that an error has its line; nicknames are looked up when all of them are known.
    if format.contains('%') {
        Format::parse(format)?;
    }
    Ok(LogLine {
        target,
        format: LogFormatName::Text(format.clone()),
        condition,
    })
}

pub(super) fn transfer_log(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let target = LogTarget::parse(one("TransferLog", words)?, scope.global.root.as_deref())?;
    scope.server.logs.push(LogLine {
        target,
        format: LogFormatName::Transfer,
        condition: None,
    });
    Ok(())
}

pub(super) fn error_log(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let target = LogTarget::parse(one("ErrorLog", words)?, scope.global.root.as_deref())?;
    scope.server.error_log = Some(target);
    Ok(())
}

pub(super) fn error_log_format(scope: &mut Scope<'_>, words: &[String]) -> Done {
    match words {
        [format] => scope.server.error_format = Some(Arc::new(ErrorFormat::parse(format)?)),
        // Once a connection or request: what httpd then adds to the log is not written here.
        [kind, format]
            if ["connection", "request"].contains(&kind.to_ascii_lowercase().as_str()) =>
        {
            ErrorFormat::parse(format)?;
        }
        _ => {
            return Err(
                "ErrorLogFormat takes a format, after 'connection' or 'request' if at all".into(),
            );
        }
    }
    Ok(())
}

pub(super) fn log_format(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let (text, nickname) = match words {
        [text] => (text, None),
        [text, nickname] if nickname.contains('%') => {
            return Err("LogFormat: nicknames cannot contain '%'".into());
        }
        [text, nickname] => (text, Some(nickname)),
        _ => return Err("LogFormat takes a format and a nickname".into()),
    };
    let format = Arc::new(Format::parse(text)?);
    match nickname {
        Some(nickname) => {
            scope.global.formats.insert(nickname.clone(), format);
        }
        None => scope.server.transfer_format = Some(format),
    }
    Ok(())
}

/// `info`, `warn proxy:debug`: a level for everything, and one for the modules that this proxy stands for.
pub(super) fn log_level(scope: &mut Scope<'_>, words: &[String]) -> Done {
    let (mut level, mut own) = (None, None);
    for word in some("LogLevel", words)? {
        match word.split_once(':') {
            None => level = Some(Level::parse(word)?),
            Some((module, word)) => {
                let parsed = Level::parse(word)?;
                let module = module.trim_start_matches("mod_");
                let module = module.trim_end_matches(".c").trim_end_matches("_module");
                if matches!(module, "proxy" | "proxy_connect") {
                    own = Some(parsed);
                }
            }
        }
    }
    // In a section it is about requests only, and there is nothing else to log here.
    if let Some(level) = own.or(level) {
        scope.server.log_level = Some(level);
    }
    Ok(())
}
