//! The items of a line, by the place that they have in it.

use connectspec_harness::prelude::*;

use crate::cases::words::{httpd::HTTPD, log_lines::named};

/// The items that are looked at, beside the name by which the line is found.
const ITEMS: &str = "%>s|%b|%B|%O|%I|%X|%k|%m|%U|%{proxy-source-port}n|%r";

/// A second line for each request, with these items.
pub(in crate::cases) fn with_items() -> Setup {
    Setup::default().with_lines(
        HTTPD,
        format!(
            "LogFormat \"items|%{{User-Agent}}i|{ITEMS}\" items\nCustomLog \"{{access_log}}\" items"
        ),
    )
}

/// A tunnel, what it carried, and the items of its line.
pub(in crate::cases) struct Logged {
    /// Bytes that the client sent, its request included.
    pub(in crate::cases) sent: usize,
    /// Bytes that the client received, the head of the answer included.
    pub(in crate::cases) received: usize,
    pub(in crate::cases) target: String,
    pub(in crate::cases) items: Vec<String>,
}

pub(in crate::cases) async fn logged_tunnel(lab: &Lab) -> Outcome<Logged> {
    let server = lab.server(echo()).await?;
    let nonce = lab.nonce();
    let request = named(&lab.request(&server), &nonce);
    let exchange = lab.client().asks(&request).await?;
    let head = exchange.success()?.head.len();
    let mut tunnel = exchange.granted()?;
    tunnel.echoes(&nonce).await?;
    tunnel.closes().await?;
    Ok(Logged {
        sent: request.bytes().len() + nonce.len(),
        received: head + nonce.len(),
        target: server.authority(),
        items: items(lab, &nonce).await?,
    })
}

pub(in crate::cases) async fn items(lab: &Lab, nonce: &str) -> Outcome<Vec<String>> {
    let needle = format!("items|{nonce}|");
    let line = line_in_format(lab, &needle, nonce).await?;
    let items = line.split_once(&needle).map_or("", |(_, items)| items);
    Ok(items.splitn(11, '|').map(str::to_owned).collect())
}

/// The line of the log that contains `needle`, which only the format of the set-up writes. Where there is none, but one
/// with `other`, there is a log, and it is not in that format.
pub(in crate::cases) async fn line_in_format(
    lab: &Lab,
    needle: &str,
    other: &str,
) -> Outcome<String> {
    match lab.log_line(needle).await {
        Ok(line) => Ok(line.text),
        Err(finding) => match lab.log_lines(other)?.into_iter().next() {
            Some(line) => Err(Finding::violation(
                "a line in the format of the set-up",
                line.text,
            )),
            None => Err(finding),
        },
    }
}

/// The items of the line have these values; each is named in a report.
pub(in crate::cases) fn expect_items(
    items: &[String],
    expected: &[(usize, &str, &str)],
) -> Outcome {
    for &(index, name, value) in expected {
        let seen = items.get(index).map_or("nothing", String::as_str);
        if seen != value {
            return Err(Finding::violation(
                format!("{name} is {value}"),
                format!("{name} is {seen}"),
            ));
        }
    }
    Ok(())
}
