//! Where a head ends, and what its fields are.

use crate::wire::payload::quote;

/// The values of a field among `fields`, in order; names are compared without case.
pub(crate) fn values<'a>(
    fields: &'a [(String, Vec<u8>)],
    name: &'a str,
) -> impl Iterator<Item = &'a [u8]> {
    fields
        .iter()
        .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_slice())
}

/// Where the first head in `bytes` ends: after its empty line.
///
/// A bare LF counts as a line end here. Whether it may is for a case to say; a reader that did not see the end would
/// call the proxy silent instead.
#[must_use]
pub fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let mut line = 0;
    for (index, &byte) in bytes.iter().enumerate() {
        if byte != b'\n' {
            continue;
        }
        let content = &bytes[line..index];
        if line > 0 && (content.is_empty() || content == b"\r") {
            return Some(index + 1);
        }
        line = index + 1;
    }
    None
}

/// For a reader: the beginning of bytes that are no reply.
pub(crate) fn show_garbage(bytes: &[u8]) -> String {
    quote(&bytes[..bytes.len().min(80)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_ends_behind_its_empty_line() {
        assert_eq!(end_of_head(b"HTTP/1.1 200 OK\r\n\r\nrest"), Some(19));
        assert_eq!(end_of_head(b"HTTP/1.1 200 OK\n\nrest"), Some(17));
        assert_eq!(end_of_head(b"HTTP/1.1 200 OK\r\nA: b\r\n"), None);
    }
}
