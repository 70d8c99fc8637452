import type { RpcRequest, RpcResponse } from "../gen/runtara/environment/environment_pb.ts";
import { RpcRequestSchema, RpcResponseSchema } from "../gen/runtara/environment/environment_pb.ts";
import { defineProtocol, type Protocol } from "../protocols/protocol.ts";

/** Which answer each call gets; extensions behind the calls of 1.4.1. */
export const environmentAnswers = {
  healthCheck: "healthCheck",
  registerImage: "registerImage",
  registerImageStream: "registerImage",
  listImages: "listImages",
  getImage: "getImage",
  deleteImage: "deleteImage",
  startInstance: "startInstance",
  stopInstance: "stopInstance",
  resumeInstance: "resumeInstance",
  getInstanceStatus: "getInstanceStatus",
  listInstances: "listInstances",
  sendSignal: "sendSignal",
  sendCustomSignal: "sendCustomSignal",
  testCapability: "testCapability",
  listAgents: "listAgents",
  getCapability: "getCapability",
  listCheckpoints: "listCheckpoints",
  getCheckpoint: "getCheckpoint",
  listEvents: "listEvents",
  getTenantMetrics: "getTenantMetrics",
  management: "management",
} as const;

/** Package `runtara.environment`: an operator and an environment. */
export const environmentProtocol: Protocol<RpcRequest, RpcResponse> = defineProtocol({
  name: "environment",
  requestSchema: RpcRequestSchema,
  responseSchema: RpcResponseSchema,
  answers: environmentAnswers,
  // A management call may be one that waits; clients look into it.
  waiting: ["registerImageStream", "management"],
  streamed: ["registerImageStream"],
  idempotent: [
    "healthCheck",
    "listImages",
    "getImage",
    "getInstanceStatus",
    "listInstances",
    "listAgents",
    "getCapability",
    "listCheckpoints",
    "getCheckpoint",
    "listEvents",
    "getTenantMetrics",
  ],
});
