//! The functions that JavaScript sees; src/native.ts lists the same ones in the same order.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use napi::{
    Env, Error, Result, Status,
    bindgen_prelude::{BufferSlice, External, Function, Uint8ArraySlice},
};
use napi_derive::napi;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{
    certificate::{self, CertificateOptions},
    client::CONNECTION,
    command::{Batch, COMMAND_WORDS, Value, pieces},
    driver,
    endpoint::{Bell, Endpoint},
    events::RECORD_WORDS,
    limits,
    options::{ConnectOptions, FrameOptions, ListenOptions, TransportOptions},
    runtime,
    stand_in::{Pace, StandIn},
    table::lock,
};

const WORD_BYTES: usize = size_of::<u32>();

/// One endpoint as JavaScript holds it. When it goes, the endpoint closes.
pub struct Handle {
    endpoint: Arc<Endpoint>,
    inbox: Mutex<Option<UnboundedSender<Batch>>>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.endpoint.silence();
    }
}

#[napi(object)]
pub struct EndpointStats {
    pub connections: u32,
    pub open_calls: u32,
    pub open_streams: u32,
    pub calls_received: u32,
    pub udp_receive_buffer_bytes: u32,
    pub udp_send_buffer_bytes: u32,
    pub pending_handshakes: u32,
    pub buffered_bytes: f64,
    pub connections_refused: f64,
    pub handshakes_dropped: f64,
    pub handshakes_retried: f64,
    pub handshakes_timed_out: f64,
    pub handshakes_failed: f64,
    pub frames_refused: f64,
    pub unsent_bytes: f64,
    pub answers_refused: f64,
    pub connections_shed: f64,
}

#[napi(object)]
pub struct ConnectionStats {
    pub remote_address: String,
    pub rtt_us: f64,
    pub congestion_window_bytes: f64,
    pub bytes_sent: f64,
    pub bytes_received: f64,
    pub packets_sent: f64,
    pub packets_lost: f64,
    pub calls_in_flight: u32,
}

/// Certificate and key as PEM.
#[napi(catch_unwind)]
pub fn generate_self_signed(names: Vec<String>) -> Result<Vec<String>> {
    certificate::generate_self_signed(names).map(Vec::from).map_err(invalid)
}

/// Certificate and key as PEM.
#[napi(catch_unwind)]
pub fn generate_certificate(options: CertificateOptions) -> Result<Vec<String>> {
    certificate::generate(options).map(Vec::from).map_err(invalid)
}

#[napi(catch_unwind)]
pub fn server_listen(options: ListenOptions, ready: Function<'_, (), ()>) -> Result<External<Handle>> {
    let runtime = runtime::handle()?;
    let (handle, inbox) = new_endpoint(&options.frame, &options.transport, ready)?;
    let endpoint = handle.endpoint.clone();
    let _entered = runtime.enter();
    endpoint.supervise(driver::run_server(endpoint.clone(), inbox, options));
    Ok(External::new(handle))
}

/// For the handshakes that begin from now on. `false` when the endpoint does not listen.
#[napi(catch_unwind)]
pub fn server_set_certificate(handle: &External<Handle>, cert_pem: String, key_pem: String) -> Result<bool> {
    let key = certificate::certified_key(&cert_pem, &key_pem).map_err(|failure| invalid(failure.text))?;
    let shown = handle.endpoint.certificate.get();
    Ok(shown.map(|shown| shown.set(key)).is_some())
}

#[napi(catch_unwind)]
pub fn client_connect(options: ConnectOptions, ready: Function<'_, (), ()>) -> Result<External<Handle>> {
    let runtime = runtime::handle()?;
    let (handle, inbox) = new_endpoint(&options.frame, &options.transport, ready)?;
    let endpoint = handle.endpoint.clone();
    let _entered = runtime.enter();
    endpoint.supervise(driver::run_client(endpoint.clone(), inbox, options));
    Ok(External::new(handle))
}

/// Takes a tick's commands. Everything is copied before it returns, so the arrays may be used again.
#[napi(catch_unwind)]
pub fn endpoint_submit(
    handle: &External<Handle>,
    records: &[u32],
    count: u32,
    slab: &[u8],
    slab_bytes: u32,
    large: Option<Vec<Uint8ArraySlice<'_>>>,
) -> Result<()> {
    let records = records.get(..count as usize * COMMAND_WORDS).ok_or_else(out_of_bounds)?;
    let slab = slab.get(..slab_bytes as usize).ok_or_else(out_of_bounds)?;
    let large = large.into_iter().flatten().map(|value| pieces(&value)).collect();
    if let Some(inbox) = lock(&handle.inbox).as_ref() {
        // An endpoint that has ended has told JavaScript so.
        let _ = inbox.send(Batch { records: records.to_vec(), slab: slab.to_vec(), large });
    }
    Ok(())
}

/// Writes the waiting events into `records`, the bytes of a Uint32Array: their count first, then record after record. If they do not fit, only the
/// count is written and nothing is taken. Returns the slab, or null if the events carry no bytes.
#[napi(catch_unwind)]
pub fn endpoint_drain<'env>(
    env: &'env Env,
    handle: &External<Handle>,
    mut records: BufferSlice<'_>,
) -> Result<Option<BufferSlice<'env>>> {
    let slab = handle.endpoint.drain(|queue| {
        let words = queue.records.len();
        let (count, room) = records.split_at_mut_checked(WORD_BYTES)?;
        count.copy_from_slice(&((words / RECORD_WORDS) as u32).to_ne_bytes());
        let room = room.get_mut(..words * WORD_BYTES)?;
        for (place, word) in room.chunks_exact_mut(WORD_BYTES).zip(&queue.records) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        queue.records.clear();
        if queue.slab.is_empty() {
            return None;
        }
        if queue.slab.len() > limits::SLAB_COPY_BYTES_MAX {
            return Some(BufferSlice::from_data(env, std::mem::take(&mut queue.slab)));
        }
        let copy = BufferSlice::copy_from(env, &queue.slab);
        queue.slab.clear();
        Some(copy)
    });
    slab.transpose()
}

