//! Requests that are meant to be overlooked.

use connectspec_harness::prelude::*;

/// A request that a proxy would gladly serve: plain HTTP, for a server of this case.
pub(in crate::cases) async fn smuggled_request(lab: &Lab) -> Outcome<Vec<u8>> {
    let sentinel = lab
        .server(receive_head().then(send(SMUGGLED_REPLY)).then(close()))
        .await?;
    let authority = sentinel.authority();
    let request = format!(
        "GET http://{authority}/{} HTTP/1.1\r\nHost: {authority}\r\n\r\n",
        lab.nonce()
    );
    Ok(request.into_bytes())
}

const SMUGGLED_REPLY: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\nsmuggled";
