import type { RpcRequest, RpcResponse } from "../gen/runtara/instance/instance_pb.ts";
import { RpcRequestSchema, RpcResponseSchema } from "../gen/runtara/instance/instance_pb.ts";
import { defineProtocol, type Protocol } from "../protocols/protocol.ts";

/** Which answer each call gets (spec 2.1); extensions behind the calls of 1.4.1. */
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
  checkpointBatch: "checkpointBatch",
  listOwnCheckpoints: "listOwnCheckpoints",
  waitSignals: "waitSignals",
  suspendUntil: "suspendUntil",
  startChild: "startChild",
  publish: "publish",
  checkpointBatches: "checkpointBatches",
  claimWork: "claimWork",
  renewLease: "renewLease",
  releaseWork: "releaseWork",
  management: "management",
} as const;

/** Package `runtara.instance`: a running instance and its core. */
export const instanceProtocol: Protocol<RpcRequest, RpcResponse> = defineProtocol({
  name: "instance",
  requestSchema: RpcRequestSchema,
  responseSchema: RpcResponseSchema,
  answers: instanceAnswers,
  // A management call may be one that waits; clients look into it.
  waiting: ["sleep", "waitSignals", "claimWork", "management"],
  // Not waitSignals, whose answer depends on the polls before it on the same connection. What a lost answer to claimWork
  // brought comes again with the next one.
  idempotent: [
    "registerInstance",
    "getInstanceStatus",
    "checkpoint",
    "getCheckpoint",
    "checkpointBatch",
    "listOwnCheckpoints",
    "suspendUntil",
    "startChild",
    "publish",
    "checkpointBatches",
    "claimWork",
    "renewLease",
    "releaseWork",
  ],
});
