//! The frame: u32 length and u16 type, both big-endian, then the payload. Pure: bytes go in, a payload or a fault comes out.

use bytes::Bytes;

use crate::limits;

pub const HEADER_BYTES: usize = 6;

#[derive(Clone, Copy, Debug)]
pub struct FrameLimits {
    pub payload_bytes_max: usize,
    pub type_max: u16,
}

/// Why a first frame did not come; the order is that of `callFaults` in src/errors.ts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Fault {
    TypeInvalid = 1,
    TooLarge,
    Truncated,
    Timeout,
    Reset,
    BufferExhausted,
}

/// A fault and the value that caused it: the type, the length, the bytes that came, or the reset code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    pub fault: Fault,
    pub detail: u64,
}

/// A frame that is being put together from the pieces of a stream.
#[derive(Debug, Default)]
pub struct Assembly {
    header: [u8; HEADER_BYTES],
    header_have: usize,
    kind: u16,
    need: usize,
    body: Vec<u8>,
    whole: Option<Bytes>,
    rest: Vec<Bytes>,
}

impl Assembly {
    /// Takes the next piece. The type is judged before the length (spec 1.6), and nothing is set aside for a length
    /// that only the header claims: the body grows with the bytes that come.
    pub fn push(&mut self, mut piece: Bytes, limits: &FrameLimits) -> Result<(), Broken> {
        if self.is_whole() {
            self.rest.push(piece);
            return Ok(());
        }
        if self.header_have < HEADER_BYTES {
            let take = piece.len().min(HEADER_BYTES - self.header_have);
            self.header[self.header_have..self.header_have + take].copy_from_slice(&piece.split_to(take));
            self.header_have += take;
            if self.header_have < HEADER_BYTES {
                return Ok(());
            }
            self.judge_header(limits)?;
        }
        if self.body.is_empty() && piece.len() >= self.need {
            self.whole = Some(piece.split_to(self.need));
        } else {
            let take = piece.len().min(self.need - self.body.len());
            self.grow(take);
            self.body.extend_from_slice(&piece.split_to(take));
            if self.body.len() == self.need {
                self.whole = Some(Bytes::from(std::mem::take(&mut self.body)));
            }
        }
        if !piece.is_empty() {
            self.rest.push(piece);
        }
        Ok(())
    }

    pub fn is_whole(&self) -> bool {
        self.whole.is_some()
    }

    pub fn is_started(&self) -> bool {
        self.header_have > 0
    }

    /// The payload's length as soon as the header is there.
    pub fn claimed_bytes(&self) -> Option<usize> {
        (self.header_have == HEADER_BYTES).then_some(self.need)
    }

    /// How many bytes of the frame have come, its header included.
    pub fn bytes_have(&self) -> usize {
        self.header_have + self.whole.as_ref().map_or(self.body.len(), Bytes::len)
    }

    /// What it holds in memory while it is not whole.
    pub fn bytes_held(&self) -> usize {
        if self.is_whole() { 0 } else { self.body.capacity() }
    }

    /// The type, the payload and what came behind it.
    pub fn into_parts(self) -> (u16, Bytes, Vec<Bytes>) {
        (self.kind, self.whole.unwrap_or_default(), self.rest)
    }

    fn judge_header(&mut self, limits: &FrameLimits) -> Result<(), Broken> {
        let [a, b, c, d, e, f] = self.header;
        self.kind = u16::from_be_bytes([e, f]);
        self.need = u32::from_be_bytes([a, b, c, d]) as usize;
        if self.kind == 0 || self.kind > limits.type_max {
            return Err(Broken { fault: Fault::TypeInvalid, detail: self.kind.into() });
        }
        if self.need > limits.payload_bytes_max {
            return Err(Broken { fault: Fault::TooLarge, detail: self.need as u64 });
        }
        Ok(())
    }

    /// Doubles, but never beyond what the frame needs.
    fn grow(&mut self, more: usize) {
        let wanted = self.body.len() + more;
        if wanted > self.body.capacity() {
            let next = wanted.max(self.body.capacity() * 2).max(limits::UNRESERVED_FRAME_BYTES_MAX / 16);
            self.body.reserve_exact(next.min(self.need) - self.body.len());
        }
    }
}

pub fn header(kind: u16, length: usize) -> [u8; HEADER_BYTES] {
    let [a, b, c, d] = (length as u32).to_be_bytes();
    let [e, f] = kind.to_be_bytes();
    [a, b, c, d, e, f]
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: FrameLimits = FrameLimits { payload_bytes_max: 1000, type_max: 6 };

    fn framed(kind: u16, payload: &[u8]) -> Vec<u8> {
        [&header(kind, payload.len())[..], payload].concat()
    }

    #[test]
    fn every_split_gives_the_same_frame() {
        let payload: Vec<u8> = (0..40).collect();
        let bytes = [framed(2, &payload), vec![9, 9]].concat();
        for cut in 0..=bytes.len() {
            let mut assembly = Assembly::default();
            for piece in [&bytes[..cut], &bytes[cut..]] {
                assert_eq!(assembly.push(Bytes::copy_from_slice(piece), &LIMITS), Ok(()));
            }
            assert!(assembly.is_whole());
            let (kind, whole, rest) = assembly.into_parts();
            assert_eq!((kind, &whole[..], rest.concat()), (2, &payload[..], vec![9, 9]));
        }
    }

    #[test]
    fn the_type_is_judged_before_the_length() {
        let mut assembly = Assembly::default();
        let bytes = Bytes::from(header(7, 5000).to_vec());
        assert_eq!(assembly.push(bytes, &LIMITS), Err(Broken { fault: Fault::TypeInvalid, detail: 7 }));
    }

    #[test]
    fn a_claimed_length_sets_nothing_aside() {
        let limits = FrameLimits { payload_bytes_max: 64 << 20, type_max: 6 };
        let mut assembly = Assembly::default();
        let bytes = [&header(1, 64 << 20)[..], &[1, 2, 3]].concat();
        assert_eq!(assembly.push(Bytes::from(bytes), &limits), Ok(()));
        assert!(assembly.body.capacity() <= 4096);
    }

    #[test]
    fn an_empty_payload_is_whole_with_its_header() {
        let mut assembly = Assembly::default();
        assert_eq!(assembly.push(Bytes::from(framed(1, &[])), &LIMITS), Ok(()));
        assert!(assembly.is_whole());
    }
}
