import type { RpcRequest, RpcResponse } from "../gen/runtara/management/management_pb.ts";
import { RpcRequestSchema, RpcResponseSchema } from "../gen/runtara/management/management_pb.ts";
import { defineProtocol, type Protocol } from "./protocol.ts";

/** Which answer each call gets (spec 2.11). */
export const managementAnswers = {
  healthCheck: "healthCheck",
  sendSignal: "sendSignal",
  sendCustomSignal: "sendCustomSignal",
  getInstanceStatus: "getInstanceStatus",
  listInstances: "listInstances",
  listCheckpoints: "listCheckpoints",
  getCheckpoint: "getCheckpoint",
} as const;

/** Package `runtara.management`: an operator and the admin port of a core. */
export const managementProtocol: Protocol<RpcRequest, RpcResponse> = defineProtocol({
  name: "management",
  requestSchema: RpcRequestSchema,
  responseSchema: RpcResponseSchema,
  answers: managementAnswers,
  waiting: [],
  idempotent: ["healthCheck", "getInstanceStatus", "listInstances", "listCheckpoints", "getCheckpoint"],
});
