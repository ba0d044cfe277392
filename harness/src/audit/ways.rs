//! Ways in which whoever owns a name can have it lead to the inside.

use std::net::{IpAddr, Ipv4Addr};

use crate::lab::network::{Answers, Says, addresses};

/// One way: the address that must not be dialled, and how a name comes to lead there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    /// The address.
    pub(super) to: IpAddr,
    /// How, as the end of a sentence.
    pub(super) how: &'static str,
    says: fn(IpAddr, IpAddr) -> Answers,
    /// How many times the name is asked for, so that it shows.
    pub(super) times: usize,
}

impl Way {
    /// What the name server says of a name that leads to `home` else.
    pub(super) fn answers(self, home: IpAddr) -> Answers {
        (self.says)(self.to, home)
    }
}

/// Each of them.
pub(super) const ALL: [Way; 8] = [
    plainly(addresses::METADATA),
    plainly(IpAddr::V4(Ipv4Addr::LOCALHOST)),
    plainly(addresses::PRIVATE[0]),
    plainly(addresses::METADATA_V6),
    Way {
        to: addresses::METADATA,
        how: " by an alias",
        says: |to, _| Answers::always(Says::Aliases(2, vec![to])),
        times: 1,
    },
    Way {
        to: MAPPED,
        how: " as an address of IPv6",
        says: |to, _| Answers::addresses([to]),
        times: 1,
    },
    Way {
        to: addresses::METADATA,
        how: " by its second address",
        // Nobody listens at the first one, so that whoever goes on is led astray.
        says: |to, _| Answers::addresses([addresses::PUBLIC, to]),
        times: 1,
    },
    Way {
        to: addresses::METADATA,
        how: " from the second question on",
        says: |to, home| Answers::addresses([home]).then(Says::Addresses(vec![to])),
        // Some ask once, and again before they dial; some once for each client.
        times: 4,
    },
];

const fn plainly(to: IpAddr) -> Way {
    Way {
        to,
        how: "",
        says: |to, _| Answers::addresses([to]),
        times: 1,
    }
}

/// A private address, as one of IPv6.
const MAPPED: IpAddr = match addresses::PRIVATE[0] {
    IpAddr::V4(address) => IpAddr::V6(address.to_ipv6_mapped()),
    IpAddr::V6(address) => IpAddr::V6(address),
};
