//! Client: what is kept between connections. Configurations are kept because rustls resumes a session only under the very
//! verifier and identity with which it began; tickets are kept beside the certificates by which the server was judged,
//! and those are judged again before a ticket is used.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use quinn::crypto::rustls::QuicClientConfig;
use rustls::{
    NamedGroup,
    client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use crate::{limits, session::note, table::lock, verify::Trust};

/// What a kept configuration was made of: a digest of whom it trusts and of who it is.
pub type Origin = [u8; 32];

static CONFIGS: Mutex<Recent<Origin, Arc<QuicClientConfig>>> = Mutex::new(Recent::new(limits::KEPT_CONFIGS_MAX));
static TICKETS: Mutex<Recent<Server, VecDeque<Ticket>>> = Mutex::new(Recent::new(limits::KEPT_SERVERS_MAX));
static NEXT_CONFIG: AtomicU64 = AtomicU64::new(0);

/// The configuration made of these options before, if it is still kept.
pub fn kept(origin: &Origin) -> Option<Arc<QuicClientConfig>> {
    lock(&CONFIGS).get(origin).map(|config| config.clone())
}

pub fn keep(origin: Origin, config: Arc<QuicClientConfig>) {
    lock(&CONFIGS).put(origin, config);
}

#[derive(Clone, PartialEq, Eq)]
struct Server {
    config: u64,
    name: ServerName<'static>,
    address: SocketAddr,
}

struct Ticket {
    value: Tls13ClientSessionValue,
    chain: Arc<Vec<CertificateDer<'static>>>,
}

/// The tickets of one configuration.
#[derive(Debug)]
pub struct Sessions {
    config: u64,
    trust: Arc<Trust>,
}

impl Sessions {
    pub fn new(trust: Arc<Trust>) -> Arc<Self> {
        Arc::new(Self { config: NEXT_CONFIG.fetch_add(1, Ordering::Relaxed), trust })
    }

    /// Where the tickets of the handshake at hand belong; nowhere if it is not to be resumed.
    fn server(&self, name: &ServerName<'_>) -> Option<Server> {
        let address = note(|notes| notes.remote.filter(|_| notes.is_resuming))??;
        Some(Server { config: self.config, name: name.to_owned(), address })
    }
}

impl ClientSessionStore for Sessions {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, name: ServerName<'static>, value: Tls13ClientSessionValue) {
        let Some(server) = self.server(&name) else { return };
        let Some(chain) = note(|notes| notes.chain.clone()).flatten() else { return };
        let mut tickets = lock(&TICKETS);
        let kept = tickets.get_or_put(server, VecDeque::new);
        if kept.len() == limits::KEPT_TICKETS_MAX {
            kept.pop_front();
        }
        kept.push_back(Ticket { value, chain });
    }

    fn take_tls13_ticket(&self, name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        let server = self.server(name)?;
        let Ticket { value, chain } = lock(&TICKETS).get(&server)?.pop_back()?;
        let (end_entity, intermediates) = chain.split_first()?;
        // A full handshake follows, which says what is wrong.
        self.trust.judge(end_entity, intermediates, name, &[], UnixTime::now()).ok()?;
        note(|notes| notes.chain = Some(chain));
        Some(value)
    }
}

/// A few entries, of which the one that went unused for longest makes room.
struct Recent<K, V> {
    max: usize,
    /// The latest at the end.
    entries: VecDeque<(K, V)>,
}

impl<K: PartialEq, V> Recent<K, V> {
    const fn new(max: usize) -> Self {
        Self { max, entries: VecDeque::new() }
    }

    fn get(&mut self, key: &K) -> Option<&mut V> {
        let index = self.entries.iter().rposition(|(known, _)| known == key)?;
        let entry = self.entries.remove(index)?;
        self.entries.push_back(entry);
        self.entries.back_mut().map(|(_, value)| value)
    }

    fn put(&mut self, key: K, value: V) -> &mut V {
        self.entries.retain(|(known, _)| *known != key);
        if self.entries.len() == self.max {
            self.entries.pop_front();
        }
        self.entries.push_back((key, value));
        let last = self.entries.len() - 1;
        &mut self.entries[last].1
    }

    fn get_or_put(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let value = match self.entries.iter().rposition(|(known, _)| *known == key).map(|at| self.entries.remove(at)) {
            Some(Some((_, value))) => value,
            _ => make(),
        };
        self.put(key, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_unused_for_longest_makes_room() {
        let mut recent = Recent::new(2);
        recent.put(1, "one");
        recent.put(2, "two");
        assert_eq!(recent.get(&1), Some(&mut "one"));
        recent.put(3, "three");
        assert_eq!((recent.get(&2).copied(), recent.entries.len()), (None, 2));
        assert_eq!(*recent.get_or_put(1, || "fresh"), "one");
        assert_eq!(*recent.get_or_put(4, || "four"), "four");
        assert_eq!((recent.get(&3).copied(), recent.get(&1).copied()), (None, Some("one")));
    }
}
