//! One connection's allowance for the payloads of frames that are still on their way.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::limits;

/// Held by a payload from the first byte after its header until JavaScript has taken it.
pub type Reservation = Option<OwnedSemaphorePermit>;

/// Large frames reserve their whole length before the first byte of it is kept. Who waits leaves its bytes to
/// QUIC's flow control, and who has its reservation can always finish, so waiting cannot turn into a deadlock.
#[derive(Clone, Debug)]
pub struct Budget {
    total: usize,
    room: Arc<Semaphore>,
}

impl Budget {
    pub fn new(bytes: usize) -> Self {
        let total = bytes.min(Semaphore::MAX_PERMITS).min(u32::MAX as usize);
        Self { total, room: Arc::new(Semaphore::new(total)) }
    }

    /// Room for `bytes`, or nothing if there is none within `patience`.
    pub async fn reserve(&self, bytes: usize, patience: Option<Duration>) -> Result<Reservation, ()> {
        if bytes <= limits::UNRESERVED_FRAME_BYTES_MAX {
            return Ok(None);
        }
        if bytes > self.total {
            return Err(());
        }
        let permits = u32::try_from(bytes).map_err(|_| ())?;
        let acquired = self.room.clone().acquire_many_owned(permits);
        match patience {
            None => acquired.await.map(Some).map_err(|_| ()),
            Some(limit) => match timeout(limit, acquired).await {
                Ok(Ok(permit)) => Ok(Some(permit)),
                _ => Err(()),
            },
        }
    }
}
