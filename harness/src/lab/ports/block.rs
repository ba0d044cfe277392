//! A block of ports that nobody else has.

use std::{
    io,
    net::IpAddr,
    ops::RangeInclusive,
    time::{Duration, Instant},
};

use socket2::Socket;

use crate::{
    lab::ports::sockets::{bind, hold},
    stop::Stop,
};

/// Where blocks are looked for: above the ports of well-known services, below every ephemeral range.
const FIRST: u16 = 10_240;
const LAST: u16 = 32_000;

/// How long a run waits for others that have every block, before it gives up: many times what a run takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// From one look to the next.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Finds `size` ports in a row that are all free, waiting for one of the runs that have them if there are too many.
///
/// The first port of each block is never used, so that it can always be held alone, and keeps other runs away: with its socket,
/// the one after it is returned. The others were free when they were looked at.
pub(super) fn block(host: IpAddr, size: u16, stop: &Stop) -> io::Result<(u16, Socket)> {
    let began = Instant::now();
    loop {
        match look(host, size) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                if began.elapsed() > PATIENCE {
                    return Err(all_taken(size));
                }
                if stop.wait(LOOK_AGAIN) {
                    return Err(io::ErrorKind::Interrupted.into());
                }
            }
            found_or_hopeless => return found_or_hopeless,
        }
    }
}

fn look(host: IpAddr, size: u16) -> io::Result<(u16, Socket)> {
    let blocks = blocks(size);
    // Runs at the same time begin at different blocks; one that is taken is passed over.
    let start = u16::try_from(std::process::id() % u32::from(blocks)).unwrap_or(0);
    let mut last_error = io::Error::from(io::ErrorKind::AddrInUse);
    for offset in 0..blocks {
        let lock = FIRST + ((start + offset) % blocks) * size;
        let held = bind(host, lock, false).and_then(|socket| {
            are_free(host, lock + 1..=lock + size - 1)?;
            Ok(socket)
        });
        match held {
            Ok(socket) => return Ok((lock + 1, socket)),
            Err(error) => last_error = error,
        }
    }
    Err(last_error)
}

/// Whether nobody has any of them; one after the other, so that it takes one file.
fn are_free(host: IpAddr, mut ports: RangeInclusive<u16>) -> io::Result<()> {
    ports.try_for_each(|port| hold(host, port).map(drop))
}

const fn blocks(size: u16) -> u16 {
    (LAST - FIRST) / size
}

fn all_taken(size: u16) -> io::Error {
    io::Error::new(
        io::ErrorKind::AddrInUse,
        format!(
            "each of the {} blocks of {size} ports between {FIRST} and {LAST} has one that is in use; other runs at the same time have one block each, so run fewer of them",
            blocks(size)
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{net::Ipv4Addr, sync::mpsc};

    /// An address that no other test looks at.
    const ALONE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 77, 1));

    const SIZE: u16 = 1_000;

    #[test]
    fn who_comes_when_all_are_taken_gets_the_first_that_is_given_back() {
        let mut taken: Vec<_> = (0..blocks(SIZE))
            .map(|at| bind(ALONE, FIRST + at * SIZE, false).unwrap())
            .collect();
        let none = look(ALONE, SIZE).unwrap_err();
        assert_eq!(none.kind(), io::ErrorKind::AddrInUse);

        let (begins, begun) = mpsc::channel();
        let waiting = std::thread::spawn(move || {
            begins.send(()).unwrap();
            block(ALONE, SIZE, &Stop::default()).map(|(first, _)| first)
        });
        begun.recv().unwrap();
        drop(taken.remove(3));
        assert_eq!(waiting.join().unwrap().unwrap(), FIRST + 3 * SIZE + 1);
    }

    #[test]
    fn who_is_told_to_stop_waits_for_nobody() {
        let elsewhere = IpAddr::V4(Ipv4Addr::new(127, 0, 77, 2));
        let _taken: Vec<_> = (0..blocks(SIZE))
            .map(|at| bind(elsewhere, FIRST + at * SIZE, false).unwrap())
            .collect();
        let stop = Stop::default();
        let stopping = stop.clone();
        let waiting = std::thread::spawn(move || block(elsewhere, SIZE, &stopping).map(drop));
        stop.now();
        let why = waiting.join().unwrap().unwrap_err();
        assert_eq!(why.kind(), io::ErrorKind::Interrupted);
    }

    #[test]
    fn an_address_of_another_machine_is_not_waited_for() {
        let elsewhere = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        assert_eq!(
            look(elsewhere, SIZE).unwrap_err().kind(),
            io::ErrorKind::AddrNotAvailable
        );
    }
}
