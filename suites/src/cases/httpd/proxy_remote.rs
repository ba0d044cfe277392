//! # Upstream proxies as httpd has them
//!
//! Which targets httpd sends through another proxy, how it asks that, and what it does with the answer: nothing. Asked
//! only of proxies that are like httpd.

use connectspec_harness::prelude::*;

use crate::{
    cases::words::httpd::{HTTPD, allow_connect, httpd},
    documents::{MOD_PROXY, MOD_PROXY_CONNECT},
};

/// Every case about ProxyRemote.
pub(crate) fn suite() -> Suite {
    suite! {
        "proxy_remote": "Upstream proxies as httpd has them", include_str!("proxy_remote.rs");
        asks_in_http_1_0,
        relays_whatever_is_answered,
        tries_the_next_one,
        goes_directly_at_last,
        a_silent_one_is_a_page_without_a_head,
        a_reset_is_a_page_without_a_head,
        is_chosen_by_the_targets_host,
        is_left_out_for_what_no_proxy_lists,
    }
}

/// Nothing of the client reaches the next proxy: neither credentials nor what program it is.
///
/// Also accepted: any banner in Proxy-agent. A proxy that forwards the client's request, as RFC 9110 has it, lists this as
/// a deviation.
fn asks_in_http_1_0() -> Case {
    httpd(
        "An upstream proxy is asked with a request-line of HTTP/1.0, Proxy-agent, and nothing else",
    )
    .cites(MOD_PROXY_CONNECT.section(""))
    .covers(["REF-RMT-1"])
    .under(upstream())
    .needs([Need::ConfigLines])
    .run(async |lab| {
        let server = lab.server(hold()).await?;
        let upstream = lab.upstream(hand_over()).await?;
        let request = lab
            .request(&server)
            .field("User-Agent: somebody")
            .field("X-Unknown: 1");
        let asked = lab.chains(&upstream, &request).await?.asked;
        let line = format!("CONNECT {} HTTP/1.0", server.authority());
        let names: Vec<_> = asked.fields.iter().map(|(name, _)| name.as_str()).collect();
        if asked.line() == line && names == ["Proxy-agent"] {
            return Ok(());
        }
        Err(Finding::violation(
            format!("{line}, and Proxy-agent"),
            asked.head.escape_ascii().to_string(),
        ))
    })
}

/// What an upstream proxy says before it closes.
const ANSWERS: &[(&str, &str)] = &[
    (
        "granted",
        "HTTP/1.1 207 Fine\r\nX-A : 1\r\nContent-Length: 5\r\n\r\nhello",
    ),
    (
        "refused",
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno",
    ),
    ("junk", "SSH-2.0-OpenSSH_9.2\r\n"),
];

/// Whoever debugs a chain of httpds sees the words of the last one.
///
/// Only this conforms for a proxy like httpd. One that reads the answer lists this as a deviation.
fn relays_whatever_is_answered() -> Family {
    each(ANSWERS, |&(_, said)| {
        httpd("What an upstream proxy answers reaches the client as it is, and nothing beside it")
            .cites(MOD_PROXY_CONNECT.section(""))
            .covers(["REF-RMT-2"])
            .under(upstream())
            .needs([Need::ConfigLines])
            .run(async move |lab| {
                let server = lab.server(hold()).await?;
                let upstream = lab.upstream(hand_over()).await?;
                let mut chain = lab.chains(&upstream, &lab.request(&server)).await?;
                chain.far.sends(said).await?;
                chain.far.finishes().await?;
                chain.near.finishes().await;
                let (heard, _) = chain.near.ends_within(lab.patience().end()).await;
                if heard == said.as_bytes() {
                    return Ok(());
                }
                Err(Finding::violation(
                    said.escape_default().to_string(),
                    heard.escape_ascii().to_string(),
                ))
            })
    })
}

