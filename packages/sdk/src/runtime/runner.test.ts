import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createCore } from "@runtara/core";
import { StoreError } from "@runtara/store";
import { openMemoryStore } from "@runtara/store/memory";
import type { Runtime } from "../api/runtime.ts";
import type { AnyWorkflow } from "../api/workflow.ts";
import { LocalOperator } from "../embedded/local-operator.ts";
import { LocalSource } from "../embedded/local-source.ts";
import { publish, sleep, step, waitFor, workflow } from "../index.ts";
import { until } from "../testing/until.ts";
import { createSealer } from "../values/sealer.ts";
import { assemble } from "./assemble.ts";
import type { Runner, RuntimeParts, RuntimeSettings } from "./runtime.ts";
import { settle, silentLogger } from "./testing/setup.ts";
import { TappedStore } from "./testing/tapped-store.ts";

interface Worker {
  readonly runtime: Runtime;
  readonly runner: Runner;
  /** Pieces of work in progress. */
  active(): number;
}

interface Made {
  readonly settings?: Partial<RuntimeSettings>;
  readonly parts?: Partial<RuntimeParts>;
  readonly workerId?: string;
}

function tapped(t: TestContext): TappedStore {
  const store = new TappedStore(openMemoryStore());
  t.after(() => store.close());
  return store;
}

function worker(t: TestContext, store: TappedStore, workflows: readonly AnyWorkflow[], made: Made = {}): Worker {
  const core = createCore({ store });
  core.start();
  const settings = {
    ...{ suspendAfterMs: 5_000, drainMs: 0, leaseMs: 5_000, instancesMax: 1_000, stepsMax: 256 },
    ...{ guard: false, strictTurns: false },
    ...made.settings,
  };
  const tenantId = "t";
  const { workerId = "worker" } = made;
  const source = new LocalSource({ core, store, workerId, tenantId, leaseMs: settings.leaseMs });
  const operator = new LocalOperator({ core, store, tenantId });
  let active = 0;
  const activity = {
    begin: () => {
      active++;
      let isOver = false;
      return () => {
        if (!isOver) active--;
        isOver = true;
      };
    },
  };
  const { runtime, runner } = assemble({
    parts: {
      ...{ source, operator, settings, activity, clock: source.clock, sealer: createSealer(), logger: silentLogger },
      ...made.parts,
    },
    workflows,
    release: async () => {
      operator.close();
      await core.close();
    },
  });
  t.after(() => runtime.close({ drain: 0 }));
  return { runtime, runner, active: () => active };
}

const steps = workflow("steps", async (count: number) => {
  for (let n = 0; n < count; n++) await step("s", () => n);
  return count;
});

test("a fresh run costs exactly one write and no read per step", async (t) => {
  const store = tapped(t);
  const { runtime } = worker(t, store, [steps]);
  await runtime.run(steps, 1);
  const countsOf = async (count: number): Promise<Readonly<Record<string, number>>> => {
    store.takeCounts();
    await runtime.run(steps, count);
    return store.takeCounts();
  };
  const [few, many] = [await countsOf(10), await countsOf(210)];
  assert.deepEqual([few.saveBatch, many.saveBatch], [10, 210]);
  const kinds = new Set([...Object.keys(few), ...Object.keys(many)]);
  for (const kind of kinds) {
    // The client that waits for the result looks when it is told of a change; a run does not read.
    if (kind === "saveBatch" || kind === "readInstance") continue;
    assert.equal(many[kind] ?? 0, few[kind] ?? 0, `${kind} for 200 steps more`);
  }
  for (const kind of ["loadCheckpoint", "listOwnCheckpoints", "readSignals", "readStatus"])
    assert.equal(few[kind] ?? 0, 0);
});

test("steps of one instance that end in one round share a call, and all instances of a round a commit", async (t) => {
  const store = tapped(t);
  const wide = workflow("wide", async () => {
    for (let round = 0; round < 10; round++) {
      await Promise.all(Array.from({ length: 20 }, (_, n) => step("s", () => n)));
    }
  });
  const { runtime } = worker(t, store, [wide]);
  await runtime.run(wide);
  store.takeCounts();
  const before = store.stats().transactions;
  await Promise.all(Array.from({ length: 16 }, () => runtime.run(wide)));
  const { saveBatch = 0 } = store.takeCounts();
  // 20 results a round of the code, delivered in 20 turns.
  assert.equal(saveBatch, 16 * 10);
  assert.ok(store.stats().transactions - before < 16 * 10, `${store.stats().transactions - before} transactions`);
});

