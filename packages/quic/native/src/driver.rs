//! The task of an endpoint: starts it, then carries out what JavaScript submits, batch by batch.

use std::sync::Arc;

use quinn::VarInt;
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{Instant, sleep},
};

use crate::{
    client::{self, Client},
    command::{Batch, Command, Operation},
    endpoint::Endpoint,
    events::EventKind,
    limits,
    options::{ConnectOptions, ListenOptions},
    reply, server, socket,
    stream::Outgoing,
};

pub type Inbox = UnboundedReceiver<Batch>;

/// How an endpoint ends: code, reason, and whether JavaScript waits to hear of it.
struct Ending {
    code: VarInt,
    reason: Vec<u8>,
}

impl Ending {
    /// JavaScript has let go of the endpoint.
    fn dropped() -> Self {
        Self { code: VarInt::from_u32(0), reason: Vec::new() }
    }
}

pub async fn run_server(endpoint: Arc<Endpoint>, mut inbox: Inbox, options: ListenOptions) {
    let listener = match server::listen(&endpoint, options).await {
        Ok(listener) => listener,
        Err(failure) => return endpoint.tell(|queue| queue.failure(EventKind::EndpointFailed, 0, &failure)),
    };
    let ending = loop {
        let Some(batch) = inbox.recv().await else { break Ending::dropped() };
        let mut ending = None;
        batch.for_each(|command| carry_out(&endpoint, command, None, &mut ending));
        if let Some(ending) = ending {
            break ending;
        }
    };
    listener.close(&endpoint, ending.code, &ending.reason).await;
    endpoint.tell(|queue| queue.note(EventKind::EndpointClosed, 0, 0));
}

pub async fn run_client(endpoint: Arc<Endpoint>, mut inbox: Inbox, options: ConnectOptions) {
    let mut dialled = None;
    let connected = tokio::select! {
        biased;
        connected = client::connect(&endpoint, options, &mut dialled) => Some(connected),
        () = given_up(&mut inbox) => None,
    };
    let mut client = match connected {
        Some(Ok(client)) => client,
        failed => {
            if let Some(Err(failure)) = failed {
                endpoint.tell(|queue| queue.failure(EventKind::EndpointFailed, 0, &failure));
            }
            return socket::abandon(dialled).await;
        }
    };
    let mut probe = client.probe();
    let ending = loop {
        let mut ending = None;
        let is_owed = endpoint.pending.len() > 0;
        tokio::select! {
            biased;
            batch = inbox.recv() => match batch {
                None => break Ending::dropped(),
                Some(batch) => {
                    probe.asked();
                    batch.for_each(|command| carry_out(&endpoint, command, Some(&mut client), &mut ending));
                }
            },
            opened = client.next_stream(), if client.is_waiting() => client.opened(&endpoint, opened),
            () = probe.due(), if is_owed => probe.look(client.connection()),
        }
        if let Some(ending) = ending {
            break ending;
        }
    };
    let datagrams = client.connection().stats().udp_tx.datagrams;
    client.connection().close(ending.code, &ending.reason);
    sent_more_than(datagrams, client.connection()).await;
    let error = client.connection().closed().await;
    client.opened(&endpoint, Err(error));
    endpoint.tell(|queue| queue.note(EventKind::EndpointClosed, 0, 0));
    drop(endpoint.streams.take_all());
    // Quinn answers late packets of the peer until the connection is drained.
    client.into_quic().wait_idle().await;
}

/// Resolves when JavaScript has let go of an endpoint that is still connecting, for which there are no commands.
async fn given_up(inbox: &mut Inbox) {
    while inbox.recv().await.is_some() {}
}

/// Waits until the close packet has been handed to the socket. Quinn does not count close frames, but it counts datagrams.
async fn sent_more_than(datagrams: u64, connection: &quinn::Connection) {
    let deadline = Instant::now() + limits::CLOSE_FLUSH_MAX;
    while connection.stats().udp_tx.datagrams == datagrams && Instant::now() < deadline {
        if connection.close_reason().is_some_and(|reason| reason != quinn::ConnectionError::LocallyClosed) {
            return;
        }
        tokio::task::yield_now().await;
        if connection.stats().udp_tx.datagrams == datagrams {
            sleep(limits::CLOSE_FLUSH_STEP).await;
        }
    }
}

fn carry_out(endpoint: &Arc<Endpoint>, command: Command<'_>, client: Option<&mut Client>, ending: &mut Option<Ending>) {
    let (subject, code) = (command.subject, command.code());
    match (command.operation, client) {
        (Operation::Respond, _) => reply::respond(endpoint, command),
        (Operation::Finish, _) => reply::finish(endpoint, subject),
        (Operation::Reset, _) => reply::reset(endpoint, subject, code),
        (Operation::Watch, _) => reply::watch(endpoint, subject),
        (Operation::Upgrade, _) => reply::upgrade(endpoint, subject),
        (Operation::StreamWrite, _) => {
            let outgoing = Outgoing::Pieces(command.value.into_pieces());
            endpoint.streams.with(subject, |stream| stream.write(outgoing));
        }
        (Operation::StreamFinish, _) => {
            endpoint.streams.with(subject, |stream| stream.write(Outgoing::Finish));
        }
        (Operation::StreamReset, _) => {
            endpoint.streams.with(subject, |stream| stream.reset(code));
        }
        (Operation::StreamStop, _) => {
            endpoint.streams.with(subject, |stream| stream.stop(code));
        }
        (Operation::StreamCredit, _) => {
            endpoint.streams.with(subject, |stream| stream.grant(command.low));
        }
        (Operation::Call | Operation::Send | Operation::OpenStream, Some(client)) => client.open(endpoint, command),
        (Operation::Rebind, Some(client)) => client.rebind(endpoint, subject),
        (Operation::Cancel, Some(client)) => client.cancel(endpoint, subject),
        (Operation::ConnectionClose, _) => {
            if let Some(connection) = endpoint.connections.get(subject) {
                connection.close(code, &command.value.into_vec());
            }
        }
        (Operation::EndpointClose, _) => *ending = Some(Ending { code, reason: command.value.into_vec() }),
        // A server opens no streams.
        (Operation::Call | Operation::Send | Operation::OpenStream | Operation::Cancel | Operation::Rebind, None) => {}
    }
}
