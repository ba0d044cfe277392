//! # Addresses as httpd means them
//!
//! Where a listener listens, whom a name lets in, and what else a blocked address blocks: directives whose words say less
//! than they mean. Asked only of proxies that take httpd's configuration.

use connectspec_harness::prelude::*;

use crate::{
    cases::words::{
        httpd::{HTTPD, httpd},
        log_items::line_in_format,
        log_lines::named,
        statuses::{expect_status, granted_to},
    },
    documents::{HTTPD_CORE, MOD_AUTHZ_HOST, MOD_PROXY, MOD_PROXY_CONNECT, RFC_9110},
};

/// Every case about what an address means.
pub(crate) fn suite() -> Suite {
    suite! {
        "httpd_addresses": "Addresses as httpd means them", include_str!("addresses.rs");
        a_port_alone_listens_on_every_address,
        a_port_alone_is_no_target_of_its_own,
        a_server_on_the_proxys_port_is_no_loop,
        a_blocked_address_blocks_its_names,
        a_client_is_let_in_by_its_name,
        a_silent_connection_leaves_no_line,
    }
}

/// A second listener, of which only the port is configured.
fn port_alone() -> Setup {
    Setup::default().with_lines(HTTPD, "Listen {second_port}\nAllowCONNECT {second_port}")
}

/// Most configurations name a port and no address. Whoever gets one family of them finds half of the clients gone.
///
/// Only this conforms for a proxy like httpd; a machine without IPv6 has only the other one.
fn a_port_alone_listens_on_every_address() -> Case {
    httpd("A Listen without an address takes clients at every address of the machine")
        .cites(HTTPD_CORE.section("listen"))
        .covers(["REF-LSN"])
        .under(port_alone())
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let client = lab.client_of_second_port()?;
            let granted = granted_to(&client, &client.request(server.authority())).await;
            let mut tunnel = granted.map_err(|finding| match finding {
                // That the proxy runs, its control tunnel has shown.
                Finding::Setup { reason, .. } => {
                    Finding::violation("a listener at every address", reason)
                }
                other => other,
            })?;
            tunnel.echoes(lab.nonce()).await
        })
}

/// Other names of a proxy that listens on every address.
const ITSELF: &[(&str, &str)] = &[
    ("usual_address", "127.0.0.1"),
    ("another_address", "127.0.0.77"),
    ("name", "localhost"),
];

/// Who listens on every address has many of them, and is the same proxy behind each.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn a_port_alone_is_no_target_of_its_own() -> Family {
    each(ITSELF, |&(_, host)| {
        practice("A proxy that listens on every address opens no tunnel to itself at any of them")
            .cites(RFC_9110.section("17.2"))
            .cites(RFC_9110.section("7.6"))
            .covers(["SEC-007"])
            .under(port_alone())
            .run(async move |lab| {
                if host == "localhost" {
                    lab.knows_localhost().await?;
                }
                let second = lab.client_of_second_port()?;
                let target = format!("{host}:{}", second.proxy().port());
                let client = lab.client();
                let answer = client.asks(client.request(target)).await?.answer;
                match &answer {
                    Answer::Reply(reply) if reply.is_success() => Err(Finding::violation(
                        "a final status that is not 2xx",
                        answer.describe(),
                    )),
                    Answer::Silence => Err(Finding::inconclusive("silence")),
                    _ => Ok(()),
                }
            })
    })
}

/// Everybody uses the same few ports: a neighbour's proxy is not this one, and a server on its port is no proxy at all.
///
/// Only this conforms for a proxy like httpd, which looks for no loops there. One that does has to look at the address.
fn a_server_on_the_proxys_port_is_no_loop() -> Case {
    httpd("A server at another address is reached on the port that the proxy listens on")
        .cites(MOD_PROXY_CONNECT.section("allowconnect"))
        .covers(["REF-OWN"])
        .needs([Need::ConfigLines])
        .under(allowing_itself())
        .run(async |lab| {
            // Whether it leads to other addresses at all is seen at another port.
            lab.server_among(|_| Vec::new()).await?;
            let server = lab.server_on(lab.proxy().port()).await?;
            let mut tunnel = granted_to(&lab.client(), &lab.request(&server)).await?;
            tunnel.echoes(lab.nonce()).await
        })
}

