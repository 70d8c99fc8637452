import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import { instanceProtocol } from "../instance/protocol.ts";
import { callKinds } from "./call-kinds.ts";
import { isHeard, knowsExtensions } from "./heard.ts";

test("a client is heard that has an answer to read, or an epoch, were it on one event of a batch", () => {
  const epoch = 0n;
  const none = create(instance.InstanceEventSchema);
  const one = create(instance.InstanceEventSchema, { epoch });
  const batch = (...events: instance.InstanceEvent[]) => create(instance.InstanceEventBatchSchema, { events });
  const unanswered = { isAnswered: false };
  for (const request of [
    create(instance.SignalAckSchema),
    create(instance.RetryAttemptEventSchema),
    batch(),
    batch(none),
  ]) {
    assert.equal(isHeard(unanswered, request), false, request.$typeName);
    assert.equal(isHeard({ isAnswered: true }, request), true, request.$typeName);
  }
  const ack = create(instance.SignalAckSchema, { epoch });
  const retry = create(instance.RetryAttemptEventSchema, { epoch });
  for (const request of [ack, retry, batch(one), batch(none, one)]) {
    assert.equal(isHeard(unanswered, request), true, request.$typeName);
  }
});

test("a client knows extensions that uses one: an arm, a field, or a field of one event of a batch", () => {
  const kinds = callKinds(instanceProtocol);
  const knows = (operation: string, message: Parameters<typeof knowsExtensions>[1]): boolean =>
    knowsExtensions(kinds.get(operation) ?? assert.fail(operation), message);
  const registration = (more: object) => create(instance.RegisterInstanceRequestSchema, { instanceId: "i", ...more });
  const batch = (...events: instance.InstanceEvent[]) => create(instance.InstanceEventBatchSchema, { events });
  const event = (more: object) => create(instance.InstanceEventSchema, { instanceId: "i", ...more });
  assert.equal(knows("registerInstance", registration({ checkpointId: "c" })), false);
  assert.equal(knows("registerInstance", registration({ wantsStartFacts: false })), true);
  assert.equal(knows("registerInstance", registration({ client: "" })), true);
  assert.equal(knows("instanceEvent", event({ checkpointId: "c" })), false);
  assert.equal(knows("instanceEvent", event({ epoch: 0n })), true);
  assert.equal(knows("instanceEventBatch", batch(event({}))), false);
  assert.equal(knows("instanceEventBatch", batch(event({}), event({ epoch: 0n }))), true);
  assert.equal(knows("getCheckpoint", create(instance.GetCheckpointRequestSchema)), false);
  assert.equal(knows("claimWork", create(instance.ClaimWorkRequestSchema)), true);
});
