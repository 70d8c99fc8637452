//! What JavaScript tells Rust: fixed-width records and one slab, the mirror of the events.

use std::collections::VecDeque;

use bytes::Bytes;
use quinn::VarInt;

use crate::{frame, limits};

/// Words of a record: operation, subject, offset, length, low, high.
pub const COMMAND_WORDS: usize = 6;

/// Offset of a value that comes as a buffer of its own.
const OFFSET_LARGE: u32 = u32::MAX;

/// The numbers are those of `operation` in src/native.ts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Respond,
    Finish,
    Reset,
    Watch,
    Upgrade,
    StreamWrite,
    StreamFinish,
    StreamReset,
    StreamStop,
    StreamCredit,
    Call,
    Send,
    OpenStream,
    Cancel,
    ConnectionClose,
    EndpointClose,
    Rebind,
}

impl Operation {
    fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::Respond,
            2 => Self::Finish,
            3 => Self::Reset,
            4 => Self::Watch,
            5 => Self::Upgrade,
            6 => Self::StreamWrite,
            7 => Self::StreamFinish,
            8 => Self::StreamReset,
            9 => Self::StreamStop,
            10 => Self::StreamCredit,
            11 => Self::Call,
            12 => Self::Send,
            13 => Self::OpenStream,
            14 => Self::Cancel,
            15 => Self::ConnectionClose,
            16 => Self::EndpointClose,
            17 => Self::Rebind,
            _ => return None,
        })
    }
}

/// The bytes of a command: a view of the slab, or pieces of their own.
#[derive(Debug)]
pub enum Value<'a> {
    Slab(&'a [u8]),
    Large(Vec<Bytes>),
}

/// Copies a large value. In pieces, because QUIC keeps a whole buffer as long as a single byte of it is unacknowledged.
pub fn pieces(bytes: &[u8]) -> Vec<Bytes> {
    bytes.chunks(limits::LARGE_PIECE_BYTES).map(Bytes::copy_from_slice).collect()
}

impl Value<'_> {
    pub fn into_pieces(self) -> Vec<Bytes> {
        match self {
            Value::Slab(bytes) => vec![Bytes::copy_from_slice(bytes)],
            Value::Large(pieces) => pieces,
        }
    }

    /// For the texts of closes, which fit in a packet.
    pub fn into_vec(self) -> Vec<u8> {
        match self {
            Value::Slab(bytes) => bytes.to_vec(),
            Value::Large(pieces) => pieces.concat(),
        }
    }

    /// The value as a frame. A slab value is header and payload in one piece; a large value is the payload alone.
    pub fn into_frame(self, kind: u16) -> Vec<Bytes> {
        match self {
            Value::Slab(bytes) => vec![Bytes::copy_from_slice(bytes)],
            Value::Large(mut pieces) => {
                let length = pieces.iter().map(Bytes::len).sum();
                pieces.insert(0, Bytes::copy_from_slice(&frame::header(kind, length)));
                pieces
            }
        }
    }
}

#[derive(Debug)]
pub struct Command<'a> {
    pub operation: Operation,
    pub subject: u32,
    pub value: Value<'a>,
    pub low: u32,
    pub high: u32,
}

impl Command<'_> {
    /// A close or reset code; codes end at 2^62 - 1 (RFC 9000 section 16).
    pub fn code(&self) -> VarInt {
        VarInt::from_u64(u64::from(self.high) << 32 | u64::from(self.low)).unwrap_or(VarInt::MAX)
    }
}

/// Everything that one call of `submit` brought.
#[derive(Debug, Default)]
pub struct Batch {
    pub records: Vec<u32>,
    pub slab: Vec<u8>,
    pub large: VecDeque<Vec<Bytes>>,
}

impl Batch {
    /// Runs `act` on each command in order. A record of an unknown operation or with a value outside the slab ends
    /// the batch: then the two sides of the bridge do not belong together.
    pub fn for_each(mut self, mut act: impl FnMut(Command<'_>)) {
        let records = std::mem::take(&mut self.records);
        for record in records.chunks_exact(COMMAND_WORDS) {
            let &[number, subject, offset, length, low, high] = record else { return };
            let Some(operation) = Operation::from_number(number) else { return };
            let value = if offset == OFFSET_LARGE {
                let Some(pieces) = self.large.pop_front() else { return };
                Value::Large(pieces)
            } else {
                let (start, end) = (offset as usize, offset as usize + length as usize);
                let Some(bytes) = self.slab.get(start..end) else { return };
                Value::Slab(bytes)
            };
            act(Command { operation, subject, value, low, high });
        }
    }
}
