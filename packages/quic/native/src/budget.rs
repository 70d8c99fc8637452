//! Allowances for the payloads of frames that are still on their way: one per connection, one for all of an endpoint.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::limits;

/// Held by a large payload from the first byte after its header until JavaScript has taken it.
pub type Reservation = Option<[OwnedSemaphorePermit; 2]>;

/// One connection's or one endpoint's allowance. Large frames reserve their whole length, in turn; those that wait for it
/// leave their bytes to QUIC's flow control, which is memory too, so only so many may wait. Small frames have a part of
/// their own and are counted as they grow, so that large ones never hold them up.
#[derive(Debug)]
pub struct Allowance {
    large_total: usize,
    large: Arc<Semaphore>,
    waiting: Counter,
    small: Counter,
}

impl Allowance {
    pub fn new(large: usize, waiting: usize, small: usize) -> Arc<Self> {
        let large_total = large.min(Semaphore::MAX_PERMITS).min(u32::MAX as usize);
        let large = Arc::new(Semaphore::new(large_total));
        Arc::new(Self { large_total, large, waiting: Counter::new(waiting), small: Counter::new(small) })
    }

    /// What is reserved or held now, without the frames that wait.
    pub fn used_bytes(&self) -> usize {
        self.large_total - self.large.available_permits() + self.small.used.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
struct Counter {
    max: usize,
    used: AtomicUsize,
}

impl Counter {
    fn new(max: usize) -> Self {
        Self { max, used: AtomicUsize::new(0) }
    }

    fn add(&self, bytes: usize) -> bool {
        let fits = self.used.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) <= self.max;
        if !fits {
            self.take(bytes);
        }
        fits
    }

    fn take(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// There is no room, and there will be none in time.
#[derive(Debug, PartialEq, Eq)]
pub struct Exhausted;

/// What the frames of one connection draw on.
#[derive(Clone, Debug)]
pub struct Budget {
    connection: Arc<Allowance>,
    endpoint: Arc<Allowance>,
}

impl Budget {
    pub fn new(connection: Arc<Allowance>, endpoint: Arc<Allowance>) -> Self {
        Self { connection, endpoint }
    }

    /// Room for a large frame of `bytes`, at once or within `patience`. Who has its room can always finish, so waiting
    /// cannot turn into a deadlock.
    pub async fn reserve(&self, bytes: usize, patience: Option<Duration>) -> Result<Reservation, Exhausted> {
        if bytes <= limits::UNRESERVED_FRAME_BYTES_MAX {
            return Ok(None);
        }
        if bytes > self.connection.large_total.min(self.endpoint.large_total) {
            return Err(Exhausted);
        }
        let permits = u32::try_from(bytes).map_err(|_| Exhausted)?;
        if let Some(reservation) = self.reserve_now(permits) {
            return Ok(Some(reservation));
        }
        let mut place = Held::new(self, |allowance| &allowance.waiting);
        place.grow_to(bytes.min(limits::STREAM_WINDOW_BYTES))?;
        let both = async {
            // Always in this order, so that no two frames wait for each other.
            let own = self.connection.large.clone().acquire_many_owned(permits).await.map_err(|_| Exhausted)?;
            let shared = self.endpoint.large.clone().acquire_many_owned(permits).await.map_err(|_| Exhausted)?;
            Ok(Some([own, shared]))
        };
        match patience {
            None => both.await,
            Some(limit) => timeout(limit, both).await.unwrap_or(Err(Exhausted)),
        }
    }

    /// For the bytes of a small frame as they come.
    pub fn small(&self) -> Held<'_> {
        Held::new(self, |allowance| &allowance.small)
    }

    fn reserve_now(&self, permits: u32) -> Option<[OwnedSemaphorePermit; 2]> {
        let own = self.connection.large.clone().try_acquire_many_owned(permits).ok()?;
        let shared = self.endpoint.large.clone().try_acquire_many_owned(permits).ok()?;
        Some([own, shared])
    }
}

/// Bytes counted in one part of both allowances, until it is dropped.
#[derive(Debug)]
pub struct Held<'a> {
    counters: [&'a Counter; 2],
    bytes: usize,
}

impl<'a> Held<'a> {
    fn new(budget: &'a Budget, part: impl Fn(&'a Allowance) -> &'a Counter) -> Self {
        Self { counters: [part(&budget.connection), part(&budget.endpoint)], bytes: 0 }
    }

    /// Counts `bytes` in all; after a refusal what was counted before stays.
    pub fn grow_to(&mut self, bytes: usize) -> Result<(), Exhausted> {
        let more = bytes.saturating_sub(self.bytes);
        let [own, shared] = self.counters;
        if !own.add(more) {
            return Err(Exhausted);
        }
        if !shared.add(more) {
            own.take(more);
            return Err(Exhausted);
        }
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        for counter in self.counters {
            counter.take(self.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const LARGE: usize = limits::UNRESERVED_FRAME_BYTES_MAX + 1;

    fn budget(connection: [usize; 3], endpoint: [usize; 3]) -> Budget {
        let [one, all] = [connection, endpoint].map(|[large, waiting, small]| Allowance::new(large, waiting, small));
        Budget::new(one, all)
    }

    #[test]
    fn small_frames_count_against_both_allowances_and_give_back_what_they_held() {
        let budget = budget([0, 0, 100], [0, 0, 150]);
        let other = Budget::new(Allowance::new(0, 0, 100), budget.endpoint.clone());
        let mut held = budget.small();
        assert_eq!((held.grow_to(100), held.grow_to(101)), (Ok(()), Err(Exhausted)));
        let mut second = other.small();
        assert_eq!((second.grow_to(51), second.grow_to(50)), (Err(Exhausted), Ok(())));
        assert_eq!(budget.endpoint.used_bytes(), 150);
        drop((held, second));
        assert_eq!((budget.endpoint.used_bytes(), budget.connection.used_bytes()), (0, 0));
    }

    #[test]
    fn only_so_many_large_frames_may_wait() {
        let budget = budget([LARGE, usize::MAX, 0], [2 * LARGE, LARGE, 0]);
        let patience = None;
        let first = budget.reserve(LARGE, patience).now_or_never();
        assert!(matches!(first, Some(Ok(Some(_)))));
        let mut second = Box::pin(budget.reserve(LARGE, patience));
        assert!(second.as_mut().now_or_never().is_none(), "it waits");
        let third = budget.reserve(LARGE, patience).now_or_never();
        assert!(matches!(third, Some(Err(Exhausted))), "no place to wait");
        drop(first);
        assert!(matches!(second.now_or_never(), Some(Ok(Some(_)))));
        let too_large = budget.reserve(2 * LARGE, patience).now_or_never();
        assert!(matches!(too_large, Some(Err(Exhausted))), "it would never fit");
    }
}
