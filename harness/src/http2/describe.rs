//! Frames as a transcript shows them.

use std::fmt::Write as _;

use crate::http2::{
    ErrorCode, Fields, Frame,
    frame::{flag, kind, number, settings},
};

impl Frame {
    /// For a reader of a transcript; `fields` are those of the section that ends with it.
    #[must_use]
    pub fn describe(&self, fields: Option<&Fields>) -> String {
        let mut said = name(self.kind);
        if self.stream != 0 {
            let _ = write!(said, " on {}", self.stream);
        }
        for &(flag, word) in self.flag_words() {
            if self.has(flag) {
                said.push(' ');
                said.push_str(word);
            }
        }
        let _ = write!(said, " ({})", self.payload.len());
        let meaning = match (fields, self.kind) {
            (Some(fields), _) => fields.describe(),
            (None, kind::DATA) => self.describe_data(),
            (None, _) => self.meaning(),
        };
        if !meaning.is_empty() {
            let _ = write!(said, ": {meaning}");
        }
        said
    }

    fn describe_data(&self) -> String {
        let plain = |octet: &u8| matches!(octet, b' '..=b'~' | b'\r' | b'\n' | b'\t');
        let short = self.payload.len() <= SHOWN && !self.payload.is_empty();
        match short && !self.has(flag::PADDED) && self.payload.iter().all(plain) {
            true => format!("{:?}", String::from_utf8_lossy(&self.payload)),
            false => String::new(),
        }
    }

    const fn flag_words(&self) -> &'static [(u8, &'static str)] {
        match self.kind {
            kind::DATA => &[(flag::END_STREAM, "END_STREAM"), (flag::PADDED, "PADDED")],
            kind::HEADERS => &[
                (flag::END_STREAM, "END_STREAM"),
                (flag::END_HEADERS, "END_HEADERS"),
                (flag::PADDED, "PADDED"),
                (flag::PRIORITY, "PRIORITY"),
            ],
            kind::CONTINUATION => &[(flag::END_HEADERS, "END_HEADERS")],
            kind::SETTINGS | kind::PING => &[(flag::ACK, "ACK")],
            _ => &[],
        }
    }

    fn meaning(&self) -> String {
        match (self.kind, &*self.payload) {
            (kind::RST_STREAM, payload) => ErrorCode::read(payload)
                .map(|code| code.to_string())
                .unwrap_or_default(),
            (kind::GOAWAY, payload) => payload
                .get(4..)
                .and_then(ErrorCode::read)
                .map(|code| code.to_string())
                .unwrap_or_default(),
            (kind::WINDOW_UPDATE, payload) => number(payload)
                .map(|more| format!("+{more}"))
                .unwrap_or_default(),
            (kind::SETTINGS, payload) => {
                let said = settings(payload).map(|(name, value)| format!("{name}={value}"));
                said.collect::<Vec<_>>().join(" ")
            }
            _ => String::new(),
        }
    }
}

/// DATA up to this length is shown.
const SHOWN: usize = 64;

/// The name of a type of frames.
#[must_use]
pub(super) fn name(kind: u8) -> String {
    let known = match kind {
        kind::DATA => "DATA",
        kind::HEADERS => "HEADERS",
        kind::PRIORITY => "PRIORITY",
        kind::RST_STREAM => "RST_STREAM",
        kind::SETTINGS => "SETTINGS",
        kind::PUSH_PROMISE => "PUSH_PROMISE",
        kind::PING => "PING",
        kind::GOAWAY => "GOAWAY",
        kind::WINDOW_UPDATE => "WINDOW_UPDATE",
        kind::CONTINUATION => "CONTINUATION",
        other => return format!("a frame of type {other}"),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http2::field;

    #[test]
    fn frames_are_shown_with_what_they_mean() {
        let said = |frame: Frame| frame.describe(None);
        assert_eq!(
            said(Frame::data(1, *b"goodbye", true)),
            "DATA on 1 END_STREAM (7): \"goodbye\""
        );
        assert_eq!(
            said(Frame::reset(3, ErrorCode::CONNECT_ERROR)),
            "RST_STREAM on 3 (4): CONNECT_ERROR"
        );
        assert_eq!(said(Frame::window_update(0, 9)), "WINDOW_UPDATE (4): +9");
        assert_eq!(said(Frame::settings(&[(4, 7)])), "SETTINGS (6): 4=7");
        let fields: Fields = [(":status", "200"), ("x", "a\u{7}")].into_iter().collect();
        let mut block = Vec::new();
        field::literal(&mut block, b":status", b"200");
        assert_eq!(
            Frame::headers(1, block, false).describe(Some(&fields)),
            r"HEADERS on 1 END_HEADERS (13): :status: 200, x: a\x07"
        );
    }
}
