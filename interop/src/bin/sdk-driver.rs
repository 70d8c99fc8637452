// SPDX-License-Identifier: AGPL-3.0-or-later
// This file is part of runtara-interop, free software under the GNU Affero General Public License,
// version 3 or (at your option) any later version. See interop/LICENSE.

//! The original's SDK under a script: `sdk-driver ADDR INSTANCE TENANT`, one JSON object a line on stdin.
//!
//! `{"call":"attach"}` makes the SDK without contacting anybody, `{"call":"init","checkpointId"?}` also connects and
//! registers; one of them comes first. Then the SDK's methods by name (`checkpoint`, `get_checkpoint`, `sleep`, …), `checkpoint_big` with
//! `stateBytes` instead of a state, and
//! `{"call":"durable","key","fails","retries"}`: a `#[durable]` function that fails its first `fails` executions.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use runtara_interop::args::Args;
use runtara_interop::bytes::{pattern, to_hex};
use runtara_interop::instance_json::Fields;
use runtara_interop::script::run_lines;
use runtara_sdk::{
    CheckpointResult, RuntaraSdk, SdkConfig, SdkError, Signal, SignalType, StatusResponse, durable, register_sdk, sdk,
    try_sdk,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

type Outcome = Result<Value, Value>;

#[tokio::main]
async fn main() {
    let args = Args::from_env("usage: sdk-driver ADDR INSTANCE TENANT   (script on stdin)");
    let addr: SocketAddr = args.word(0, "ADDR");
    let instance: String = args.word(1, "INSTANCE");
    let tenant: String = args.word(2, "TENANT");
    let poll_ms = args.option("poll-ms", 1_u64);
    let heartbeat_ms = args.option("heartbeat-ms", 0_u64);
    run_lines(async |call| {
        let fields = Fields(&call);
        let name = fields.text("call");
        if try_sdk().is_none() {
            let config = SdkConfig::localhost(instance.clone(), tenant.clone())
                .with_server_addr(addr)
                .with_signal_poll_interval_ms(poll_ms)
                .with_heartbeat_interval_ms(heartbeat_ms);
            let made = RuntaraSdk::new(config).map_err(failed)?;
            return match name.as_str() {
                "attach" => {
                    register_sdk(made);
                    Ok(json!(true))
                }
                "init" => {
                    made.init(fields.optional_text("checkpointId").as_deref()).await.map_err(failed)?;
                    Ok(json!(true))
                }
                _ => Err(json!({"kind": "Script", "text": "attach or init comes first"})),
            };
        }
        if name == "durable" {
            return durable_call(&fields).await;
        }
        if name.starts_with("poll") || name.starts_with("check_") || name == "acknowledge_signal" {
            return signal_call(&name, &fields).await;
        }
        call_by_name(&name, &fields).await
    })
    .await;
}

async fn call_by_name(name: &str, fields: &Fields<'_>) -> Outcome {
    let mut sdk = sdk().lock().await;
    let id = fields.text("id");
    let bytes = |name: &str| fields.bytes(name).map_err(|text| json!({"kind": "Script", "text": text}));
    match name {
        "connect" => done(sdk.connect().await),
        "is_connected" => Ok(json!(sdk.is_connected().await)),
        "close" => {
            sdk.close().await;
            Ok(json!(true))
        }
        "register" => done(sdk.register(fields.optional_text("checkpointId").as_deref()).await),
        "is_registered" => Ok(json!(sdk.is_registered())),
        "checkpoint" => sdk.checkpoint(&id, &bytes("state")?).await.map(checkpoint_json).map_err(failed),
        "checkpoint_big" => big_checkpoint(&sdk, &id, fields.integer("stateBytes") as usize).await,
        "get_checkpoint" => sdk.get_checkpoint(&id).await.map(|state| json!(state.map(|s| to_hex(&s)))).map_err(failed),
        "sleep" => {
            let duration = Duration::from_millis(fields.integer("ms") as u64);
            done(sdk.sleep(duration, &id, &bytes("state")?).await)
        }
        "heartbeat" => done(sdk.heartbeat().await),
        "custom_event" => done(sdk.custom_event(&fields.text("subtype"), bytes("payload")?).await),
        "completed" => done(sdk.completed(&bytes("output")?).await),
        "failed" => done(sdk.failed(&fields.text("error")).await),
        "suspended" => done(sdk.suspended().await),
        "record_retry_attempt" => {
            let (attempt, error) = (fields.integer("attempt") as u32, fields.optional_text("error"));
            done(sdk.record_retry_attempt(&id, attempt, error.as_deref()).await)
        }
        "get_status" => sdk.get_status().await.map(status_json).map_err(failed),
        "get_instance_status" => sdk.get_instance_status(&id).await.map(status_json).map_err(failed),
        other => Err(json!({"kind": "Script", "text": format!("unknown call {other}")})),
    }
}

/// A patterned state of that size; whether what came back is the pattern.
async fn big_checkpoint(sdk: &RuntaraSdk, id: &str, bytes: usize) -> Outcome {
    let state = pattern(bytes);
    let result = sdk.checkpoint(id, &state).await.map_err(failed)?;
    Ok(json!({"found": result.found, "bytes": result.state.len(), "intact": result.state == state}))
}

async fn signal_call(name: &str, fields: &Fields<'_>) -> Outcome {
    let mut sdk = sdk().lock().await;
    match name {
        "poll_signal" => sdk.poll_signal().await.map(|signal| json!(signal.map(signal_json))).map_err(failed),
        "poll_signal_now" => sdk.poll_signal_now().await.map(|signal| json!(signal.map(signal_json))).map_err(failed),
        "check_cancelled" => done(sdk.check_cancelled().await),
        "check_paused" => done(sdk.check_paused().await),
        "acknowledge_signal" => {
            let signal_type = match fields.text("type").as_str() {
                "pause" => SignalType::Pause,
                "resume" => SignalType::Resume,
                _ => SignalType::Cancel,
            };
            done(sdk.acknowledge_signal(signal_type, fields.boolean("acknowledged")).await)
        }
        other => Err(json!({"kind": "Script", "text": format!("unknown call {other}")})),
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Answer {
    key: String,
    execution: u32,
}

/// How often each durable body has really run in this process.
static EXECUTIONS: Mutex<Option<HashMap<String, u32>>> = Mutex::new(None);

fn run_body(key: &str, fails: u32) -> Result<Answer, String> {
    let mut executions = EXECUTIONS.lock().map_err(|error| error.to_string())?;
    let execution = executions.get_or_insert_default().entry(key.to_owned()).or_insert(0);
    *execution += 1;
    if *execution <= fails {
        return Err(format!("execution {execution} fails as asked"));
    }
    Ok(Answer { key: key.to_owned(), execution: *execution })
}

#[durable(max_retries = 3, delay = 5)]
async fn flaky(key: String, fails: u32) -> Result<Answer, String> {
    run_body(&key, fails)
}

#[durable(max_retries = 0)]
async fn once(key: String, fails: u32) -> Result<Answer, String> {
    run_body(&key, fails)
}

async fn durable_call(fields: &Fields<'_>) -> Outcome {
    let (key, fails) = (fields.text("key"), fields.integer("fails") as u32);
    let result = if fields.boolean("retries") { flaky(key, fails).await } else { once(key, fails).await };
    result.map(|answer| json!(answer)).map_err(|text| json!({"kind": "Body", "text": text}))
}

fn done(result: Result<(), SdkError>) -> Outcome {
    result.map(|()| json!(true)).map_err(failed)
}

/// The variant's name and the error's text.
fn failed(error: SdkError) -> Value {
    let debug = format!("{error:?}");
    let kind: String = debug.chars().take_while(|c| c.is_alphanumeric()).collect();
    json!({"kind": kind, "text": error.to_string()})
}

fn checkpoint_json(result: CheckpointResult) -> Value {
    json!({
        "found": result.found,
        "state": to_hex(&result.state),
        "existingState": result.existing_state().map(to_hex),
        "shouldCancel": result.should_cancel(),
        "shouldPause": result.should_pause(),
        "shouldExit": result.should_exit(),
        "customSignal": result.custom_signal.map(|custom| {
            json!({"checkpointId": custom.checkpoint_id, "payload": to_hex(&custom.payload)})
        }),
        "pendingSignal": result.pending_signal.map(signal_json),
    })
}

fn signal_json(signal: Signal) -> Value {
    json!({
        "type": format!("{:?}", signal.signal_type).to_lowercase(),
        "payload": to_hex(&signal.payload),
        "checkpointId": signal.checkpoint_id,
    })
}

fn status_json(status: StatusResponse) -> Value {
    json!({
        "found": status.found,
        "status": format!("{:?}", status.status).to_lowercase(),
        "checkpointId": status.checkpoint_id,
        "output": status.output.map(|output| to_hex(&output)),
        "error": status.error,
    })
}