test("never more than its bound are in memory, and all of many more come to their end", async (t) => {
  const count = Number(process.env.INSTANCES ?? 500);
  const instancesMax = count / 5;
  const waits = workflow("waits", async (n: number) => {
    await step("a", () => n);
    await waitFor("go");
    return step("b", () => n + 1);
  });
  const { runtime, runner } = worker(t, tapped(t), [waits], { settings: { instancesMax } });
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, runner.residents);
  }, 0);
  const handles = await Promise.all(Array.from({ length: count }, (_, n) => runtime.start(waits, n, { id: `i${n}` })));
  // Every one gets its turn, though nobody ends: those that wait make room.
  await until(async () => {
    let waiting = 0;
    for await (const { id } of runtime.list({ status: ["running", "suspended"] })) if (id) waiting++;
    return waiting === count;
  });
  await Promise.all(handles.map((handle) => handle.signal("go", null)));
  const results = await Promise.all(handles.map((handle) => handle.result()));
  clearInterval(watch);
  assert.deepEqual(
    results,
    Array.from({ length: count }, (_, n) => n + 1),
  );
  assert.ok(most <= instancesMax, `${most} residents`);
});

test("the longest idle makes room for what is started", async (t) => {
  const asks = workflow("asks", async () => {
    await waitFor("go");
  });
  const { runtime, runner } = worker(t, tapped(t), [asks], { settings: { instancesMax: 3 } });
  for (const id of ["a", "b", "c", "d", "e"]) {
    await runtime.start(asks, undefined, { id });
    await until(async () => (await runtime.get(asks, id).status()).status === "running");
    await settle();
  }
  await until(async () => (await runtime.get(asks, "b").status()).status === "suspended");
  const states: string[] = [];
  for (const id of ["a", "b", "c", "d", "e"]) states.push((await runtime.get(asks, id).status()).status);
  assert.deepEqual(states, ["suspended", "suspended", "running", "running", "running"]);
  assert.equal(runner.residents, 3);
});

test("a signal that comes while an instance is being put away keeps it here", async (t) => {
  const store = tapped(t);
  let bodies = 0;
  const asks = workflow("asks", async () => {
    await step("before", () => ++bodies);
    return waitFor<number>("n");
  });
  const { runtime, runner } = worker(t, store, [asks], { settings: { suspendAfterMs: 10 } });
  const handle = await runtime.start(asks, undefined, { id: "a" });
  let kept: (() => void) | undefined;
  store.tap = (operation, pass) => {
    if (operation.kind !== "suspendUntil" || kept) return "pass";
    kept = pass;
    return "keep";
  };
  await until(() => kept !== undefined);
  await handle.signal("n", 7);
  kept?.();
  assert.equal(await handle.result(), 7);
  assert.equal(bodies, 1, "it was not loaded anew");
  await until(() => runner.residents === 0);
});

test("what is put away while a sleep ends wakes and ends in time", async (t) => {
  const naps = workflow("naps", async () => {
    for (let n = 0; n < 5; n++) await sleep(30);
    return "awake";
  });
  const { runtime } = worker(t, tapped(t), [naps], { settings: { suspendAfterMs: 0 } });
  assert.equal(await runtime.run(naps), "awake");
});

test("closing waits for running bodies; what they come to counts, and a peer goes on at once", async (t) => {
  const store = tapped(t);
  const ran: string[] = [];
  const body = Promise.withResolvers<void>();
  const works = workflow("works", async () => {
    await step("slow", async () => {
      ran.push("slow");
      await body.promise;
      return "kept";
    });
    return step("next", () => ran.push("next"));
  });
  const first = worker(t, store, [works], { workerId: "first" });
  await first.runtime.start(works, undefined, { id: "a" });
  await until(() => ran.length === 1);
  const closed = first.runtime.close({ drain: 60_000 });
  await settle();
  body.resolve();
  await closed;
  assert.deepEqual(ran, ["slow"]);
  const second = worker(t, store, [works], { workerId: "second" });
  await second.runtime.get(works, "a").result();
  assert.deepEqual(ran, ["slow", "next"]);
});

test("a body that does not end in time is told to stop, and what it comes to then is no outcome", async (t) => {
  const store = tapped(t);
  const ended: string[] = [];
  const aborted = Promise.withResolvers<void>();
  let isFirst = true;
  const works = workflow("works", async () =>
    step("slow", (s) => {
      if (!isFirst) return "of the second";
      isFirst = false;
      return new Promise<string>((resolve) => {
        s.signal.addEventListener("abort", () => {
          ended.push(String((s.signal.reason as Error).name));
          resolve("of the first, too late");
          aborted.resolve();
        });
      });
    }),
  );
  const first = worker(t, store, [works], { workerId: "first" });
  await first.runtime.start(works, undefined, { id: "a" });
  await until(() => !isFirst);
  await first.runtime.close({ drain: 20 });
  await aborted.promise;
  const second = worker(t, store, [works], { workerId: "second" });
  assert.equal(await second.runtime.get(works, "a").result(), "of the second");
  assert.deepEqual(ended, ["CancelledError"]);
});

test("closing puts away what waits, so that no peer has to load it", async (t) => {
  const store = tapped(t);
  const asks = workflow("asks", async () => waitFor("go"));
  const { runtime, runner, active } = worker(t, store, [asks]);
  await Promise.all(["a", "b", "c"].map((id) => runtime.start(asks, undefined, { id })));
  await until(() => runner.residents === 3 && active() === 0);
  store.takeCounts();
  await runtime.close();
  const { suspendUntil, releaseWork = 0 } = store.takeCounts();
  assert.deepEqual([suspendUntil, releaseWork, runner.residents], [3, 0, 0]);
});

