// SPDX-License-Identifier: AGPL-3.0-or-later
// What our QuicServer answers in these tests: the TypeScript twin of src/bin/protocol-server.rs.
import { create, instance } from "@runtara/protocol";
import { utf8 } from "./bytes.ts";

type Request = instance.RpcRequest["request"];

/** The answer to one request; undefined = FIN without a frame. Every field that can be set is set. */
export function answerTo(request: Request) {
  switch (request.case) {
    case "registerInstance": {
      const success = request.value.instanceId !== "refused";
      return create(instance.RegisterInstanceResponseSchema, { success, error: success ? "" : "refused as asked" });
    }
    case "instanceEvent":
      return create(instance.InstanceEventResponseSchema, { success: true });
    case "getInstanceStatus":
      return create(instance.GetInstanceStatusResponseSchema, {
        instanceId: request.value.instanceId,
        status: instance.InstanceStatus.STATUS_FAILED,
        checkpointId: "last",
        startedAtMs: 1_763_760_000_123n,
        finishedAtMs: -1n,
        output: Uint8Array.of(0, 255, 1),
        error: "",
      });
    case "checkpoint":
      return create(instance.CheckpointResponseSchema, {
        found: true,
        state: request.value.state,
        pendingSignal: signal(request.value.instanceId, instance.SignalType.SIGNAL_PAUSE, "pause"),
        customSignal: custom(request.value.checkpointId),
      });
    case "getCheckpoint":
      return create(instance.GetCheckpointResponseSchema, { found: true, state: utf8(request.value.checkpointId) });
    case "pollSignals": {
      const { instanceId, checkpointId } = request.value;
      return create(instance.PollSignalsResponseSchema, {
        signal: signal(instanceId, instance.SignalType.SIGNAL_CANCEL, "why"),
        ...(checkpointId !== undefined && { customSignal: custom(checkpointId) }),
      });
    }
    case "sleep":
      return create(instance.SleepResponseSchema);
    default:
      return undefined;
  }
}

function signal(instanceId: string, signalType: instance.SignalType, payload: string): instance.Signal {
  return create(instance.SignalSchema, { instanceId, signalType, payload: utf8(payload) });
}

function custom(checkpointId: string): instance.CustomSignal {
  return create(instance.CustomSignalSchema, { checkpointId, payload: utf8("custom") });
}

/** Whom a request is for; for a batch the first event's instance. */
export function instanceIdOf(request: Request): string {
  if (request.case === undefined) return "";
  if (request.case === "instanceEventBatch") return request.value.events[0]?.instanceId ?? "";
  return "instanceId" in request.value ? request.value.instanceId : "";
}
