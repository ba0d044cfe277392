//! Names of a case, and how every program inside comes to ask for them here.

use std::{env, fs, net::IpAddr, path::Path, sync::atomic::Ordering};

use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind, unmount};

use crate::{
    lab::{
        Lab,
        network::{
            Answers, NoNetwork, Question, Says, addresses::number_of_own, name_server::ADDRESS,
        },
    },
    setup::HostKind,
    verdict::{Finding, Outcome},
};

/// A name that only this case uses.
#[derive(Debug)]
pub struct Name<'a> {
    lab: &'a Lab,
    text: String,
}

impl Lab {
    /// A name of this case's own, of which the name server says `answers`.
    ///
    /// # Errors
    /// Absent outside of a network of the run's own.
    pub fn name(&self, answers: Answers) -> Outcome<Name<'_>> {
        let text = format!("{}.test", self.nonce());
        self.name_as(&text, answers)
    }

    /// A name in these words, which nobody else uses.
    ///
    /// # Errors
    /// Absent outside of a network of the run's own.
    pub fn name_as(&self, text: &str, answers: Answers) -> Outcome<Name<'_>> {
        let network = self.network()?;
        network.names.learn(text, answers, self.transcript());
        Ok(Name {
            lab: self,
            text: text.to_owned(),
        })
    }

    /// A name of that kind, from the list of a set-up that has one; see [`HostKind`]. No other case has it at the same time, and
    /// where it leads to an address of a server, it is the same name each time.
    ///
    /// # Errors
    /// Absent outside of a network of the run's own.
    pub fn host_of(&self, kind: HostKind, answers: Answers) -> Outcome<Name<'_>> {
        let own = answers.first_address().and_then(number_of_own);
        let next = || self.world.hosts_taken.fetch_add(1, Ordering::Relaxed);
        let text = match own {
            Some(number) => kind.name(number),
            None => kind.name_elsewhere(next()),
        };
        self.name_as(&text, answers)
    }

    /// Has the name server say that `address` is called `name`, if it is asked in reverse.
    ///
    /// # Errors
    /// Absent outside of a network of the run's own.
    pub fn calls(&self, address: IpAddr, name: &str) -> Outcome {
        let text = match address {
            IpAddr::V4(address) => {
                let [a, b, c, d] = address.octets();
                format!("{d}.{c}.{b}.{a}.in-addr.arpa")
            }
            IpAddr::V6(address) => {
                let digits = address.octets().into_iter().rev();
                let digits = digits.map(|octet| format!("{:x}.{:x}.", octet & 15, octet >> 4));
                digits.collect::<String>() + "ip6.arpa"
            }
        };
        self.name_as(&text, Answers::always(Says::Called(name.to_owned())))
            .map(drop)
    }

    /// What the run has of its own.
    pub(super) fn network(&self) -> Outcome<&crate::lab::network::Network> {
        let network = self.world.network.as_ref();
        network.ok_or_else(|| Finding::absent("the run has no network of its own"))
    }
}

impl Name<'_> {
    /// The name.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// `name:port`, as a request-target has it.
    #[must_use]
    pub fn authority(&self, port: u16) -> String {
        format!("{}:{port}", self.text)
    }

    /// What the name server was asked about it so far.
    ///
    /// # Errors
    /// Absent outside of a network of the run's own.
    pub fn questions(&self) -> Outcome<Vec<Question>> {
        Ok(self.lab.network()?.names.questions(&self.text))
    }
}

/// Has every program inside ask the name server of the run, and nothing else: not the machine's, nor its list of hosts.
///
/// A program that was told another resolver, or brings one of its own, is a matter of its configuration.
pub(super) fn ask_only_this_one() -> Result<(), NoNetwork> {
    // Files in memory, at a place that everybody has: nothing of them is left, whenever this process ends. What is mounted from
    // there stays when that goes.
    let scratch = env::temp_dir();
    let failed = |error| NoNetwork(format!("no file could be written: {error}"));
    mount("tmpfs", &scratch, "tmpfs", MountFlags::empty(), None).map_err(failed)?;
    let placed = put_in_place(&scratch);
    unmount(&scratch, UnmountFlags::empty()).map_err(failed)?;
    placed
}

/// Puts them in place, from that folder.
fn put_in_place(scratch: &Path) -> Result<(), NoNetwork> {
    let resolv = format!("nameserver {}\n", ADDRESS.ip());
    let hosts = "127.0.0.1 localhost\n::1 localhost\n";
    let files = [
        ("/etc/resolv.conf", resolv.as_str(), true),
        ("/etc/hosts", hosts, false),
        // Some systems ask a service first, which is outside.
        (
            "/etc/nsswitch.conf",
            "hosts: files dns\npasswd: files\ngroup: files\n",
            false,
        ),
    ];
    for (place, text, needed) in files {
        if !Path::new(place).exists() && !needed {
            continue;
        }
        let own = scratch.join(place.trim_start_matches("/etc/"));
        let failed = |error: &dyn std::fmt::Display| {
            NoNetwork(format!("{place} could not be put in place inside: {error}"))
        };
        fs::write(&own, text).map_err(|error| failed(&error))?;
        mount_bind(&own, place).map_err(|error| failed(&error))?;
    }
    Ok(())
}
