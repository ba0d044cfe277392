//! Pipes for splice(2): octets go from socket to socket without a visit to this program.
//!
//! A pipe of a mebibyte halves the cost of a small one, and costs two descriptors and kernel memory, so they
//! are pooled, few, and held only while octets are in them. Where none can be had (the pool is empty, the
//! system allows no large pipe, it is no Linux), the relay copies.

#[cfg(not(target_os = "linux"))]
mod elsewhere;

#[cfg(not(target_os = "linux"))]
use elsewhere::{open, splice};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpStream;

/// The size that is asked for: what an unprivileged process may have without further ado.
const SIZE: usize = 1 << 20;
/// Below this size copying is as good.
const SIZE_LEAST: usize = 128 << 10;
/// The most pipes: two descriptors each, and at [`SIZE`] together what Linux allows an unprivileged user
/// (`pipe-user-pages-soft`).
const PIPES_MOST: usize = 64;

/// Pipes that nobody holds; all are empty.
static POOL: Mutex<Vec<Inner>> = Mutex::new(Vec::new());
/// Pipes that exist.
static EXISTING: AtomicUsize = AtomicUsize::new(0);
/// Pipes that may exist: less than [`PIPES_MOST`] once the system has refused one.
static ALLOWED: AtomicUsize = AtomicUsize::new(PIPES_MOST);

/// Lets the relay use so many pipes, two descriptors each, but never more than it has a use for.
pub fn allow(most: usize) {
    ALLOWED.store(most.min(PIPES_MOST), Ordering::Relaxed);
}

/// A pipe out of the pool, to which it goes back when it is dropped empty.
#[derive(Debug)]
pub(super) struct Pipe {
    /// `None` only while it is dropped.
    inner: Option<Inner>,
    /// Octets in it.
    held: usize,
}

#[derive(Debug)]
struct Inner {
    reader: OwnedFd,
    writer: OwnedFd,
    size: usize,
}

impl Pipe {
    /// A pipe, if one can be had.
    pub(super) fn take() -> Option<Self> {
        let pooled = POOL.lock().ok()?.pop();
        let inner = pooled.or_else(make)?;
        Some(Self {
            inner: Some(inner),
            held: 0,
        })
    }

    /// Octets in it.
    pub(super) const fn held(&self) -> usize {
        self.held
    }

    /// Moves what `socket` has into the pipe, which is empty; 0 is the end.
    pub(super) fn fill(&mut self, socket: &TcpStream) -> io::Result<usize> {
        let Some(inner) = &self.inner else {
            return Ok(0);
        };
        self.held = splice(socket, &inner.writer, inner.size)?;
        Ok(self.held)
    }

    /// Moves octets from the pipe into `socket`.
    pub(super) fn drain(&mut self, socket: &TcpStream) -> io::Result<usize> {
        let Some(inner) = &self.inner else {
            return Ok(0);
        };
        let moved = splice(&inner.reader, socket, self.held)?;
        self.held -= moved;
        Ok(moved)
    }
}

impl Drop for Pipe {
    /// A pipe with octets in it is closed: they belong to nobody else.
    fn drop(&mut self) {
        let Some(inner) = self.inner.take() else {
            return;
        };
        if self.held == 0
            && let Ok(mut pool) = POOL.lock()
        {
            pool.push(inner);
            return;
        }
        EXISTING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Makes one more, if there may be one more.
fn make() -> Option<Inner> {
    if EXISTING.fetch_add(1, Ordering::Relaxed) < ALLOWED.load(Ordering::Relaxed)
        && let Some(inner) = open()
    {
        return Some(inner);
    }
    EXISTING.fetch_sub(1, Ordering::Relaxed);
    None
}

#[cfg(target_os = "linux")]
fn open() -> Option<Inner> {
    use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
    let made = pipe_with(PipeFlags::CLOEXEC).and_then(|(reader, writer)| {
        let size = fcntl_setpipe_size(&writer, SIZE)?;
        Ok(Inner {
            reader,
            writer,
            size,
        })
    });
    let large = made.ok().filter(|inner| inner.size >= SIZE_LEAST);
    if large.is_none() {
        // What was refused once is refused again, and asking costs system calls.
        ALLOWED.store(
            EXISTING.load(Ordering::Relaxed).saturating_sub(1),
            Ordering::Relaxed,
        );
    }
    large
}

#[cfg(target_os = "linux")]
fn splice(
    from: impl std::os::fd::AsFd,
    to: impl std::os::fd::AsFd,
    most: usize,
) -> io::Result<usize> {
    use rustix::pipe::{SpliceFlags, splice};
    Ok(splice(from, None, to, None, most, SpliceFlags::NONBLOCK)?)
}