/// The next value that was too large for the slab, in the order of the records.
#[napi(catch_unwind)]
pub fn endpoint_take_large<'env>(env: &'env Env, handle: &External<Handle>) -> Result<BufferSlice<'env>> {
    let value = handle.endpoint.take_large().ok_or_else(out_of_bounds)?;
    BufferSlice::from_data(env, Vec::from(value.bytes))
}

#[napi(catch_unwind)]
pub fn endpoint_stats(handle: &External<Handle>) -> EndpointStats {
    let endpoint = &handle.endpoint;
    let [receive, send] = endpoint.socket_buffers.get().copied().unwrap_or_default();
    let counts = &endpoint.counts;
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64;
    EndpointStats {
        connections: endpoint.connections.len() as u32,
        open_calls: endpoint.calls.len() as u32,
        open_streams: endpoint.streams.len() as u32,
        calls_received: endpoint.calls_received.load(Ordering::Relaxed),
        udp_receive_buffer_bytes: receive as u32,
        udp_send_buffer_bytes: send as u32,
        pending_handshakes: counts.handshakes.load(Ordering::Relaxed),
        buffered_bytes: endpoint.allowance.used_bytes() as f64,
        connections_refused: read(&counts.refused),
        handshakes_dropped: read(&counts.dropped),
        handshakes_retried: read(&counts.retried),
        handshakes_timed_out: read(&counts.timed_out),
        handshakes_failed: read(&counts.failed),
        frames_refused: read(&counts.frames_refused),
        unsent_bytes: endpoint.unsent.bytes() as f64,
        answers_refused: read(&counts.answers_refused),
        connections_shed: read(&counts.connections_shed),
    }
}

/// Null when the connection has ended. A client has its only connection under number 0.
#[napi(catch_unwind)]
pub fn connection_stats(handle: &External<Handle>, number: u32) -> Option<ConnectionStats> {
    let endpoint = &handle.endpoint;
    let connection = endpoint.connections.get(number)?;
    let stats = connection.stats();
    let calls = endpoint.pending.len() + endpoint.calls.count(|call| call.connection == number);
    Some(ConnectionStats {
        remote_address: connection.remote_address().to_string(),
        rtt_us: stats.path.rtt.as_micros() as f64,
        congestion_window_bytes: stats.path.cwnd as f64,
        bytes_sent: stats.udp_tx.bytes as f64,
        bytes_received: stats.udp_rx.bytes as f64,
        packets_sent: stats.path.sent_packets as f64,
        packets_lost: stats.path.lost_packets as f64,
        calls_in_flight: calls as u32,
    })
}

/// From now on the frame is sent in JavaScript's place while that gives no sign of life, instead of what was given before; null = nothing is. In
/// milliseconds: how often, after how long a silence, and after how long no more. `false` when there is no connection.
#[napi(catch_unwind)]
pub fn connection_stand_in(
    handle: &External<Handle>,
    kind: u32,
    payload: Option<Uint8ArraySlice<'_>>,
    every_ms: u32,
    quiet_ms: u32,
    stop_ms: u32,
) -> Result<bool> {
    let endpoint = &handle.endpoint;
    let millis = |count: u32| Duration::from_millis(u64::from(count));
    let pace = Pace { every: millis(every_ms.max(1)), quiet: millis(quiet_ms), stop: millis(stop_ms) };
    let runtime = runtime::handle()?;
    let connection = endpoint.connections.get(CONNECTION);
    let is_open = connection.is_some();
    let started = connection.zip(payload).map(|(connection, payload)| {
        let frame = Value::Large(pieces(&payload)).into_frame(kind as u16);
        StandIn::start(&runtime, connection, frame, pace)
    });
    *lock(&endpoint.stand_in) = started;
    Ok(is_open)
}

/// JavaScript's sign of life; nothing happens where nothing stands in for it.
#[napi(catch_unwind)]
pub fn connection_sign(handle: &External<Handle>) {
    if let Some(stand_in) = lock(&handle.endpoint.stand_in).as_ref() {
        stand_in.sign();
    }
}

/// Ends the endpoint if it has not ended yet; the callback is not called again. Calling it twice does nothing.
#[napi(catch_unwind)]
pub fn endpoint_dispose(handle: &External<Handle>) {
    handle.endpoint.silence();
    lock(&handle.inbox).take();
}

fn new_endpoint(
    frame: &FrameOptions,
    transport: &TransportOptions,
    ready: Function<'_, (), ()>,
) -> Result<(Handle, UnboundedReceiver<Batch>)> {
    let bell: Bell = ready.build_threadsafe_function::<()>().weak::<true>().callee_handled::<false>().build()?;
    let endpoint = Endpoint::new(bell, frame, transport.window_bytes());
    let (sender, inbox) = unbounded_channel();
    Ok((Handle { endpoint, inbox: Mutex::new(Some(sender)) }, inbox))
}

fn invalid(error: impl ToString) -> Error {
    Error::new(Status::InvalidArg, error.to_string())
}

fn out_of_bounds() -> Error {
    Error::new(Status::InvalidArg, "the two sides of the bridge disagree about a length")
}
