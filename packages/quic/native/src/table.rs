//! Things that JavaScript names by number.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU32, Ordering},
};

use rustc_hash::FxHashMap;

/// Numbers stay below 2^30 so that JavaScript keeps them as small integers.
const NUMBER_MASK: u32 = (1 << 30) - 1;

/// A panic while a lock is held leaves plain data behind, so the data is used further.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
pub struct Table<T> {
    next: AtomicU32,
    entries: Mutex<FxHashMap<u32, T>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { next: AtomicU32::new(1), entries: Mutex::default() }
    }
}

impl<T> Table<T> {
    /// Stores an entry under a number that no living entry has.
    pub fn add(&self, entry: T) -> u32 {
        let mut entries = lock(&self.entries);
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed) & NUMBER_MASK;
            if let std::collections::hash_map::Entry::Vacant(place) = entries.entry(number) {
                place.insert(entry);
                return number;
            }
        }
    }

    /// A number that no living entry has, for an entry to be `put`.
    pub fn reserve(&self) -> u32 {
        let entries = lock(&self.entries);
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed) & NUMBER_MASK;
            if !entries.contains_key(&number) {
                return number;
            }
        }
    }

    /// Stores an entry under a number chosen elsewhere.
    pub fn put(&self, number: u32, entry: T) {
        lock(&self.entries).insert(number, entry);
    }

    pub fn take(&self, number: u32) -> Option<T> {
        lock(&self.entries).remove(&number)
    }

    /// Runs `act` on an entry, if there is one. The table is locked meanwhile.
    pub fn with<R>(&self, number: u32, act: impl FnOnce(&mut T) -> R) -> Option<R> {
        lock(&self.entries).get_mut(&number).map(act)
    }

    pub fn retain(&self, keep: impl FnMut(&u32, &mut T) -> bool) {
        lock(&self.entries).retain(keep);
    }

    pub fn len(&self) -> usize {
        lock(&self.entries).len()
    }

    pub fn count(&self, is_counted: impl Fn(&T) -> bool) -> usize {
        lock(&self.entries).values().filter(|entry| is_counted(entry)).count()
    }

    pub fn take_all(&self) -> Vec<(u32, T)> {
        lock(&self.entries).drain().collect()
    }
}

impl<T: Clone> Table<T> {
    pub fn get(&self, number: u32) -> Option<T> {
        lock(&self.entries).get(&number).cloned()
    }

    pub fn all(&self) -> Vec<T> {
        lock(&self.entries).values().cloned().collect()
    }
}
