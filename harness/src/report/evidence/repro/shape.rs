/// What the proxy did on one connection, without what differs from run to run: the statuses of its answers without their
/// bodies, and how many bytes a tunnel brought.
pub(crate) fn shape(name: &str, bytes: &[u8], length: u64, end: &str) -> String {
    if !name.starts_with("client") {
        return format!("{name}: {length} bytes{end}");
    }
    let mut statuses = Vec::new();
    let mut from = 0;
    while let Some(head) = bytes[from..]
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
    {
        let text = String::from_utf8_lossy(&bytes[from..from + head]).to_ascii_lowercase();
        let status = text.split(' ').nth(1).unwrap_or_default();
        statuses.push(status.split_whitespace().collect::<String>());
        from += head + 4;
        if status.starts_with('2') {
            break;
        }
        let field = text
            .split("\r\n")
            .find_map(|line| line.strip_prefix("content-length:"));
        // A body without a length goes on to the end.
        let body = field.and_then(|value| value.trim().parse::<usize>().ok());
        from = bytes
            .len()
            .min(from.saturating_add(body.unwrap_or(usize::MAX)));
    }
    let behind = length - from as u64;
    format!("{name}: {}, {behind} bytes behind{end}", statuses.join(" "))
}
