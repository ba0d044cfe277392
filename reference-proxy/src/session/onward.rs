//! From a request to a connection: the decision first, then the way.
//!
//! The order of the checks: method, whether CONNECT is served, expectation, who asks, loops, what is blocked,
//! which port. httpd resolves the name before it looks at the port; this proxy resolves and contacts nothing
//! before the policy has said yes.

use super::{admission, variables};
use crate::config::access::Target;
use crate::config::routes::{Credentials, Remote, Speaks, Via};
use crate::config::{Connects, Server};
use crate::log::Record;
use crate::log::error::Level;
use crate::net::dial::Failure;
use crate::net::{Names, own};
use crate::proxy::{self, Proxy};
use crate::refusal::Refusal;
use crate::request::{Authority, Host, Method, Request, Version};
use crate::tls;
use crate::upstream::http2::AnyLink;
use crate::upstream::{self, Asker, NextHop};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// Said when a dial was cut short.
const SHORT: &str = "descriptors run short: connections are tried one address after the other, and some not at all; \
                     raise the limit of open files";

/// The next hop, connected.
pub(super) struct Onward {
    /// Where the tunnel leads.
    pub(super) server: NextHop,
    /// What an upstream proxy sent behind its answer.
    pub(super) early: Vec<u8>,
    /// The virtual host that decided.
    pub(super) settings: Arc<Server>,
}

/// Decides, and connects when the answer is yes.
///
/// # Errors
///
/// The refusal that the client is owed; `None` when the client is gone meanwhile.
pub(super) async fn connect<A: Asker>(
    request: &Request,
    client: &mut A,
    record: &mut Record,
    proxy: &Proxy,
) -> Result<Onward, Option<Refusal>> {
    let target = target(request)?;
    let server = proxy.config.server(record.ends.local, Some(target));
    served(request, server)?;
    variables::before_access(request, server, record)?;
    let deadline = Instant::now() + server.connect_time;
    let forms = Target::new(&request.line.target, target);
    // Nobody waits for the look-ups and hashes of a client that has gone.
    let mut admitted = tokio::select! {
        admitted = admission::admit(request, forms, server, record, proxy, deadline) => admitted?,
        () = client.lost() => return Err(None),
    };
    variables::behind_access(server, record);
    may_lead(request, target, server, record, proxy)?;

    let (deadline, names) = (
        Instant::now() + server.connect_time,
        &proxy.shared.dials.names,
    );
    let remote = tokio::select! {
        remote = upstream_for(request, target, server, names, deadline) => remote?,
        () = client.lost() => return Err(None),
    };
    if remote.is_none() {
        let host = &target.host;
        tokio::select! {
            prepared = admitted.prepare(host, server, record, proxy, deadline) => prepared?,
            () = client.lost() => return Err(None),
        }
    }
    let judge = |address: SocketAddr| {
        if server.routes.blocks_address(address.ip()) {
            return Err(blocked());
        }
        // Whom an upstream proxy dials is for that one to judge.
        if remote.is_none() {
            admitted.judge(server, address)?;
            leads_to(server, address.ip())?;
        }
        own::judge(address, &proxy.listening)
    };
    let next_hop = remote.map_or(target, |remote| &remote.proxy);
    let dials = &proxy.shared.dials;
    let dialled = tokio::select! {
        dialled = dials.dial(next_hop, server.origin, deadline, judge) => dialled,
        () = client.lost() => return Err(None),
    };
    let onward = dialled.map_err(|failure| {
        if let Failure::Short(_) = failure {
            proxy.tell(&proxy.shared.shortages.attempts, SHORT);
        }
        failure.refusal()
    })?;
    let _ = onward.set_nodelay(true);
    record.source_port = onward.local_addr().ok().map(|address| address.port());
    let (hop, early) = match remote {
        None => (NextHop::Socket(onward), Vec::new()),
        Some(remote) => {
            let asking = Asking {
                request,
                server,
                remote,
                deadline,
            };
            asking.ask(onward, client).await?
        }
    };
    Ok(Onward {
        server: hop,
        early,
        settings: Arc::clone(server),
    })
}

fn target(request: &Request) -> Result<&Authority, Refusal> {
    request
        .authority
        .as_ref()
        .ok_or_else(|| match request.line.method {
            Method::Unknown => Refusal::not_implemented("the method is not known"),
            Method::Known | Method::Connect => Refusal::method_not_allowed("CONNECT"),
        })
}

fn served(request: &Request, server: &Server) -> Result<(), Refusal> {
    match server.connects {
        Connects::Yes => {}
        Connects::ProxyOff => return Err(Refusal::method_not_allowed("")),
        Connects::NoModule => return Err(Refusal::forbidden("no module serves CONNECT")),
    }
    let mut expectations = request.fields.elements("expect");
    // RFC 9110, section 10.1.1: an HTTP/1.0 client cannot expect anything.
    let unknown = |value: &[u8]| !value.eq_ignore_ascii_case(b"100-continue");
    if request.line.version != Version::Http10 && expectations.any(unknown) {
        return Err(Refusal::expectation_unknown());
    }
    Ok(())
}

