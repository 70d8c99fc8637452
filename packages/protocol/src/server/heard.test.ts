import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import * as instance from "../gen/runtara/instance/instance_pb.ts";
import { isHeard } from "./heard.ts";

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
