/// What the proxy did on one connection, without what differs from run to run.
pub(crate) fn shape(name: &str, bytes: &[u8], length: u64, end: &str) -> String {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    match head {
        Some(at) if name.starts_with("client") => {
            let status = bytes[..at].split(|byte| *byte == b' ').nth(1);
            let status = String::from_utf8_lossy(status.unwrap_or_default());
            let behind = length - at as u64 - 4;
            format!("{name}: {status}, {behind} bytes behind the head{end}")
        }
        _ => format!("{name}: {length} bytes{end}"),
    }
}
