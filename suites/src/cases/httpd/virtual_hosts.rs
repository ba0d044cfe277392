//! # Virtual hosts
//!
//! Which list of ports counts where httpd has several servers in one configuration. A target chooses among those that
//! listen on the same port, so it chooses its list, too.

use std::collections::BTreeSet;

use connectspec_harness::prelude::*;

use crate::{
    cases::words::{
        httpd::{HTTPD, allow_connect, httpd},
        statuses::{denies, expect_403, granted, granted_to, is_denied, is_not_denied},
    },
    documents::MOD_PROXY_CONNECT,
};

/// Every case about virtual hosts.
pub(crate) fn suite() -> Suite {
    suite! {
        "virtual_hosts": "Virtual hosts", include_str!("virtual_hosts.rs");
        open_what_their_lists_say,
        without_any_list_have_the_default,
        the_main_server_keeps_the_default,
        cannot_restore_the_default,
        are_chosen_by_the_target_and_not_by_host,
        of_two_listeners_have_lists_of_their_own,
    }
}

/// A host, the letter of a port, and whether that is open.
type Probe = (&'static str, char, bool);

/// The servers have this address: the virtual host that bears it as a name is chosen for it.
const SECOND: &str = "127.0.0.1";
/// No virtual host bears this name, so it falls to the first.
const FIRST: &str = "localhost";

/// Name, row, the main server's line, the second virtual host's line, what is open.
type Lists = (
    &'static str,
    &'static str,
    [&'static str; 2],
    &'static [Probe],
);

const LISTS: &[Lists] = &[
    (
        "inherited",
        "RNG-MRG-2",
        ["AllowCONNECT {a}", ""],
        &[
            (SECOND, 'a', true),
            (SECOND, 'b', false),
            (FIRST, 'a', true),
            (FIRST, 'b', false),
        ],
    ),
    (
        "added",
        "RNG-MRG-3",
        ["AllowCONNECT {a}", "AllowCONNECT {b}"],
        &[
            (SECOND, 'a', true),
            (SECOND, 'b', true),
            (SECOND, 'c', false),
            (FIRST, 'a', true),
            (FIRST, 'b', false),
        ],
    ),
    (
        "of_its_own",
        "RNG-MRG-4",
        ["", "AllowCONNECT {b}"],
        &[
            (SECOND, 'b', true),
            (SECOND, 'a', false),
            (FIRST, 'b', false),
        ],
    ),
    (
        "not_taken_away_by_an_empty_range",
        "RNG-MRG-5",
        ["AllowCONNECT {a}", "AllowCONNECT {c}-{b}"],
        &[
            (SECOND, 'a', true),
            (SECOND, 'b', false),
            (SECOND, 'c', false),
        ],
    ),
];

/// The manual reads as if a list of one's own replaced the other. It is added to it, and what the main server opens stays
/// open everywhere.
///
/// Only this conforms for a proxy like httpd.
fn open_what_their_lists_say() -> Family {
    each(LISTS, |&(_, row, [main, own], probes)| {
        httpd("A virtual host opens the ports of the main server and its own")
            .cites(MOD_PROXY_CONNECT.section("allowconnect"))
            .covers([row])
            .needs([Need::ConfigCheck, Need::ConfigLines, Need::Names])
            .under(allow_connect("{a}"))
            .run(async move |lab| {
                let lab = lab.reconfigured(&two_hosts(main, own)).await?;
                judges(&lab, probes).await
            })
    })
}

/// A server that nobody has given a list is no open door.
///
/// Only this conforms for a proxy like httpd. What it makes of 443 and 563, where nobody may listen, is anything but a
/// 403.
fn without_any_list_have_the_default() -> Case {
    httpd("Without any list, 443 and 563 are open in each virtual host, and nothing else")
        .cites(MOD_PROXY_CONNECT.section("allowconnect"))
        .covers(["RNG-MRG-1"])
        .needs([Need::ConfigCheck, Need::Names])
        .under(two_hosts("", ""))
        .run(async |lab| {
            judges(lab, &[(SECOND, 'a', false), (FIRST, 'a', false)]).await?;
            for host in [SECOND, FIRST] {
                is_not_denied(lab, host, 443).await?;
                is_not_denied(lab, host, 563).await?;
            }
            Ok(())
        })
}

/// A list that is written into one virtual host closes no port of another.
///
/// Only this conforms for a proxy like httpd.
fn the_main_server_keeps_the_default() -> Case {
    httpd("A list in one virtual host leaves the default to the others")
        .cites(MOD_PROXY_CONNECT.section("allowconnect"))
        .covers(["RNG-MRG-4"])
        .needs([Need::ConfigCheck, Need::Names])
        .under(two_hosts("", "AllowCONNECT {b}"))
        .run(async |lab| {
            lab.knows_localhost().await?;
            is_not_denied(lab, FIRST, 443).await?;
            is_not_denied(lab, FIRST, 563).await?;
            is_denied(lab, SECOND, 443).await?;
            is_denied(lab, SECOND, 563).await
        })
}

/// Whoever has closed 443 for all has to open it in the virtual host that shall have it, and 563 beside it.
///
/// Only this conforms for a proxy like httpd.
fn cannot_restore_the_default() -> Case {
    httpd("A virtual host with 443 in its list does not get 563 back")
        .cites(MOD_PROXY_CONNECT.section("allowconnect"))
        .covers(["RNG-MRG-5"])
        .needs([Need::ConfigCheck, Need::Names])
        .under(two_hosts("AllowCONNECT {a}", "AllowCONNECT 443"))
        .run(async |lab| {
            lab.knows_localhost().await?;
            is_not_denied(lab, SECOND, 443).await?;
            is_denied(lab, SECOND, 563).await?;
            is_denied(lab, FIRST, 443).await
        })
}

/// A client can write into Host what it likes. That it can choose its target as well, and a list with it, is worth
/// knowing.
///
/// Only this conforms for a proxy like httpd.
fn are_chosen_by_the_target_and_not_by_host() -> Case {
    httpd("The target's host chooses the virtual host of a CONNECT, and Host does not")
        .cites(MOD_PROXY_CONNECT.section("allowconnect"))
        .covers(["RNG-MRG-6"])
        .needs([Need::ConfigCheck, Need::Names])
        .under(two_hosts("AllowCONNECT {a}", "AllowCONNECT {b}"))
        .run(async |lab| {
            lab.knows_localhost().await?;
            let server = lab.server_at(lab.port('b')?, echo()).await?;
            let port = server.port();
            for host in ["first.invalid", "second.invalid", FIRST] {
                let right = lab.request(&server).host(format!("{host}:{port}"));
                granted(lab, &right).await?.echoes(lab.nonce()).await?;
            }
            for host in ["second.invalid", SECOND] {
                let request = lab.client().request(format!("{FIRST}:{port}"));
                let wrong = request.host(format!("{host}:{port}"));
                denies(lab, &wrong).await?;
            }
            Ok(())
        })
}

/// One program serves several networks, each on a port of its own, and each with its list.
///
/// Only this conforms for a proxy like httpd.
fn of_two_listeners_have_lists_of_their_own() -> Case {
    httpd("Virtual hosts on ports of their own have lists of their own")
        .cites(MOD_PROXY_CONNECT.section("allowconnect"))
        .covers(["POL-016"])
        .needs([Need::ConfigCheck])
        .under(no_list().with_lines(
            HTTPD,
            "Listen 127.0.0.1:{second_port}\n\
             <VirtualHost 127.0.0.1:{port}>\nAllowCONNECT {a}\n</VirtualHost>\n\
             <VirtualHost 127.0.0.1:{second_port}>\nAllowCONNECT {b}\n</VirtualHost>",
        ))
        .run(async |lab| {
            let a = lab.server_at(lab.port('a')?, echo()).await?;
            let b = lab.server_at(lab.port('b')?, echo()).await?;
            let listeners = [lab.client(), lab.client_of_second_port()?];
            for (client, open, shut) in [(&listeners[0], &a, &b), (&listeners[1], &b, &a)] {
                let request = client.request(open.authority());
                let mut tunnel = granted_to(client, &request).await?;
                tunnel.echoes(lab.nonce()).await?;
                let answer = client.asks(client.request(shut.authority())).await?;
                expect_403(&answer.answer)?;
            }
            Ok(())
        })
}

/// Two virtual hosts on the main listener: the second has the servers' address as its name.
fn two_hosts(main: &str, second: &str) -> Setup {
    no_list().with_lines(
        HTTPD,
        format!(
            "{main}\n\
         <VirtualHost *>\nServerName first.invalid\n</VirtualHost>\n\
         <VirtualHost *>\nServerName second.invalid\nServerAlias {SECOND}\n{second}\n</VirtualHost>"
        ),
    )
}

async fn judges(lab: &Lab, probes: &[Probe]) -> Outcome {
    if probes
        .iter()
        .any(|(host, ..)| host.eq_ignore_ascii_case(FIRST))
    {
        lab.knows_localhost().await?;
    }
    let letters: BTreeSet<char> = probes.iter().map(|(_, letter, _)| *letter).collect();
    for letter in letters {
        lab.server_at(lab.port(letter)?, echo()).await?;
    }
    for &(host, letter, open) in probes {
        let request = lab
            .client()
            .request(format!("{host}:{}", lab.port(letter)?));
        if !open {
            denies(lab, &request).await?;
            continue;
        }
        granted(lab, &request).await?.echoes(lab.nonce()).await?;
    }
    Ok(())
}
