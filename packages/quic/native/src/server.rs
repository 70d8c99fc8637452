//! Listening, accepting connections, and reading the first frame of every stream.

use std::{
    net::SocketAddr,
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use futures_util::FutureExt;
use quinn::{AsyncUdpSocket, Connection, ConnectionError, Incoming, RecvStream, Runtime, SendStream, TokioRuntime};
use rustls::pki_types::CertificateDer;
use tokio::time::{Instant, sleep, timeout};

use crate::{
    budget::{Budget, Reservation},
    certificate::{ShownCertificate, certified_key},
    endpoint::Endpoint,
    events::EventKind,
    failure::{Failure, Kind, ended_by},
    frame::Assembly,
    limits,
    options::ListenOptions,
    receive::{ReceiveError, collect, take_ready},
    reply::Call,
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
    config.transport_config(options.transport.to_config());
    config.max_incoming(options.transport.max_incoming as usize);
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
    endpoint.supervise(accept_connections(endpoint.clone(), quic.clone()));
    Ok(Listener { quic, socket: weak })
}

impl Listener {
    /// Closes every connection, waits until they are drained and the port is free again.
    pub async fn close(self, endpoint: &Endpoint, code: quinn::VarInt, reason: &[u8]) {
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

async fn accept_connections(endpoint: Arc<Endpoint>, quic: quinn::Endpoint) {
    while let Some(incoming) = quic.accept().await {
        tokio::spawn(serve(endpoint.clone(), incoming));
    }
}

async fn serve(endpoint: Arc<Endpoint>, incoming: Incoming) {
    // A handshake that fails concerns nobody but the peer.
    let Ok(connection) = incoming.await else { return };
    let address = connection.remote_address().to_string();
    let number = endpoint.connections.add(connection.clone());
    let chain = connection.peer_identity().and_then(|chain| chain.downcast::<Vec<CertificateDer<'static>>>().ok());
    let certificate = chain.as_ref().and_then(|chain| chain.first()).map_or(&[][..], |leaf| leaf);
    endpoint.tell(|queue| queue.connection_opened(number, &address, certificate));
    let acceptor = Acceptor { number, budget: Budget::new(endpoint.buffer_bytes_max), endpoint: endpoint.clone() };
    let error = acceptor.run(&connection).await;
    endpoint.connections.take(number);
    let failure = Failure::of_connection(&error);
    endpoint.tell(|queue| queue.connection_closed(number, ended_by(&error), &failure));
    endpoint.calls.retain(|_, call| call.connection != number);
    endpoint.streams.retain(|_, stream| stream.connection != number);
}

struct Acceptor {
    endpoint: Arc<Endpoint>,
    number: u32,
    budget: Budget,
}

impl Acceptor {
    async fn run(&self, connection: &Connection) -> ConnectionError {
        let mut accepted = 0;
        loop {
            let next = match connection.accept_bi().now_or_never() {
                Some(next) if accepted < limits::ACCEPTS_PER_RING_MAX => next,
                Some(next) => {
                    accepted = 0;
                    self.endpoint.ring();
                    next
                }
                None => {
                    accepted = 0;
                    self.endpoint.ring();
                    connection.accept_bi().await
                }
            };
            accepted += 1;
            match next {
                Ok((send, recv)) => self.receive(send, recv),
                Err(error) => return error,
            }
        }
    }

    /// Most frames are there with their stream; only the others cost a task.
    fn receive(&self, send: SendStream, mut recv: RecvStream) {
        let mut assembly = Assembly::default();
        match take_ready(&mut recv, &mut assembly, &self.endpoint.receive) {
            Ok(true) => deliver(&self.endpoint, self.number, send, recv, Ok((assembly, None))),
            Err(error) => deliver(&self.endpoint, self.number, send, recv, Err(error)),
            Ok(false) => {
                let (endpoint, number, budget) = (self.endpoint.clone(), self.number, self.budget.clone());
                tokio::spawn(async move {
                    let outcome = collect(&mut recv, &mut assembly, &endpoint.receive, &budget).await;
                    deliver(&endpoint, number, send, recv, outcome.map(|reservation| (assembly, reservation)));
                    endpoint.ring();
                });
            }
        }
    }
}

/// Hands a frame or its fault to JavaScript, which then owns the call. A lost connection has told its own story.
fn deliver(
    endpoint: &Endpoint,
    connection: u32,
    send: SendStream,
    recv: RecvStream,
    outcome: Result<(Assembly, Reservation), ReceiveError>,
) {
    match outcome {
        Ok((assembly, reservation)) => {
            let (kind, payload, rest) = assembly.into_parts();
            let call = endpoint.calls.add(Call { connection, send, recv, rest });
            endpoint.calls_received.fetch_add(1, Ordering::Relaxed);
            endpoint.push(|queue| queue.call(call, connection, kind, payload, reservation));
        }
        Err(ReceiveError::Broken(broken)) => {
            let call = endpoint.calls.add(Call { connection, send, recv, rest: Vec::new() });
            endpoint.push(|queue| queue.call_fault(call, connection, broken));
        }
        Err(ReceiveError::Lost(_)) => {}
    }
}