/// The second line of such a list is there for when the first one is down.
///
/// Only this conforms for a proxy like httpd.
fn tries_the_next_one() -> Case {
    httpd("When an upstream proxy refuses connections, the next one in the configuration is asked")
        .cites(MOD_PROXY.section("proxyremote"))
        .covers(["REF-RMT-3"])
        .under(allow_connect("{a}"))
        .needs([Need::ConfigCheck, Need::ConfigLines])
        .run(async |lab| {
            let lines = "ProxyRemote * http://127.0.0.1:{v}\nProxyRemote * http://127.0.0.1:{w}";
            let setup = Setup::default().with_lines(HTTPD, lines);
            let lab = lab.reconfigured(&setup).await?;
            let server = lab.server(hold()).await?;
            let second = lab.upstream_at('w', hand_over()).await?;
            let (client, request) = (lab.client(), lab.request(&server));
            let asked = lab.chains_or_answers(&client, &second, &request).await;
            let instead = match asked {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(answer)) => answer.describe(),
                // Here, this is what is tested.
                Err(Finding::Inconclusive { reason } | Finding::Setup { reason, .. }) => reason,
                Err(other) => return Err(other),
            };
            Err(Finding::violation("the second one is asked", instead))
        })
}

/// A chain that is broken does not keep anybody from working. Whether that is wanted is another question.
///
/// Only this conforms for a proxy like httpd. One that goes no way around lists this as a deviation.
fn goes_directly_at_last() -> Case {
    httpd("When every upstream proxy refuses connections, the tunnel leads directly to the server")
        .cites(MOD_PROXY.section("proxyremote"))
        .covers(["REF-RMT-3"])
        .under(upstream())
        .needs([Need::ConfigLines])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            lab.upstream_refuses().await?;
            let exchange = lab.client().asks(lab.request(&server)).await?;
            let described = exchange.answer.describe();
            if !matches!(&exchange.answer, Answer::Reply(reply) if reply.is_success()) {
                return Err(Finding::violation("a tunnel to the server", described));
            }
            exchange.granted()?.echoes(lab.nonce()).await
        })
}

/// How long a proxy waits for an upstream proxy, in seconds.
const TIMEOUT: u32 = 2;

/// The page of an error, without its head.
const PAGE: &str = "<!DOCTYPE HTML";

/// Where the filters of a response are gone, its head goes with them.
///
/// Only this conforms for a proxy like httpd 2.4. One that sends a whole response lists this as a deviation.
fn a_silent_one_is_a_page_without_a_head() -> Case {
    httpd("When an upstream proxy stays silent, the client gets the page of a 504 without status line and fields")
        .cites(MOD_PROXY.section("proxytimeout"))
        .covers(["REF-RMT-4"])
        .under(Setup {
            connect: Some(TIMEOUT),
            idle: Some(TIMEOUT),
            ..upstream()
        })
        .needs([Need::ConfigLines])
        .slow()
        .run(async |lab| {
            let server = lab.server(hold()).await?;
            let upstream = lab.upstream(hand_over()).await?;
            let mut chain = lab.chains(&upstream, &lab.request(&server)).await?;
            let (heard, _) = chain.near.ends_within(lab.patience().end()).await;
            is_page(&heard, "Gateway Timeout")
        })
}

/// As with one that stays silent. A FIN is passed on as it is; a reset is an error of reading.
///
/// Only this conforms for a proxy like httpd 2.4. One that sends a whole response lists this as a deviation.
fn a_reset_is_a_page_without_a_head() -> Case {
    httpd("When an upstream proxy resets, the client gets the page of a 500 without status line and fields")
        .cites(MOD_PROXY_CONNECT.section(""))
        .covers(["REF-RMT-7"])
        .under(upstream())
        .needs([Need::ConfigLines])
        .run(async |lab| {
            let server = lab.server(hold()).await?;
            let upstream = lab.upstream(hand_over()).await?;
            let mut chain = lab.chains(&upstream, &lab.request(&server)).await?;
            chain.far.resets()?;
            let (heard, _) = chain.near.ends_within(lab.patience().end()).await;
            is_page(&heard, "Internal Server Error")
        })
}

