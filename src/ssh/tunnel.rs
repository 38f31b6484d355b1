//! A byte stream through a host to another one.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use russh::Channel;
use russh::client::Msg;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf, join, split};
use tokio::sync::mpsc;

/// Bytes taken from a channel at once: as many as a packet of SSH holds.
const PIECE: usize = 32 << 10;

/// Returns both directions of a channel as one stream; closes the channel when the stream is dropped.
///
/// What arrives is taken from the channel even while nobody reads the stream. russh's own stream waits for its reader
/// and holds up the whole connection meanwhile. An SSH session inside it reads nothing while it writes, and it can't go
/// on writing while the connection is held up: both would wait for ever.
pub(super) fn stream(
    channel: Channel<Msg>,
) -> impl AsyncRead + AsyncWrite + Unpin + Send + 'static {
    let (mut reader, writer) = split(channel.into_stream());
    // The windows of the session inside bound what its host sends without being read.
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let mut piece = BytesMut::with_capacity(PIECE);
            let read = tokio::select! {
                read = reader.read_buf(&mut piece) => read,
                () = sender.closed() => break,
            };
            if !read.is_ok_and(|length| length > 0) || sender.send(piece.freeze()).is_err() {
                break;
            }
        }
    });
    let incoming = Incoming {
        receiver,
        rest: Bytes::new(),
    };
    join(incoming, writer)
}

/// What arrives, as a reader.
struct Incoming {
    receiver: mpsc::UnboundedReceiver<Bytes>,
    rest: Bytes,
}

impl AsyncRead for Incoming {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.rest.is_empty() {
            let Some(next) = ready!(self.receiver.poll_recv(context)) else {
                return Poll::Ready(Ok(()));
            };
            self.rest = next;
        }
        let length = self.rest.len().min(buffer.remaining());
        buffer.put_slice(&self.rest[..length]);
        self.rest.advance(length);
        Poll::Ready(Ok(()))
    }
}
