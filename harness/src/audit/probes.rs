//! From a policy to what is asked: what has to be reached, and around it what must not.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

use crate::{
    audit::{
        About, Leads, NamePattern, Policy, Probe, Rule,
        probe::home_of,
        special_use::{ALL, MAPPED, SPELLINGS, Weight, arrives, can_be_heard_at},
        ways,
    },
    lab::network::addresses,
    verdict::Level,
};

/// Ports of services that proxies have been used against, beside those next to a list.
const OTHER_PORTS: [u16; 18] = [
    1, 22, 25, 80, 443, 445, 563, 587, 2375, 3128, 3306, 5432, 6379, 6667, 8080, 8443, 9200, 65535,
];

/// What is asked of a proxy with this policy. Each target once; the same policy gives the same probes.
#[must_use]
pub fn probes(policy: &Policy) -> Vec<Probe> {
    let mut list = List {
        policy,
        probes: Vec::new(),
        rows: BTreeSet::new(),
    };
    list.meant();
    list.denied();
    list.ports();
    list.names();
    list.addresses();
    list.special_use();
    list.astray();
    list.probes
}

/// Somewhere on the Internet that no name of a policy leads to.
const ELSEWHERE: [IpAddr; 2] = [addresses::PUBLIC, addresses::PUBLIC_V6];

struct List<'a> {
    policy: &'a Policy,
    probes: Vec<Probe>,
    rows: BTreeSet<(About, String)>,
}

