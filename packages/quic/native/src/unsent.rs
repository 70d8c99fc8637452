//! Answers that wait because their peers do not take them: counted for each connection and for all of an endpoint, so
//! that a peer that asks and never reads cannot make the server keep everything for it.

use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;

use crate::table::lock;

#[derive(Debug, Default)]
struct Share {
    bytes: usize,
    /// It is being closed: what it still holds is on its way out and no longer counted.
    is_shed: bool,
}

#[derive(Debug, Default)]
struct Shares {
    total: usize,
    by_connection: FxHashMap<u32, Share>,
}

/// How many bytes of answers wait, and how many may.
#[derive(Debug)]
pub struct Unsent {
    connection_max: usize,
    endpoint_max: usize,
    shares: Mutex<Shares>,
}

impl Unsent {
    pub fn new(connection_max: usize, endpoint_max: usize) -> Arc<Self> {
        Arc::new(Self { connection_max, endpoint_max, shares: Mutex::default() })
    }

    /// Counts an answer, or refuses it because its connection has too many. A lone one is always let in.
    pub fn admit(self: &Arc<Self>, connection: u32, bytes: usize) -> Option<Waiting> {
        let mut shares = lock(&self.shares);
        let share = shares.by_connection.entry(connection).or_default();
        if share.is_shed || (share.bytes > 0 && share.bytes.saturating_add(bytes) > self.connection_max) {
            return None;
        }
        share.bytes += bytes;
        shares.total += bytes;
        Some(Waiting { unsent: self.clone(), connection, bytes })
    }

    /// The connection that holds most if all together hold too much. It is not counted any more, so close it.
    pub fn shed(&self) -> Option<u32> {
        let mut shares = lock(&self.shares);
        if shares.total <= self.endpoint_max {
            return None;
        }
        let held = |share: &Share| if share.is_shed { 0 } else { share.bytes };
        let (&number, share) = shares.by_connection.iter_mut().max_by_key(|(_, share)| held(share))?;
        let bytes = share.bytes;
        share.is_shed = true;
        shares.total -= bytes;
        Some(number)
    }

    /// The connection has ended.
    pub fn forget(&self, connection: u32) {
        let mut shares = lock(&self.shares);
        if let Some(Share { bytes, is_shed: false }) = shares.by_connection.remove(&connection) {
            shares.total -= bytes;
        }
    }

    pub fn bytes(&self) -> usize {
        lock(&self.shares).total
    }
}

/// An answer that waits; it counts what is left of it until it is dropped.
#[derive(Debug)]
pub struct Waiting {
    unsent: Arc<Unsent>,
    connection: u32,
    bytes: usize,
}

impl Waiting {
    /// QUIC has taken so many bytes.
    pub fn sent(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        let mut shares = lock(&self.unsent.shares);
        let shares = &mut *shares;
        let Some(share) = shares.by_connection.get_mut(&self.connection) else { return };
        if share.is_shed {
            return;
        }
        share.bytes -= bytes;
        shares.total -= bytes;
        if share.bytes == 0 {
            shares.by_connection.remove(&self.connection);
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.sent(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_refused_what_is_over_its_limit_and_nobody_else() {
        let unsent = Unsent::new(100, 1_000);
        let mut first = unsent.admit(1, 60);
        assert!(first.is_some());
        assert!(unsent.admit(1, 41).is_none());
        assert!(unsent.admit(2, 41).is_some_and(|waiting| waiting.bytes == 41), "another one");
        if let Some(waiting) = first.as_mut() {
            waiting.sent(20);
        }
        assert!(unsent.admit(1, 60).is_some());
        assert_eq!(unsent.bytes(), 40);
        drop(first);
        assert_eq!(unsent.bytes(), 0);
    }

    #[test]
    fn a_lone_answer_is_let_in_whatever_its_size() {
        let unsent = Unsent::new(100, 1_000);
        let lone = unsent.admit(1, 500);
        assert!(lone.is_some());
        assert!(unsent.admit(1, 1).is_none());
    }

    #[test]
    fn whoever_holds_most_goes_when_all_hold_too_much() {
        let unsent = Unsent::new(1_000, 100);
        let small = unsent.admit(1, 40);
        assert_eq!(unsent.shed(), None);
        let large = unsent.admit(2, 61);
        assert_eq!(unsent.shed(), Some(2));
        assert_eq!((unsent.shed(), unsent.bytes()), (None, 40));
        assert!(unsent.admit(2, 1).is_none(), "it is being closed");
        drop(large);
        assert_eq!(unsent.bytes(), 40);
        unsent.forget(2);
        drop(small);
        assert_eq!(unsent.bytes(), 0);
    }

    #[test]
    fn answers_that_end_after_their_connection_count_nothing() {
        let unsent = Unsent::new(100, 100);
        let waiting = unsent.admit(1, 60);
        unsent.forget(1);
        assert_eq!(unsent.bytes(), 0);
        drop(waiting);
        assert_eq!(unsent.bytes(), 0);
    }
}