/// Whether any connection may be tried for this target.
fn may_lead(
    request: &Request,
    target: &Authority,
    server: &Server,
    record: &Record,
    proxy: &Proxy,
) -> Result<(), Refusal> {
    if let Some(left) = request.fields.first("max-forwards") {
        if left.is_empty() || !left.iter().all(u8::is_ascii_digit) {
            return Err(Refusal::bad_request("Max-Forwards is no number"));
        }
        if left.iter().all(|&digit| digit == b'0') {
            return Err(Refusal::bad_request(
                "Max-Forwards has reached zero - proxy loop?",
            ));
        }
    }
    if upstream::request::went_through(request, proxy::pseudonym()) {
        return Err(Refusal::bad_gateway(
            "proxy_loop_detected",
            "the request has been here before",
        ));
    }
    if server.routes.blocks(&target.host) {
        // The client learns no more than that it is denied; here it stands which list it was.
        let text = format!(
            "AH00916: connect to remote machine {} blocked: ProxyBlock names it",
            target.host
        );
        let log = proxy.error_log(Some(record));
        log.write(Level::Warn, Some(record), &text);
        return Err(blocked());
    }
    if !server.allow.contains(target.port) {
        return Err(blocked());
    }
    match target.host {
        Host::Address(address) => leads_to(server, address),
        Host::Name(_) => Ok(()),
    }
}

/// Whether a tunnel may lead to this address, whoever dials it.
fn leads_to(server: &Server, address: IpAddr) -> Result<(), Refusal> {
    match server.destinations.permit(address) {
        true => Ok(()),
        false => Err(Refusal::forbidden("no tunnel may lead to this address")),
    }
}

fn blocked() -> Refusal {
    Refusal::forbidden("Connect to remote machine blocked")
}

/// The upstream proxy, if the way leads through one. A name of which nobody knows an address does not lie in any network.
async fn upstream_for<'a>(
    request: &Request,
    target: &Authority,
    server: &'a Server,
    names: &Names,
    deadline: Instant,
) -> Result<Option<&'a Remote>, Refusal> {
    let remote = server.routes.remote(target, &request.line.target);
    let remote = remote.map_err(|_| Refusal::internal("ProxyRemoteMatch took too long"))?;
    let Some(remote) = remote else {
        return Ok(None);
    };
    let addresses = if server.routes.asks_addresses() {
        // A resolver that does not answer leaves the other half of the time for the upstream.
        let half = deadline.saturating_duration_since(Instant::now()) / 2;
        addresses(target, names, Instant::now() + half).await
    } else {
        Vec::new()
    };
    let directly = server.routes.goes_directly(&target.host, &addresses);
    Ok((!directly).then_some(remote))
}

/// The addresses of a name; none when it is an address itself, or when nobody says so before `deadline`.
async fn addresses(target: &Authority, names: &Names, deadline: Instant) -> Vec<IpAddr> {
    match &target.host {
        Host::Name(name) => names.addresses(name, deadline).await.unwrap_or_default(),
        Host::Address(_) => Vec::new(),
    }
}

/// What an upstream proxy is asked, and until when.
struct Asking<'a> {
    request: &'a Request,
    server: &'a Server,
    remote: &'a Remote,
    deadline: Instant,
}

impl Asking<'_> {
    /// Asks the upstream proxy for the tunnel, over the connection to it; returns what has become of that, and what it sent
    /// behind its answer.
    async fn ask<A: Asker>(
        self,
        mut onward: TcpStream,
        client: &mut A,
    ) -> Result<(NextHop, Vec<u8>), Option<Refusal>> {
        let via: Via = self.server.routes.via.unwrap_or_default();
        let credentials = self.remote.credentials.as_ref().map(Credentials::value);
        let (request, pseudonym) = (self.request, proxy::pseudonym());
        // RFC 9110, section 15.2: an HTTP/1.0 client gets no interim answer.
        let understands = request.line.version != Version::Http10;
        if self.remote.speaks == Speaks::Http1 {
            let octets = upstream::request::write(request, pseudonym, via, credentials);
            let asked = upstream::ask(&mut onward, &octets, client, understands, self.deadline);
            let early = asked.await?;
            return Ok((NextHop::Socket(onward), early));
        }
        let asked = upstream::request::of_stream(request, pseudonym, via, credentials);
        let asked = asked.ok_or_else(|| Refusal::bad_request("HTTP/2 cannot hold the request"))?;
        // On the heap, so that whoever goes directly does not carry it.
        let stream = Box::pin(async {
            let link = tokio::select! {
                link = self.link(onward) => link?,
                () = client.lost() => return Err(None),
            };
            let http2 = &self.server.http2;
            let times = (self.deadline, http2.idle_time);
            upstream::http2::ask(link, asked, (client, understands), times, http2).await
        });
        let stream = Box::new(stream.await?);
        Ok((NextHop::Stream(stream), Vec::new()))
    }

    /// What frames go over: the connection, or TLS within it.
    async fn link(&self, onward: TcpStream) -> Result<AnyLink, Refusal> {
        if self.remote.speaks != Speaks::Http2Tls {
            return Ok(Box::new(onward));
        }
        let config = self.server.upstream_tls.as_ref();
        let config =
            config.ok_or_else(|| Refusal::internal("nobody vouches for an upstream proxy"))?;
        let handshake = tls::connect(onward, config, &self.remote.proxy.host);
        let late = |_| {
            let late = "the upstream proxy does not shake hands";
            Refusal::gateway_timeout("connection_read_timeout", late)
        };
        Ok(Box::new(
            timeout_at(self.deadline, handshake).await.map_err(late)??,
        ))
    }
}
