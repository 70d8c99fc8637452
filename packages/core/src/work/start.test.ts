import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { answered } from "../answer.ts";
import { CoreError } from "../core-error.ts";
import { onEachDatabase } from "../testing/each-database.ts";
import { FakeClock, settled } from "../timers/testing/fake-clock.ts";
import { type StartRequest, type StartResponse, WorkService } from "./index.ts";
import { claim } from "./testing/test-work.ts";

const usual: StartRequest = { instanceId: "a", tenantId: "t", workflow: "w", version: "1", tags: {} };

onEachDatabase((open) => {
  async function useStart(t: TestContext) {
    const database = await open();
    const { store } = database;
    const work = new WorkService({ store, clock: new FakeClock() });
    t.after(async () => {
      await work.close();
      await database.close();
    });
    const start = (more: Partial<StartRequest> = {}) =>
      answered<StartResponse>((answer) => work.start({ ...usual, ...more }, answer));
    return { store, work, start };
  }

  const input = new Uint8Array([1, 2]);

  test("a start is done once, however often and from wherever it is asked for", async (t) => {
    const { start } = await useStart(t);
    const answers = await Promise.all(Array.from({ length: 20 }, () => start({ input })));
    assert.equal(answers.filter(({ created }) => created).length, 1);
    for (const { status } of answers) assert.equal(status, "pending");
    assert.deepEqual(await start({ input, tags: { other: "tags" }, startAtMs: 9e12, timeoutMs: 5 }), {
      created: false,
      status: "pending",
    });
  });

  test("START_CONFLICT: an id that is taken says what differs, and nothing changes", async (t) => {
    const { start, store } = await useStart(t);
    await start({ input });
    const before = await store.run({ kind: "readInstance", instanceId: "a" });
    const changes: [Partial<StartRequest>, string][] = [
      [{ tenantId: "t2" }, "tenant"],
      [{ workflow: "x" }, "workflow"],
      [{ version: "2" }, "version"],
      [{ version: undefined }, "version"],
      [{ input: undefined }, "input"],
      [{ input: new Uint8Array() }, "input"],
      [{ workflow: "x", input: new Uint8Array([1]) }, "workflow, input"],
    ];
    for (const [more, differs] of changes) {
      const message = `Instance 'a' exists with another ${differs}`;
      await assert.rejects(start({ input, ...more }), { name: "CoreError", code: "START_CONFLICT", message });
    }
    assert.deepEqual(await store.run({ kind: "readInstance", instanceId: "a" }), before);
  });

  test("a child is started by a running parent of this very epoch only", async (t) => {
    const { start, work } = await useStart(t);
    const parent = { instanceId: "a", epoch: 1, detached: false, resultSignal: "done" };
    const child = { instanceId: "child", parent };
    await assert.rejects(start(child), { code: "INSTANCE_NOT_FOUND", message: "Instance 'a' not found" });
    await start();
    await assert.rejects(start(child), (error: unknown) => {
      assert.ok(error instanceof CoreError);
      return error.code === "INVALID_INSTANCE_STATE" || error.code === "FENCED";
    });
    const held = claim(work, {});
    await settled();
    assert.deepEqual(held.ids, ["a"]);
    await assert.rejects(start({ ...child, parent: { ...parent, epoch: 2 } }), {
      code: "FENCED",
      message: "Instance 'a' does not belong to this process any more (epoch 1, not 2); stop writing",
    });
    assert.deepEqual(await start(child), { created: true, status: "pending" });
    assert.deepEqual(await start(child), { created: false, status: "pending" });
  });

  test("I10: bad starts are refused and leave nothing", async (t) => {
    const { start, store } = await useStart(t);
    const bad = fc.constantFrom<Partial<StartRequest>>(
      { instanceId: "" },
      { instanceId: "a\0" },
      { instanceId: "é".repeat(1_353) },
      { tenantId: "" },
      { workflow: "" },
      { workflow: "w\0" },
      { version: "" },
      { tags: { "": "x" } },
      { tags: { x: "\0" } },
      { startAtMs: -1 },
      { startAtMs: Number.NaN },
      { timeoutMs: Number.POSITIVE_INFINITY },
      { parent: { instanceId: "a", epoch: 1, detached: false } },
      { parent: { instanceId: "p", epoch: 1, detached: false, resultSignal: "" } },
    );
    await fc.assert(
      fc.asyncProperty(bad, async (more) => {
        await assert.rejects(start(more), { code: "VALIDATION_ERROR" });
      }),
    );
    const listed = await store.run({ kind: "listInstances", limit: 10 });
    assert.deepEqual(listed.outcome === "page" && listed.instances, []);
  });
});
