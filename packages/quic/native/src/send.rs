//! Writing a frame: at once if QUIC takes it, else by a task of its own.

use bytes::Bytes;
use futures_util::FutureExt;
use quinn::{SendStream, VarInt, WriteError};

use crate::command::{Command, Value};

/// What is left of a frame after the first attempt.
#[derive(Debug)]
pub enum Written {
    All,
    Rest(Vec<Bytes>),
    Failed,
}

/// Writes as much of the command's frame as QUIC takes now; the command's low word is the frame's type.
pub fn write_ready(send: &mut SendStream, command: Command<'_>) -> Written {
    let kind = command.low as u16;
    let Value::Slab(bytes) = command.value else { return write_pieces(send, command.value.into_frame(kind)) };
    match send.write(bytes).now_or_never() {
        Some(Ok(count)) if count == bytes.len() => Written::All,
        Some(Ok(count)) => Written::Rest(vec![Bytes::copy_from_slice(&bytes[count..])]),
        Some(Err(_)) => Written::Failed,
        None => Written::Rest(vec![Bytes::copy_from_slice(bytes)]),
    }
}

fn write_pieces(send: &mut SendStream, mut pieces: Vec<Bytes>) -> Written {
    match send.write_chunks(&mut pieces).now_or_never() {
        Some(Ok(written)) if written.chunks == pieces.len() => Written::All,
        Some(Ok(written)) => Written::Rest(pieces.split_off(written.chunks)),
        Some(Err(_)) => Written::Failed,
        None => Written::Rest(pieces),
    }
}

/// A send side that resets the stream when it is dropped half-way, so that the peer never takes a cut frame for a
/// finished one.
#[derive(Debug)]
pub struct Unfinished(Option<SendStream>);

impl Unfinished {
    pub fn new(send: SendStream) -> Self {
        Self(Some(send))
    }

    /// Writes everything, telling `taken` how many bytes QUIC takes, and ends the stream.
    pub async fn write_all(mut self, mut pieces: Vec<Bytes>, mut taken: impl FnMut(usize)) -> Result<(), WriteError> {
        let mut left = &mut pieces[..];
        while let (false, Some(send)) = (left.is_empty(), self.0.as_mut()) {
            let written = send.write_chunks(left).await?;
            left = &mut left[written.chunks..];
            taken(written.bytes);
        }
        // Dropping a Quinn send stream finishes it.
        drop(self.0.take());
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(mut send) = self.0.take() {
            // It fails only if the stream has ended already.
            let _ = send.reset(VarInt::from_u32(0));
        }
    }
}
