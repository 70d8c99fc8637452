// SPDX-License-Identifier: AGPL-3.0-or-later
// This file is part of runtara-interop, free software under the GNU Affero General Public License,
// version 3 or (at your option) any later version. See interop/LICENSE.

//! The original's server with the smallest handler: `original-echo ADDR`.
//!
//! Answers each PollSignals with a CANCEL signal for the asked instance, everything else with an error.

use std::net::SocketAddr;

use runtara_interop::args::Args;
use runtara_interop::serving::serve_until_told;
use runtara_protocol::frame::Frame;
use runtara_protocol::instance_proto::{
    PollSignalsResponse, RpcError, RpcRequest, RpcResponse, Signal, SignalType, rpc_request, rpc_response,
};
use runtara_protocol::server::{ConnectionHandler, ServerError, StreamHandler};

#[tokio::main]
async fn main() {
    let args = Args::from_env("usage: original-echo ADDR");
    let addr: SocketAddr = args.word(0, "ADDR");
    serve_until_told(addr, "ready", serve_connection).await
}

async fn serve_connection(connection: ConnectionHandler) {
    connection
        .run(|stream| async move {
            if let Err(error) = answer(stream).await {
                eprintln!("stream failed: {error}");
            }
        })
        .await;
}

async fn answer(mut stream: StreamHandler) -> Result<(), ServerError> {
    let request: RpcRequest = stream.read_frame().await?.decode()?;
    let response = match request.request {
        Some(rpc_request::Request::PollSignals(poll)) => rpc_response::Response::PollSignals(PollSignalsResponse {
            signal: Some(Signal {
                instance_id: poll.instance_id,
                signal_type: SignalType::SignalCancel as i32,
                payload: Vec::new(),
            }),
            custom_signal: None,
        }),
        _ => rpc_response::Response::Error(RpcError {
            code: "UNSUPPORTED".to_owned(),
            message: "this server answers PollSignals only".to_owned(),
        }),
    };
    stream.write_frame(&Frame::response(&RpcResponse { response: Some(response) })?).await?;
    stream.finish()
}