impl List<'_> {
    fn meant(&mut self) {
        for rule in &self.policy.allow {
            for port in ends_of(rule) {
                for pattern in &rule.names {
                    let labels: &[&str] = match pattern {
                        NamePattern::Below(_) => &["audit", "one.two.audit"],
                        _ => &["audit"],
                    };
                    for label in labels {
                        let name = pattern.name(label);
                        if self.policy.allows_name(&name, port) {
                            self.name(About::Meant, &name, port, pattern);
                        }
                    }
                }
                for network in &rule.networks {
                    for address in network.ends() {
                        if self.policy.allows_address(address, port) {
                            self.address(About::Meant, address, port, network);
                        }
                    }
                }
            }
        }
    }

    fn denied(&mut self) {
        let open = self.policy.sample_ports();
        for rule in &self.policy.deny {
            let ports = match rule.ports.is_empty() {
                true => open.clone(),
                false => ends_of(rule),
            };
            for port in ports {
                for pattern in &rule.names {
                    let name = pattern.name("audit");
                    let upper = name.to_ascii_uppercase();
                    for name in [name.clone(), format!("{name}."), upper] {
                        self.name(About::Denied, &name, port, pattern);
                    }
                }
                for network in &rule.networks {
                    for address in network.ends() {
                        self.address(About::Denied, address, port, network);
                    }
                }
            }
        }
    }

    /// Beside each list, and where services are.
    fn ports(&mut self) {
        for rule in &self.policy.allow {
            let beside = rule.ports.iter().flat_map(|range| {
                [range.first.checked_sub(1), range.last.checked_add(1)]
                    .into_iter()
                    .flatten()
            });
            let ports: BTreeSet<u16> = beside.chain(OTHER_PORTS).filter(|&port| port > 0).collect();
            for &port in &ports {
                if let Some(pattern) = rule.names.first() {
                    let name = pattern.name("audit");
                    if !self.policy.allows_name(&name, port) {
                        self.name(About::Ports, &name, port, pattern);
                    }
                }
                if let Some(network) = rule.networks.first() {
                    let address = network.ends()[0];
                    if !self.policy.allows_address(address, port) {
                        self.address(About::Ports, address, port, network);
                    }
                }
            }
            self.ports_past_the_last(rule);
        }
    }

    /// A number that is cut to 16 bits is another port.
    fn ports_past_the_last(&mut self, rule: &Rule) {
        let Some(pattern) = rule.names.first() else {
            return;
        };
        let name = pattern.name("audit");
        for port in [22_u16, 25] {
            if !self.policy.allows_name(&name, port) {
                let target = format!("{name}:{}", 65536 + u32::from(port));
                let at = SocketAddr::new(home_of(&name), port);
                let why = format!("{port}, for whoever cuts numbers to 16 bits");
                self.add(Probe::new(About::Ports, target, why, vec![at]));
            }
        }
    }

    /// Names of nobody, and names that only look like those of the list.
    fn names(&mut self) {
        for port in self.policy.sample_ports() {
            let mut others = vec![(
                "unlisted.test".to_owned(),
                "a name that nothing names".to_owned(),
            )];
            for rule in &self.policy.allow {
                for pattern in &rule.names {
                    others.extend(lookalikes(pattern));
                }
            }
            for (name, why) in others {
                if !self.policy.allows_name(&name, port) {
                    self.name(About::Names, &name, port, why);
                }
            }
        }
    }

    /// The addresses of listed names, those beside listed networks, and some of the Internet.
    fn addresses(&mut self) {
        for port in self.policy.sample_ports() {
            let mut others: Vec<(IpAddr, String)> = ELSEWHERE
                .map(|address| (address, "an address of the Internet".to_owned()))
                .to_vec();
            for rule in &self.policy.allow {
                for pattern in &rule.names {
                    let name = pattern.name("audit");
                    others.push((home_of(&name), format!("the address of {name}")));
                }
                for network in &rule.networks {
                    let beside = network
                        .neighbours()
                        .filter(|address| can_be_heard_at(*address));
                    others.extend(beside.map(|address| (address, format!("beside {network}"))));
                }
            }
            for (address, why) in others {
                if !self.policy.allows_address(address, port) {
                    self.address(About::Addresses, address, port, why);
                }
            }
        }
    }

    fn special_use(&mut self) {
        for port in self.policy.sample_ports() {
            for special in ALL.iter() {
                for &address in &special.examples {
                    if !self.policy.allows_address(address, port) {
                        let of = (address, address.to_string());
                        self.special(About::SpecialUse, of, port, (special.what, special.weight));
                    }
                }
            }
            for text in MAPPED {
                if let Ok(address) = text.parse::<IpAddr>()
                    && !self.policy.allows_address(address.to_canonical(), port)
                {
                    let what = ("mapped into IPv6", Weight::Inside);
                    self.special(About::SpecialUse, (address, text.to_owned()), port, what);
                }
            }
        }
        let Some(port) = self.policy.sample_ports().first().copied() else {
            return;
        };
        for (means, words) in SPELLINGS {
            if let Ok(address) = means.parse::<IpAddr>()
                && !self.policy.allows_address(address, port)
                && !self.policy.names_one(words, port)
            {
                let of = (address, words.to_owned());
                self.special(About::Spellings, of, port, (means, Weight::Inside));
            }
        }
    }

    fn special(
        &mut self,
        about: About,
        (address, text): (IpAddr, String),
        port: u16,
        (why, weight): (&str, Weight),
    ) {
        let mut listeners = vec![SocketAddr::new(arrives(address), port)];
        if text.to_ascii_lowercase().starts_with("localhost") {
            listeners.push(SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port));
        }
        let host = match text.contains(':') {
            true => format!("[{text}]"),
            false => text,
        };
        let mut probe = Probe::new(about, format!("{host}:{port}"), why, listeners);
        match weight {
            Weight::Inside => {}
            Weight::Nowhere => probe.level = Level::Practice,
            Weight::Unheard => probe.listeners.clear(),
        }
        self.add(probe);
    }

    /// Names that are allowed, and whose owner lets them lead to the inside.
    fn astray(&mut self) {
        let mut tried = BTreeSet::new();
        for rule in &self.policy.allow {
            let Some(port) = rule.sample_port() else {
                continue;
            };
            for pattern in &rule.names {
                let is_one = matches!(pattern, NamePattern::One(_));
                // Each has another owner, but the proxy judges them in the same way.
                if is_one && self.policy.names_lead_anywhere || !tried.insert((is_one, port)) {
                    continue;
                }
                for (number, way) in ways::ALL.into_iter().enumerate() {
                    // A name that the proxy has not asked for before, where the pattern has room.
                    let name = pattern.name(&format!("astray-{number}"));
                    let to = way.to.to_canonical();
                    if self.policy.allows_address(to, port) || !self.policy.allows_name(&name, port)
                    {
                        continue;
                    }
                    let why = format!("leads to {to}{}", way.how);
                    let target = format!("{name}:{port}");
                    let at = vec![SocketAddr::new(to, port)];
                    let mut probe = Probe::new(About::Astray, target, &why, at);
                    probe.row = format!("{} {why}", probe.target);
                    probe.leads = Some(Leads {
                        answers: way.answers(home_of(&name)),
                        name,
                        times: way.times,
                        is_remembered: is_one,
                    });
                    self.add(probe);
                }
            }
        }
    }

    fn name(&mut self, about: About, name: &str, port: u16, why: impl ToString) {
        let at = SocketAddr::new(home_of(name.trim_end_matches('.')), port);
        self.add(Probe::new(about, format!("{name}:{port}"), why, vec![at]));
    }

    fn address(&mut self, about: About, address: IpAddr, port: u16, why: impl ToString) {
        let at = SocketAddr::new(address, port);
        self.add(Probe::new(about, at.to_string(), why, vec![at]));
    }

    /// Takes each target once for each thing that it is about.
    fn add(&mut self, probe: Probe) {
        if self.rows.insert((probe.about, probe.row.clone())) {
            self.probes.push(probe);
        }
    }
}

/// The first and the last port of each range.
pub(super) fn ends_of(rule: &Rule) -> Vec<u16> {
    let ends = rule
        .ports
        .iter()
        .flat_map(|range| [range.first, range.last]);
    ends.collect::<BTreeSet<u16>>().into_iter().collect()
}

/// Names that only look like those that a pattern means, and why they are none.
fn lookalikes(pattern: &NamePattern) -> Vec<(String, String)> {
    match pattern {
        NamePattern::Any => Vec::new(),
        NamePattern::One(name) => vec![
            (format!("evil{name}"), format!("ends as {name} does")),
            (
                format!("{name}.unlisted.test"),
                format!("begins as {name} does"),
            ),
            (format!("audit.{name}"), format!("is below {name}")),
        ],
        NamePattern::Below(parent) => vec![
            (
                format!("evil{parent}"),
                format!("ends as {parent} does, without a dot before it"),
            ),
            (
                format!("audit.{parent}.unlisted.test"),
                format!("contains .{parent}"),
            ),
            (
                parent.clone(),
                format!("is above {pattern}, and not below it"),
            ),
        ],
    }
}
