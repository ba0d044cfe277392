//! The mended proxy as a program: `mended 127.0.0.1:3128`.

fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_default();
    example_function::mended::serve(&std::net::TcpListener::bind(address)?)
}
