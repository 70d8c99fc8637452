//! Raw streams. JavaScript grants credit for reading; without credit nothing is read and QUIC's flow control holds the
//! peer back. Writing is acknowledged piece by piece as QUIC takes it, so that JavaScript can hold itself back.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use quinn::{ReadError, RecvStream, SendStream, VarInt, WriteError};
use tokio::sync::{Semaphore, mpsc, watch};

use crate::{
    endpoint::Endpoint,
    events::EventKind,
    failure::{Failure, Kind},
    grant::OpenStream,
    limits,
};

#[derive(Debug)]
pub enum Outgoing {
    Pieces(Vec<Bytes>),
    Finish,
}

/// What the command loop holds of a stream; dropping it ends both sides.
#[derive(Debug)]
pub struct StreamControl {
    pub connection: u32,
    writes: mpsc::UnboundedSender<Outgoing>,
    reset: watch::Sender<Option<VarInt>>,
    stop: watch::Sender<Option<VarInt>>,
    credit: Arc<Semaphore>,
}

impl StreamControl {
    pub fn write(&self, outgoing: Outgoing) {
        // A write side that has ended has told JavaScript so.
        let _ = self.writes.send(outgoing);
    }

    pub fn reset(&self, code: VarInt) {
        self.reset.send_replace(Some(code));
    }

    pub fn stop(&self, code: VarInt) {
        self.stop.send_replace(Some(code));
    }

    pub fn grant(&self, bytes: u32) {
        let room = Semaphore::MAX_PERMITS - self.credit.available_permits();
        self.credit.add_permits((bytes as usize).min(room));
    }
}

/// Both sides of a stream about to run.
pub struct RawStream {
    pub number: u32,
    pub connection: u32,
    pub send: SendStream,
    pub recv: RecvStream,
    /// What came behind the first frame.
    pub rest: Vec<Bytes>,
    /// Server: counts it among the streams that its connection has open.
    pub open: Option<OpenStream>,
}

impl RawStream {
    /// Runs both sides until each has ended.
    pub fn start(self, endpoint: &Arc<Endpoint>) {
        let (writes, queue) = mpsc::unbounded_channel();
        let (reset, is_reset) = watch::channel(None);
        let (stop, is_stopped) = watch::channel(None);
        let credit = Arc::new(Semaphore::new(0));
        let (number, connection) = (self.number, self.connection);
        endpoint.streams.put(number, StreamControl { connection, writes, reset, stop, credit: credit.clone() });
        let endpoint = endpoint.clone();
        tokio::spawn(async move {
            let reader = Reader { number, recv: self.recv, credit, is_stopped };
            let writer = Writer { number, send: self.send, queue, is_reset };
            let (ended, ()) = tokio::join!(reader.run(&endpoint, self.rest), writer.run(&endpoint));
            if let (PeerSide::Ended, Some(open)) = (ended, self.open) {
                open.closed();
            }
            endpoint.streams.take(number);
        });
    }
}

/// Resolves with the code that JavaScript gives, or with 0 when it lets go of the stream.
async fn code_given(given: &mut watch::Receiver<Option<VarInt>>) -> VarInt {
    loop {
        if let Some(code) = *given.borrow_and_update() {
            return code;
        }
        if given.changed().await.is_err() {
            return VarInt::from_u32(0);
        }
    }
}

/// Whether the peer has ended its side of a stream, as far as that is known here.
enum PeerSide {
    Ended,
    Unknown,
}

struct Reader {
    number: u32,
    recv: RecvStream,
    credit: Arc<Semaphore>,
    is_stopped: watch::Receiver<Option<VarInt>>,
}

impl Reader {
    async fn run(mut self, endpoint: &Endpoint, rest: Vec<Bytes>) -> PeerSide {
        let mut pieces = rest;
        if !pieces.is_empty() {
            endpoint.tell(|queue| queue.stream_data(self.number, &pieces));
        }
        loop {
            let room = tokio::select! {
                biased;
                code = code_given(&mut self.is_stopped) => return self.stop(code),
                room = take_credit(&self.credit) => room,
            };
            pieces.clear();
            let outcome = tokio::select! {
                biased;
                code = code_given(&mut self.is_stopped) => return self.stop(code),
                outcome = take_bytes(&mut self.recv, room, &mut pieces) => outcome,
            };
            match outcome {
                Ok(count) if count > 0 => {
                    self.credit.add_permits(room - count);
                    endpoint.tell(|queue| queue.stream_data(self.number, &pieces));
                }
                Ok(_) => {
                    endpoint.tell(|queue| queue.note(EventKind::StreamEnd, self.number, 0));
                    return PeerSide::Ended;
                }
                Err(error) => {
                    let failure = read_failure(error);
                    endpoint.tell(|queue| queue.failure(EventKind::StreamReadFailed, self.number, &failure));
                    return PeerSide::Ended;
                }
            }
        }
    }

