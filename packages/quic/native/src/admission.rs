//! Who gets in: decided for every handshake before it takes memory, and counted.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

/// What a listener allows; 0 means no limit, but for `handshakes_max`.
#[derive(Clone, Copy, Debug)]
pub struct AdmissionLimits {
    pub connections_max: u32,
    pub handshakes_max: u32,
    /// From this many pending handshakes on a client has to prove its address by a Retry (RFC 9000 section 8.1.2).
    pub retry_from: u32,
    pub handshake_patience: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Admit,
    /// Answered by a packet that says so.
    Refuse,
    /// Left unanswered; the client asks again by itself.
    Drop,
    Retry,
}

#[derive(Debug, Default)]
pub struct Counts {
    /// Pending handshakes and connections.
    pub admitted: AtomicU32,
    pub handshakes: AtomicU32,
    pub refused: AtomicU64,
    pub dropped: AtomicU64,
    pub retried: AtomicU64,
    pub timed_out: AtomicU64,
    pub failed: AtomicU64,
    pub frames_refused: AtomicU64,
    pub answers_refused: AtomicU64,
    pub connections_shed: AtomicU64,
}

/// For a client that has proved its address, or cannot be asked to, `may_retry` is false. Only one task may decide.
pub fn decide(limits: &AdmissionLimits, counts: &Counts, may_retry: bool) -> Decision {
    let pending = counts.handshakes.load(Ordering::Relaxed);
    let (decision, counter) =
        if limits.connections_max > 0 && counts.admitted.load(Ordering::Relaxed) >= limits.connections_max {
            (Decision::Refuse, &counts.refused)
        } else if pending >= limits.handshakes_max {
            (Decision::Drop, &counts.dropped)
        } else if limits.retry_from > 0 && pending >= limits.retry_from && may_retry {
            (Decision::Retry, &counts.retried)
        } else {
            return Decision::Admit;
        };
    counter.fetch_add(1, Ordering::Relaxed);
    decision
}

/// Counts one in `Counts` until it is dropped.
#[derive(Debug)]
pub struct Counted {
    counts: Arc<Counts>,
    of: fn(&Counts) -> &AtomicU32,
}

impl Counted {
    pub fn new(counts: &Arc<Counts>, of: fn(&Counts) -> &AtomicU32) -> Self {
        of(counts).fetch_add(1, Ordering::Relaxed);
        Self { counts: counts.clone(), of }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        (self.of)(&self.counts).fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: AdmissionLimits =
        AdmissionLimits { connections_max: 3, handshakes_max: 2, retry_from: 1, handshake_patience: None };

    #[test]
    fn each_limit_has_its_own_answer() {
        let counts = Arc::new(Counts::default());
        let mut counted = Vec::new();
        let mut asked = |limits: AdmissionLimits, may_retry: bool, more: [u32; 2]| {
            for _ in 0..more[0] {
                counted.push(Counted::new(&counts, |counts| &counts.admitted));
            }
            for _ in 0..more[1] {
                counted.push(Counted::new(&counts, |counts| &counts.handshakes));
            }
            decide(&limits, &counts, may_retry)
        };
        assert_eq!(asked(LIMITS, true, [0, 0]), Decision::Admit);
        assert_eq!(asked(LIMITS, true, [1, 1]), Decision::Retry);
        assert_eq!(asked(LIMITS, false, [0, 0]), Decision::Admit);
        assert_eq!(asked(LIMITS, false, [1, 1]), Decision::Drop);
        assert_eq!(asked(LIMITS, false, [1, 0]), Decision::Refuse);
        let unlimited = AdmissionLimits { connections_max: 0, handshakes_max: 9, retry_from: 0, ..LIMITS };
        assert_eq!(asked(unlimited, true, [5, 2]), Decision::Admit);
        drop(counted);
        let left = [&counts.admitted, &counts.handshakes].map(|count| count.load(Ordering::Relaxed));
        let answers = [&counts.refused, &counts.dropped, &counts.retried].map(|count| count.load(Ordering::Relaxed));
        assert_eq!((left, answers), ([0, 0], [1, 1, 1]));
    }
}
