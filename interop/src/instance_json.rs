// SPDX-License-Identifier: AGPL-3.0-or-later
// This file is part of runtara-interop, free software under the GNU Affero General Public License,
// version 3 or (at your option) any later version. See interop/LICENSE.

//! The messages of the instance protocol as JSON, field by field, for scripts that drive a peer or read what it received.
//!
//! Names are camelCase, bytes hexadecimal, enums their numbers; an optional field that is absent has no member.

use runtara_protocol::instance_proto::{
    CheckpointRequest, CheckpointResponse, CustomSignal, GetCheckpointRequest, GetInstanceStatusRequest,
    GetInstanceStatusResponse, InstanceEvent, InstanceEventBatch, PollSignalsRequest, RegisterInstanceRequest,
    RetryAttemptEvent, RpcRequest, RpcResponse, Signal, SignalAck, SleepRequest, rpc_request::Request,
    rpc_response::Response,
};
use serde_json::{Value, json};

use crate::bytes::{from_hex, to_hex};

const SHOWN_BYTES_MAX: usize = 4096;

/// Builds a request from `{"<call>": {fields}}`.
pub fn request_from_json(value: &Value) -> Result<RpcRequest, String> {
    let object = value.as_object().ok_or("a request is an object with one member")?;
    let (call, fields) = object.iter().next().ok_or("a request is an object with one member")?;
    let fields = Fields(fields);
    let request = match call.as_str() {
        "registerInstance" => Request::RegisterInstance(RegisterInstanceRequest {
            instance_id: fields.text("instanceId"),
            tenant_id: fields.text("tenantId"),
            checkpoint_id: fields.optional_text("checkpointId"),
        }),
        "checkpoint" => Request::Checkpoint(CheckpointRequest {
            instance_id: fields.text("instanceId"),
            checkpoint_id: fields.text("checkpointId"),
            state: fields.bytes("state")?,
        }),
        "getCheckpoint" => Request::GetCheckpoint(GetCheckpointRequest {
            instance_id: fields.text("instanceId"),
            checkpoint_id: fields.text("checkpointId"),
        }),
        "sleep" => Request::Sleep(SleepRequest {
            instance_id: fields.text("instanceId"),
            duration_ms: fields.integer("durationMs") as u64,
            checkpoint_id: fields.text("checkpointId"),
            state: fields.bytes("state")?,
        }),
        "instanceEvent" => Request::InstanceEvent(event_from_json(&fields)?),
        "instanceEventBatch" => Request::InstanceEventBatch(InstanceEventBatch {
            events: fields.list("events").map(|event| event_from_json(&Fields(event))).collect::<Result<_, _>>()?,
        }),
        "getInstanceStatus" => {
            Request::GetInstanceStatus(GetInstanceStatusRequest { instance_id: fields.text("instanceId") })
        }
        "pollSignals" => Request::PollSignals(PollSignalsRequest {
            instance_id: fields.text("instanceId"),
            checkpoint_id: fields.optional_text("checkpointId"),
        }),
        "signalAck" => Request::SignalAck(SignalAck {
            instance_id: fields.text("instanceId"),
            signal_type: fields.integer("signalType") as i32,
            acknowledged: fields.boolean("acknowledged"),
        }),
        "retryAttempt" => Request::RetryAttempt(RetryAttemptEvent {
            instance_id: fields.text("instanceId"),
            checkpoint_id: fields.text("checkpointId"),
            attempt_number: fields.integer("attemptNumber") as u32,
            timestamp_ms: fields.integer("timestampMs"),
            error_message: fields.optional_text("errorMessage"),
        }),
        other => return Err(format!("no call is named {other}")),
    };
    Ok(RpcRequest { request: Some(request) })
}

fn event_from_json(fields: &Fields) -> Result<InstanceEvent, String> {
    Ok(InstanceEvent {
        instance_id: fields.text("instanceId"),
        event_type: fields.integer("eventType") as i32,
        checkpoint_id: fields.optional_text("checkpointId"),
        payload: fields.bytes("payload")?,
        timestamp_ms: fields.integer("timestampMs"),
        subtype: fields.optional_text("subtype"),
    })
}