fn is_page(heard: &[u8], title: &str) -> Outcome {
    let text = String::from_utf8_lossy(heard);
    if text.starts_with(PAGE) && text.contains(title) {
        return Ok(());
    }
    let shown: String = text.chars().take(80).collect();
    Err(Finding::violation(
        format!("{PAGE} … {title} …"),
        format!("{shown:?}"),
    ))
}

/// A pattern of ProxyRemote, a host, and whether that goes through.
const PATTERNS: &[(&str, &str, &str, bool)] = &[
    ("the_same_address", "127.0.0.1", "127.0.0.1", true),
    ("a_name_of_that_address", "127.0.0.1", "localhost", false),
    ("the_same_name", "localhost", "localhost", true),
    ("star", "*", "localhost", true),
    ("scheme", "https", "127.0.0.1", false),
    ("another_name", "localhost", "127.0.0.1", false),
];

/// The manual speaks of a scheme or a part of a URL. A CONNECT has neither: what stands before its colon is the host.
///
/// Only this conforms for a proxy like httpd.
fn is_chosen_by_the_targets_host() -> Family {
    each(PATTERNS, |&(_, pattern, host, through)| {
        httpd("ProxyRemote is for targets whose host is its pattern")
            .cites(MOD_PROXY.section("proxyremote"))
            .covers(["REF-RMT-5"])
            .under(allow_connect("{a}"))
            .needs([Need::ConfigCheck, Need::ConfigLines, Need::Names])
            .run(async move |lab| {
                let line = format!("ProxyRemote {pattern} http://127.0.0.1:{{v}}");
                goes(lab, &line, host, through).await
            })
    })
}

/// Words of NoProxy, and whether a target at 127.0.0.1 goes through all the same.
const EXCEPTIONS: &[(&str, &str, bool)] = &[
    ("the_address", "127.0.0.1", false),
    ("its_network", "127.0.0.0/8", false),
    ("another_address", "192.0.2.1", true),
    ("another_network", "192.0.2.0/24", true),
];

/// What is near has no need of a proxy that leads elsewhere.
///
/// Only this conforms for a proxy like httpd.
fn is_left_out_for_what_no_proxy_lists() -> Family {
    each(EXCEPTIONS, |&(_, word, through)| {
        httpd("Targets that NoProxy lists are reached directly")
            .cites(MOD_PROXY.section("noproxy"))
            .covers(["REF-RMT-6"])
            .under(allow_connect("{a}"))
            .needs([Need::ConfigCheck, Need::ConfigLines])
            .run(async move |lab| {
                let lines = format!("ProxyRemote * http://127.0.0.1:{{v}}\nNoProxy {word}");
                goes(lab, &lines, "127.0.0.1", through).await
            })
    })
}

/// With `lines` in its configuration, a request for `host` goes through the upstream proxy, or directly.
async fn goes(lab: &Lab, lines: &str, host: &str, through: bool) -> Outcome {
    if host == "localhost" {
        lab.knows_localhost().await?;
    }
    let setup = Setup::default().with_lines(HTTPD, lines);
    let lab = lab.reconfigured(&setup).await?;
    let server = lab.dual_server(echo()).await?;
    let upstream = lab.upstream_at('v', hand_over()).await?;
    let request = lab.client().request(format!("{host}:{}", server.port()));
    if through {
        let chained = lab.chains(&upstream, &request).await;
        // Before anything else: whoever does nothing of these lines goes directly.
        server.stays_unvisited().await?;
        return chained.map(drop);
    }
    let exchange = lab.client().asks(&request).await?;
    let mut tunnel = exchange.granted()?;
    tunnel.echoes(lab.nonce()).await?;
    // A proxy that is told to end waits for tunnels that are open.
    tunnel.closes().await?;
    upstream.is_unvisited().await
}
