// Workers on a core in this process, over the real protocol.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startCore } from "@runtara/core/server";
import type { Runtime } from "../api/runtime.ts";
import { isRuntaraError } from "../errors.ts";
import { publish, sleep, spawn, step, waitFor } from "../functions.ts";
import { TestCore } from "../testing/core-in-process.ts";
import { type AnyWorkflow, ref, workflow } from "../workflow.ts";
import { serve } from "./serve.ts";
import type { ServeOptions } from "./serve-options.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A worker that is closed after the test; before the core, which was made earlier. */
async function worker(
  closers: (() => Promise<void>)[],
  server: ServeOptions["server"],
  workflows: readonly AnyWorkflow[],
  options: ServeOptions = {},
): Promise<Runtime> {
  const tls = { dangerouslySkipVerification: true };
  const runtime = await serve(workflows, {
    ...(server ? { server } : {}),
    tls,
    logger: silent,
    handleSignals: false,
    ...options,
  });
  closers.push(() => runtime.close({ drain: 0 }));
  return runtime;
}

async function withCore(t: {
  after(cleanUp: () => Promise<void>): void;
}): Promise<{ core: TestCore; closers: (() => Promise<void>)[] }> {
  const closers: (() => Promise<void>)[] = [];
  t.after(async () => {
    for (const close of closers) await close();
  });
  return { core: await TestCore.start(t), closers };
}

test("a worker runs what is started, with signals, children and published values; its runtime is a client", async (t) => {
  const { core, closers } = await withCore(t);
  const ship = workflow("ship", async (order: string) => step("label", () => `label of ${order}`));
  const order = workflow("order", async (input: { id: string }) => {
    publish("stage", "waiting");
    const approval = await waitFor<{ by: string }>("approved");
    const child = spawn(ship, input.id);
    return { by: approval.by, label: await child.result(), at: new Date(0) };
  });
  const runtime = await worker(closers, core.address, [order, ship], { suspendAfter: 1 });
  const handle = await runtime.start(order, { id: "7" }, { id: "order-7" });
  while ((await handle.status()).reason !== "waiting") await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await handle.published("stage"), "waiting");
  assert.deepEqual((await handle.status()).waitingFor, ["approved"]);
  await handle.signal("approved", { by: "Ada" });
  assert.deepEqual(await handle.result(), { by: "Ada", label: "label of 7", at: new Date(0) });
  const again = await runtime.start(order, { id: "7" }, { id: "order-7" });
  assert.deepEqual(await again.result(), await handle.result());
  const listed: string[] = [];
  for await (const { id } of runtime.list({ workflow: "order" })) listed.push(id);
  assert.deepEqual(listed, ["order-7"]);
});

test("sixty-four instances at once over one connection; two workers share a queue, each instance runs once", async (t) => {
  const { core, closers } = await withCore(t);
  const ran = new Map<string, number>();
  const workOf = (name: string) =>
    workflow("count", async (n: number, ctx) => {
      for (let index = 0; index < 5; index++) {
        await step("add", async () => {
          ran.set(`${name} ${ctx.instanceId}`, (ran.get(`${name} ${ctx.instanceId}`) ?? 0) + 1);
          await new Promise((resolve) => setImmediate(resolve));
        });
      }
      return n;
    });
  const concurrency = { instances: 40 };
  const numbers = Array.from({ length: 64 }, (_, index) => index);
  await worker(closers, core.address, [workOf("one")], { workerId: "one", concurrency });
  await worker(closers, core.address, [workOf("two")], { workerId: "two", concurrency });
  const client = await worker(closers, core.address, []);
  const count = ref<ReturnType<typeof workOf>>("count");
  const results = await Promise.all(numbers.map((n) => client.run(count, n, { id: `i${n}` })));
  assert.deepEqual(results, numbers);
  assert.equal(
    [...ran.values()].every((count) => count === 5),
    true,
    JSON.stringify([...ran]),
  );
  assert.equal(ran.size, 64);
  assert.ok(
    [...ran.keys()].some((key) => key.startsWith("two ")),
    "both had their share",
  );
});

