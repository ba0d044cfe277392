//! A CONNECT proxy in forty lines. Browsers are happy with it; the suite is not.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    thread,
};

/// Serves until the listener fails.
pub fn serve(listener: &TcpListener) -> io::Result<()> {
    loop {
        let (client, _) = listener.accept()?;
        thread::spawn(move || tunnel(&client));
    }
}

fn tunnel(mut client: &TcpStream) -> io::Result<()> {
    let mut head = BufReader::new(client);
    let mut request = String::new();
    head.read_line(&mut request)?;
    let mut field = String::new();
    while head.read_line(&mut field)? > 2 {
        field.clear();
    }
    let target = request.split(' ').nth(1).unwrap_or_default();
    let Ok(server) = TcpStream::connect(target) else {
        return client.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    };
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    thread::scope(|threads| {
        threads.spawn(|| relay(client, &server));
        relay(&server, client);
    });
    Ok(())
}

fn relay(mut from: &TcpStream, mut to: &TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
