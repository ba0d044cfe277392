//! # Ports that are open by default
//!
//! Somebody who has not thought of ports has those that the proxy thought of. Who has said which ports he wants has closed all
//! others, those among them.

use connectspec_harness::prelude::*;

use crate::{
    cases::words::httpd::httpd,
    documents::{MOD_PROXY_CONNECT, RFC_9110, VU_150227},
};

/// Every case about the ports that are open by default.
pub(crate) fn suite() -> Suite {
    suite! {
        "default_list": "Ports that are open by default", include_str!("default_list.rs");
        without_a_list_only_known_ports_are_open,
        without_a_list_ports_of_mail_and_chat_are_refused,
        without_a_list_443_and_563_are_reached,
        a_list_closes_the_usual_ports,
    }
}

/// A proxy that reaches every port until somebody says otherwise is found and used by strangers, for mail and for worse.
///
/// Also accepted: any status that is not 2xx, or a close without an answer. Asked only where a profile says what is open
/// without a list.
fn without_a_list_only_known_ports_are_open() -> Case {
    should("Without a list of ports, tunnels lead to known ports only")
        .cites(RFC_9110.section("9.3.6"))
        .cites(VU_150227.section(""))
        .covers(["POL-001"])
        .needs([Need::DefaultPorts, Need::Launched])
        .under(no_list())
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            lab.refuses(&lab.request(&server)).await.map(drop)
        })
}

/// A mail server takes whoever comes from near it for a friend, and a database has no password at all.
///
/// Also accepted: any status that is not 2xx, or a close without an answer. Asked only where a profile says what is open
/// without a list.
fn without_a_list_ports_of_mail_and_chat_are_refused() -> Family {
    each(ABUSED, |&(_, port)| {
        practice("Without a list of ports, those of mail, chat and the like are refused")
            .cites(RFC_9110.section("9.3.6"))
            .cites(VU_150227.section(""))
            .covers(["SEC-008"])
            .needs([Need::DefaultPorts, Need::Launched])
            .under(no_list())
            .in_the_lab()
            .run(async move |lab| {
                let server = lab.server_of(lab.address()?, port, &echo())?;
                lab.refuses(&lab.request(&server)).await.map(drop)
            })
    })
}

/// Services that open proxies have been used against.
const ABUSED: &[(&str, u16)] = &[
    ("smtp", 25),
    ("submission", 587),
    ("pop3", 110),
    ("imap", 143),
    ("ssh", 22),
    ("smb", 445),
    ("irc", 6667),
    ("redis", 6379),
];

/// The ports of HTTPS and of news over TLS are what httpd has thought of, and their neighbours are not.
///
/// Only this conforms for a proxy like httpd: tunnels to both, and a refusal for each of the others, whose servers nobody visits.
fn without_a_list_443_and_563_are_reached() -> Case {
    httpd("Without AllowCONNECT, tunnels lead to 443 and 563, and to no port beside them")
        .cites(MOD_PROXY_CONNECT.section("allowconnect"))
        .covers(["POL-002", "POL-003"])
        .needs([Need::ConfigLines])
        .under(no_list())
        .on_low_ports()
        .run(async |lab| {
            for server in lab.servers_on(OPEN, OPEN[0]).await? {
                lab.lets_through(&server).await?;
            }
            for server in lab.servers_on(CLOSED, OPEN[0]).await? {
                lab.refuses(&lab.request(&server)).await?;
            }
            Ok(())
        })
}

const OPEN: &[u16] = &[443, 563];
const CLOSED: &[u16] = &[22, 80, 442, 444, 562, 564];

/// Who lists 8443 and finds 443 or 80 open as well has a proxy that thinks it knows better.
///
/// Also accepted: any status that is not 2xx, or a close without an answer. The set-up has a list without these ports.
fn a_list_closes_the_usual_ports() -> Case {
    must("Ports that are usual are closed by a list that lacks them")
        .cites(RFC_9110.section("9.3.6"))
        .covers(["POL-005", "POL-006"])
        .needs([Need::PortList, Need::Launched])
        .on_low_ports()
        .run(async |lab| {
            let listed = lab.server(echo()).await?;
            for server in lab.servers_on(USUAL, listed.port()).await? {
                lab.refuses(&lab.request(&server)).await?;
            }
            Ok(())
        })
}

const USUAL: &[u16] = &[80, 443, 563];