    fn stop(mut self, code: VarInt) -> PeerSide {
        // It fails only if the peer has ended the stream already.
        let _ = self.recv.stop(code);
        PeerSide::Unknown
    }
}

/// At least one byte's credit, at most one event's worth.
async fn take_credit(credit: &Semaphore) -> usize {
    let Ok(first) = credit.acquire().await else {
        return std::future::pending().await;
    };
    first.forget();
    let more = credit.available_permits().min(limits::STREAM_READ_BYTES_MAX - 1);
    match credit.try_acquire_many(more as u32) {
        Ok(permits) => {
            permits.forget();
            1 + more
        }
        Err(_) => 1,
    }
}

/// Waits for bytes and takes all that are there, as QUIC has them, up to `room`; 0 at the end. Cancel safe only if nothing
/// is read afterwards.
async fn take_bytes(recv: &mut RecvStream, room: usize, pieces: &mut Vec<Bytes>) -> Result<usize, ReadError> {
    let Some(first) = recv.read_chunk(room, true).await? else { return Ok(0) };
    let mut count = first.bytes.len();
    pieces.push(first.bytes);
    // An end or a failure comes again with the next read.
    while count < room
        && let Some(Ok(Some(next))) = recv.read_chunk(room - count, true).now_or_never()
    {
        count += next.bytes.len();
        pieces.push(next.bytes);
    }
    Ok(count)
}

struct Writer {
    number: u32,
    send: SendStream,
    queue: mpsc::UnboundedReceiver<Outgoing>,
    is_reset: watch::Receiver<Option<VarInt>>,
}

impl Writer {
    async fn run(mut self, endpoint: &Endpoint) {
        loop {
            let outgoing = tokio::select! {
                biased;
                code = code_given(&mut self.is_reset) => return self.reset(code),
                outgoing = self.queue.recv() => outgoing,
            };
            let pieces = match outgoing {
                Some(Outgoing::Pieces(pieces)) => pieces,
                Some(Outgoing::Finish) => {
                    let _ = self.send.finish();
                    return endpoint.tell(|queue| queue.note(EventKind::StreamFinished, self.number, 0));
                }
                None => return self.reset(VarInt::from_u32(0)),
            };
            let count: usize = pieces.iter().map(Bytes::len).sum();
            let outcome = tokio::select! {
                biased;
                code = code_given(&mut self.is_reset) => return self.reset(code),
                outcome = write_pieces(&mut self.send, pieces) => outcome,
            };
            if let Err(error) = outcome {
                let failure = write_failure(error);
                return endpoint.tell(|queue| queue.failure(EventKind::StreamWriteFailed, self.number, &failure));
            }
            endpoint.tell(|queue| queue.note(EventKind::StreamWritten, self.number, count as u32));
        }
    }

    fn reset(mut self, code: VarInt) {
        // It fails only if the peer has stopped the stream already.
        let _ = self.send.reset(code);
    }
}

async fn write_pieces(send: &mut SendStream, mut pieces: Vec<Bytes>) -> Result<(), WriteError> {
    send.write_all_chunks(&mut pieces).await
}

fn read_failure(error: ReadError) -> Failure {
    match error {
        ReadError::Reset(code) => Failure::with_code(Kind::StreamReset, code.into_inner(), "the peer reset the stream"),
        ReadError::ConnectionLost(error) => Failure::of_connection(&error),
        other => Failure::new(Kind::ConnectionLost, other.to_string()),
    }
}

pub fn write_failure(error: WriteError) -> Failure {
    match error {
        WriteError::Stopped(code) => {
            Failure::with_code(Kind::StreamReset, code.into_inner(), "the peer stopped reading the stream")
        }
        WriteError::ConnectionLost(error) => Failure::of_connection(&error),
        other => Failure::new(Kind::ConnectionLost, other.to_string()),
    }
}
