import assert from "node:assert/strict";
import { test } from "node:test";
import { environmentProtocol } from "../environment/protocol.ts";
import { ProtocolError } from "../errors.ts";
import { instanceProtocol } from "../instance/protocol.ts";
import { managementProtocol } from "../management/protocol.ts";
import { callKinds, errorCode, operationErrorCode } from "./call-kinds.ts";

test("every call of the three protocols has a kind", () => {
  for (const protocol of [instanceProtocol, environmentProtocol, managementProtocol]) {
    assert.deepEqual([...callKinds(protocol).keys()], [...protocol.requestCases.values()]);
  }
});

test("what a kind says is what the protocol says", () => {
  const kinds = callKinds(instanceProtocol);
  assert.deepEqual(kinds.get("sleep"), {
    operation: "sleep",
    feature: undefined,
    extensionFields: ["epoch"],
    errorCode: "SLEEP_ERROR",
    isAnswered: true,
    waits: true,
    isIdempotent: false,
    isCarrier: false,
    isAcknowledgement: false,
  });
  const { isAnswered, isAcknowledgement, waits } = kinds.get("signalAck") ?? assert.fail();
  assert.deepEqual([isAnswered, isAcknowledgement, waits], [false, true, false]);
  assert.equal(kinds.get("checkpoint")?.isIdempotent, true);
  assert.deepEqual([kinds.get("management")?.feature, kinds.get("management")?.isCarrier], ["management", true]);
});

test("error codes name the operation, unless an RpcError names another", () => {
  assert.equal(operationErrorCode("getInstanceStatus"), "GET_INSTANCE_STATUS_ERROR");
  assert.equal(errorCode(new Error("x"), "registerImageStream"), "REGISTER_IMAGE_STREAM_ERROR");
  assert.equal(errorCode(new ProtocolError("RPC", "x", { rpcCode: "MINE" }), "sleep"), "MINE");
  assert.equal(errorCode(new ProtocolError("CALL_TIMEOUT", "x"), "sleep"), "SLEEP_ERROR");
});
