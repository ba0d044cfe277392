//! The name server of the network: it answers every question itself, over UDP and TCP, and writes it down.
//!
//! Names are known for one case each, whose transcript has the questions. Whoever asks for another name hears that there
//! is none.

use std::{
    collections::BTreeMap,
    fmt, io,
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use simple_dns::{
    CLASS, Name, Packet, PacketFlag, QTYPE, RCODE, ResourceRecord, TYPE,
    rdata::{A, AAAA, CNAME, OPT, PTR, RData},
};

use crate::{
    lab::network::{Answers, Says},
    wire::{Transcript, Way},
};

/// Where it listens: where nobody else does, as the network is its own.
pub(super) const ADDRESS: SocketAddr =
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 53)), 53);

/// What an answer over UDP may have of a client that does not say otherwise (RFC 1035, section 2.3.4).
const UDP_OCTETS: usize = 512;

/// A client over TCP that says nothing for so long is let go.
const TCP_PATIENCE: Duration = Duration::from_secs(2);

/// The name server, until it is dropped.
#[derive(Debug)]
pub struct NameServer {
    known: Arc<Mutex<BTreeMap<String, Entry>>>,
    over: Arc<AtomicBool>,
}

/// What is known of a name.
#[derive(Debug)]
struct Entry {
    answers: Answers,
    questions: Vec<Question>,
    transcript: Transcript,
}

/// A question, and by which way it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// What was asked for.
    pub of: Family,
    /// Whether it came over TCP.
    pub over_tcp: bool,
}

/// Which addresses were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `A`.
    V4,
    /// `AAAA`.
    V6,
    /// Something else, such as `HTTPS`.
    Other,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "A",
            Self::V6 => "AAAA",
            Self::Other => "another type",
        })
    }
}

impl NameServer {
    /// Begins to answer.
    pub(super) fn start() -> io::Result<Self> {
        let (udp, tcp) = (UdpSocket::bind(ADDRESS)?, TcpListener::bind(ADDRESS)?);
        let known = Arc::new(Mutex::default());
        let over = Arc::new(AtomicBool::new(false));
        let server = Self {
            known: Arc::clone(&known),
            over: Arc::clone(&over),
        };
        let (names, ended) = (Arc::clone(&known), Arc::clone(&over));
        std::thread::spawn(move || answer_datagrams(&udp, &names, &ended));
        std::thread::spawn(move || answer_connections(&tcp, &known, &over));
        Ok(server)
    }

    /// Knows `name` from now on; `transcript` has what is asked about it.
    pub(super) fn learn(&self, name: &str, answers: Answers, transcript: &Transcript) {
        let entry = Entry {
            answers,
            questions: Vec::new(),
            transcript: transcript.clone(),
        };
        lock(&self.known).insert(key(name), entry);
    }

    /// What was asked about `name` so far.
    #[must_use]
    pub fn questions(&self, name: &str) -> Vec<Question> {
        let known = lock(&self.known);
        let entry = known.get(&key(name));
        entry
            .map(|entry| entry.questions.clone())
            .unwrap_or_default()
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // Both threads wait for something to come.
        if let Ok(socket) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) {
            let _ = socket.send_to(b"", ADDRESS);
        }
        let _ = TcpStream::connect(ADDRESS);
    }
}

fn answer_datagrams(socket: &UdpSocket, known: &Mutex<BTreeMap<String, Entry>>, over: &AtomicBool) {
    let mut buffer = [0; 4096];
    while let Ok((length, from)) = socket.recv_from(&mut buffer) {
        if over.load(Ordering::Relaxed) {
            return;
        }
        if let Some(answer) = answer(&buffer[..length], known, false) {
            // A client that has gone is no trouble of ours.
            let _ = socket.send_to(&answer, from);
        }
    }
}

fn answer_connections(
    listener: &TcpListener,
    known: &Arc<Mutex<BTreeMap<String, Entry>>>,
    over: &AtomicBool,
) {
    for client in listener.incoming() {
        if over.load(Ordering::Relaxed) {
            return;
        }
        let (Ok(client), known) = (client, Arc::clone(known)) else {
            continue;
        };
        std::thread::spawn(move || answer_connection(client, &known));
    }
}

/// Every message follows its length (RFC 1035, section 4.2.2).
fn answer_connection(
    mut client: TcpStream,
    known: &Mutex<BTreeMap<String, Entry>>,
) -> io::Result<()> {
    client.set_read_timeout(Some(TCP_PATIENCE))?;
    loop {
        let mut length = [0; 2];
        client.read_exact(&mut length)?;
        let mut question = vec![0; u16::from_be_bytes(length).into()];
        client.read_exact(&mut question)?;
        let Some(answer) = answer(&question, known, true) else {
            continue;
        };
        let length = u16::try_from(answer.len()).map_err(io::Error::other)?;
        client.write_all(&[&length.to_be_bytes()[..], &answer].concat())?;
    }
}

