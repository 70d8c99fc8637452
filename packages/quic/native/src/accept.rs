//! One client's connection: its handshake, and the first frame of every stream that it opens.

use std::sync::{Arc, atomic::Ordering};

use futures_util::FutureExt;
use quinn::{Connecting, Connection, ConnectionError, RecvStream, SendStream};
use tokio::time::timeout;

use crate::{
    admission::Counted,
    budget::{Budget, Reservation},
    certificate::peer_certificate,
    endpoint::Endpoint,
    failure::{Failure, ended_by},
    frame::{Assembly, Fault},
    grant::{Grant, OpenStream},
    limits,
    receive::{ReceiveError, collect, take_ready},
    reply::Call,
    server::Shared,
};

/// Carries a handshake through and then serves its connection. `admitted` counts it until it is gone.
pub async fn serve(shared: Arc<Shared>, connecting: Connecting, handshake: Counted, admitted: Counted) {
    let connected = shake_hands(&shared, connecting).await;
    drop(handshake);
    if let Some(connection) = connected {
        tokio::spawn(run(shared, connection, admitted));
    }
}

/// A handshake that fails concerns nobody but the peer.
async fn shake_hands(shared: &Shared, connecting: Connecting) -> Option<Connection> {
    let counts = &shared.endpoint.counts;
    let outcome = match shared.admission.handshake_patience {
        None => Ok(connecting.await),
        Some(limit) => timeout(limit, connecting).await,
    };
    let counter = match outcome {
        Ok(Ok(connection)) => return Some(connection),
        Err(_) | Ok(Err(ConnectionError::TimedOut)) => &counts.timed_out,
        Ok(Err(_)) => &counts.failed,
    };
    counter.fetch_add(1, Ordering::Relaxed);
    None
}

async fn run(shared: Arc<Shared>, connection: Connection, _admitted: Counted) {
    let endpoint = &shared.endpoint;
    let number = endpoint.connections.add(connection.clone());
    announce(endpoint, number, &connection);
    let acceptor = Acceptor {
        number,
        budget: endpoint.budget(),
        grant: Grant::new(shared.streams_max),
        endpoint: endpoint.clone(),
    };
    let error = acceptor.run(&connection).await;
    endpoint.connections.take(number);
    endpoint.unsent.forget(number);
    let failure = Failure::of_connection(&error);
    endpoint.tell(|queue| queue.connection_closed(number, ended_by(&error), &failure));
    endpoint.calls.retain(|_, call| call.connection != number);
    endpoint.streams.retain(|_, stream| stream.connection != number);
}

fn announce(endpoint: &Endpoint, number: u32, connection: &Connection) {
    let address = connection.remote_address().to_string();
    let certificate = peer_certificate(connection);
    endpoint.tell(|queue| queue.connection_opened(number, &address, &certificate));
}

struct Acceptor {
    endpoint: Arc<Endpoint>,
    number: u32,
    budget: Budget,
    grant: Grant,
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
                Ok((send, recv)) => self.receive(Incoming { send, recv, open: self.grant.open(connection) }),
                Err(error) => return error,
            }
        }
    }

    /// Most frames are there with their stream; only the others cost a task.
    fn receive(&self, mut stream: Incoming) {
        let mut assembly = Assembly::default();
        match take_ready(&mut stream.recv, &mut assembly, &self.endpoint.receive) {
            Ok(true) => deliver(&self.endpoint, self.number, stream, Ok((assembly, None))),
            Err(error) => deliver(&self.endpoint, self.number, stream, Err(error)),
            Ok(false) => {
                let (endpoint, number, budget) = (self.endpoint.clone(), self.number, self.budget.clone());
                tokio::spawn(async move {
                    let outcome = collect(&mut stream.recv, &mut assembly, &endpoint.receive, &budget).await;
                    deliver(&endpoint, number, stream, outcome.map(|reservation| (assembly, reservation)));
                    endpoint.ring();
                });
            }
        }
    }
}

struct Incoming {
    send: SendStream,
    recv: RecvStream,
    open: OpenStream,
}

/// Hands a frame or its fault to JavaScript, which then owns the call. A lost connection has told its own story.
fn deliver(
    endpoint: &Endpoint,
    connection: u32,
    stream: Incoming,
    outcome: Result<(Assembly, Reservation), ReceiveError>,
) {
    let Incoming { send, recv, open } = stream;
    match outcome {
        Ok((assembly, reservation)) => {
            let (kind, payload, rest) = assembly.into_parts();
            let call = endpoint.calls.add(Call { connection, send, recv, rest, open });
            endpoint.calls_received.fetch_add(1, Ordering::Relaxed);
            endpoint.push(|queue| queue.call(call, connection, kind, payload, reservation));
        }
        Err(ReceiveError::Broken(broken)) => {
            if broken.fault == Fault::BufferExhausted {
                endpoint.counts.frames_refused.fetch_add(1, Ordering::Relaxed);
            }
            let call = endpoint.calls.add(Call { connection, send, recv, rest: Vec::new(), open });
            endpoint.push(|queue| queue.call_fault(call, connection, broken));
        }
        Err(ReceiveError::Lost(_)) => {}
    }
}
