//! The toy, mended: it takes a head as it stands and no other, loses none of the bytes behind it, and ends each direction
//! of a tunnel on its own.

use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv6Addr, Shutdown, TcpListener, TcpStream},
    thread,
};

/// Octets of a head. Proxies take between 8 and 64 KiB; more only costs memory.
const HEAD_LIMIT: usize = 16 * 1024;

const BAD: &str = "400 Bad Request";

/// Serves until the listener fails.
pub fn serve(listener: &TcpListener) -> io::Result<()> {
    loop {
        let (client, _) = listener.accept()?;
        thread::spawn(move || tunnel(&client));
    }
}

fn tunnel(mut client: &TcpStream) -> io::Result<()> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if bytes.len() > HEAD_LIMIT {
            return refuse(client, "431 Request Header Fields Too Large");
        }
        let mut more = [0; 4096];
        match client.read(&mut more)? {
            0 => return Ok(()),
            count => bytes.extend(&more[..count]),
        }
    };
    let (head, early) = (&bytes[..end], &bytes[end + 4..]);
    let target = match std::str::from_utf8(head).map_or(Err(BAD), target) {
        Ok(target) => target,
        Err(status) => return refuse(client, status),
    };
    let Ok(mut server) = TcpStream::connect(target) else {
        return refuse(client, "502 Bad Gateway");
    };
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    server.write_all(early)?;
    thread::scope(|threads| {
        threads.spawn(|| relay(client, &server));
        relay(&server, client);
    });
    Ok(())
}

/// What a right head asks for, or the status that a wrong one gets.
fn target(head: &str) -> Result<&str, &'static str> {
    let mut lines = head.split("\r\n");
    let line: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let [method, target, version @ ("HTTP/1.1" | "HTTP/1.0")] = line[..] else {
        return Err(BAD);
    };
    if method != "CONNECT" {
        return Err("501 Not Implemented");
    }
    let mut hosts = 0;
    for line in lines {
        let (name, value) = line.split_once(':').ok_or(BAD)?;
        let value = value.trim_matches([' ', '\t']);
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(token) || value.contains(['\r', '\n', '\0']) {
            return Err(BAD);
        }
        match &*name.to_ascii_lowercase() {
            "host" if value.is_empty() || is_host(value) || is_authority(value) => hosts += 1,
            // A tunnel has no content: who announces some disagrees with somebody about where it ends.
            "host" | "content-length" | "transfer-encoding" => return Err(BAD),
            _ => {}
        }
    }
    let hosts_are_right = hosts == 1 || hosts == 0 && version == "HTTP/1.0";
    if is_authority(target) && hosts_are_right {
        Ok(target)
    } else {
        Err(BAD)
    }
}

fn is_authority(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        let digits = port.bytes().all(|octet| octet.is_ascii_digit());
        is_host(host) && digits && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}

fn is_host(text: &str) -> bool {
    let name = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let inside = |text: &str| Some(text.strip_prefix('[')?.strip_suffix(']')?.to_owned());
    match inside(text) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => !text.is_empty() && text.chars().all(name),
    }
}

fn refuse(mut client: &TcpStream, status: &str) -> io::Result<()> {
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    client.write_all(answer.as_bytes())?;
    client.shutdown(Shutdown::Write)?;
    // What the client still sends is read, so that no reset overtakes the answer.
    io::copy(&mut client.take(HEAD_LIMIT as u64), &mut io::sink()).map(drop)
}

fn relay(mut from: &TcpStream, mut to: &TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}
