import type { RpcRequest, RpcResponse } from "../gen/runtara/management/management_pb.ts";
import { RpcRequestSchema, RpcResponseSchema } from "../gen/runtara/management/management_pb.ts";
import { defineProtocol, type Protocol } from "../protocols/protocol.ts";

/** Which answer each call gets (spec 2.11); extensions behind the calls of 1.4.1. */
export const managementAnswers = {
  healthCheck: "healthCheck",
  sendSignal: "sendSignal",
  sendCustomSignal: "sendCustomSignal",
  getInstanceStatus: "getInstanceStatus",
  listInstances: "listInstances",
  listCheckpoints: "listCheckpoints",
  getCheckpoint: "getCheckpoint",
  startWorkflow: "startWorkflow",
  waitResult: "waitResult",
  cancelInstance: "cancelInstance",
  killInstance: "killInstance",
  pauseInstance: "pauseInstance",
  resumeInstance: "resumeInstance",
  queryInstances: "queryInstances",
  getPublished: "getPublished",
  listHistory: "listHistory",
  watchInstance: "watchInstance",
  putSchedule: "putSchedule",
  listSchedules: "listSchedules",
  deleteSchedule: "deleteSchedule",
  watchInstances: "watchInstances",
} as const;

/** Package `runtara.management`: an operator and the admin port of a core. */
export const managementProtocol: Protocol<RpcRequest, RpcResponse> = defineProtocol({
  name: "management",
  requestSchema: RpcRequestSchema,
  responseSchema: RpcResponseSchema,
  answers: managementAnswers,
  waiting: ["waitResult", "watchInstance", "watchInstances"],
  // Not pauseInstance and resumeInstance: a late repetition would undo the other one.
  idempotent: [
    "healthCheck",
    "getInstanceStatus",
    "listInstances",
    "listCheckpoints",
    "getCheckpoint",
    "startWorkflow",
    "waitResult",
    "cancelInstance",
    "killInstance",
    "queryInstances",
    "getPublished",
    "listHistory",
    "watchInstance",
    "watchInstances",
    "putSchedule",
    "listSchedules",
  ],
});
