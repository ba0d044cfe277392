//! Blocks that octets are received into, and stay in until they have left: for who takes octets without a copy.
//!
//! Each is of the size of a frame of HTTP/2. The blocks of a thread are used over and over, the last one first, so that they are in
//! its cache; an idle tunnel owns none. What fills little of one is copied, so that who holds few octets holds little memory.

use super::port::attempt;
use bytes::Bytes;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, IoSliceMut};
use std::task::{Context, Poll, ready};
use tokio::io::Interest;
use tokio::net::TcpStream;

/// Octets in one.
pub(super) const SIZE: usize = 16 << 10;
/// The most that are filled at once.
pub(super) const MOST: usize = 32;
/// The most that a thread keeps, for as many connections as are filling some at a time.
const KEPT_MOST: usize = 4 * MOST;
/// What fills less of one is copied.
const COPIED_BELOW: usize = SIZE / 4;

thread_local! {
    /// Those that nobody holds.
    static FREE: RefCell<Vec<Box<[u8]>>> = const { RefCell::new(Vec::new()) };
}

/// One that is filled.
struct Filled {
    block: Box<[u8]>,
    length: usize,
}

impl AsRef<[u8]> for Filled {
    fn as_ref(&self) -> &[u8] {
        &self.block[..self.length]
    }
}

impl Drop for Filled {
    fn drop(&mut self) {
        let block = std::mem::take(&mut self.block);
        // A thread that ends has no use for it.
        let _ = FREE.try_with(|free| {
            if let Ok(mut free) = free.try_borrow_mut()
                && free.len() < KEPT_MOST
            {
                free.push(block);
            }
        });
    }
}

/// Receives as much as so many blocks take, behind what is in `received`; 0 octets are the end.
pub(super) fn poll_receive(
    socket: &TcpStream,
    cx: &mut Context<'_>,
    count: usize,
    received: &mut VecDeque<Bytes>,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(socket.poll_read_ready(cx))?;
        let outcome = FREE.with_borrow_mut(|free| {
            let outcome = attempt(socket, Interest::READABLE, count * SIZE, || {
                fill(socket, free, count)
            });
            if let Some(Ok(octets)) = outcome {
                take(free, octets, received);
            }
            outcome
        });
        if let Some(outcome) = outcome {
            return Poll::Ready(outcome);
        }
    }
}

/// Fills the last of those that are free, from the last one on.
fn fill(socket: &TcpStream, free: &mut Vec<Box<[u8]>>, count: usize) -> io::Result<usize> {
    while free.len() < count {
        free.push(vec![0; SIZE].into());
    }
    let mut slices: [IoSliceMut<'_>; MOST] = std::array::from_fn(|_| IoSliceMut::new(&mut []));
    for (slice, block) in slices.iter_mut().zip(free.iter_mut().rev()) {
        *slice = IoSliceMut::new(block);
    }
    Ok(rustix::io::readv(socket, &mut slices[..count])?)
}

/// Takes what was filled.
fn take(free: &mut Vec<Box<[u8]>>, octets: usize, received: &mut VecDeque<Bytes>) {
    let mut left = octets;
    while left > 0 {
        let Some(block) = free.pop() else {
            return;
        };
        let length = left.min(SIZE);
        left -= length;
        if length < COPIED_BELOW {
            received.push_back(Bytes::copy_from_slice(&block[..length]));
            free.push(block);
        } else {
            received.push_back(Bytes::from_owner(Filled { block, length }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::io::Write;

    async fn pair() -> (std::net::TcpStream, TcpStream) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).await;
        (listener.accept().unwrap().0, socket.unwrap())
    }

    #[tokio::test]
    async fn octets_arrive_in_their_order_to_the_end() {
        let (mut far, socket) = pair().await;
        let all: Vec<u8> = (0..100_000u32).map(|at| (at % 251) as u8).collect();
        let sent = all.clone();
        let sender = std::thread::spawn(move || far.write_all(&sent));
        let (mut received, mut octets) = (VecDeque::new(), Vec::new());
        loop {
            let read = poll_fn(|cx| poll_receive(&socket, cx, 4, &mut received)).await;
            let whole: Vec<u8> = received.drain(..).flatten().collect();
            assert_eq!(read.unwrap(), whole.len());
            if whole.is_empty() {
                break;
            }
            octets.extend(whole);
        }
        sender.join().unwrap().unwrap();
        assert!(octets == all);
    }

    #[tokio::test]
    async fn few_octets_hold_little_memory_and_blocks_are_used_again() {
        let (mut far, socket) = pair().await;
        let mut received = VecDeque::new();
        far.write_all(b"few").unwrap();
        let read = poll_fn(|cx| poll_receive(&socket, cx, 2, &mut received)).await;
        assert_eq!(read.unwrap(), 3);
        let free = || FREE.with_borrow(Vec::len);
        // Both stay there, and what was received is a copy.
        assert_eq!(free(), 2);
        far.write_all(&vec![7; SIZE]).unwrap();
        let mut octets = 0;
        while octets < SIZE {
            let read = poll_fn(|cx| poll_receive(&socket, cx, 2, &mut received)).await;
            octets += read.unwrap();
        }
        drop(received);
        assert_eq!(free(), 2);
    }
}
