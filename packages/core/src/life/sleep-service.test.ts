import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type Core, createCore } from "../index.ts";
import { bytes, onEachEngine } from "../testing/test-core.ts";

interface Slept {
  readonly elapsedMs: number;
}

onEachEngine((t) => {
  let cores: Core[] = [];
  let core: Core;
  // Real wall clock: sleeps are measured.
  const openCore = () => {
    const opened = createCore({ store: t.store });
    cores.push(opened);
    return opened;
  };
  beforeEach(() => {
    core = openCore();
  });
  afterEach(async () => {
    for (const opened of cores) await opened.close();
    cores = [];
  });

  function sleep(checkpointId: string, durationMs: number, by = core): { done: Promise<Slept>; abandon: () => void } {
    const startedAt = performance.now();
    const { promise, resolve } = Promise.withResolvers<Slept>();
    const open = by.sleeps.sleep({ instanceId: "i", checkpointId, state: bytes(""), durationMs }, () =>
      resolve({ elapsedMs: performance.now() - startedAt }),
    );
    return { done: promise, abandon: () => open.abandon() };
  }

  test("I7: never early, for unknown instances too", async () => {
    for (const durationMs of [0, 1, 30]) {
      const { elapsedMs } = await sleep("nap", durationMs).done;
      assert.ok(elapsedMs >= durationMs, `${elapsedMs} ms instead of ${durationMs}`);
    }
  });

  test("I7: after a restart and a new registration only the rest is slept", async () => {
    await t.register("i");
    const before = performance.now();
    sleep("nap", 400);
    await delay(150);
    core.sleeps.close();
    const restarted = openCore();
    await t.register("i");
    const { elapsedMs } = await sleep("nap", 400, restarted).done;
    assert.ok(performance.now() - before >= 399, "the whole is not shortened");
    assert.ok(elapsedMs < 300, `${elapsedMs} ms were slept again`);
  });

  test("one that was over before the restart returns at once; the next of that id is a new one", async () => {
    await t.register("i");
    await sleep("nap", 60).done;
    await t.register("i");
    assert.ok((await sleep("nap", 60_000).done).elapsedMs < 1_000);
    assert.ok((await sleep("nap", 60).done).elapsedMs >= 60);
  });

  test("a client that comes back without registering goes on with its sleep", async () => {
    await t.register("i");
    const first = sleep("nap", 300);
    await delay(100);
    first.abandon();
    assert.equal(core.sleeps.open, 0);
    const { elapsedMs } = await sleep("nap", 300).done;
    assert.ok(elapsedMs < 290, `${elapsedMs} ms`);
  });

  test("the longest duration is clamped and can be given up", async () => {
    await t.register("i");
    const endless = sleep("nap", 2 ** 64);
    // Operations of one instance are carried out in their order.
    await t.store.run({ kind: "readInstance", instanceId: "i" });
    assert.equal(core.sleeps.open, 1);
    endless.abandon();
    assert.equal(core.sleeps.open, 0);
  });

  test("sleeps are no checkpoints", async () => {
    await t.register("i");
    await sleep("nap", 1).done;
    const got = await t.outcome((answer) => core.checkpoints.get({ instanceId: "i", checkpointId: "nap" }, answer));
    assert.deepEqual(got, { found: false, state: bytes("") });
  });
});
