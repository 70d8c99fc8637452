// SPDX-License-Identifier: AGPL-3.0-or-later
// This file is part of runtara-interop, free software under the GNU Affero General Public License,
// version 3 or (at your option) any later version. See interop/LICENSE.

//! Streamed uploads between the original's client and server, without a disk: `upload serve ADDR`, and
//! `upload send --addr ADDR --bytes N`.
//!
//! `serve` prints `ready upload ADDR`, reads each RegisterImageStream's bytes in the original's own pieces, and answers with
//! their number as the image id. `send` writes N bytes in pieces of 64 KiB, as the original's management SDK does, and
//! prints one line of JSON.

use std::net::SocketAddr;
use std::time::Instant;

use runtara_interop::args::{Args, fail};
use runtara_interop::clock::cpu_seconds;
use runtara_interop::serving::serve_until_told;
use runtara_protocol::RuntaraClient;
use runtara_protocol::client::RuntaraClientConfig;
use runtara_protocol::environment_proto::{
    RegisterImageResponse, RegisterImageStreamStart, RpcRequest, RpcResponse, rpc_request::Request,
    rpc_response::Response,
};
use runtara_protocol::frame::Frame;
use runtara_protocol::server::{ConnectionHandler, StreamHandler};
use serde_json::json;

const USAGE: &str = "usage: upload serve ADDR | upload send --addr ADDR --bytes N";
const PIECE_BYTES: usize = 64 << 10;
const ANSWER_BYTES_MAX: usize = 1 << 20;

#[tokio::main]
async fn main() {
    let args = Args::from_env(USAGE);
    match args.word::<String>(0, "serve or send").as_str() {
        "serve" => serve_until_told(args.word(1, "ADDR"), "ready upload", serve_connection).await,
        "send" => {
            let addr = args.option("addr", SocketAddr::from(([127, 0, 0, 1], 8002)));
            match send(addr, args.option("bytes", 1_u64 << 30)).await {
                Ok(report) => println!("{report}"),
                Err(error) => fail(&error),
            }
        }
        _ => fail(USAGE),
    }
}

async fn serve_connection(connection: ConnectionHandler) {
    connection
        .run(|stream| async move {
            if let Err(error) = receive(stream).await {
                eprintln!("upload failed: {error}");
            }
        })
        .await;
}

async fn receive(mut stream: StreamHandler) -> Result<(), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let frame = stream.read_frame().await.map_err(|error| text(&error))?;
    let request: RpcRequest = frame.decode().map_err(|error| text(&error))?;
    let Some(Request::RegisterImageStream(_)) = request.request else {
        return Err("not an upload".to_owned());
    };
    let mut sink = tokio::io::sink();
    let count = stream.stream_to_writer(&mut sink, None).await.map_err(|error| text(&error))?;
    let answer = RegisterImageResponse { success: true, image_id: count.to_string(), ..Default::default() };
    let response = RpcResponse { response: Some(Response::RegisterImage(answer)) };
    let frame = Frame::response(&response).map_err(|error| text(&error))?;
    stream.write_frame(&frame).await.map_err(|error| text(&error))?;
    stream.finish().map_err(|error| text(&error))
}

async fn send(addr: SocketAddr, bytes: u64) -> Result<serde_json::Value, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let config = RuntaraClientConfig {
        server_addr: addr,
        dangerous_skip_cert_verification: true,
        ..RuntaraClientConfig::default()
    };
    let client = RuntaraClient::new(config).map_err(|error| text(&error))?;
    client.connect().await.map_err(|error| text(&error))?;
    let start = RegisterImageStreamStart {
        tenant_id: "bench".to_owned(),
        name: "upload".to_owned(),
        binary_size: bytes,
        ..Default::default()
    };
    let request = RpcRequest { request: Some(Request::RegisterImageStream(start)) };
    let frame = Frame::request(&request).map_err(|error| text(&error))?;
    let (mut send, mut receive) = client.open_raw_stream().await.map_err(|error| text(&error))?;
    let begin = Instant::now();
    let cpu_before = cpu_seconds();
    send.write_all(&frame.encode()).await.map_err(|error| text(&error))?;
    let piece = vec![0x5A; PIECE_BYTES];
    let mut left = bytes;
    while left > 0 {
        let count = left.min(PIECE_BYTES as u64);
        send.write_all(&piece[..count as usize]).await.map_err(|error| text(&error))?;
        left -= count;
    }
    send.finish().map_err(|error| text(&error))?;
    let answer = receive.read_to_end(ANSWER_BYTES_MAX).await.map_err(|error| text(&error))?;
    let seconds = begin.elapsed().as_secs_f64();
    let frame = Frame::decode_from_bytes(answer.into()).map_err(|error| text(&error))?;
    let response: RpcResponse = frame.decode().map_err(|error| text(&error))?;
    client.close().await;
    match response.response {
        Some(Response::RegisterImage(answer)) if answer.image_id == bytes.to_string() => {
            Ok(json!({"bytes": bytes, "seconds": seconds, "cpuSeconds": cpu_seconds() - cpu_before}))
        }
        other => Err(format!("the server did not receive {bytes} bytes: {other:?}")),
    }
}
