//! How many streams a client may open. Quinn sets memory aside for every stream that it allows, used or not, so a
//! connection begins with few and gets the rest when it uses half of them.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use futures_util::FutureExt;
use quinn::{Connection, ReadError, RecvStream, VarInt};

use crate::limits;

#[derive(Debug)]
pub struct Grant {
    full: VarInt,
    is_full: AtomicBool,
    open: Arc<AtomicU32>,
}

/// A stream that counts as open. Dropping it changes nothing: a client that has not ended its side may leave the stream
/// open for good, and counting one too many only grants the rest early.
#[derive(Debug)]
pub struct OpenStream(Arc<AtomicU32>);

impl OpenStream {
    /// For a stream whose client has ended its side too, so that QUIC will free it.
    pub fn closed(self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// For a stream that is done with here; what the client still sends on it is thrown away.
    pub fn end(self, recv: &mut RecvStream) {
        let last = recv.read_chunk(usize::MAX, true).now_or_never();
        if matches!(last, Some(Ok(None) | Err(ReadError::Reset(_)))) {
            self.closed();
        }
    }
}

/// What a connection may open at first.
pub fn first(full: VarInt) -> VarInt {
    full.min(VarInt::from_u32(limits::FIRST_STREAMS))
}

impl Grant {
    pub fn new(full: VarInt) -> Self {
        Self { full, is_full: AtomicBool::new(first(full) == full), open: Arc::default() }
    }

    /// Counts a stream that the client has opened.
    pub fn open(&self, connection: &Connection) -> OpenStream {
        let open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
        if open >= limits::FIRST_STREAMS / 2 && !self.is_full.swap(true, Ordering::Relaxed) {
            connection.set_max_concurrent_bi_streams(self.full);
        }
        OpenStream(self.open.clone())
    }
}
