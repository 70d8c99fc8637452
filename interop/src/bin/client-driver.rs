// SPDX-License-Identifier: AGPL-3.0-or-later
// This file is part of runtara-interop, free software under the GNU Affero General Public License,
// version 3 or (at your option) any later version. See interop/LICENSE.

//! The original's client under a script: `client-driver ADDR`, one JSON object a line on stdin.
//!
//! `{"do":"connect"}` · `{"do":"isConnected"}` · `{"do":"close"}` ·
//! `{"do":"request","request":{"<call>":{…}}}` · `{"do":"fireAndForget","request":{…}}` ·
//! `{"do":"big","bytes":N}`: a checkpoint with N patterned bytes, which the server is to send back ·
//! `{"do":"burst","calls":N}`: N PollSignals at once, each of whose answers must carry its own instance id ·
//! `{"do":"raw","request":{…},"bytes":N}`: request frame and N patterned bytes on one stream, then all that comes back.

use std::net::SocketAddr;
use std::sync::Arc;

use runtara_interop::args::{Args, fail};
use runtara_interop::bytes::pattern;
use runtara_interop::instance_json::{Fields, request_from_json, response_to_json};
use runtara_interop::script::run_lines;
use runtara_protocol::RuntaraClient;
use runtara_protocol::client::RuntaraClientConfig;
use runtara_protocol::frame::Frame;
use runtara_protocol::instance_proto::{
    CheckpointRequest, PollSignalsRequest, RpcRequest, RpcResponse, rpc_request::Request, rpc_response::Response,
};
use serde_json::{Value, json};

const RAW_ANSWER_BYTES_MAX: usize = 128 << 20;

#[tokio::main]
async fn main() {
    let args = Args::from_env("usage: client-driver ADDR   (script on stdin)");
    let config = RuntaraClientConfig {
        server_addr: args.word::<SocketAddr>(0, "ADDR"),
        dangerous_skip_cert_verification: true,
        ..RuntaraClientConfig::default()
    };
    let client = match RuntaraClient::new(config) {
        Ok(client) => Arc::new(client),
        Err(error) => fail(&format!("client: {error}")),
    };
    run_lines(async |call| perform(&client, &call).await.map_err(|text| json!({"kind": "Client", "text": text}))).await;
    client.close().await;
}

async fn perform(client: &Arc<RuntaraClient>, call: &Value) -> Result<Value, String> {
    let fields = Fields(call);
    match fields.text("do").as_str() {
        "connect" => client.connect().await.map(|_| json!(true)).map_err(|error| error.to_string()),
        "isConnected" => Ok(json!(client.is_connected().await)),
        "close" => {
            client.close().await;
            Ok(json!(true))
        }
        "request" => ask(client, &request_from_json(&call["request"])?).await.map(|answer| response_to_json(&answer)),
        "fireAndForget" => {
            let request = request_from_json(&call["request"])?;
            client.send_fire_and_forget(&request).await.map(|()| json!(true)).map_err(|error| error.to_string())
        }
        "big" => big(client, fields.integer("bytes") as usize).await,
        "burst" => burst(client, fields.integer("calls")).await,
        "raw" => raw(client, &request_from_json(&call["request"])?, fields.integer("bytes") as usize).await,
        other => Err(format!("unknown: {other}")),
    }
}

async fn ask(client: &RuntaraClient, request: &RpcRequest) -> Result<RpcResponse, String> {
    client.request(request).await.map_err(|error| error.to_string())
}

async fn big(client: &RuntaraClient, bytes: usize) -> Result<Value, String> {
    let state = pattern(bytes);
    let request = Request::Checkpoint(CheckpointRequest {
        instance_id: "big".to_owned(),
        checkpoint_id: "big".to_owned(),
        state: state.clone(),
    });
    match ask(client, &RpcRequest { request: Some(request) }).await?.response {
        Some(Response::Checkpoint(answer)) => Ok(json!({"bytes": answer.state.len(), "intact": answer.state == state})),
        other => Err(format!("unexpected answer: {}", response_to_json(&RpcResponse { response: other }))),
    }
}

async fn burst(client: &Arc<RuntaraClient>, calls: i64) -> Result<Value, String> {
    let callers: Vec<_> = (0..calls)
        .map(|number| {
            let client = client.clone();
            tokio::spawn(async move {
                let instance_id = format!("burst-{number}");
                let poll = PollSignalsRequest { instance_id: instance_id.clone(), checkpoint_id: None };
                let answer = ask(&client, &RpcRequest { request: Some(Request::PollSignals(poll)) }).await?;
                match answer.response {
                    Some(Response::PollSignals(poll)) => Ok(poll.signal.is_some_and(|s| s.instance_id == instance_id)),
                    _ => Err("unexpected answer".to_owned()),
                }
            })
        })
        .collect();
    let mut right = 0;
    for caller in callers {
        right += i64::from(caller.await.map_err(|error| error.to_string())??);
    }
    Ok(json!({"calls": calls, "right": right}))
}

async fn raw(client: &RuntaraClient, request: &RpcRequest, bytes: usize) -> Result<Value, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let frame = Frame::request(request).map_err(|error| text(&error))?;
    let (mut send, mut receive) = client.open_raw_stream().await.map_err(|error| text(&error))?;
    let body = pattern(bytes);
    let sent = body.clone();
    let writer = tokio::spawn(async move {
        send.write_all(&frame.encode()).await.map_err(|error| error.to_string())?;
        send.write_all(&sent).await.map_err(|error| error.to_string())?;
        send.finish().map_err(|error| error.to_string())
    });
    let answer = receive.read_to_end(RAW_ANSWER_BYTES_MAX).await.map_err(|error| text(&error))?;
    writer.await.map_err(|error| text(&error))??;
    let first = Frame::decode_from_bytes(answer.clone().into()).map_err(|error| text(&error))?;
    let response: RpcResponse = first.decode().map_err(|error| text(&error))?;
    let rest = &answer[first.encode().len()..];
    Ok(json!({"response": response_to_json(&response), "bytes": rest.len(), "intact": rest == body}))
}
