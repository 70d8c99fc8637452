// SPDX-License-Identifier: AGPL-3.0-or-later
// This file is part of runtara-interop, free software under the GNU Affero General Public License,
// version 3 or (at your option) any later version. See interop/LICENSE.

//! The original's server for a foreign client: `protocol-server ADDR`.
//!
//! Prints `ready ADDR`, then each request it received as a line of JSON. Answers, by call:
//! register: success, but refused for the instance `refused` · sleep: after the time · event: success ·
//! batch, ack, retry: FIN only · status: every field set · checkpoint: found, the sent state, a PAUSE signal and a custom
//! one · get: found, the checkpoint id's bytes, or N patterned bytes for the id `bytes:N` · poll: a CANCEL signal, and a
//! custom one if a checkpoint was named.
//! Whatever the call, some instance ids behave alike: `error` gets an RpcError, `silent` FIN without a frame,
//! `close` loses its connection (code 7, reason `told to`), `raw` gets its answer and then every byte it sends after its
//! request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use runtara_interop::args::Args;
use runtara_interop::bytes::pattern;
use runtara_interop::instance_json::request_to_json;
use runtara_interop::serving::serve_until_told;
use runtara_protocol::frame::Frame;
use runtara_protocol::instance_proto::{
    CheckpointResponse, CustomSignal, GetCheckpointResponse, GetInstanceStatusResponse, InstanceEventResponse,
    InstanceStatus, PollSignalsResponse, RegisterInstanceResponse, RpcError, RpcRequest, RpcResponse, Signal,
    SignalType, SleepResponse, rpc_request::Request, rpc_response::Response,
};
use runtara_protocol::server::{ConnectionHandler, StreamHandler};

const RAW_BYTES_MAX: usize = 128 << 20;

#[tokio::main]
async fn main() {
    let args = Args::from_env("usage: protocol-server ADDR");
    let addr: SocketAddr = args.word(0, "ADDR");
    serve_until_told(addr, "ready", serve_connection).await
}

async fn serve_connection(connection: ConnectionHandler) {
    let connection = Arc::new(connection);
    let of_streams = connection.clone();
    connection
        .run(move |stream| {
            let connection = of_streams.clone();
            async move {
                if let Err(error) = serve_stream(&connection, stream).await {
                    println!("{}", serde_json::json!({"failed": error}));
                }
            }
        })
        .await;
}

async fn serve_stream(connection: &ConnectionHandler, mut stream: StreamHandler) -> Result<(), String> {
    let frame = stream.read_frame().await.map_err(|error| error.to_string())?;
    let request: RpcRequest = frame.decode().map_err(|error| error.to_string())?;
    println!("{}", request_to_json(&request));
    let request = request.request.ok_or("empty request")?;
    let instance_id = instance_id(&request).to_owned();
    if instance_id == "close" {
        connection.close(7, b"told to");
        return Ok(());
    }
    let response = if instance_id == "error" {
        let (code, message) = ("TOLD_TO".to_owned(), "the request asked for an error".to_owned());
        Some(Response::Error(RpcError { code, message }))
    } else if instance_id == "silent" {
        None
    } else {
        answer(request).await
    };
    if let Some(response) = response {
        let frame = Frame::response(&RpcResponse { response: Some(response) }).map_err(|error| error.to_string())?;
        stream.write_frame(&frame).await.map_err(|error| error.to_string())?;
    }
    if instance_id == "raw" {
        return echo_bytes(stream).await;
    }
    stream.finish().map_err(|error| error.to_string())
}

async fn echo_bytes(stream: StreamHandler) -> Result<(), String> {
    let (mut send, mut receive) = stream.into_framed().into_inner();
    let bytes = receive.read_to_end(RAW_BYTES_MAX).await.map_err(|error| error.to_string())?;
    send.write_all(&bytes).await.map_err(|error| error.to_string())?;
    send.finish().map_err(|error| error.to_string())
}

fn instance_id(request: &Request) -> &str {
    match request {
        Request::RegisterInstance(m) => &m.instance_id,
        Request::Sleep(m) => &m.instance_id,
        Request::InstanceEvent(m) => &m.instance_id,
        Request::InstanceEventBatch(m) => m.events.first().map_or("", |event| &event.instance_id),
        Request::GetInstanceStatus(m) => &m.instance_id,
        Request::Checkpoint(m) => &m.instance_id,
        Request::GetCheckpoint(m) => &m.instance_id,
        Request::PollSignals(m) => &m.instance_id,
        Request::SignalAck(m) => &m.instance_id,
        Request::RetryAttempt(m) => &m.instance_id,
    }
}

async fn answer(request: Request) -> Option<Response> {
    Some(match request {
        Request::RegisterInstance(m) => {
            let success = m.instance_id != "refused";
            let error = if success { String::new() } else { "refused as asked".to_owned() };
            Response::RegisterInstance(RegisterInstanceResponse { success, error })
        }
        Request::Sleep(m) => {
            tokio::time::sleep(Duration::from_millis(m.duration_ms)).await;
            Response::Sleep(SleepResponse {})
        }
        Request::InstanceEvent(_) => Response::InstanceEvent(InstanceEventResponse { success: true, error: None }),
        Request::InstanceEventBatch(_) | Request::SignalAck(_) | Request::RetryAttempt(_) => return None,
        Request::GetInstanceStatus(m) => Response::GetInstanceStatus(GetInstanceStatusResponse {
            instance_id: m.instance_id,
            status: InstanceStatus::StatusFailed as i32,
            checkpoint_id: Some("last".to_owned()),
            started_at_ms: 1_763_760_000_123,
            finished_at_ms: Some(-1),
            output: Some(vec![0, 255, 1]),
            error: Some(String::new()),
        }),
        Request::Checkpoint(m) => Response::Checkpoint(CheckpointResponse {
            found: true,
            state: m.state,
            pending_signal: Some(Signal {
                instance_id: m.instance_id,
                signal_type: SignalType::SignalPause as i32,
                payload: b"pause".to_vec(),
            }),
            custom_signal: Some(CustomSignal { checkpoint_id: m.checkpoint_id, payload: b"custom".to_vec() }),
        }),
        Request::GetCheckpoint(m) => Response::GetCheckpoint(GetCheckpointResponse {
            found: true,
            state: match m.checkpoint_id.strip_prefix("bytes:").and_then(|count| count.parse().ok()) {
                Some(count) => pattern(count),
                None => m.checkpoint_id.into_bytes(),
            },
        }),
        Request::PollSignals(m) => Response::PollSignals(PollSignalsResponse {
            signal: Some(Signal {
                instance_id: m.instance_id,
                signal_type: SignalType::SignalCancel as i32,
                payload: b"why".to_vec(),
            }),
            custom_signal: m
                .checkpoint_id
                .map(|checkpoint_id| CustomSignal { checkpoint_id, payload: b"custom".to_vec() }),
        }),
    })
}
