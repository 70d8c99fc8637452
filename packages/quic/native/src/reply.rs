//! Server: calls that wait for their answer, and the answers.

use std::sync::{Arc, atomic::Ordering};

use bytes::Bytes;
use quinn::{RecvStream, SendStream, VarInt};

use crate::{
    command::Command,
    endpoint::Endpoint,
    events::EventKind,
    grant::OpenStream,
    limits,
    send::{Unfinished, Written, write_ready},
    stream::RawStream,
};

/// Both ends of a stream whose first frame has come, or failed to.
#[derive(Debug)]
pub struct Call {
    pub connection: u32,
    pub send: SendStream,
    pub recv: RecvStream,
    /// What came behind the frame; only raw streams look at it.
    pub rest: Vec<Bytes>,
    /// Counts it among the streams that its connection has open.
    pub open: OpenStream,
}

/// Writes one frame and ends the stream. Dropping Quinn's halves does the rest: the send half finishes, the receive
/// half sends STOP_SENDING 0 unless the peer's FIN has come. A peer that has gone away is no error.
pub fn respond(endpoint: &Endpoint, command: Command<'_>) {
    let Some(mut call) = endpoint.calls.take(command.subject) else { return };
    let written = write_ready(&mut call.send, command);
    let Call { connection, mut send, mut recv, open, .. } = call;
    match written {
        Written::All | Written::Failed => {
            drop(send);
            open.end(&mut recv);
        }
        Written::Rest(pieces) => {
            let bytes = pieces.iter().map(Bytes::len).sum();
            let Some(mut waiting) = endpoint.unsent.admit(connection, bytes) else {
                endpoint.counts.answers_refused.fetch_add(1, Ordering::Relaxed);
                // It fails only if the peer has stopped the stream already.
                let _ = send.reset(VarInt::from_u32(limits::UNREAD_CODE));
                return open.end(&mut recv);
            };
            shed(endpoint);
            tokio::spawn(async move {
                let _ = Unfinished::new(send).write_all(pieces, |bytes| waiting.sent(bytes)).await;
                open.end(&mut recv);
            });
        }
    }
}

/// Closes the connections that hold most until there is room for the others.
fn shed(endpoint: &Endpoint) {
    while let Some(number) = endpoint.unsent.shed() {
        endpoint.counts.connections_shed.fetch_add(1, Ordering::Relaxed);
        if let Some(connection) = endpoint.connections.get(number) {
            connection.close(VarInt::from_u32(limits::UNREAD_CODE), b"too many answers wait unread");
        }
    }
}

/// Ends the stream without a byte.
pub fn finish(endpoint: &Endpoint, call: u32) {
    let Some(Call { send, mut recv, open, .. }) = endpoint.calls.take(call) else { return };
    drop(send);
    open.end(&mut recv);
}

pub fn reset(endpoint: &Endpoint, call: u32, code: VarInt) {
    let Some(Call { mut send, mut recv, open, .. }) = endpoint.calls.take(call) else { return };
    // Each fails only if that side has ended already.
    let _ = send.reset(code);
    open.end(&mut recv);
    let _ = recv.stop(code);
}

/// Tells JavaScript once the peer no longer wants the answer or the connection has gone.
pub fn watch(endpoint: &Arc<Endpoint>, number: u32) {
    let Some(stopped) = endpoint.calls.with(number, |call| call.send.stopped()) else {
        return endpoint.tell(|queue| queue.note(EventKind::CallAborted, number, 0));
    };
    let endpoint = endpoint.clone();
    tokio::spawn(async move {
        // `Ok(None)` means that the answer was delivered.
        if !matches!(stopped.await, Ok(None)) {
            endpoint.tell(|queue| queue.note(EventKind::CallAborted, number, 0));
        }
    });
}

/// Goes on with the stream's raw bytes under the same number.
pub fn upgrade(endpoint: &Arc<Endpoint>, number: u32) {
    let Some(Call { connection, send, recv, rest, open }) = endpoint.calls.take(number) else { return };
    RawStream { number, connection, send, recv, rest, open: Some(open) }.start(endpoint);
}
