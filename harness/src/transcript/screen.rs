//! What may reach a terminal: letters, and those colours that are ours.
//!
//! What a proxy prints, and what stands in a report from elsewhere, may hold sequences that move the cursor, retitle the
//! window or type for its owner, and characters that turn lines around. All of them are shown as what they are.
//! Whatever the command line writes passes through here, last of all; so that nobody else's colours are taken for ours,
//! the character that begins a sequence gets into no report ([`without_sequences`]).

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write},
};

/// What begins a sequence for a terminal.
const ESCAPE: char = '\u{1b}';

/// What stands for it in a report.
const ESCAPE_SIGN: &str = "␛";

/// The parameters of sequences that are ours: back to normal, bold, dimmed, and the colours of verdicts.
const OURS: [&str; 9] = ["0", "1", "2", "31", "32", "33", "34", "35", "36"];

/// Writes to a terminal what may reach it.
#[derive(Debug)]
pub struct Screen<W>(W);

impl<W: Write> Screen<W> {
    /// Writes to `terminal`.
    pub const fn new(terminal: W) -> Self {
        Self(terminal)
    }
}

impl<W: Write> Write for Screen<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .write_all(styled(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A stranger's text as a terminal may have it: lines and tabs are kept, everything else that is no letter is shown.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    filtered(text, |_| None)
}

/// The same for a text of ours, in which our colours are.
fn styled(text: &str) -> Cow<'_, str> {
    filtered(text, |rest| {
        let parameters = rest.strip_prefix(ESCAPE)?.strip_prefix('[')?;
        let (parameters, _) = parameters.split_once('m')?;
        OURS.contains(&parameters)
            .then_some("\u{1b}[m".len() + parameters.len())
    })
}

/// A text that holds no sequence for a terminal.
#[must_use]
pub fn without_sequences(text: String) -> String {
    if text.contains(ESCAPE) {
        text.replace(ESCAPE, ESCAPE_SIGN)
    } else {
        text
    }
}

/// Shows what would not be seen; `allowed` gives the length of what may pass at the beginning of a rest.
fn filtered(text: &str, allowed: impl Fn(&str) -> Option<usize>) -> Cow<'_, str> {
    if !text.contains(is_no_letter) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let passes = if is_no_letter(c) {
            allowed(rest)
        } else {
            Some(c.len_utf8())
        };
        let (this, others) = rest.split_at(passes.unwrap_or_else(|| c.len_utf8()));
        rest = others;
        if passes.is_some() {
            shown.push_str(this);
            continue;
        }
        // Writing to a string cannot fail.
        let _ = match u8::try_from(c) {
            Ok(octet) if c.is_ascii() => write!(shown, "\\x{octet:02x}"),
            _ => write!(shown, "\\u{{{:x}}}", u32::from(c)),
        };
    }
    shown.into()
}

/// Control characters, and those that turn the order of others around or cannot be seen.
fn is_no_letter(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Retitles the window, clears the screen, hides what follows, reports the cursor; an eight-bit sequence; a line
    /// that reads backwards; a bell and a backspace.
    const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[8m\u{1b}[6n\u{9b}31m\u{202e}evil\u{2066}\u{8}\r\u{7f}\u{200b}";

    #[test]
    fn nothing_of_a_stranger_reaches_a_terminal_raw() {
        let shown = plain(HOSTILE);
        assert_eq!(
            shown,
            "\\x1b]0;owned\\x07\\x1b[2J\\x1b[8m\\x1b[6n\\u{9b}31m\\u{202e}evil\\u{2066}\\x08\\x0d\\x7f\\u{200b}"
        );
        let mut screen = Screen::new(Vec::new());
        screen.write_all(HOSTILE.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(screen.0).unwrap(), shown);
    }

    #[test]
    fn letters_lines_and_our_colours_stay() {
        let text = "grüße\t日本 ✓ ─▶ ⏎\n";
        assert!(matches!(plain(text), Cow::Borrowed(same) if same == text));
        let ours = "\u{1b}[1m\u{1b}[31mFAIL\u{1b}[0m x\n";
        assert_eq!(styled(ours), ours);
        assert_eq!(plain(ours), "\\x1b[1m\\x1b[31mFAIL\\x1b[0m x\n");
        assert_eq!(styled("\u{1b}[1;31mx\u{1b}[38m"), "\\x1b[1;31mx\\x1b[38m");
    }

    #[test]
    fn a_report_holds_no_sequence() {
        assert_eq!(
            without_sequences("a\u{1b}[32mPASS".to_owned()),
            "a␛[32mPASS"
        );
    }
}