/// Who blocks an address does not want it to be reached by a name that somebody has made up for it.
///
/// Only this conforms for a proxy like httpd.
fn a_blocked_address_blocks_its_names() -> Case {
    httpd("ProxyBlock of an address blocks the names that lead to it, with 403")
        .cites(MOD_PROXY.section("proxyblock"))
        .covers(["POL-020"])
        .needs([Need::Names, Need::PortList])
        .needs([Need::ConfigLines])
        .run(async |lab| {
            lab.knows_localhost().await?;
            // The control tunnel of its own set-up would be blocked, too.
            let blocked = Setup::default().with_lines(HTTPD, "ProxyBlock 127.0.0.1 ::1");
            let lab = lab.relaunched(&blocked).await?;
            let server = lab.dual_server(hold()).await?;
            let request = lab.client().request(format!("localhost:{}", server.port()));
            let answer = lab.client().asks(request).await?.answer;
            expect_status(&answer, 403)?;
            server.is_unvisited().await
        })
}

/// Names of clients change less often than their addresses, and anybody can give an address of his any name: so the name
/// has to lead back.
///
/// Only this conforms for a proxy like httpd.
fn a_client_is_let_in_by_its_name() -> Case {
    httpd("Require host lets in the clients of that name, and no others")
        .cites(MOD_AUTHZ_HOST.section("reqhost"))
        .covers(["REF-RQH"])
        .needs([Need::Names, Need::ConfigLines])
        .run(async |lab| {
            // Where that name leads nowhere, the control tunnel of its own set-up would be refused.
            lab.knows_localhost().await?;
            let lines = "<Proxy \"*\">\nRequire host localhost\n</Proxy>";
            let named = Setup::default().with_lines(HTTPD, lines);
            let lab = lab.relaunched(&named).await?;
            let server = lab.server(echo()).await?;
            let mut tunnel = granted_to(&lab.client(), &lab.request(&server)).await?;
            tunnel.echoes(lab.nonce()).await?;

            let stranger = lab.client_of_its_own();
            let answer = stranger.asks(lab.request(&server)).await?.answer;
            expect_status(&answer, 403)
        })
}

/// Monitoring opens a connection and closes it, once in a second: a log that counts these has no room for others.
///
/// Only this conforms for a proxy like httpd.
fn a_silent_connection_leaves_no_line() -> Case {
    httpd("A connection on which nothing was said leaves no line in the access log")
        .cites(HTTPD_CORE.section("errorlog"))
        .covers(["NOTE-021"])
        .needs([Need::AccessLog])
        .under(Setup::default().with_lines(
            HTTPD,
            "LogFormat \"from|%{remote}p|%{User-Agent}i|\" from\nCustomLog \"{access_log}\" from",
        ))
        .run(async |lab| {
            let mut silent = lab.client().dial().await?;
            silent.finishes().await;
            let (heard, _) = silent.ends_within(lab.patience().end()).await;
            if !heard.is_empty() {
                let observed = format!("{} bytes", heard.len());
                return Err(Finding::violation("the end without an answer", observed));
            }
            let port = silent.into_tunnel().local()?.port();
            // A later line: by then the other one would be there.
            let server = lab.server(echo()).await?;
            let nonce = lab.nonce();
            let request = named(&lab.request(&server), &nonce);
            let mut tunnel = granted_to(&lab.client(), &request).await?;
            tunnel.echoes(lab.nonce()).await?;
            tunnel.closes().await?;
            line_in_format(lab, &format!("|{nonce}|"), &nonce).await?;
            match lab.log_lines(&format!("from|{port}|"))?.first() {
                Some(line) => Err(Finding::violation("no line", line.text.clone())),
                None => Ok(()),
            }
        })
}
