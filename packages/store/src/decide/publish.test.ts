import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Publish } from "../operations/index.ts";
import { decidePublish } from "./publish.ts";
import { bytes, running, suspended } from "./rows.test.helper.ts";

const nothing = { publishedKeys: 0, knownKeys: [] };

function publish(over: Partial<Publish> = {}): Publish {
  return {
    kind: "publish",
    instanceId: "i",
    epoch: 3,
    run: 2,
    messages: [{ number: 4, content: { kind: "published", key: "k", value: bytes("v") } }],
    nowMs: 3_000,
    ...over,
  };
}

describe("decidePublish", () => {
  it("sends what has not gone out and answers the highest number", () => {
    const { changes, result } = decidePublish(publish(), running({ run: 2, lastMessage: 3 }), nothing);
    assert.deepEqual(result, { outcome: "published", lastNumber: 4 });
    assert.deepEqual(changes?.published, [{ key: "k", value: bytes("v") }]);
    assert.equal(changes?.row?.lastMessage, 4);
  });

  it("passes over what has gone out, and messages of a run that is over", () => {
    assert.deepEqual(decidePublish(publish(), running({ run: 2, lastMessage: 4 }), nothing), {
      result: { outcome: "published", lastNumber: 4 },
      changes: undefined,
    });
    assert.deepEqual(decidePublish(publish({ run: 1 }), running({ run: 2, lastMessage: 1 }), nothing), {
      result: { outcome: "published", lastNumber: 1 },
      changes: undefined,
    });
  });

  it("refuses a run to come, an old epoch and what does not run", () => {
    const result = (operation: Publish, row: Parameters<typeof decidePublish>[1]) =>
      decidePublish(operation, row, nothing);
    assert.deepEqual(result(publish(), running({ run: 1 })), {
      result: { outcome: "runMismatch", run: 1 },
      changes: undefined,
    });
    assert.deepEqual(result(publish({ epoch: 1 }), running()), {
      result: { outcome: "fenced", epoch: 3 },
      changes: undefined,
    });
    assert.deepEqual(result(publish(), suspended(null)).result, { outcome: "refused", status: "suspended" });
    assert.deepEqual(result(publish(), undefined).result, { outcome: "unknownInstance" });
  });
});
