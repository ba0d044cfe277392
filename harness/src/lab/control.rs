//! The control tunnel: is there a CONNECT proxy here at all?
//!
//! Whatever a case may blame a proxy for, the control forgives: a body behind the 2xx, a line too many, a first word that is
//! lost, a head in the tunnel. It asks only that a client's word reaches the server and comes back, sometime and somewhere
//! among the rest. A control as strict as a case would turn that case's failure into *no working CONNECT proxy*, or into
//! *blocked*, and say nothing of what is wrong.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, timeout},
};

use crate::{
    client::{Client, Connection, Exchange},
    http1::Answer,
    http2::Manners,
    lab::{
        Lab,
        network::{Answers, addresses},
    },
    patience::pass,
    protocol::HttpVersion,
    server::script::{echo, echo_on_streams, hold, receive_head, send, speak_http2},
    setup::{Allow, CONTROL_HOST, Setup},
    verdict::{Finding, Outcome},
};

/// What a proxy may add around the word; more is a flood.
const ADDED_LIMIT: usize = 1024 * 1024;

impl Lab {
    /// An ordinary tunnel to a port that the set-up allows, with so much time for an answer; set-ups that promise none have no
    /// control.
    ///
    /// # Errors
    /// The set-up's, where it does not come about; the harness's, where it cannot be tried.
    pub(crate) async fn control_of(&self, setup: &Setup, limit: Duration) -> Outcome {
        if setup.upstream {
            return self.control_upstream(setup, limit).await;
        }
        let Some(target) = self.control_target(setup).await? else {
            return Ok(());
        };
        let mut connection = self.granted(&self.control_client(), &target, limit).await?;
        self.comes_back(&mut connection, limit).await
    }

    /// A target that the set-up allows, behind which octets come back.
    async fn control_target(&self, setup: &Setup) -> Outcome<Option<String>> {
        if setup.judges_hosts() {
            return self.control_host(setup).await.map(Some);
        }
        let server = match &setup.allow {
            Allow::AsWritten(_) | Allow::Default | Allow::Unknown => return Ok(None),
            Allow::Servers | Allow::ServersAndItself | Allow::ServersAndWeb => {
                self.server(echo()).await?
            }
            Allow::Ports(ports) => match self.first_port(ports)? {
                Some(port) => self.server_at(port, echo()).await?,
                None => return Ok(None),
            },
        };
        Ok(Some(server.authority()))
    }

    /// The same where there are rules about names or addresses: an address of the Internet, and a name that is allowed.
    async fn control_host(&self, setup: &Setup) -> Outcome<String> {
        let port = self.port_anywhere().await?;
        let server = self.server_of(addresses::PUBLIC, port, &echo())?;
        if setup.hosts.allowed().is_none() {
            return Ok(server.authority());
        }
        // Controls of set-ups that run beside each other say the same of it.
        let name = self.name_as(CONTROL_HOST, Answers::addresses([addresses::PUBLIC]))?;
        Ok(name.authority(port))
    }

    /// An ordinary request goes through the upstream proxy and becomes a tunnel: without that, nothing follows from any
    /// other.
    async fn control_upstream(&self, setup: &Setup, limit: Duration) -> Outcome {
        let upstream = match setup.upstream_version {
            HttpVersion::Http1 => {
                let granting = receive_head().then(send("HTTP/1.1 200 OK\r\n\r\n"));
                self.upstream(granting.then(echo())).await?
            }
            HttpVersion::H2c | HttpVersion::H2 => {
                let granting = speak_http2(&[], Manners::default()).then(echo_on_streams());
                self.http2_upstream_of(granting).await?
            }
        };
        let target = match setup.judges_hosts() {
            true => self.control_host(setup).await?,
            false => self.server(hold()).await?.authority(),
        };
        let client = self.control_client();
        // Whoever has looked for the upstream proxy before it was there takes it for dead, and looks again only now and
        // then when it is asked.
        let deadline = Instant::now() + self.patience().dial();
        let mut connection = loop {
            match self.granted(&client, &target, limit).await {
                Ok(connection) => break connection,
                Err(finding) if Instant::now() > deadline => return Err(finding),
                Err(_) => pass(self.patience().settle()).await,
            }
        };
        self.comes_back(&mut connection, limit).await?;
        if upstream.visits().is_empty() {
            return Err(Finding::setup("the upstream proxy was not asked"));
        }
        Ok(())
    }

    /// A connection on which a tunnel to `target` was asked for, and not refused in so many words.
    async fn granted(&self, client: &Client, target: &str, limit: Duration) -> Outcome<Connection> {
        let mut connection = client.dial().await?;
        connection.requests(client.request(target)).await;
        let answer = connection.hears_within(limit).await;
        let exchange = Exchange { answer, connection };
        match &exchange.answer {
            Answer::Reply(reply) if reply.status >= 300 => exchange.success().map(drop)?,
            Answer::Closed | Answer::Reset => exchange.success().map(drop)?,
            // It may be an answer that a case has to judge, or one that waits for the client.
            Answer::Reply(_) | Answer::Garbage { .. } | Answer::Silence => {}
        }
        Ok(exchange.connection)
    }

    /// What the client says comes back, and what is lost comes back when it is said again.
    async fn comes_back(&self, connection: &mut Connection, limit: Duration) -> Outcome {
        let word = self.nonce();
        let lost = |why: String| Finding::setup(format!("no octet of a tunnel comes back: {why}"));
        let deadline = Instant::now() + limit;
        let (mut heard, mut piece) = (Vec::new(), vec![0; 16 * 1024]);
        // Said again ever more seldom: a proxy that takes the word and gives another is seen after a few times.
        let mut pause = self.patience().quiet();
        while heard.len() < ADDED_LIMIT {
            let said = timeout(
                self.patience().soon(),
                connection.stream.write_all(word.as_bytes()),
            );
            if let Ok(Err(error)) = said.await {
                return Err(lost(error.to_string()));
            }
            let again = Instant::now() + pause;
            pause *= 2;
            loop {
                let left = again.saturating_duration_since(Instant::now());
                match timeout(left, connection.stream.read(&mut piece)).await {
                    Ok(Ok(0)) => return Err(lost("the end".to_owned())),
                    Ok(Ok(fresh)) => heard.extend_from_slice(&piece[..fresh]),
                    Ok(Err(error)) => return Err(lost(error.to_string())),
                    Err(_) => break,
                }
                if heard
                    .windows(word.len())
                    .any(|heard| heard == word.as_bytes())
                {
                    return Ok(());
                }
                if heard.len() >= ADDED_LIMIT {
                    break;
                }
            }
            if Instant::now() > deadline {
                let what = if heard.is_empty() {
                    "silence"
                } else {
                    "other octets"
                };
                return Err(lost(format!("{what} for {limit:?}")));
            }
        }
        Err(lost("a flood of others".to_owned()))
    }
}
