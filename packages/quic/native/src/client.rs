//! Connecting, and calls from here to there.

use std::{collections::VecDeque, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use futures_util::FutureExt;
use quinn::{Connection, ConnectionError, RecvStream, SendStream, crypto::rustls::QuicClientConfig};
use tokio::time::timeout;

use crate::{
    budget::Budget,
    certificate::peer_certificate,
    command::{Command, Operation},
    endpoint::Endpoint,
    events::EventKind,
    failure::{Failure, Kind, ended_by},
    frame::{Assembly, Broken, Fault},
    limits,
    options::{ConnectOptions, TransportOptions, duration},
    probe::Probe,
    receive::{ReceiveError, collect},
    send::{Unfinished, Written, write_ready},
    socket,
    stream::RawStream,
    tls::{Credentials, Handshake},
};

/// The number of a client's only connection.
pub const CONNECTION: u32 = 0;

/// An established connection and the commands that wait for stream credit.
pub struct Client {
    quic: quinn::Endpoint,
    connection: Connection,
    budget: Budget,
    waiting: VecDeque<Waiting>,
    transport: TransportOptions,
}

/// A command that owns its bytes until the peer grants a stream.
struct Waiting {
    operation: Operation,
    pending: u32,
    pieces: Vec<Bytes>,
}

/// Leaves in `dialled` what must let go of its socket if there is no connection. Cancel safe but for that.
pub async fn connect(
    endpoint: &Arc<Endpoint>,
    options: ConnectOptions,
    dialled: &mut Option<quinn::Endpoint>,
) -> Result<Client, Failure> {
    let limit = duration(options.connect_timeout_ms);
    let attempt = establish(endpoint, &options, dialled);
    let (quic, connection, is_resumed) = match limit {
        None => attempt.await?,
        Some(limit) => timeout(limit, attempt).await.unwrap_or_else(|_| {
            let ConnectOptions { host, port, .. } = &options;
            let text = format!("no connection to {host}:{port} within {} ms", limit.as_millis());
            Err(Failure::new(Kind::ConnectTimeout, text))
        })?,
    };
    endpoint.connections.put(CONNECTION, connection.clone());
    let address = connection.remote_address().to_string();
    let certificate = peer_certificate(&connection);
    endpoint.tell(|queue| queue.connected(CONNECTION, is_resumed, &address, &certificate));
    tokio::spawn(report_end(endpoint.clone(), connection.clone()));
    let budget = endpoint.budget();
    Ok(Client { quic, connection, budget, waiting: VecDeque::new(), transport: options.transport })
}

async fn establish(
    endpoint: &Endpoint,
    options: &ConnectOptions,
    dialled: &mut Option<quinn::Endpoint>,
) -> Result<(quinn::Endpoint, Connection, bool), Failure> {
    let tls = tls_config(options).await?;
    let remote = socket::resolve(&options.host, options.port).await?;
    let handshake = Handshake::new(tls, remote, options.is_resuming);
    let mut config = quinn::ClientConfig::new(handshake.config.clone());
    config.transport_config(options.transport.to_client_config());
    let refused = |error: std::io::Error| {
        Failure::new(Kind::BindFailed, format!("no UDP socket for a connection to {remote}: {error}"))
    };
    let udp = socket::bind(any_address(remote), &options.transport).map_err(refused)?;
    let _ = endpoint.socket_buffers.set(socket::buffer_sizes(&udp));
    let quic = quinn::Endpoint::new(Default::default(), None, udp, Arc::new(quinn::TokioRuntime)).map_err(refused)?;
    *dialled = Some(quic.clone());
    let connecting = quic
        .connect_with(config, remote, &options.server_name)
        .map_err(|error| Failure::of_connect(&error, &options.host, &options.server_name))?;
    let refused = |error| handshake.verdict().unwrap_or_else(|| Failure::of_handshake(&error));
    let connection = connecting.await.map_err(refused)?;
    if handshake.is_judged() {
        confirmed(&connection).await?;
    }
    Ok((quic, connection, handshake.is_resumed()))
}

async fn tls_config(options: &ConnectOptions) -> Result<Arc<QuicClientConfig>, Failure> {
    let certificate = options.cert_pem.clone().zip(options.key_pem.clone());
    let credentials = Credentials { verify: options.verify.clone(), certificate };
    if options.verify != "system" {
        return credentials.config();
    }
    // Hundreds of files may be read, which must not hold up the network's thread.
    let made = tokio::task::spawn_blocking(move || credentials.config()).await;
    made.unwrap_or_else(|error| Err(Failure::new(Kind::CertificateInvalid, error.to_string())))
}

/// Waits until the server has accepted this client's certificate, or the lack of one. Quinn tells of it only by a counter.
async fn confirmed(connection: &Connection) -> Result<(), Failure> {
    while connection.stats().frame_rx.handshake_done == 0 {
        if let Ok(error) = timeout(limits::CONFIRM_STEP, connection.closed()).await {
            return Err(Failure::of_handshake(&error));
        }
    }
    Ok(())
}

/// Any local address of the family in which `remote` can be reached.
fn any_address(remote: SocketAddr) -> SocketAddr {
    if remote.is_ipv4() {
        (std::net::Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (std::net::Ipv6Addr::UNSPECIFIED, 0).into()
    }
}

async fn report_end(endpoint: Arc<Endpoint>, connection: Connection) {
    let error = connection.closed().await;
    endpoint.connections.take(CONNECTION);
    let failure = Failure::of_connection(&error);
    endpoint.tell(|queue| queue.connection_closed(CONNECTION, ended_by(&error), &failure));
}

impl Client {
    /// Opens a stream for the command now, or puts it behind those that wait for credit.
    pub fn open(&mut self, endpoint: &Arc<Endpoint>, command: Command<'_>) {
        let (operation, pending) = (command.operation, command.subject);
        endpoint.pending.put(pending, None);
        let opened = if self.waiting.is_empty() { self.connection.open_bi().now_or_never() } else { None };
        match opened {
            None => {
                let pieces = pieces_of(command);
                self.waiting.push_back(Waiting { operation, pending, pieces });
            }
            Some(Err(error)) => fail(endpoint, pending, &Failure::of_connection(&error)),
            Some(Ok((mut send, recv))) if operation != Operation::OpenStream => {
                let rest = match write_ready(&mut send, command) {
                    Written::Rest(pieces) => Some((send, pieces)),
                    // After a refused write the answer, or its absence, tells what happened.
                    Written::All | Written::Failed => None,
                };
                self.exchange(endpoint, operation, pending, rest, recv);
            }
            Some(Ok((send, recv))) => open_raw(endpoint, pending, send, recv),
        }
    }

    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// A stream for the first waiting command. Cancel safe: nothing is lost before it is ready.
    pub async fn next_stream(&self) -> Result<(SendStream, RecvStream), ConnectionError> {
        self.connection.open_bi().await
    }

    /// Gives the stream to the command that has waited longest, or its failure to all.
    pub fn opened(&mut self, endpoint: &Arc<Endpoint>, outcome: Result<(SendStream, RecvStream), ConnectionError>) {
        match outcome {
            Ok((send, recv)) => {
                let Some(Waiting { operation, pending, pieces }) = self.waiting.pop_front() else { return };
                if operation == Operation::OpenStream {
                    open_raw(endpoint, pending, send, recv);
                } else {
                    self.exchange(endpoint, operation, pending, Some((send, pieces)), recv);
                }
            }
            Err(error) => {
                let failure = Failure::of_connection(&error);
                for waiting in self.waiting.drain(..) {
                    fail(endpoint, waiting.pending, &failure);
                }
            }
        }
    }

    /// Ends one command, whether it waits for a stream or for its answer. Its stream is reset, nothing else is touched.
    pub fn cancel(&mut self, endpoint: &Endpoint, pending: u32) {
        let Some(task) = endpoint.pending.take(pending) else { return };
        self.waiting.retain(|waiting| waiting.pending != pending);
        if let Some(task) = task {
            task.abort();
        }
        let failure = Failure::new(Kind::CallAborted, "");
        endpoint.tell(|queue| queue.failure(EventKind::CallFailed, pending, &failure));
    }

    /// Goes on from a new local socket; the server follows with the next packet (RFC 9000 section 9).
    pub fn rebind(&self, endpoint: &Endpoint, pending: u32) {
        let local = any_address(self.connection.remote_address());
        let rebound = socket::bind(local, &self.transport).and_then(|udp| self.quic.rebind(udp));
        match rebound {
            Ok(()) => endpoint.tell(|queue| queue.note(EventKind::Sent, pending, 0)),
            Err(error) => {
                let failure = Failure::new(Kind::BindFailed, format!("no new UDP socket, the old one stays: {error}"));
                endpoint.tell(|queue| queue.failure(EventKind::CallFailed, pending, &failure));
            }
        }
    }

    /// What looks after this client's server.
    pub fn probe(&self) -> Probe {
        Probe::new(self.transport.announced_window_bytes())
    }

    /// The connection of this client, to close it.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Lets go of the socket once Quinn has drained the connection.
    pub fn into_quic(self) -> quinn::Endpoint {
        self.quic
    }

    fn exchange(
        &self,
        endpoint: &Arc<Endpoint>,
        operation: Operation,
        pending: u32,
        rest: Option<(SendStream, Vec<Bytes>)>,
        recv: RecvStream,
    ) {
        let exchange = Exchange { endpoint: endpoint.clone(), pending, budget: self.budget.clone(), recv };
        let task = tokio::spawn(async move {
            let Some((send, pieces)) = rest else { return exchange.finish(operation).await };
            // The answer may come before the request has been taken: then the rest of it is not wanted.
            let write = async {
                let _ = Unfinished::new(send).write_all(pieces, |_| ()).await;
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = exchange.finish(operation) => {}
                () = write => {}
            }
        });
        let handle = task.abort_handle();
        endpoint.pending.with(pending, |entry| *entry = Some(handle));
    }
}

/// One call that has its stream.
struct Exchange {
    endpoint: Arc<Endpoint>,
    pending: u32,
    budget: Budget,
    recv: RecvStream,
}

impl Exchange {
    async fn finish(mut self, operation: Operation) {
        let mut assembly = Assembly::default();
        let outcome = collect(&mut self.recv, &mut assembly, &self.endpoint.receive, &self.budget).await;
        let Self { endpoint, pending, .. } = self;
        if endpoint.pending.take(pending).is_none() {
            return;
        }
        match (operation, outcome) {
            (Operation::Send, Ok(_)) => endpoint.tell(|queue| queue.note(EventKind::Sent, pending, 0)),
            (Operation::Send, Err(ReceiveError::Broken(broken))) if is_quiet_end(broken) => {
                endpoint.tell(|queue| queue.note(EventKind::Sent, pending, 0));
            }
            (_, Ok(reservation)) => {
                let (kind, payload, _) = assembly.into_parts();
                endpoint.tell(|queue| queue.answer(pending, kind, payload, reservation));
            }
            (_, Err(error)) => {
                let failure = receive_failure(error);
                endpoint.tell(|queue| queue.failure(EventKind::CallFailed, pending, &failure));
            }
        }
    }
}

fn open_raw(endpoint: &Arc<Endpoint>, pending: u32, send: SendStream, recv: RecvStream) {
    if endpoint.pending.take(pending).is_none() {
        return;
    }
    let number = endpoint.streams.reserve();
    RawStream { number, connection: CONNECTION, send, recv, rest: Vec::new(), open: None }.start(endpoint);
    endpoint.tell(|queue| queue.note(EventKind::StreamOpened, pending, number));
}

/// For commands that have had no stream.
fn fail(endpoint: &Endpoint, pending: u32, failure: &Failure) {
    if endpoint.pending.take(pending).is_some() {
        endpoint.tell(|queue| queue.never_sent(pending, failure));
    }
}

fn pieces_of(command: Command<'_>) -> Vec<Bytes> {
    command.value.into_frame(command.low as u16)
}

/// How a peer ends a stream to which it owes no answer: FIN, or RESET with code 0.
fn is_quiet_end(broken: Broken) -> bool {
    broken.detail == 0 && matches!(broken.fault, Fault::Truncated | Fault::Reset)
}

fn receive_failure(error: ReceiveError) -> Failure {
    let broken = match error {
        ReceiveError::Lost(error) => return Failure::of_connection(&error),
        ReceiveError::Broken(broken) => broken,
    };
    let kind = match broken.fault {
        Fault::TypeInvalid => Kind::FrameTypeInvalid,
        Fault::TooLarge | Fault::BufferExhausted => Kind::FrameTooLarge,
        Fault::Truncated => Kind::StreamEnded,
        Fault::Timeout => Kind::CallTimeout,
        Fault::Reset => Kind::StreamReset,
    };
    Failure::with_code(kind, broken.detail, broken.fault.describe())
}