test("a worker that closes hands its work back at once, and its running body is told", async (t) => {
  const { core, closers } = await withCore(t);
  const started = Promise.withResolvers<void>();
  let aborted = false;
  const first = workflow("long", async () => {
    await step("quick", () => 1);
    return step("slow", async (s) => {
      started.resolve();
      await new Promise<void>((_, reject) =>
        s.signal.addEventListener("abort", () => {
          aborted = true;
          reject(new Error("aborted"));
        }),
      );
      return "first";
    });
  });
  const second = workflow("long", async () => {
    await step("quick", () => 2);
    return step("slow", () => "second");
  });
  // Were it not handed back, the second would have it after five minutes.
  const one = await worker(closers, core.address, [first], { workerId: "one", lease: "5m" });
  const handle = await one.start(first, undefined, { id: "i" });
  await started.promise;
  const two = await worker(closers, core.address, [second], { workerId: "two" });
  const result = two.get(second, "i").result();
  await one.close({ drain: 0 });
  assert.equal(await result, "second");
  assert.equal(aborted, true);
  await assert.rejects(handle.status(), { code: "CONNECTION" });
});

test("a core that goes away in the middle and comes back loses nothing; of several servers the next is taken", async (t) => {
  const { core, closers } = await withCore(t);
  let count = 0;
  const halfWay = Promise.withResolvers<void>();
  const work = workflow("work", async () => {
    const seen: number[] = [];
    for (let index = 0; index < 40; index++) {
      seen.push(
        await step("next", async () => {
          if (++count === 60) halfWay.resolve();
          return index;
        }),
      );
      if (index % 10 === 9) await sleep("moment", 2);
    }
    return seen;
  });
  const second = await startCore({ store: core.store, bindAddr: "127.0.0.1:0" });
  closers.push(() => second.close({ drainMs: 0 }));
  const runtime = await worker(closers, [second.address, core.address], [work], { lease: "1m" });
  const handles = await Promise.all(["a", "b", "c"].map((id) => runtime.start(work, undefined, { id })));
  await halfWay.promise;
  await second.close({ drainMs: 0 });
  const results = await Promise.all(handles.map((handle) => handle.result()));
  const expected = Array.from({ length: 40 }, (_, index) => index);
  assert.deepEqual(results, [expected, expected, expected]);
  assert.equal(count, 120, "each body ran once");
});

test("schedules that a worker puts are fired by its core, as long as they are there", async (t) => {
  const { core, closers } = await withCore(t);
  const fired = Promise.withResolvers<string>();
  const tick = workflow("tick", async (input: { by: string }, ctx) => {
    fired.resolve(`${ctx.instanceId} ${input.by}`);
  });
  const runtime = await worker(closers, core.address, [tick]);
  const schedule = { id: "often", workflow: "tick", input: { by: "cron" }, cron: "* * * * * *" };
  await runtime.schedules.put(schedule);
  await runtime.schedules.put(schedule);
  assert.match(await fired.promise, /^often-.* cron$/);
  const listed: unknown[] = [];
  for await (const { id, cron, input } of runtime.schedules.list()) listed.push([id, cron, input]);
  assert.deepEqual(listed, [["often", "* * * * * *", { by: "cron" }]]);
  await runtime.schedules.delete("often");
  for await (const { id } of runtime.schedules.list()) assert.fail(id);
  await assert.rejects(runtime.schedules.put({ ...schedule, cron: "now and then" }), { code: "CONFIG" });
});

test("no core, or one that is not meant: clear errors", async () => {
  await assert.rejects(
    serve([], { server: "127.0.0.1:9", connectTimeoutMs: 200, tls: { dangerouslySkipVerification: true } }),
    (error) =>
      isRuntaraError(error, "CONNECTION") &&
      /no core answers at 127\.0\.0\.1:9 within 200 ms.*npx runtara core/.test(error.message),
  );
  for (const bad of [{ server: "nowhere" }, { server: [] }, { workerId: "" }, { lease: 1 }, { connectTimeoutMs: 0 }]) {
    await assert.rejects(
      serve([], { ...bad, handleSignals: false }),
      (error) => isRuntaraError(error, "CONFIG"),
      JSON.stringify(bad),
    );
  }
});
