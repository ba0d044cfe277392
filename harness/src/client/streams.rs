//! A client that speaks HTTP/2 and makes its requests frame by frame.

use crate::{
    client::{
        Client,
        http2::{answer, next_stream},
    },
    http1::Answer,
    http2::{Fields, Frame, Manners},
    server::Server,
    tunnel::{End, Http2, Side},
    verdict::{Finding, Outcome},
};

impl Client {
    /// A connection that speaks HTTP/2 and begins with these SETTINGS.
    ///
    /// # Errors
    /// As those of [`Client::dial`]; the harness's, where this client speaks HTTP/1.1.
    pub async fn dial_http2(&self, settings: &[(u16, u32)], manners: Manners) -> Outcome<Http2> {
        if !self.speaks_http2 {
            return Err(Finding::harness("this client speaks HTTP/1.1"));
        }
        let stream = self.reach().await?;
        let stream = self.multiplexes(stream, settings, manners)?;
        let handle = stream
            .handle()
            .cloned()
            .ok_or_else(|| Finding::harness("there is no HTTP/2 on this connection"))?;
        let lines = self.fields.iter().filter_map(|line| line.split_once(':'));
        let fields =
            lines.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
        Ok(Http2 {
            stream,
            handle,
            side: Side::Client,
            patience: self.patience,
            fields: fields.collect(),
        })
    }
}

impl Http2 {
    /// The fields of a right CONNECT to `authority`.
    #[must_use]
    pub fn request(&self, authority: impl AsRef<[u8]>) -> Fields {
        let mut fields = Fields::new()
            .with(":method", "CONNECT")
            .with(":authority", authority);
        for (name, value) in self.fields.iter() {
            fields.push(name, value);
        }
        fields
    }

    /// Opens the next stream with these fields, which are the last word if it says so.
    #[must_use]
    pub fn opens(&self, fields: &Fields, last: bool) -> u32 {
        self.session().with(|state| {
            let id = next_stream(state);
            state.open(id, fields, last);
            id
        })
    }

    /// Opens the next stream with frames of the case's own.
    #[must_use]
    pub fn opens_with(&self, frames: impl FnOnce(u32) -> Vec<Frame>) -> u32 {
        self.session().with(|state| {
            let id = next_stream(state);
            state.adopt(id);
            for frame in frames(id) {
                state.send(&frame);
            }
            id
        })
    }

    /// What has become of a request.
    pub async fn hears(&self, id: u32) -> Answer {
        let heard = self.until_within(self.patience.reply(), |state| answer(state, id));
        heard.await.unwrap_or(Answer::Silence)
    }

    /// A tunnel on a stream of its own: its number, and its near end.
    ///
    /// # Errors
    /// The set-up's, where there is none.
    pub async fn connects(&self, server: &Server) -> Outcome<(u32, End)> {
        let id = self.opens(&self.request(server.authority()), false);
        let answer = self.hears(id).await;
        match answer.status() {
            Some(200..300) => Ok((id, self.end(id))),
            _ => Err(Finding::setup(format!("no tunnel: {}", answer.describe()))),
        }
    }
}
