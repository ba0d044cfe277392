//! The addresses of the network: one of each kind that decides whether a proxy is safe.
//!
//! All are on the loopback interface of the namespace, so nothing leaves the machine, whatever a proxy dials.

use std::{
    collections::BTreeSet,
    io::Write,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    process::{Command, Stdio},
};

use crate::lab::network::{NoNetwork, entrance};

/// The address at which clouds answer for credentials (RFC 3927 gives it no such meaning; everybody else does).
pub const METADATA: IpAddr = v4(169, 254, 169, 254);
/// The same of IPv6, which is a unique local address otherwise.
pub const METADATA_V6: IpAddr = v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]);
/// Another link-local address (RFC 3927).
pub const LINK_LOCAL: IpAddr = v4(169, 254, 7, 7);
/// Private addresses (RFC 1918), one of each range.
pub const PRIVATE: [IpAddr; 3] = [v4(10, 7, 7, 7), v4(172, 16, 7, 7), v4(192, 168, 7, 7)];
/// An address behind a carrier's translation (RFC 6598).
pub const SHARED: IpAddr = v4(100, 64, 7, 7);
/// An address for benchmarks (RFC 2544).
pub const BENCHMARK: IpAddr = v4(198, 18, 7, 7);
/// An address for documentation (RFC 5737).
pub const DOCUMENTATION: IpAddr = v4(192, 0, 2, 7);
/// The same of IPv6 (RFC 3849).
pub const DOCUMENTATION_V6: IpAddr = v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 7]);
/// An address that is reserved (RFC 1112, section 4).
pub const RESERVED: IpAddr = v4(240, 7, 7, 7);
/// An address as servers on the Internet have it: nothing special about it, but that it is here.
pub const PUBLIC: IpAddr = v4(93, 184, 215, 14);
/// The same in IPv6.
pub const PUBLIC_V6: IpAddr = v6([0x2606, 0x2800, 0x21f, 0, 0, 0, 0, 7]);
/// A unique local address (RFC 4193).
pub const UNIQUE_LOCAL: IpAddr = v6([0xfd07, 7, 7, 0, 0, 0, 0, 7]);
/// [`PRIVATE`] inside the prefix of NAT64 (RFC 6052).
pub const NAT64: IpAddr = v6([0x64, 0xff9b, 0, 0, 0, 0, 0x0a07, 0x0707]);
/// [`PRIVATE`] inside of 6to4 (RFC 3056).
pub const SIX_TO_FOUR: IpAddr = v6([0x2002, 0x0a07, 0x0707, 0, 0, 0, 0, 7]);
/// [`PRIVATE`] as the server and, its bits turned over, as the client of Teredo (RFC 4380).
pub const TEREDO: IpAddr = v6([0x2001, 0, 0x0a07, 0x0707, 0, 0, 0xf5f8, 0xf8f8]);
/// [`PRIVATE`] as an address that is compatible with IPv4 (RFC 4291, section 2.5.5.1).
pub const COMPATIBLE: IpAddr = v6([0, 0, 0, 0, 0, 0, 0x0a07, 0x0707]);

/// An address of the Internet to which there is no way from here: nobody has it, and there is no router.
pub const NOWHERE: IpAddr = v4(93, 184, 217, 7);

/// Every address of the network that is not of the ordinary loopback.
const ALL: [IpAddr; 18] = [
    METADATA,
    METADATA_V6,
    LINK_LOCAL,
    PRIVATE[0],
    PRIVATE[1],
    PRIVATE[2],
    SHARED,
    BENCHMARK,
    RESERVED,
    DOCUMENTATION,
    DOCUMENTATION_V6,
    PUBLIC,
    PUBLIC_V6,
    UNIQUE_LOCAL,
    NAT64,
    SIX_TO_FOUR,
    TEREDO,
    COMPATIBLE,
];

/// An address for whoever wants one to itself, as servers on the Internet have it. Each is the source of what is sent to it,
/// so that no resolver prefers one to another (RFC 6724, section 5). Cases that run at the same time have other ports, too.
pub(super) fn own_v4(number: u32) -> IpAddr {
    let last = u8::try_from(number % OWN).unwrap_or_default();
    v4(93, 184, 216, 1 + last)
}

/// One of these addresses, for whoever is alone and keeps them apart by numbers.
#[must_use]
pub fn own(number: u32) -> IpAddr {
    own_v4(number)
}

/// The same of IPv6.
pub(super) fn own_v6(number: u32) -> IpAddr {
    let last = u16::try_from(number % OWN).unwrap_or_default();
    v6([0x2606, 0x2800, 0x220, 0, 0, 0, 0, 1 + last])
}

/// Which of them an address is.
pub(super) fn number_of_own(address: IpAddr) -> Option<u32> {
    (0..OWN).find(|&number| [own_v4(number), own_v6(number)].contains(&address))
}

/// How many of each there are: as many as names on a list, each of which leads to the same address each time.
pub(super) const OWN: u32 = 128;

/// Gives the loopback interface all of them, and `more`.
pub(super) fn bring_up(more: &[IpAddr]) -> Result<(), NoNetwork> {
    let failed = |what: String| NoNetwork(format!("`ip` could not make the network: {what}"));
    let ip = entrance::program("ip").ok_or_else(|| failed("it is missing".to_owned()))?;
    let mut ip = Command::new(ip)
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(mut lines) = ip.stdin.take() {
        // What it does not take, it says itself.
        let _ = lines.write_all(commands(more).as_bytes());
    }
    let output = ip
        .wait_with_output()
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(failed(said.lines().next().unwrap_or_default().to_owned()))
}

fn commands(more: &[IpAddr]) -> String {
    let mut lines = vec!["link set lo up".to_owned()];
    let own = (0..OWN).flat_map(|number| [own_v4(number), own_v6(number)]);
    let all: BTreeSet<IpAddr> = ALL
        .into_iter()
        .chain(own)
        .chain(more.iter().copied())
        .collect();
    lines.extend(all.into_iter().map(|address| match address {
        IpAddr::V4(address) => format!("addr add {address}/32 dev lo"),
        IpAddr::V6(address) => format!("addr add {address}/128 dev lo nodad"),
    }));
    lines.join("\n") + "\n"
}

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn v6(groups: [u16; 8]) -> IpAddr {
    let [a, b, c, d, e, f, g, h] = groups;
    IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::HostKind;

    #[test]
    fn as_many_as_there_are_differ_wherever_one_begins() {
        for first in [0, 1, 200, OWN - 1] {
            let numbers = first..first + OWN;
            let all: BTreeSet<IpAddr> = numbers.map(own_v4).collect();
            assert_eq!(all.len(), OWN as usize);
            assert!(all.iter().all(|&own| number_of_own(own).is_some()));
        }
    }

    /// A proxy may remember where a name leads.
    #[test]
    fn each_has_a_name_of_its_own_on_a_list() {
        let listed = HostKind::Listed;
        let names: BTreeSet<String> = (0..OWN).map(|number| listed.name(number)).collect();
        assert_eq!(names.len(), OWN as usize);
        let elsewhere = (0..OWN).map(|number| listed.name_elsewhere(number));
        assert!(elsewhere.into_iter().all(|name| !names.contains(&name)));
    }
}
