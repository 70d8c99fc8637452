// Operations through the whole runtime, on a real store and with a codec: what the simulated history can't show.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { openMemoryStore } from "@runtara/store/memory";
import * as z from "zod";
import type { Handle } from "../../api/client.ts";
import type { Runtime } from "../../api/runtime.ts";
import type { AnyWorkflow } from "../../api/workflow.ts";
import { aesGcm } from "../../codec/index.ts";
import { open } from "../../embedded/open.ts";
import { CompensationError, FatalError, InstanceFailedError, NotFoundError, StartConflictError } from "../../errors.ts";
import {
  compensate,
  continueAsNew,
  publish,
  scope,
  sendSignal,
  sleep,
  spawn,
  step,
  waitFor,
  waitForAny,
} from "../../functions.ts";
import { until } from "../../testing/until.ts";
import { ref, workflow } from "../../workflow.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const codecs = aesGcm({ k1: new Uint8Array(32).fill(7) });

/** A runtime that puts instances away as soon as they rest. */
async function runtimeOf(t: TestContext, workflows: readonly AnyWorkflow[]): Promise<Runtime> {
  const runtime = await open({ store: openMemoryStore(), workflows, suspendAfter: 20, codecs, logger: silent });
  t.after(() => runtime.close({ drain: 0 }));
  return runtime;
}

const isSuspended = (handle: Handle<AnyWorkflow>) => async (): Promise<boolean> =>
  (await handle.status()).status === "suspended";

test("signals of several names, checked by their schemas, while the instance is put away", {
  timeout: 120_000,
}, async (t) => {
  const approval = workflow(
    "approval",
    { signals: { approved: z.object({ by: z.string(), at: z.coerce.date() }), refused: z.string() } },
    async (_: undefined, ctx) => {
      const first = await ctx.waitForAny(["approved", "refused"]);
      const second = await waitForAny(["approved", "refused"], { timeout: "1h" });
      return [first, second];
    },
  );
  const runtime = await runtimeOf(t, [approval]);
  const handle = await runtime.start(approval, undefined, { id: "a" });
  await until(isSuspended(handle));
  const { waitingFor } = await handle.status();
  assert.deepEqual([...(waitingFor ?? [])].sort(), ["approved", "refused"]);
  // From somebody who does not know the schema.
  await runtime.get(ref("approval"), "a").signal("approved", { by: 5 });
  await handle.signal("refused", "no");
  await handle.signal("approved", { by: "me", at: new Date(5) });
  assert.deepEqual(await handle.result(), [
    { name: "refused", value: "no" },
    { name: "approved", value: { by: "me", at: new Date(5) } },
  ]);
});

test("children: signals, results in their classes, failures with their cause, cancels, conflicts", {
  timeout: 120_000,
}, async (t) => {
  const ship = workflow("ship", async (input: { id: string }) => new Map([[input.id, await waitFor<URL>("to")]]));
  const broken = workflow("broken", async () => {
    throw new RangeError("no more ships");
  });
  const idle = workflow("idle", async () => sleep("30d"));
  const quick = { step: { retry: { backoff: 10 } } };
  const order = workflow("order", quick, async () => {
    const child = spawn(ship, { id: "o-1" });
    await child.signal("to", new URL("https://example.com/a"));
    const slow = spawn(idle);
    await slow.started;
    await slow.cancel();
    const taken = spawn(idle, undefined, { id: "taken", name: "taken" });
    const outcomes = await Promise.allSettled([
      child.result(),
      spawn(broken).result(),
      slow.result(),
      taken.result(),
      sendSignal("nobody", "hello", 1).catch((error) => Promise.reject(error)),
    ]);
    return outcomes.map((outcome) => (outcome.status === "fulfilled" ? outcome.value : outcome.reason));
  });
  const runtime = await runtimeOf(t, [ship, broken, idle, order]);
  await runtime.start(ship, { id: "other" }, { id: "taken" });
  const [shipped, failed, cancelled, conflict, unknown] = (await runtime.run(order, undefined, { id: "p" })) as Error[];
  assert.deepEqual(shipped, new Map([["o-1", new URL("https://example.com/a")]]));
  assert.ok(failed instanceof InstanceFailedError);
  assert.ok(failed.cause instanceof RangeError);
  assert.equal(failed.instanceId, "p.broken");
  assert.equal(cancelled?.message, "the child instance p.idle was cancelled");
  assert.ok(conflict instanceof StartConflictError);
  assert.ok(unknown instanceof NotFoundError);
});

