//! Carries octets between a session and what it runs on.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::http2::{Leave, Over, Session, State, session::UNSENT_LIMIT};

/// Octets of one read.
const READ: usize = 16 * 1024;

/// Reads and writes `stream` until this side leaves, or the connection is over: what it runs on, and in which way to leave.
pub async fn drive<S: AsyncRead + AsyncWrite + Unpin>(
    session: Session,
    mut stream: S,
) -> (S, Leave) {
    let how = poll_fn(|cx| {
        let mut state = session.lock();
        let moved = turn(&mut state, &mut stream, cx);
        if moved.is_ready() {
            state.wake();
        } else {
            state.driver = Some(cx.waker().clone());
        }
        moved
    });
    let how = how.await;
    (stream, how)
}

/// Moves what can be moved; ready when it is time to leave.
fn turn<S: AsyncRead + AsyncWrite + Unpin>(
    state: &mut State,
    stream: &mut S,
    cx: &mut Context<'_>,
) -> Poll<Leave> {
    loop {
        if state.leaving == Some(Leave::Reset) {
            return Poll::Ready(Leave::Reset);
        }
        let unsent = state.unsent.len();
        if write(state, stream, cx).is_err() || state.over.is_some() {
            // What the proxy has said before may still be there to be read.
            state.mute = true;
            state.unsent.clear();
        }
        if state.leaving.is_some() && state.unsent.is_empty() {
            return Poll::Ready(Leave::Close);
        }
        let read =
            state.over.is_none() && state.unsent.len() < UNSENT_LIMIT && read(state, stream, cx);
        if state.unsent.len() != unsent || read {
            state.wake_others();
        }
        if !read {
            return Poll::Pending;
        }
    }
}

/// Writes what waits, as far as it goes.
fn write<S: AsyncWrite + Unpin>(
    state: &mut State,
    stream: &mut S,
    cx: &mut Context<'_>,
) -> io::Result<()> {
    while !state.unsent.is_empty() {
        match Pin::new(&mut *stream).poll_write(cx, &state.unsent) {
            Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
            Poll::Ready(Ok(taken)) => drop(state.unsent.drain(..taken)),
            Poll::Ready(Err(error)) => return Err(error),
            Poll::Pending => return Ok(()),
        }
    }
    match Pin::new(stream).poll_flush(cx) {
        Poll::Ready(flushed) => flushed,
        Poll::Pending => Ok(()),
    }
}

/// Reads once: whether anything has happened.
fn read<S: AsyncRead + Unpin>(state: &mut State, stream: &mut S, cx: &mut Context<'_>) -> bool {
    let mut octets = [0; READ];
    let mut buffer = ReadBuf::new(&mut octets);
    let over = match Pin::new(stream).poll_read(cx, &mut buffer) {
        Poll::Pending => return false,
        Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
            state.feed(buffer.filled());
            return true;
        }
        Poll::Ready(Ok(())) => Over::Closed,
        Poll::Ready(Err(error)) => match error.kind() {
            io::ErrorKind::ConnectionReset => Over::Reset,
            io::ErrorKind::UnexpectedEof => Over::Closed,
            _ => Over::Failed(error.to_string()),
        },
    };
    state.over = Some(over);
    true
}
