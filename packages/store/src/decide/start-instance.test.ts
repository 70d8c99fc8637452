import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { StartInstance } from "../operations/index.ts";
import { bytes, ended, row, running, seed } from "./rows.test.helper.ts";
import { decideStartInstance } from "./start-instance.ts";

const noParent = { input: null, parent: undefined };

function start(over: Partial<StartInstance> = {}): StartInstance {
  return {
    kind: "startInstance",
    instanceId: "i",
    tenantId: "t",
    workflow: "order",
    tags: {},
    seed,
    nowMs: 5_000,
    ...over,
  };
}

function child(over: Partial<NonNullable<StartInstance["parent"]>> = {}): StartInstance {
  return start({ parent: { instanceId: "p", epoch: 3, detached: false, resultSignal: "done", ...over } });
}

const parent = running({ instanceId: "p" });

describe("decideStartInstance", () => {
  it("creates a pending instance that may be claimed at once", () => {
    const { changes, others, result } = decideStartInstance(
      start({ input: bytes("1"), tags: { a: "b" }, timeoutMs: 100, version: "v1" }),
      undefined,
      noParent,
    );
    assert.deepEqual(result, { outcome: "created", status: "pending" });
    assert.deepEqual(changes?.row, row({ createdAtMs: 5_000, readyAtMs: 5_000, timeoutMs: 100, changes: 1 }));
    assert.deepEqual(changes?.insert, { input: bytes("1"), tags: { a: "b" } });
    assert.ok(changes?.notices?.includes("work"));
    assert.deepEqual(others, []);
  });

  it("waits for a planned start, which does not overtake if it lies in the past", () => {
    const readyAt = (over: Partial<StartInstance>) =>
      decideStartInstance(start(over), undefined, noParent).changes?.row?.readyAtMs;
    assert.equal(readyAt({ startAtMs: 9_000 }), 9_000);
    assert.equal(readyAt({ startAtMs: 1 }), 5_000);
  });

  it("without a workflow is ready only if a start is planned", () => {
    const { workflow: _, ...rest } = start();
    assert.equal(decideStartInstance(rest, undefined, noParent).changes?.row?.readyAtMs, null);
    assert.equal(
      decideStartInstance({ ...rest, startAtMs: 9_000 }, undefined, noParent).changes?.row?.readyAtMs,
      9_000,
    );
  });

  it("attaches to an equal one in any status, whatever its tags and times", () => {
    const facts = { input: bytes("1"), parent: undefined };
    const operation = start({ version: "v1", input: bytes("1"), tags: { other: "tag" }, timeoutMs: 7 });
    assert.deepEqual(decideStartInstance(operation, ended(), facts), {
      result: { outcome: "attached", status: "completed" },
      changes: undefined,
      others: [],
    });
  });

  it("names all that differs and changes nothing", () => {
    const operation = { ...child(), tenantId: "u", workflow: "other", version: "v2", input: new Uint8Array(0) };
    const decision = decideStartInstance(operation, row({ parentId: "q" }), {
      input: null,
      parent: running({ instanceId: "p", tenantId: "u" }),
    });
    assert.deepEqual(decision, {
      result: { outcome: "conflict", differs: ["tenant", "workflow", "version", "input", "parent"] },
      changes: undefined,
      others: [],
    });
    const inputs = [bytes("2"), bytes("12")].map(
      (input) =>
        decideStartInstance(start({ version: "v1", input: bytes("1") }), row(), { input, parent: undefined }).result,
    );
    for (const result of inputs) assert.deepEqual(result, { outcome: "conflict", differs: ["input"] });
  });

  it("counts an attached child with its parent, a detached or attached-to one not", () => {
    const { changes, others } = decideStartInstance(child(), undefined, { input: null, parent });
    assert.deepEqual(
      [changes?.row?.parentId, changes?.row?.resultSignal, changes?.row?.detached],
      ["p", "done", false],
    );
    assert.deepEqual(
      others.map(({ instanceId, changes: { row: after } }) => [instanceId, after?.childCount]),
      [["p", 1]],
    );
    assert.deepEqual(decideStartInstance(child({ detached: true }), undefined, { input: null, parent }).others, []);
    const again = decideStartInstance({ ...child(), version: "v1" }, row({ parentId: "p" }), { input: null, parent });
    assert.deepEqual(again, { result: { outcome: "attached", status: "pending" }, changes: undefined, others: [] });
  });

  it("is refused unless the parent is known, of this epoch, running, and of this tenant", () => {
    const result = (operation: StartInstance, facts: typeof parent | undefined) =>
      decideStartInstance(operation, undefined, { input: null, parent: facts }).result;
    assert.deepEqual(result(child(), undefined), { outcome: "parentUnknown" });
    assert.deepEqual(result(child({ epoch: 2 }), parent), { outcome: "fenced", epoch: 3 });
    assert.deepEqual(result(child(), ended({ instanceId: "p" })), { outcome: "parentRefused", status: "completed" });
    assert.deepEqual(result({ ...child(), tenantId: "u" }, parent), { outcome: "conflict", differs: ["tenant"] });
  });
});
