//! What Rust tells JavaScript: fixed-width records, one slab of bytes, and a queue of values too large for the slab.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::{
    budget::Reservation,
    failure::{EndedBy, Failure},
    frame::{Broken, Fault},
    limits,
};

/// Words of a record: kind, subject, other, value, code low, code high, offset, length.
pub const RECORD_WORDS: usize = 8;

/// Offset of a value that waits in the queue of large values.
const OFFSET_LARGE: u32 = u32::MAX;

/// The numbers are those of `eventKind` in src/native.ts.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub enum EventKind {
    Listening = 1,
    Connected = 2,
    EndpointFailed = 3,
    EndpointClosed = 4,
    ConnectionOpened = 5,
    ConnectionClosed = 6,
    Call = 7,
    CallFault = 8,
    CallAborted = 9,
    Answer = 10,
    CallFailed = 11,
    Sent = 12,
    StreamOpened = 13,
    StreamData = 14,
    StreamEnd = 15,
    StreamReadFailed = 16,
    StreamWritten = 17,
    StreamWriteFailed = 18,
    StreamFinished = 19,
}

#[derive(Debug)]
pub struct LargeValue {
    pub bytes: Bytes,
    /// Given back, by being dropped, when JavaScript has the bytes.
    pub _reservation: Reservation,
}

#[derive(Debug, Default)]
pub struct EventQueue {
    pub records: Vec<u32>,
    pub slab: Vec<u8>,
    pub large: VecDeque<LargeValue>,
}

impl EventQueue {
    /// The address, and behind it the client's certificate if it has shown one; `value` tells where it begins.
    pub fn connection_opened(&mut self, connection: u32, address: &str, certificate: &[u8]) {
        let bytes = [address.as_bytes(), certificate].concat();
        self.value(EventKind::ConnectionOpened, [connection, 0, address.len() as u32, 0, 0], &bytes[..], None);
    }

    /// The same for a client's connection.
    pub fn connected(&mut self, connection: u32, is_resumed: bool, address: &str, certificate: &[u8]) {
        let bytes = [address.as_bytes(), certificate].concat();
        let fields = [connection, is_resumed.into(), address.len() as u32, 0, 0];
        self.value(EventKind::Connected, fields, &bytes[..], None);
    }

    pub fn call(&mut self, call: u32, connection: u32, kind: u16, payload: Bytes, reservation: Reservation) {
        self.value(EventKind::Call, [call, connection, kind.into(), 0, 0], payload, reservation);
    }

    pub fn call_fault(&mut self, call: u32, connection: u32, broken: Broken) {
        let [low, high] = words(broken.detail);
        let Broken { fault, .. } = broken;
        self.plain(EventKind::CallFault, [call, connection, fault as u32, low, high]);
    }

    pub fn answer(&mut self, pending: u32, kind: u16, payload: Bytes, reservation: Reservation) {
        self.value(EventKind::Answer, [pending, 0, kind.into(), 0, 0], payload, reservation);
    }

    /// Goes on with the event before if that carries the same stream's bytes and JavaScript has not taken it yet: the
    /// busier JavaScript is, the larger its pieces.
    pub fn stream_data(&mut self, stream: u32, pieces: &[Bytes]) {
        if self.slab.len() > limits::SLAB_BYTES_MAX {
            return self.value(EventKind::StreamData, [stream, 0, 0, 0, 0], Bytes::from(pieces.concat()), None);
        }
        let offset = self.slab.len();
        for piece in pieces {
            self.slab.extend_from_slice(piece);
        }
        let length = (self.slab.len() - offset) as u32;
        if let Some([kind, last, _, _, _, _, start, so_far]) = self.records.last_chunk_mut::<RECORD_WORDS>()
            && (*kind, *last) == (EventKind::StreamData as u32, stream)
            && *start as usize + *so_far as usize == offset
            && *so_far as usize <= limits::STREAM_READ_BYTES_MAX
        {
            *so_far += length;
            return;
        }
        self.records.extend_from_slice(&[EventKind::StreamData as u32, stream, 0, 0, 0, 0, offset as u32, length]);
    }

    /// An event that carries nothing but numbers.
    pub fn note(&mut self, kind: EventKind, subject: u32, value: u32) {
        self.plain(kind, [subject, 0, value, 0, 0]);
    }

    /// An event that carries a short text.
    pub fn text(&mut self, kind: EventKind, subject: u32, value: u32, text: &str) {
        self.value(kind, [subject, 0, value, 0, 0], text.as_bytes(), None);
    }

    pub fn failure(&mut self, kind: EventKind, subject: u32, failure: &Failure) {
        let [low, high] = words(failure.code);
        self.value(kind, [subject, 0, failure.kind as u32, low, high], failure.text.as_bytes(), None);
    }

    /// The failure of a call that never had a stream, so that the peer has seen nothing of it.
    pub fn never_sent(&mut self, pending: u32, failure: &Failure) {
        let [low, high] = words(failure.code);
        let fields = [pending, 1, failure.kind as u32, low, high];
        self.value(EventKind::CallFailed, fields, failure.text.as_bytes(), None);
    }

    pub fn connection_closed(&mut self, connection: u32, by: EndedBy, failure: &Failure) {
        let [low, high] = words(failure.code);
        let value = [connection, by as u32, failure.kind as u32, low, high];
        self.value(EventKind::ConnectionClosed, value, failure.text.as_bytes(), None);
    }

    fn plain(&mut self, kind: EventKind, [subject, other, value, low, high]: [u32; 5]) {
        self.records.extend_from_slice(&[kind as u32, subject, other, value, low, high, 0, 0]);
    }

    fn value<V>(&mut self, kind: EventKind, fields: [u32; 5], value: V, reservation: Reservation)
    where
        V: AsRef<[u8]> + IntoBytes,
    {
        let [subject, other, detail, low, high] = fields;
        let bytes = value.as_ref();
        // Lengths fit: frames are bounded by their u32 length field, everything else is far smaller.
        let length = bytes.len() as u32;
        let is_large = bytes.len() > limits::SLAB_VALUE_BYTES_MAX || self.slab.len() > limits::SLAB_BYTES_MAX;
        let offset = if is_large {
            self.large.push_back(LargeValue { bytes: value.into_bytes(), _reservation: reservation });
            OFFSET_LARGE
        } else {
            let offset = self.slab.len() as u32;
            self.slab.extend_from_slice(bytes);
            offset
        };
        self.records.extend_from_slice(&[kind as u32, subject, other, detail, low, high, offset, length]);
    }
}

/// Makes a value own its bytes; only values too large for the slab need it.
trait IntoBytes {
    fn into_bytes(self) -> Bytes;
}

impl IntoBytes for Bytes {
    fn into_bytes(self) -> Bytes {
        self
    }
}

impl IntoBytes for &[u8] {
    fn into_bytes(self) -> Bytes {
        Bytes::copy_from_slice(self)
    }
}

impl Fault {
    pub fn describe(self) -> &'static str {
        match self {
            Self::TypeInvalid => "frame type outside the valid range",
            Self::TooLarge => "frame longer than the limit",
            Self::Truncated => "stream ended before a whole frame came",
            Self::Timeout => "frame stalled",
            Self::Reset => "stream reset by the peer",
            Self::BufferExhausted => "no room for the frame in the connection's buffer budget",
        }
    }
}

pub fn words(code: u64) -> [u32; 2] {
    [code as u32, (code >> 32) as u32]
}
