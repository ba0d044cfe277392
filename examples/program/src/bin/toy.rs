//! The toy as a program: `toy 127.0.0.1:3128`.

fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_default();
    example_function::toy::serve(&std::net::TcpListener::bind(address)?)
}
