//! Octets from the wire, made harmless for a log line.

/// Appends `octets` to `line` as httpd does: quotes and backslashes get a backslash, control characters their
/// C names, everything else that is not printable ASCII `\xhh`. No octet can end a line or a quoted field.
pub fn push_escaped(line: &mut String, octets: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for &octet in octets {
        match octet {
            b'"' => line.push_str("\\\""),
            b'\\' => line.push_str("\\\\"),
            b'\n' => line.push_str("\\n"),
            b'\r' => line.push_str("\\r"),
            b'\t' => line.push_str("\\t"),
            0x08 => line.push_str("\\b"),
            0x0b => line.push_str("\\v"),
            0x20..0x7f => line.push(char::from(octet)),
            _ => {
                line.push_str("\\x");
                line.push(char::from(HEX[usize::from(octet >> 4)]));
                line.push(char::from(HEX[usize::from(octet & 15)]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_field_cannot_leave_its_quotes(octets in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut line = String::new();
            push_escaped(&mut line, &octets);
            prop_assert!(line.bytes().all(|octet| (0x20..0x7f).contains(&octet)));
            // Every quote is behind an odd number of backslashes.
            let mut protected = false;
            for octet in line.bytes() {
                prop_assert!(octet != b'"' || protected);
                protected = octet == b'\\' && !protected;
            }
        }
    }
}
