//! The variables of a template: what a set-up asks of the subject, in words that every proxy's template can be written in.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use minijinja::{Value, context};

use crate::{
    setup::{Hosts, PortRange},
    subject::{
        configuration::{Configuration, Credentials},
        offers::{HostLists, Offers, PortList},
    },
};

/// Every variable that a template may use: the names in `{{ … }}`.
pub const VARIABLES: [&str; 34] = [
    "listen.host",
    "listen.port",
    "listen.authority",
    "allow",
    "allow_text",
    "hosts",
    "denied_hosts",
    "refuse_private",
    "credentials.username",
    "credentials.password",
    "credentials.htpasswd",
    "credentials.users",
    "clients",
    "upstream.host",
    "upstream.port",
    "upstream.authority",
    "upstream.version",
    "upstream.ca",
    "websocket.host",
    "websocket.port",
    "websocket.authority",
    "tls.certificate",
    "tls.key",
    "version",
    "timeouts.connect",
    "timeouts.idle",
    "timeouts.header",
    "config_lines",
    "httpd_text", // as `config_lines` was called once
    "spare_ports",
    "scratch",
    "access_log",
    "error_log",
    "here",
];

/// The variables of one launch: the configuration, and where its files are.
#[derive(Clone, Debug)]
pub struct Vars {
    /// The folder that was made for this launch.
    pub scratch: PathBuf,
    /// Where the subject is to write its access log.
    pub access_log: PathBuf,
    /// Where the subject is to write everything else that it logs.
    pub error_log: PathBuf,
    /// The htpasswd file, when credentials are set.
    pub htpasswd: Option<PathBuf>,
    /// The certificate and the key of a listener that speaks TLS.
    pub tls: Option<[PathBuf; 2]>,
    /// The certificate of the authority that vouches for an upstream proxy.
    pub upstream_ca: Option<PathBuf>,
    /// The profile's own folder; built-in profiles have none.
    pub here: Option<PathBuf>,
}

impl Vars {
    /// The values as the template engine takes them, shaped to what the subject can express.
    #[must_use]
    pub fn values(&self, configuration: &Configuration, offers: &Offers) -> Value {
        let allow = configuration.allow.as_ref().map(|ranges| {
            let ranges = match offers.allowed_ports.map(|list| list.kind) {
                Some(PortList::List) => single_ports(ranges),
                Some(PortList::Ranges) | None => ranges.clone(),
            };
            ranges
                .iter()
                .map(|range| context! { first => range.first, last => range.last })
                .collect::<Vec<_>>()
        });
        let user = |known: &Credentials| context! { username => known.username.as_str(), password => known.password.as_str() };
        let credentials = configuration.credentials.as_ref().map(|credentials| {
            let users = configuration.users(offers.passwords).map(user);
            context! {
                username => credentials.username.as_str(),
                password => credentials.password.as_str(),
                htpasswd => self.htpasswd.as_deref().map(text),
                users => users.collect::<Vec<_>>(),
            }
        });
        let clients = configuration.clients.as_ref();
        let clients =
            clients.map(|known| known.iter().map(ToString::to_string).collect::<Vec<_>>());
        let tls = self.tls.as_ref().map(|[certificate, key]| {
            context! { certificate => text(certificate), key => text(key) }
        });
        let timeouts = configuration.timeouts;
        let lines = configuration.lines.as_ref().map(|lines| {
            let [second_port, ..] = configuration.spare_ports;
            [
                ("{access_log}", text(&self.access_log)),
                ("{error_log}", text(&self.error_log)),
                ("{port}", configuration.listen.port().to_string()),
                ("{second_port}", second_port.to_string()),
            ]
            .iter()
            .fold(lines.clone(), |lines, (name, value)| {
                lines.replace(name, value)
            })
        });
        context! {
            listen => address(configuration.listen),
            allow => allow,
            allow_text => configuration.allow_text.as_deref(),
            hosts => names(configuration.hosts.as_deref(), offers.allowed_hosts),
            denied_hosts => names(configuration.denied_hosts.as_deref(), offers.denied_hosts),
            refuse_private => configuration.refuse_private.then_some(true),
            credentials => credentials,
            clients => clients,
            upstream => configuration.upstream.map(|next| context! {
                version => configuration.upstream_version.name(),
                ca => self.upstream_ca.as_deref().map(text),
                ..address(next)
            }),
            websocket => configuration.websocket.map(address),
            tls => tls,
            version => configuration.version.name(),
            timeouts => context! {
                connect => timeouts.connect, idle => timeouts.idle, header => timeouts.header,
            },
            config_lines => lines.as_deref(),
            httpd_text => lines.as_deref(),
            spare_ports => configuration.spare_ports.to_vec(),
            scratch => text(&self.scratch),
            access_log => text(&self.access_log),
            error_log => text(&self.error_log),
            here => self.here.as_deref().map(text),
        }
    }
}

/// The names of a list, as far as the subject can express them.
fn names(list: Option<&[Hosts]>, offered: Option<HostLists>) -> Option<Vec<Value>> {
    let fits = |hosts: &&Hosts| !hosts.subdomains || offered == Some(HostLists::Subdomains);
    let entry = |hosts: &Hosts| {
        let subdomains = hosts.subdomains;
        let entries = hosts
            .names()
            .map(|name| context! { name => name, subdomains => subdomains });
        entries.collect::<Vec<_>>()
    };
    Some(list?.iter().filter(fits).flat_map(entry).collect())
}

fn address(address: SocketAddr) -> Value {
    let host = match address.ip() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => ip.to_string(),
    };
    context! { host => host, port => address.port(), authority => address.to_string() }
}

/// For subjects that know no ranges: each port once, in order.
fn single_ports(ranges: &[PortRange]) -> Vec<PortRange> {
    let mut ports: Vec<u16> = ranges
        .iter()
        .flat_map(|range| range.first..=range.last)
        .collect();
    ports.sort_unstable();
    ports.dedup();
    ports.into_iter().map(PortRange::from).collect()
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_become_single_ports_in_order_and_once() {
        let ranges = PortRange::parse_list("12 10-13").unwrap();
        let singles: Vec<_> = single_ports(&ranges).iter().map(|r| r.first).collect();
        assert_eq!(singles, [10, 11, 12, 13]);
        let ends = [PortRange {
            first: 65534,
            last: 65535,
        }];
        assert_eq!(single_ports(&ends).len(), 2);
    }
}
