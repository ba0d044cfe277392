//! What a subject printed: its first words and its last, however much lies between.

use std::collections::VecDeque;

/// How much of the beginning is kept: where a program says what is wrong with its configuration.
const HEAD_MAX: usize = 32 * 1024;

/// How much of the end is kept: where a program says why it died.
const TAIL_MAX: usize = 32 * 1024;

/// The beginning and the end of an output of any length.
#[derive(Debug, Default)]
pub(super) struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    /// How many bytes between the two are gone.
    gone: u64,
}

impl Capture {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let (head, rest) = bytes.split_at(bytes.len().min(HEAD_MAX - self.head.len()));
        self.head.extend_from_slice(head);
        let (skipped, rest) = rest.split_at(rest.len().saturating_sub(TAIL_MAX));
        let excess = (self.tail.len() + rest.len()).saturating_sub(TAIL_MAX);
        self.tail.drain(..excess);
        self.tail.extend(rest);
        self.gone += (skipped.len() + excess) as u64;
    }

    /// How much has come so far.
    pub(super) fn length(&self) -> u64 {
        self.head.len() as u64 + self.gone + self.tail.len() as u64
    }

    /// What came after the first `length` bytes, as far as it is kept.
    pub(super) fn text_since(&self, length: u64) -> String {
        let in_head = usize::try_from(length).unwrap_or(usize::MAX);
        let head = self.head.get(in_head..).unwrap_or_default();
        let tail_begins = self.head.len() as u64 + self.gone;
        let in_tail = usize::try_from(length.saturating_sub(tail_begins)).unwrap_or(usize::MAX);
        let tail = self.tail.iter().copied().skip(in_tail);
        let bytes: Vec<u8> = head.iter().copied().chain(tail).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The text, with a line that says how much is missing.
    pub(super) fn text(&self) -> String {
        let head = String::from_utf8_lossy(&self.head);
        let tail: Vec<u8> = self.tail.iter().copied().collect();
        let tail = String::from_utf8_lossy(&tail);
        match self.gone {
            0 => format!("{head}{tail}"),
            gone => format!("{head}\n[… {gone} bytes …]\n{tail}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_output_is_kept_whole() {
        let mut capture = Capture::default();
        capture.push(b"one ");
        capture.push(b"two");
        assert_eq!(capture.text(), "one two");
    }

    #[test]
    fn what_came_since_some_moment_is_known() {
        let mut capture = Capture::default();
        for words in ["one ", "two ", "three"] {
            let before = capture.length();
            capture.push(words.as_bytes());
            assert_eq!(capture.text_since(before), words);
        }
        capture.push(&vec![b'x'; 2 * HEAD_MAX + TAIL_MAX]);
        let before = capture.length();
        capture.push(b"last words");
        assert_eq!(capture.text_since(before), "last words");
        assert!(capture.text_since(0).starts_with("one two three"));
        assert_eq!(capture.text_since(before + 100), "");
    }

    #[test]
    fn of_a_flood_the_first_and_the_last_words_are_kept() {
        for chunk in [1000, 200_000] {
            let mut capture = Capture::default();
            capture.push(b"first words");
            for _ in 0..400_000 / chunk {
                capture.push(&vec![b'x'; chunk]);
            }
            capture.push(b"last words");
            let text = capture.text();
            assert!(text.starts_with("first words") && text.ends_with("last words"));
            assert!(text.len() <= HEAD_MAX + TAIL_MAX + 64);
            let total = 11 + 400_000 + 10 - HEAD_MAX - TAIL_MAX;
            assert!(text.contains(&format!("[… {total} bytes …]")));
        }
    }
}
