//! What is to be written to a connection, gathered for as long as frames are made.
//!
//! The crate below writes and flushes each frame for itself, which is a system call for each 16 KiB. So frames are put here, and
//! leave together when whoever drives the connection has nothing more to say for now. An empty one owns no memory.

use super::piece::Shown;
use bytes::{Buf, Bytes};
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::AsyncWrite;

/// Octets that are gathered before the connection has to take some.
const GATHERED_MOST: usize = 512 << 10;
/// Slices of one system call: heads and contents of as many frames as are gathered.
const SLICES: usize = 64;

/// What is gathered.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    parts: VecDeque<Part>,
    /// What was copied, one behind the other.
    copied: Vec<u8>,
    /// How much of it has left.
    copied_sent: usize,
    length: usize,
    /// Why the connection takes nothing more, until the crate below is told.
    failure: Option<io::Error>,
}

#[derive(Debug)]
enum Part {
    /// So many octets of what was copied.
    Copied(usize),
    /// Somebody else's, not copied.
    Held(Bytes),
}

impl Outbox {
    /// Octets that have not left.
    pub(super) const fn length(&self) -> usize {
        self.length
    }

    /// Gathers `slices`, when there is room.
    pub(super) fn poll_put<W: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut W,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let shown = Shown::take();
        self.told()?;
        if self.length >= GATHERED_MOST {
            match self.poll_send(cx, link) {
                Poll::Ready(sent) => sent?,
                Poll::Pending if self.length >= GATHERED_MOST => return Poll::Pending,
                Poll::Pending => {}
            }
        }
        let before = self.length;
        for slice in slices.iter().filter(|slice| !slice.is_empty()) {
            self.put(slice, &shown);
        }
        Poll::Ready(Ok(self.length - before))
    }

    /// Sends all that is gathered.
    pub(super) fn poll_send<W: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut W,
    ) -> Poll<io::Result<()>> {
        while self.length > 0 {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let count = self.show(&mut slices);
            let sent = Pin::new(&mut *link).poll_write_vectored(cx, &slices[..count]);
            match ready!(sent)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                sent => self.sent(sent),
            }
        }
        Pin::new(link).poll_flush(cx)
    }

    /// The same, for whoever drives the connection. True: it has failed just now, and the crate below is to be told.
    pub(super) fn fails<W: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut W,
    ) -> bool {
        match self.poll_send(cx, link) {
            Poll::Ready(Err(error)) => {
                *self = Self::default();
                self.failure = Some(error);
                true
            }
            _ => false,
        }
    }

    /// Tells what has failed.
    pub(super) fn told(&mut self) -> io::Result<()> {
        self.failure.take().map_or(Ok(()), Err)
    }

    fn put(&mut self, octets: &[u8], shown: &Shown) {
        self.length += octets.len();
        if let Some(held) = shown.holding(octets) {
            self.parts.push_back(Part::Held(held));
            return;
        }
        self.copied.extend_from_slice(octets);
        match self.parts.back_mut() {
            Some(Part::Copied(length)) => *length += octets.len(),
            _ => self.parts.push_back(Part::Copied(octets.len())),
        }
    }

    /// Shows what is next, as far as there are slices for it, and says how many it are.
    fn show<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut copied = &self.copied[self.copied_sent..];
        for (slice, part) in slices.iter_mut().zip(&self.parts) {
            let octets = match part {
                Part::Held(octets) => octets,
                Part::Copied(length) => {
                    let (octets, behind) = copied.split_at(*length);
                    copied = behind;
                    octets
                }
            };
            *slice = IoSlice::new(octets);
        }
        self.parts.len().min(slices.len())
    }

    /// So many octets have left.
    fn sent(&mut self, mut octets: usize) {
        self.length -= octets;
        while let Some(part) = self.parts.front_mut() {
            let whole = match part {
                Part::Copied(length) => *length,
                Part::Held(held) => held.len(),
            };
            let gone = octets.min(whole);
            octets -= gone;
            match part {
                Part::Copied(length) => {
                    *length -= gone;
                    self.copied_sent += gone;
                }
                Part::Held(held) => held.advance(gone),
            }
            if gone < whole {
                return;
            }
            self.parts.pop_front();
        }
        // An idle connection owns no buffer.
        *self = Self {
            failure: self.failure.take(),
            ..Self::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::piece::Piece;
    use super::*;
    use std::task::Waker;

    /// What takes so many octets a call, and so many in all.
    #[derive(Default)]
    struct Narrow {
        each: usize,
        room: usize,
        taken: Vec<u8>,
        calls: usize,
        broken: bool,
    }

    impl AsyncWrite for Narrow {
        fn poll_write(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            octets: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.poll_write_vectored(cx, &[IoSlice::new(octets)])
        }

        fn poll_write_vectored(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            slices: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let this = self.get_mut();
            this.calls += 1;
            if this.broken {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            let mut left = this.each.min(this.room);
            if left == 0 {
                return Poll::Pending;
            }
            let before = this.taken.len();
            for slice in slices {
                let part = left.min(slice.len());
                this.taken.extend_from_slice(&slice[..part]);
                left -= part;
            }
            let taken = this.taken.len() - before;
            this.room -= taken;
            Poll::Ready(Ok(taken))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn cx() -> Context<'static> {
        Context::from_waker(Waker::noop())
    }

    /// Frames as the crate below writes them: a head and what stands in it.
    fn put(outbox: &mut Outbox, link: &mut Narrow, head: &[u8], content: &Piece) -> Poll<usize> {
        let mut slices = [IoSlice::new(head), IoSlice::new(&[])];
        content.chunks_vectored(&mut slices[1..]);
        outbox
            .poll_put(&mut cx(), link, &slices)
            .map(Result::unwrap)
    }

    fn frames() -> impl Iterator<Item = (Vec<u8>, Piece)> {
        (0..8u8).map(|at| (vec![at; 9], Piece::from(Bytes::from(vec![100 + at; 1000]))))
    }

    #[test]
    fn frames_leave_together_and_in_their_order() {
        let mut link = Narrow {
            each: usize::MAX,
            room: usize::MAX,
            ..Narrow::default()
        };
        let (mut outbox, mut all) = (Outbox::default(), Vec::new());
        for (head, content) in frames() {
            assert_eq!(
                put(&mut outbox, &mut link, &head, &content),
                Poll::Ready(1009)
            );
            all.extend_from_slice(&[&head, content.chunk()].concat());
        }
        assert_eq!((link.calls, outbox.length()), (0, all.len()));
        assert!(outbox.poll_send(&mut cx(), &mut link).is_ready());
        assert_eq!((link.calls, outbox.length()), (1, 0));
        assert!(link.taken == all);
        // An idle connection owns no buffer.
        assert_eq!((outbox.parts.capacity(), outbox.copied.capacity()), (0, 0));
    }

    #[test]
    fn what_the_socket_takes_in_pieces_arrives_whole() {
        let mut link = Narrow {
            each: 7,
            ..Narrow::default()
        };
        let (mut outbox, mut all) = (Outbox::default(), Vec::new());
        for (head, content) in frames() {
            let _ = put(&mut outbox, &mut link, &head, &content);
            all.extend_from_slice(&[&head, content.chunk()].concat());
            link.room += 500;
            assert!(outbox.poll_send(&mut cx(), &mut link).is_pending());
            assert_eq!(outbox.length() + link.taken.len(), all.len());
        }
        link.room = usize::MAX;
        assert!(outbox.poll_send(&mut cx(), &mut link).is_ready());
        assert!(link.taken == all);
    }

    #[test]
    fn content_is_not_copied() {
        let (mut outbox, mut link) = (Outbox::default(), Narrow::default());
        let content = Bytes::from(vec![1; 1000]);
        let _ = put(
            &mut outbox,
            &mut link,
            &[0; 9],
            &Piece::from(content.clone()),
        );
        assert!(matches!(&outbox.parts[1], Part::Held(held) if held.as_ptr() == content.as_ptr()));
        assert_eq!(outbox.copied.len(), 9);
    }

    /// A client that reads nothing holds up the frames for it, and no more than so many of them are held.
    #[test]
    fn who_reads_nothing_holds_little() {
        let (mut outbox, mut link) = (Outbox::default(), Narrow::default());
        let content = Piece::from(Bytes::from(vec![1; 16 << 10]));
        while put(&mut outbox, &mut link, &[0; 9], &content).is_ready() {
            assert!(outbox.length() < GATHERED_MOST + (17 << 10));
        }
        assert!(outbox.length() >= GATHERED_MOST);
        (link.each, link.room) = (usize::MAX, 100);
        assert!(put(&mut outbox, &mut link, &[0; 9], &content).is_pending());
        link.room = usize::MAX;
        assert!(put(&mut outbox, &mut link, &[0; 9], &content).is_ready());
    }

    #[test]
    fn a_failure_is_told_to_who_writes() {
        let mut link = Narrow {
            broken: true,
            ..Narrow::default()
        };
        let mut outbox = Outbox::default();
        let content = Piece::from(Bytes::from_static(b"content"));
        assert!(put(&mut outbox, &mut link, &[0; 9], &content).is_ready());
        assert!(outbox.fails(&mut cx(), &mut link));
        assert_eq!(outbox.length(), 0);
        assert_eq!(outbox.told().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert!(outbox.told().is_ok());
    }
}