/// The answer to a message, if there is one.
fn answer(
    message: &[u8],
    known: &Mutex<BTreeMap<String, Entry>>,
    over_tcp: bool,
) -> Option<Vec<u8>> {
    let query = Packet::parse(message).ok()?;
    let question = query.questions.first()?;
    let name = question.qname.to_string();
    let of = match question.qtype {
        QTYPE::TYPE(TYPE::A) => Family::V4,
        QTYPE::TYPE(TYPE::AAAA) => Family::V6,
        _ => Family::Other,
    };
    let says = ask(known, &name, Question { of, over_tcp });

    let mut reply = Packet::new_reply(query.id());
    reply.set_flags(
        PacketFlag::AUTHORITATIVE_ANSWER
            | PacketFlag::RECURSION_AVAILABLE
            | PacketFlag::RECURSION_DESIRED,
    );
    reply.questions.push(question.clone());
    let room = query.opt().map_or(UDP_OCTETS, |opt| {
        usize::from(opt.udp_packet_size).max(UDP_OCTETS)
    });
    if query.opt().is_some() {
        *reply.opt_mut() = Some(OPT {
            opt_codes: Vec::new(),
            udp_packet_size: 4096,
            version: 0,
        });
    }
    match says {
        Says::Silence => return None,
        Says::NoSuchName => *reply.rcode_mut() = RCODE::NameError,
        Says::Failure => *reply.rcode_mut() = RCODE::ServerFailure,
        Says::Addresses(addresses) => reply.answers = records(&name, of, &addresses)?,
        Says::Aliases(count, addresses) => {
            let aliases = (1..=count).map(|number| format!("alias-{number}.{name}"));
            let chain: Vec<String> = std::iter::once(name.clone()).chain(aliases).collect();
            reply.answers = aliases_of(&chain)?;
            reply
                .answers
                .extend(records(chain.last()?, of, &addresses)?);
        }
        Says::Loop => {
            let chain = [name.clone(), format!("alias.{name}"), name];
            reply.answers = aliases_of(&chain)?;
        }
        Says::Called(own) if question.qtype == QTYPE::TYPE(TYPE::PTR) => {
            let own = RData::PTR(PTR(Name::new(&own).ok()?.into_owned()));
            let name = Name::new(&name).ok()?.into_owned();
            reply.answers = vec![ResourceRecord::new(name, CLASS::IN, TTL, own)];
        }
        Says::Called(_) => {}
        Says::Truncated(_) if !over_tcp => reply.set_flags(PacketFlag::TRUNCATION),
        Says::Truncated(addresses) => reply.answers = records(&name, of, &addresses)?,
    }
    let octets = reply.build_bytes_vec_compressed().ok()?;
    if over_tcp || octets.len() <= room {
        return Some(octets);
    }
    reply.answers.clear();
    reply.set_flags(PacketFlag::TRUNCATION);
    reply.build_bytes_vec_compressed().ok()
}

/// What is said of `name`, once the question is written down.
fn ask(known: &Mutex<BTreeMap<String, Entry>>, name: &str, question: Question) -> Says {
    let mut known = lock(known);
    let Some(entry) = known.get_mut(&key(name)) else {
        return Says::NoSuchName;
    };
    // The same question over TCP is no new one: over UDP it had no room.
    let alike = |other: &&Question| other.of == question.of && other.over_tcp == question.over_tcp;
    let number = entry.questions.iter().filter(alike).count();
    let says = entry.answers.to(number);
    entry.questions.push(question);
    let way = if question.over_tcp { " over TCP" } else { "" };
    let asked = format!("{} of {name}?{way}", question.of);
    entry.transcript.datagram(Way::In, asked);
    if says != Says::Silence {
        let told = format!("{}", Told(&says, question.of));
        entry.transcript.datagram(Way::Out, told);
    }
    says
}

/// An answer as people read it.
struct Told<'a>(&'a Says, Family);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |addresses: &[IpAddr]| {
            let fitting = addresses.iter().filter(|address| self.1.has(**address));
            let texts: Vec<String> = fitting.map(ToString::to_string).collect();
            match texts.len() {
                0 => "no address".to_owned(),
                1..=4 => texts.join(", "),
                more => format!("{more} addresses"),
            }
        };
        match self.0 {
            Says::Addresses(addresses) => f.write_str(&list(addresses)),
            Says::Aliases(count, addresses) => {
                write!(f, "{count} aliases, then {}", list(addresses))
            }
            Says::Loop => f.write_str("an alias of an alias of itself"),
            Says::Called(name) => write!(f, "called {name}"),
            Says::NoSuchName => f.write_str("no such name"),
            Says::Failure => f.write_str("a failure"),
            Says::Silence => f.write_str("nothing"),
            Says::Truncated(addresses) => write!(f, "over TCP: {}", list(addresses)),
        }
    }
}

impl Family {
    const fn has(self, address: IpAddr) -> bool {
        match self {
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
            Self::Other => false,
        }
    }
}

/// Nothing is kept by whoever asks: the next question may get another answer.
const TTL: u32 = 0;

fn records(name: &str, of: Family, addresses: &[IpAddr]) -> Option<Vec<ResourceRecord<'static>>> {
    let name = Name::new(name).ok()?.into_owned();
    let fitting = addresses.iter().filter(|address| of.has(**address));
    let data = fitting.map(|address| match address {
        IpAddr::V4(address) => RData::A(A {
            address: address.to_bits(),
        }),
        IpAddr::V6(address) => RData::AAAA(AAAA {
            address: address.to_bits(),
        }),
    });
    let record = |data| ResourceRecord::new(name.clone(), CLASS::IN, TTL, data);
    Some(data.map(record).collect())
}

fn aliases_of(chain: &[String]) -> Option<Vec<ResourceRecord<'static>>> {
    let alias = |pair: &[String]| {
        let [name, of] = pair else { return None };
        let (name, of) = (Name::new(name).ok()?, Name::new(of).ok()?);
        let data = RData::CNAME(CNAME(of.into_owned()));
        Some(ResourceRecord::new(name.into_owned(), CLASS::IN, TTL, data))
    };
    chain.windows(2).map(alias).collect()
}

/// Names are compared without regard to case (RFC 4343).
fn key(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn lock(known: &Mutex<BTreeMap<String, Entry>>) -> MutexGuard<'_, BTreeMap<String, Entry>> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
