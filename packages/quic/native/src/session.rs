//! A TLS session that takes notes. rustls asks shared objects (the verifier, the ticket store) during a handshake without
//! saying for which connection; sessions can be resumed only if those objects are shared. So each session makes its own
//! notes known to its thread for as long as rustls works on it.

use std::{
    any::Any,
    cell::RefCell,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use quinn_proto::{
    ConnectError, ConnectionId, Side, TransportError,
    crypto::{
        self, ExportKeyingMaterialError, HeaderKey, KeyPair, Keys, PacketKey, Session, UnsupportedVersion,
        rustls::{QuicClientConfig, QuicServerConfig},
    },
    transport_parameters::TransportParameters,
};
use rustls::pki_types::CertificateDer;

use crate::{failure::Failure, table::lock};

/// What one handshake has brought so far.
#[derive(Debug, Default)]
pub struct Notes {
    /// Client: where the server is.
    pub remote: Option<SocketAddr>,
    /// Client: whether sessions may be resumed and kept.
    pub is_resuming: bool,
    /// Client: why the server's certificate was refused; TLS passes on no more than an alert.
    pub verdict: Option<Failure>,
    /// Client: whether the server has asked for a certificate.
    pub is_asked: bool,
    /// Client: whether the server has shown its certificate here, which it does in every handshake that is not resumed.
    pub is_shown: bool,
    /// Client: the certificates by which the server was judged, here or when the resumed session began.
    pub chain: Option<Arc<Vec<CertificateDer<'static>>>>,
    /// Server: the SHA-256 of the certificate that belongs to this handshake.
    pub fingerprint: Option<[u8; 32]>,
    /// Server: when the first of the client's certificates ends, in seconds since 1970.
    pub client_not_after: Option<u64>,
}

pub type SharedNotes = Arc<Mutex<Notes>>;

thread_local! {
    static CURRENT: RefCell<Option<SharedNotes>> = const { RefCell::new(None) };
}

/// Reads or adds to the notes of the handshake at hand; nothing happens outside of one.
pub fn note<R>(act: impl FnOnce(&mut Notes) -> R) -> Option<R> {
    let notes = CURRENT.with_borrow(Clone::clone)?;
    Some(act(&mut lock(&notes)))
}

fn noting<R>(notes: &SharedNotes, act: impl FnOnce() -> R) -> R {
    let before = CURRENT.replace(Some(notes.clone()));
    let result = act();
    CURRENT.set(before);
    result
}

/// A client's configuration for one connection.
pub struct NotedClient {
    pub inner: Arc<QuicClientConfig>,
    pub notes: SharedNotes,
}

impl crypto::ClientConfig for NotedClient {
    fn start_session(
        self: Arc<Self>,
        version: u32,
        server_name: &str,
        params: &TransportParameters,
    ) -> Result<Box<dyn Session>, ConnectError> {
        let inner = noting(&self.notes, || self.inner.clone().start_session(version, server_name, params))?;
        Ok(Box::new(Noted { inner, notes: self.notes.clone() }))
    }
}

/// A listener's configuration; every handshake gets notes of its own.
pub struct NotedServer(pub Arc<QuicServerConfig>);

impl crypto::ServerConfig for NotedServer {
    fn initial_keys(&self, version: u32, dst_cid: &ConnectionId) -> Result<Keys, UnsupportedVersion> {
        self.0.initial_keys(version, dst_cid)
    }

    fn retry_tag(&self, version: u32, orig_dst_cid: &ConnectionId, packet: &[u8]) -> [u8; 16] {
        self.0.retry_tag(version, orig_dst_cid, packet)
    }

    fn start_session(self: Arc<Self>, version: u32, params: &TransportParameters) -> Box<dyn Session> {
        let inner = self.0.clone().start_session(version, params);
        Box::new(Noted { inner, notes: SharedNotes::default() })
    }
}

struct Noted {
    inner: Box<dyn Session>,
    notes: SharedNotes,
}

impl Session for Noted {
    fn initial_keys(&self, dst_cid: &ConnectionId, side: Side) -> Keys {
        self.inner.initial_keys(dst_cid, side)
    }

    fn handshake_data(&self) -> Option<Box<dyn Any>> {
        self.inner.handshake_data()
    }

    fn peer_identity(&self) -> Option<Box<dyn Any>> {
        self.inner.peer_identity()
    }

    fn early_crypto(&self) -> Option<(Box<dyn HeaderKey>, Box<dyn PacketKey>)> {
        self.inner.early_crypto()
    }

    fn early_data_accepted(&self) -> Option<bool> {
        self.inner.early_data_accepted()
    }

    fn is_handshaking(&self) -> bool {
        self.inner.is_handshaking()
    }

    fn read_handshake(&mut self, buf: &[u8]) -> Result<bool, TransportError> {
        let inner = &mut self.inner;
        noting(&self.notes, || inner.read_handshake(buf))
    }

    fn transport_parameters(&self) -> Result<Option<TransportParameters>, TransportError> {
        self.inner.transport_parameters()
    }

    fn write_handshake(&mut self, buf: &mut Vec<u8>) -> Option<Keys> {
        self.inner.write_handshake(buf)
    }

    fn next_1rtt_keys(&mut self) -> Option<KeyPair<Box<dyn PacketKey>>> {
        self.inner.next_1rtt_keys()
    }

    fn is_valid_retry(&self, orig_dst_cid: &ConnectionId, header: &[u8], payload: &[u8]) -> bool {
        self.inner.is_valid_retry(orig_dst_cid, header, payload)
    }

    fn export_keying_material(
        &self,
        output: &mut [u8],
        label: &[u8],
        context: &[u8],
    ) -> Result<(), ExportKeyingMaterialError> {
        self.inner.export_keying_material(output, label, context)
    }
}
