import type { RpcRequest, RpcResponse } from "../gen/runtara/instance/instance_pb.ts";
import { RpcRequestSchema, RpcResponseSchema } from "../gen/runtara/instance/instance_pb.ts";
import { defineProtocol, type Protocol } from "./protocol.ts";

/** Which answer each call gets (spec 2.1). */
export const instanceAnswers = {
  registerInstance: "registerInstance",
  sleep: "sleep",
  instanceEvent: "instanceEvent",
  instanceEventBatch: undefined,
  getInstanceStatus: "getInstanceStatus",
  checkpoint: "checkpoint",
  getCheckpoint: "getCheckpoint",
  pollSignals: "pollSignals",
  signalAck: undefined,
  retryAttempt: undefined,
} as const;

/** Package `runtara.instance`: a running instance and its core. */
export const instanceProtocol: Protocol<RpcRequest, RpcResponse> = defineProtocol({
  name: "instance",
  requestSchema: RpcRequestSchema,
  responseSchema: RpcResponseSchema,
  answers: instanceAnswers,
  waiting: ["sleep"],
  idempotent: ["registerInstance", "getInstanceStatus", "checkpoint", "getCheckpoint"],
});
