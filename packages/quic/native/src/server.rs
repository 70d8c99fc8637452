//! Listening, and letting clients in.

use std::{
    net::SocketAddr,
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use quinn::{AsyncUdpSocket, Connection, Incoming, Runtime, TokioRuntime, VarInt};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    accept::serve,
    admission::{AdmissionLimits, Counted, Decision, decide},
    certificate::{ShownCertificate, certified_key},
    endpoint::Endpoint,
    events::EventKind,
    failure::{Failure, Kind},
    limits,
    options::ListenOptions,
    socket, tls,
};

/// A bound listener.
pub struct Listener {
    quic: quinn::Endpoint,
    socket: Weak<dyn AsyncUdpSocket>,
}

/// Binds and starts accepting; the address goes to JavaScript.
pub async fn listen(endpoint: &Arc<Endpoint>, options: ListenOptions) -> Result<Listener, Failure> {
    let shown = ShownCertificate::new(certified_key(&options.cert_pem, &options.key_pem)?);
    let crypto = tls::server_config(shown.clone(), options.client_ca_pem.as_deref())?;
    let _ = endpoint.certificate.set(shown);
    let mut config = quinn::ServerConfig::with_crypto(crypto);
    config.transport_config(options.transport.to_server_config());
    config
        .max_incoming(limits::ACCEPT_QUEUE_MAX)
        .incoming_buffer_size(limits::ACCEPT_BUFFER_BYTES_MAX)
        .incoming_buffer_size_total(limits::ACCEPT_BUFFERS_BYTES_MAX);
    let address = socket::resolve(&options.host, options.port).await?;
    let refused =
        |error: std::io::Error| Failure::new(Kind::BindFailed, format!("cannot listen on {address}: {error}"));
    let udp = socket::bind(address, &options.transport).map_err(refused)?;
    let _ = endpoint.socket_buffers.set(socket::buffer_sizes(&udp));
    let runtime = Arc::new(TokioRuntime);
    let udp = runtime.wrap_udp_socket(udp).map_err(refused)?;
    let weak = Arc::downgrade(&udp);
    let identity = socket::endpoint_config(options.reset_key.as_deref())?;
    let quic = quinn::Endpoint::new_with_abstract_socket(identity, Some(config), udp, runtime).map_err(refused)?;
    let bound: SocketAddr = quic.local_addr().map_err(refused)?;
    let host = bound.ip().to_string();
    endpoint.tell(|queue| queue.text(EventKind::Listening, 0, bound.port().into(), &host));
    let streams_max = options.transport.bidi_streams_max();
    let shared = Shared { endpoint: endpoint.clone(), admission: options.transport.to_admission(), streams_max };
    endpoint.supervise(accept_connections(Arc::new(shared), quic.clone()));
    Ok(Listener { quic, socket: weak })
}

impl Listener {
    /// Closes every connection, waits until they are drained and the port is free again.
    pub async fn close(self, endpoint: &Endpoint, code: VarInt, reason: &[u8]) {
        self.quic.set_server_config(None);
        let connections = endpoint.connections.all();
        flush(&connections).await;
        self.quic.close(code, reason);
        let deadline = Instant::now() + limits::CLOSE_DRAIN_MAX;
        let _ = timeout(limits::CLOSE_DRAIN_MAX, self.quic.wait_idle()).await;
        drop((endpoint.calls.take_all(), endpoint.streams.take_all()));
        drop((connections, self.quic));
        while self.socket.strong_count() > 0 && Instant::now() < deadline {
            sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Closing a connection throws away what it has not sent yet, so the answers of the last tick get time to leave: until
/// no connection sends any more, and never longer than the limit.
async fn flush(connections: &[Connection]) {
    let sent = || connections.iter().map(|connection| connection.stats().udp_tx.datagrams).sum::<u64>();
    let deadline = Instant::now() + limits::CLOSE_FLUSH_MAX;
    let mut before = sent();
    while Instant::now() < deadline && !connections.is_empty() {
        sleep(limits::CLOSE_FLUSH_STEP).await;
        let now = sent();
        if now == before {
            return;
        }
        before = now;
    }
}

/// What all connections of a listener have in common.
pub struct Shared {
    pub endpoint: Arc<Endpoint>,
    pub admission: AdmissionLimits,
    /// How many bidirectional streams a client may have open.
    pub streams_max: VarInt,
}

async fn accept_connections(shared: Arc<Shared>, quic: quinn::Endpoint) {
    while let Some(incoming) = quic.accept().await {
        let counts = &shared.endpoint.counts;
        match decide(&shared.admission, counts, incoming.may_retry() && !incoming.remote_address_validated()) {
            Decision::Refuse => incoming.refuse(),
            Decision::Drop => incoming.ignore(),
            Decision::Retry => {
                // It fails only if it was not allowed, which has been asked.
                let _ = incoming.retry();
            }
            Decision::Admit => admit(&shared, incoming),
        }
    }
}

fn admit(shared: &Arc<Shared>, incoming: Incoming) {
    let counts = &shared.endpoint.counts;
    match incoming.accept() {
        Err(_) => {
            counts.failed.fetch_add(1, Ordering::Relaxed);
        }
        Ok(connecting) => {
            let handshake = Counted::new(counts, |counts| &counts.handshakes);
            let admitted = Counted::new(counts, |counts| &counts.admitted);
            tokio::spawn(serve(shared.clone(), connecting, handshake, admitted));
        }
    }
}
