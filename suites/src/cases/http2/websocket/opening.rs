//! How a WebSocket comes about: the client's extended CONNECT, the gateway's upgrade, and the server's consent.

use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use connectspec_harness::{client::Http2, http1::Forwarded, http2::Fields, prelude::*};
use sha1::{Digest as _, Sha1};

use crate::cases::http2::words::{connection, is_refused};

use super::message::{Frame, next};

/// What every server adds to a key before it proves with a digest that it knows the protocol (RFC 6455, section 1.3).
const KNOWN_TO_ALL: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// An extended CONNECT for a WebSocket at a path of an authority.
pub(in crate::cases::http2) fn with_protocol(
    lab: &Lab,
    http2: &Http2,
    authority: &str,
    path: &str,
    more: &[(&str, &str)],
) -> Fields {
    let mut fields = Fields::new()
        .with(":method", "CONNECT")
        .with(":protocol", "websocket")
        .with(":scheme", lab.scheme())
        .with(":path", path)
        .with(":authority", authority);
    let right = http2.request(authority);
    for (name, value) in right.iter().filter(|(name, _)| !name.starts_with(b":")) {
        fields.push(name, value);
    }
    if more
        .iter()
        .all(|(name, _)| *name != "sec-websocket-version")
    {
        fields.push("sec-websocket-version", "13");
    }
    for (name, value) in more {
        fields.push(name, value);
    }
    fields
}

/// The same with one more field right behind its method.
pub(in crate::cases::http2) fn behind_method(fields: &Fields, name: &str, value: &str) -> Fields {
    let mut all = Fields::new();
    for (known, said) in fields.iter() {
        all.push(known, said);
        if known == b":method" {
            all.push(name, value);
        }
    }
    all
}

/// A WebSocket that its server has been asked for, and has not granted yet.
pub(in crate::cases::http2) struct Opening {
    http2: Http2,
    id: u32,
    far: End,
    /// What the server was asked.
    pub(in crate::cases::http2) asked: Forwarded,
}

impl Opening {
    /// Asks for a WebSocket with these fields, and waits until its server was asked.
    pub(in crate::cases::http2) async fn begins(lab: &Lab, more: &[(&str, &str)]) -> Outcome<Self> {
        let server = lab.websocket_server(hand_over()).await?;
        let http2 = connection(lab).await?;
        let id = http2.opens(&right(lab, &http2, more)?, false);
        let mut far = tokio::select! {
            biased;
            far = server.accepts_who_speaks() => far?,
            answer = http2.hears(id) => {
                let why = format!("the WebSocket server was not asked: {}", answer.describe());
                return Err(Finding::setup(why));
            }
        };
        let asked = Forwarded::parse(far.receives_head().await?)?;
        Ok(Self {
            http2,
            id,
            far,
            asked,
        })
    }

    /// The server grants it, with more lines in its answer.
    pub(in crate::cases::http2) async fn grants(&mut self, lines: &[&str]) -> Outcome {
        grant(&mut self.far, &self.asked, lines).await
    }

    /// What the client is answered.
    pub(in crate::cases::http2) async fn hears(&self) -> Answer {
        self.http2.hears(self.id).await
    }

    /// The status of the first answer, interim ones among them.
    pub(in crate::cases::http2) async fn first_status(&self, lab: &Lab) -> Option<u16> {
        let first = self.http2.until_within(lab.patience().reply(), |state| {
            let stream = state.streams.get(&self.id)?;
            let (fields, _) = stream.sections.first()?;
            Some(fields.status())
        });
        first.await.flatten()
    }

    /// Both ends, once it was granted.
    pub(in crate::cases::http2) fn into_both(self) -> Both {
        let near = self.http2.end(self.id);
        Both {
            http2: self.http2,
            id: self.id,
            near,
            far: self.far,
        }
    }
}

/// An extended CONNECT as it has to be, to the path at which the subject is a gateway.
pub(in crate::cases::http2) fn right(
    lab: &Lab,
    http2: &Http2,
    more: &[(&str, &str)],
) -> Outcome<Fields> {
    let (own, path) = (lab.proxy().to_string(), lab.websocket_path()?);
    Ok(with_protocol(lab, http2, &own, path, more))
}

/// The request is refused as malformed, also where the server would have granted it.
pub(in crate::cases::http2) async fn refuses(
    lab: &Lab,
    make: impl FnOnce(Fields) -> Fields,
) -> Outcome {
    let server = lab.websocket_server(hand_over()).await?;
    let http2 = connection(lab).await?;
    let id = http2.opens(&make(right(lab, &http2, &[])?), false);
    let come = tokio::select! {
        biased;
        _ = http2.hears(id) => None,
        far = server.accepts_who_speaks() => Some(far?),
    };
    if let Some(mut far) = come {
        let asked = Forwarded::parse(far.receives_head().await?)?;
        grant(&mut far, &asked, &[]).await?;
        return is_refused(lab, &http2, id).await;
    }
    is_refused(lab, &http2, id).await
}

/// The server knows the protocol, and grants what it was asked.
async fn grant(far: &mut End, asked: &Forwarded, lines: &[&str]) -> Outcome {
    let keys = asked.members("sec-websocket-key");
    let [key] = &keys[..] else {
        return Err(Finding::violation(
            "one Sec-WebSocket-Key",
            format!("{keys:?}"),
        ));
    };
    let more: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    let accept = accept(key);
    far.sends(format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{more}\r\n"
    ))
    .await
}

/// Both ends of a WebSocket.
pub(in crate::cases::http2) struct Both {
    pub(in crate::cases::http2) http2: Http2,
    /// The client's stream.
    pub(in crate::cases::http2) id: u32,
    pub(in crate::cases::http2) near: End,
    pub(in crate::cases::http2) far: End,
}

impl Both {
    /// Both sides say that they go, as the protocol wants it before an end.
    pub(in crate::cases::http2) async fn says_goodbye(&mut self) -> Outcome {
        let goodbye = Frame::goodbye();
        self.near.sends(goodbye.masked()).await?;
        next(&mut self.far).await?.is(&goodbye)?;
        self.far.sends(goodbye.bare()).await?;
        next(&mut self.near).await?.is(&goodbye)
    }
}

/// A WebSocket that was granted.
pub(in crate::cases::http2) async fn opens(lab: &Lab) -> Outcome<Both> {
    let mut opening = Opening::begins(lab, &[]).await?;
    opening.grants(&[]).await?;
    let answer = opening.hears().await;
    match answer.status() {
        Some(200..300) => Ok(opening.into_both()),
        _ => Err(Finding::setup(format!(
            "no WebSocket: {}",
            answer.describe()
        ))),
    }
}

/// The proof that a server knows the protocol (RFC 6455, section 4.2.2).
fn accept(key: &str) -> String {
    BASE64.encode(Sha1::digest(format!("{key}{KNOWN_TO_ALL}")))
}

/// The key of the example in RFC 6455, section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// How a client of HTTP/1.1 asks for a WebSocket.
pub(in crate::cases::http2) fn upgrade() -> String {
    format!(
        "GET /chat HTTP/1.1\r\nHost: server.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}

/// What its server answers.
pub(in crate::cases::http2) fn switched() -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
        accept(KEY)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_accepted_as_in_the_example_of_the_specification() {
        assert_eq!(accept(KEY), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