test("a saga: compensations after a failure, after a cancel, and when one of them fails", {
  timeout: 120_000,
}, async (t) => {
  const deeds: string[] = [];
  const book = workflow("book", async (how: "fails" | "waits" | "breaks") => {
    await step("flight", () => "f-1", { compensate: (seat) => void deeds.push(`${how} cancel ${seat}`) });
    compensate("note", () => {
      deeds.push(`${how} note`);
      if (how === "breaks") throw new FatalError("no paper");
    });
    await step("hotel", () => 5n, { compensate: (room) => void deeds.push(`${how} free ${room}`) });
    if (how === "waits") await waitFor("never");
    throw new RangeError("full");
  });
  const runtime = await runtimeOf(t, [book]);
  await assert.rejects(runtime.run(book, "fails"), (error: Error) => error.cause instanceof RangeError);
  const handle = await runtime.start(book, "waits");
  await until(isSuspended(handle));
  await handle.cancel();
  await assert.rejects(handle.result(), { name: "CancelledError" });
  await assert.rejects(runtime.run(book, "breaks"), (error: Error) => {
    const { cause } = error as { cause?: unknown };
    return cause instanceof CompensationError && cause.cause instanceof RangeError && cause.errors.length === 1;
  });
  const undone = (how: string): string[] => [`${how} free 5`, `${how} note`, `${how} cancel f-1`];
  assert.deepEqual(deeds, ["fails", "waits", "breaks"].flatMap(undone));
});

test("continueAsNew keeps signals, published values and the id; scopes and children of each run have ids of their own", {
  timeout: 120_000,
}, async (t) => {
  const leaf = workflow("leaf", async (n: number) => n * 10);
  const loop = workflow("loop", async (round: number): Promise<unknown> => {
    const value = await waitFor<number>("n");
    const tens = await scope("inner", async () => spawn(leaf, value).result());
    publish("last", { round, tens });
    return round < 3 ? continueAsNew(round + 1) : tens;
  });
  const runtime = await runtimeOf(t, [loop, leaf]);
  const handle = await runtime.start(loop, 1, { id: "l" });
  for (const n of [1, 2, 3]) await handle.signal("n", n);
  assert.equal(await handle.result(), 30);
  assert.deepEqual(await runtime.get(loop, "l").published("last"), { round: 3, tens: 30 });
  const children: string[] = [];
  for await (const { id } of runtime.list({ workflow: "leaf" })) children.push(id);
  assert.deepEqual(children.sort(), ["l.!2.inner.leaf", "l.!3.inner.leaf", "l.inner.leaf"]);
});

test("a retry waits put away, and its count goes on in the next process", { timeout: 120_000 }, async (t) => {
  const store = openMemoryStore();
  const attempts: number[] = [];
  const flaky = workflow("flaky", async () =>
    step(
      "call",
      (s) => {
        attempts.push(s.attempt);
        if (s.attempt < 4) throw new Error("not yet");
        return s.attempt;
      },
      { retry: { backoff: 60, factor: 1, jitter: 0 } },
    ),
  );
  const first = await open({ store, workflows: [flaky], suspendAfter: 20 });
  const { id } = await first.start(flaky);
  await until(async () => attempts.length === 2);
  await first.close();
  const second = await open({ store, workflows: [flaky], suspendAfter: 20 });
  t.after(() => second.close());
  assert.equal(await second.get(flaky, id).result(), 4);
  assert.deepEqual(attempts, [1, 2, 3, 4]);
});