/// The counterpart of [`request_from_json`], with every field present. Bytes over 4 KiB show as `<N bytes>`.
pub fn request_to_json(request: &RpcRequest) -> Value {
    match &request.request {
        None => json!({}),
        Some(Request::RegisterInstance(m)) => json!({"registerInstance": with_optional(
            json!({"instanceId": m.instance_id, "tenantId": m.tenant_id}), "checkpointId", &m.checkpoint_id)}),
        Some(Request::Checkpoint(m)) => json!({"checkpoint": {
            "instanceId": m.instance_id, "checkpointId": m.checkpoint_id, "state": shown(&m.state)}}),
        Some(Request::GetCheckpoint(m)) => {
            json!({"getCheckpoint": {"instanceId": m.instance_id, "checkpointId": m.checkpoint_id}})
        }
        Some(Request::Sleep(m)) => json!({"sleep": {"instanceId": m.instance_id, "durationMs": m.duration_ms,
            "checkpointId": m.checkpoint_id, "state": shown(&m.state)}}),
        Some(Request::InstanceEvent(m)) => json!({"instanceEvent": event_to_json(m)}),
        Some(Request::InstanceEventBatch(m)) => {
            json!({"instanceEventBatch": {"events": m.events.iter().map(event_to_json).collect::<Vec<_>>()}})
        }
        Some(Request::GetInstanceStatus(m)) => json!({"getInstanceStatus": {"instanceId": m.instance_id}}),
        Some(Request::PollSignals(m)) => json!({"pollSignals":
            with_optional(json!({"instanceId": m.instance_id}), "checkpointId", &m.checkpoint_id)}),
        Some(Request::SignalAck(m)) => json!({"signalAck": {
            "instanceId": m.instance_id, "signalType": m.signal_type, "acknowledged": m.acknowledged}}),
        Some(Request::RetryAttempt(m)) => json!({"retryAttempt": with_optional(
            json!({"instanceId": m.instance_id, "checkpointId": m.checkpoint_id,
                "attemptNumber": m.attempt_number, "timestampMs": m.timestamp_ms}),
            "errorMessage", &m.error_message)}),
    }
}

fn event_to_json(m: &InstanceEvent) -> Value {
    let event = json!({"instanceId": m.instance_id, "eventType": m.event_type, "payload": shown(&m.payload),
        "timestampMs": m.timestamp_ms});
    with_optional(with_optional(event, "checkpointId", &m.checkpoint_id), "subtype", &m.subtype)
}

fn shown(bytes: &[u8]) -> String {
    if bytes.len() > SHOWN_BYTES_MAX { format!("<{} bytes>", bytes.len()) } else { to_hex(bytes) }
}

/// A response as `{"<call>": {fields}}`, or `{}` when the envelope is empty.
pub fn response_to_json(response: &RpcResponse) -> Value {
    match &response.response {
        None => json!({}),
        Some(Response::RegisterInstance(m)) => json!({"registerInstance": {"success": m.success, "error": m.error}}),
        Some(Response::Sleep(_)) => json!({"sleep": {}}),
        Some(Response::InstanceEvent(m)) => {
            json!({"instanceEvent": with_optional(json!({"success": m.success}), "error", &m.error)})
        }
        Some(Response::GetInstanceStatus(m)) => json!({"getInstanceStatus": status_to_json(m)}),
        Some(Response::Checkpoint(m)) => json!({"checkpoint": checkpoint_to_json(m)}),
        Some(Response::GetCheckpoint(m)) => json!({"getCheckpoint": {"found": m.found, "state": to_hex(&m.state)}}),
        Some(Response::PollSignals(m)) => {
            json!({"pollSignals": with_signals(json!({}), ("signal", &m.signal), &m.custom_signal)})
        }
        Some(Response::Error(m)) => json!({"error": {"code": m.code, "message": m.message}}),
    }
}

fn status_to_json(m: &GetInstanceStatusResponse) -> Value {
    let mut value = json!({"instanceId": m.instance_id, "status": m.status, "startedAtMs": m.started_at_ms});
    if let Some(finished_at_ms) = m.finished_at_ms {
        value["finishedAtMs"] = json!(finished_at_ms);
    }
    if let Some(output) = &m.output {
        value["output"] = json!(to_hex(output));
    }
    with_optional(with_optional(value, "checkpointId", &m.checkpoint_id), "error", &m.error)
}

fn checkpoint_to_json(m: &CheckpointResponse) -> Value {
    let value = json!({"found": m.found, "state": to_hex(&m.state)});
    with_signals(value, ("pendingSignal", &m.pending_signal), &m.custom_signal)
}

fn with_signals(mut value: Value, signal: (&str, &Option<Signal>), custom: &Option<CustomSignal>) -> Value {
    if let (name, Some(signal)) = signal {
        value[name] = json!({"instanceId": signal.instance_id, "signalType": signal.signal_type,
            "payload": to_hex(&signal.payload)});
    }
    if let Some(custom) = custom {
        value["customSignal"] = json!({"checkpointId": custom.checkpoint_id, "payload": to_hex(&custom.payload)});
    }
    value
}

fn with_optional(mut value: Value, name: &str, text: &Option<String>) -> Value {
    if let Some(text) = text {
        value[name] = json!(text);
    }
    value
}

/// Members of a JSON object; what is absent is the type's default, as on the wire.
pub struct Fields<'a>(pub &'a Value);

impl<'a> Fields<'a> {
    pub fn text(&self, name: &str) -> String {
        self.optional_text(name).unwrap_or_default()
    }

    pub fn optional_text(&self, name: &str) -> Option<String> {
        self.0[name].as_str().map(str::to_owned)
    }

    pub fn bytes(&self, name: &str) -> Result<Vec<u8>, String> {
        from_hex(self.0[name].as_str().unwrap_or(""))
    }

    pub fn integer(&self, name: &str) -> i64 {
        self.0[name].as_i64().unwrap_or(0)
    }

    pub fn boolean(&self, name: &str) -> bool {
        self.0[name].as_bool().unwrap_or(false)
    }

    fn list(&self, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
        self.0[name].as_array().map(|items| items.iter()).unwrap_or_default()
    }
}
