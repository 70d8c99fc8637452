//! Reads one frame from a stream: what is there at once, then the rest under a deadline and a budget.

use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use quinn::{ReadError, RecvStream};
use tokio::time::timeout;

use crate::{
    budget::{Budget, Exhausted, Reservation},
    frame::{Assembly, Broken, Fault, FrameLimits},
    limits,
};

#[derive(Clone, Debug)]
pub struct ReceiveOptions {
    pub frame: FrameLimits,
    /// How long a started frame may go without a new byte.
    pub patience: Option<Duration>,
}

/// Why reading ended without a frame.
#[derive(Debug)]
pub enum ReceiveError {
    Broken(Broken),
    Lost(quinn::ConnectionError),
}

impl From<Broken> for ReceiveError {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

/// Takes what is there without waiting. `true` when the frame is whole.
pub fn take_ready(
    recv: &mut RecvStream,
    assembly: &mut Assembly,
    options: &ReceiveOptions,
) -> Result<bool, ReceiveError> {
    let mut pieces: [Bytes; limits::READ_CHUNKS_MAX] = Default::default();
    match recv.read_chunks(&mut pieces).now_or_never() {
        None => Ok(false),
        Some(outcome) => absorb(outcome, &mut pieces, assembly, options),
    }
}

/// Waits for the rest of a frame. Cancel safe only in that nothing is answered: what was read is gone.
pub async fn collect(
    recv: &mut RecvStream,
    assembly: &mut Assembly,
    options: &ReceiveOptions,
    budget: &Budget,
) -> Result<Reservation, ReceiveError> {
    let mut reservation: Reservation = None;
    let mut is_reserved = false;
    let mut small = budget.small();
    while !assembly.is_whole() {
        if let (false, Some(bytes)) = (is_reserved, assembly.claimed_bytes()) {
            let detail = bytes as u64;
            let exhausted = |Exhausted| Broken { fault: Fault::BufferExhausted, detail };
            reservation = budget.reserve(bytes, options.patience).await.map_err(exhausted)?;
            is_reserved = true;
        }
        if !take_next(recv, assembly, options).await? {
            let detail = assembly.bytes_have() as u64;
            return Err(Broken { fault: Fault::Timeout, detail }.into());
        }
        if reservation.is_none() && small.grow_to(assembly.bytes_held()).is_err() {
            let detail = assembly.bytes_have() as u64;
            return Err(Broken { fault: Fault::BufferExhausted, detail }.into());
        }
    }
    Ok(reservation)
}

/// `false` when a started frame stalled for too long.
async fn take_next(
    recv: &mut RecvStream,
    assembly: &mut Assembly,
    options: &ReceiveOptions,
) -> Result<bool, ReceiveError> {
    let mut pieces: [Bytes; limits::READ_CHUNKS_MAX] = Default::default();
    let outcome = match options.patience {
        Some(limit) if assembly.is_started() => match timeout(limit, recv.read_chunks(&mut pieces)).await {
            Ok(outcome) => outcome,
            Err(_) => return Ok(false),
        },
        _ => recv.read_chunks(&mut pieces).await,
    };
    absorb(outcome, &mut pieces, assembly, options)?;
    Ok(true)
}

fn absorb(
    outcome: Result<Option<usize>, ReadError>,
    pieces: &mut [Bytes],
    assembly: &mut Assembly,
    options: &ReceiveOptions,
) -> Result<bool, ReceiveError> {
    match outcome {
        Ok(Some(count)) => {
            for piece in pieces.iter_mut().take(count) {
                assembly.push(std::mem::take(piece), &options.frame)?;
            }
            Ok(assembly.is_whole())
        }
        Ok(None) => {
            let detail = assembly.bytes_have() as u64;
            Err(Broken { fault: Fault::Truncated, detail }.into())
        }
        Err(ReadError::Reset(code)) => Err(Broken { fault: Fault::Reset, detail: code.into_inner() }.into()),
        Err(ReadError::ConnectionLost(error)) => Err(ReceiveError::Lost(error)),
        // The stream was stopped here; nobody waits for it any more.
        Err(_) => Err(ReceiveError::Lost(quinn::ConnectionError::LocallyClosed)),
    }
}