test("I5: an instance that another process has taken stops here, writes nothing more, and its bodies are told", async (t) => {
  const store = tapped(t);
  const told: string[] = [];
  const body = Promise.withResolvers<void>();
  const works = workflow("works", async () => {
    const by = await step("slow", async (s) => {
      if (told.length > 0) return "the second";
      told.push("runs");
      s.signal.addEventListener("abort", () => told.push("aborted"));
      await body.promise;
      return "the first";
    });
    await step("next", () => told.push(`next of ${by}`));
    return by;
  });
  // Its renewals are lost, so its lease ends.
  const first = worker(t, store, [works], { workerId: "first", settings: { leaseMs: 1_000 } });
  store.tap = (operation, _pass, fail) => {
    if (operation.kind !== "renewLease" || operation.workerId !== "first") return "pass";
    fail(new StoreError("UNAVAILABLE", "no way through"));
    return "keep";
  };
  await first.runtime.start(works, undefined, { id: "a" });
  await until(() => told.length === 1);
  const second = worker(t, store, [works], { workerId: "second", settings: { leaseMs: 60_000 } });
  assert.equal(await second.runtime.get(works, "a").result(), "the second");
  body.resolve();
  await until(() => first.runner.residents === 0);
  assert.deepEqual(told, ["runs", "aborted", "next of the second"].toSorted(byFirst(told)));
});

/** The order in which they were told: an abort may come before or after what the other process does. */
function byFirst(told: readonly string[]): (a: string, b: string) => number {
  return (a, b) => told.indexOf(a) - told.indexOf(b);
}

test("trouble of the store is no outcome: it is waited out, and each step runs once", async (t) => {
  const store = tapped(t);
  let failures = 0;
  const bodies: number[] = [];
  const works = workflow("works", async () => {
    for (let n = 0; n < 5; n++) await step("s", () => bodies.push(n));
    return "done";
  });
  const { runtime } = worker(t, store, [works]);
  store.tap = (operation, pass, fail) => {
    if (!["saveBatch", "appendEvent"].includes(operation.kind) || failures++ % 2 === 1) return "pass";
    // Every second one reaches the store, and its answer is lost.
    if (failures % 4 === 1) pass();
    fail(new StoreError("UNKNOWN_OUTCOME", "the connection broke"));
    return "keep";
  };
  assert.equal(await runtime.run(works), "done");
  assert.deepEqual(bodies, [0, 1, 2, 3, 4]);
  assert.ok(failures >= 8, `${failures} calls`);
});

test("vanished, a runtime writes and releases nothing any more", async (t) => {
  const store = tapped(t);
  const body = Promise.withResolvers<void>();
  let runs = 0;
  const works = workflow("works", async () => {
    publish("p", 1);
    await step("s", async () => {
      runs++;
      await body.promise;
    });
    await waitFor("never");
  });
  const { runtime, runner, active } = worker(t, store, [works]);
  await runtime.start(works, undefined, { id: "a" });
  await until(() => runs === 1);
  await settle(20);
  runner.vanish();
  store.takeCounts();
  body.resolve();
  await settle(50);
  const writes = Object.keys(store.takeCounts()).filter((kind) => !kind.startsWith("read"));
  assert.deepEqual(writes, []);
  assert.equal((await runtime.get(works, "a").status()).status, "running");
  assert.equal(active(), 0);
});

test("activity: in progress from the claim until it waits for time or signals, and again from its signal on", async (t) => {
  const body = Promise.withResolvers<void>();
  const works = workflow("works", async () => {
    await step("s", () => body.promise);
    await waitFor("go");
    await step("t", () => 1);
  });
  const { runtime, runner, active } = worker(t, tapped(t), [works]);
  assert.equal(active(), 0);
  const handle = await runtime.start(works, undefined, { id: "a" });
  await until(() => runner.residents === 1);
  await settle(20);
  assert.equal(active(), 1);
  body.resolve();
  await until(() => active() === 0);
  assert.equal((await handle.status()).status, "running");
  await handle.signal("go", 1);
  await handle.result();
  await until(() => active() === 0);
});

test("bodies at once are bounded over all instances", async (t) => {
  let inside = 0;
  let most = 0;
  const works = workflow("works", async () => {
    await Promise.all(
      Array.from({ length: 10 }, () =>
        step("s", async () => {
          most = Math.max(most, ++inside);
          await new Promise((resolve) => setImmediate(resolve));
          inside--;
        }),
      ),
    );
  });
  const { runtime } = worker(t, tapped(t), [works], { settings: { stepsMax: 7 } });
  await Promise.all(Array.from({ length: 10 }, () => runtime.run(works)));
  assert.equal(most, 7);
});
