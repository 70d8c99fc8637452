// Every free function in workflows that really run, in this process on a store in memory; and outside of one.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { openMemoryStore } from "@runtara/store/memory";
import { z } from "zod";
import type { Logger, RuntimeOptions } from "./api/runtime.ts";
import { open } from "./embedded/index.ts";
import { ContextError, type InstanceFailedError, ValidationError } from "./errors.ts";
import * as functions from "./functions.ts";
import { type AnyWorkflow, type Context, workflow } from "./index.ts";

const {
  compensate,
  continueAsNew,
  emit,
  log,
  now,
  onCancel,
  patched,
  publish,
  random,
  scope,
  sendSignal,
  sleep,
  sleepUntil,
  spawn,
  step,
  uuid,
  waitFor,
  waitForAny,
} = functions;

async function runtime(t: TestContext, workflows: readonly AnyWorkflow[], options: RuntimeOptions = {}) {
  const store = openMemoryStore();
  const opened = await open({ store, workflows, ...options });
  t.after(async () => {
    await opened.close({ drain: 0 });
    await store.close();
  });
  return opened;
}

test("each free function throws outside a workflow, naming itself", () => {
  const calls: Record<keyof typeof functions, () => unknown> = {
    step: () => step("a", () => 1),
    sleep: () => sleep("1s"),
    sleepUntil: () => sleepUntil("a", 0),
    waitFor: () => waitFor("a"),
    waitForAny: () => waitForAny(["a"]),
    sendSignal: () => sendSignal("i", "a", 1),
    now,
    random,
    uuid,
    patched: () => patched("a"),
    scope: () => scope("a", async () => 1),
    spawn: () => spawn(workflow("w", async () => 1)),
    continueAsNew: () => continueAsNew(1),
    publish: () => publish("a", 1),
    emit: () => emit("a"),
    log: () => log.info("a"),
    onCancel: () => onCancel(() => {}),
    compensate: () => compensate("a", () => {}),
  };
  for (const [name, call] of Object.entries(calls)) {
    assert.throws(
      call,
      (error) =>
        error instanceof ContextError && error.message.startsWith(name) && /outside a workflow/.test(error.message),
      name,
    );
  }
});

test("steps, sleeps, time, chance and scopes, by the free functions as by ctx", async (t) => {
  const body = async (f: Omit<typeof functions, "log"> | Context): Promise<unknown> => {
    const began = f.now();
    const sum = await f.step("sum", () => 3 + 4);
    await f.sleep("nap", 1);
    await f.sleep(1);
    await f.sleepUntil("until", f.now() - 5);
    const inner = await f.scope("in", async (ctx) => [await ctx.step("sum", () => 1), ctx.uuid()]);
    const chance = f.random();
    return [sum, inner[0], f.now() >= began, chance >= 0 && chance < 1, f.uuid() !== inner[1]];
  };
  const free = workflow("free", () => body(functions));
  const byContext = workflow("by-context", (_: undefined, ctx) => body(ctx as Context));
  const opened = await runtime(t, [free, byContext]);
  const expected = [7, 1, true, true, true];
  assert.deepEqual([await opened.run(free), await opened.run(byContext)], [expected, expected]);
  const ids = [];
  for await (const row of opened.list({ workflow: "free" })) {
    for await (const entry of opened.get(free, row.id).history())
      if ("seq" in entry) ids.push(`${entry.kind} ${entry.id}`);
  }
  assert.deepEqual(ids, ["step sum", "sleep nap", "sleep sleep", "sleep until", "step in.sum"]);
});

test("signals go between instances; children come back; runs continue", async (t) => {
  const pong = workflow("pong", async (to: string) => {
    const first = await waitFor<number>("ping");
    await sendSignal(to, "pong", first + 1);
    const late = await waitFor("never", { timeout: 1 });
    return [first, late];
  });
  const ping = workflow("ping", async (n: number, ctx) => {
    const child = spawn(pong, ctx.instanceId, { name: "partner" });
    await child.started;
    await child.signal("ping", n);
    const answer = await waitForAny(["pong", "other"], { timeout: "1m" });
    const result = await child.result();
    return n < 2 ? continueAsNew(n + 1) : { answer, result, run: ctx.run, child: child.id };
  });
  const opened = await runtime(t, [ping, pong]);
  assert.deepEqual(await opened.run(ping, 1, { id: "p" }), {
    answer: { name: "pong", value: 3 },
    result: [2, undefined],
    run: 2,
    child: "p.!2.partner",
  });
});

test("publish, emit, log and patched", async (t) => {
  const lines: unknown[] = [];
  const line = (level: string) => (fields: object, message: string) => lines.push([level, message, { ...fields }]);
  const logger = { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") } as Logger;
  const tells = workflow("tells", { published: { progress: z.number().max(100) } }, async () => {
    log.info("begun", { n: 1 });
    log.error("odd");
    publish("progress", 50);
    emit("passed", { by: "me" });
    if (await patched("checks")) await step("check", () => 1);
    publish("progress", 100);
    assert.throws(() => publish("progress", 101), ValidationError);
    await step("last", () => 1);
  });
  const opened = await runtime(t, [tells], { logger });
  const handle = await opened.start(tells, undefined, { id: "i" });
  await handle.result();
  assert.equal(await handle.published("progress"), 100);
  const events = [];
  const patches = [];
  for await (const entry of handle.history()) {
    if (entry.kind === "event" && entry.subtype === "passed") events.push(entry.payload);
    if (entry.kind === "patch") patches.push(entry.id);
  }
  assert.deepEqual([events, patches], [[{ by: "me" }], ["checks!patch"]]);
  const ours = { workflow: "tells", instanceId: "i", run: 1 };
  assert.deepEqual(lines, [
    ["info", "begun", { ...ours, n: 1 }],
    ["error", "odd", ours],
  ]);
});

test("a failure runs what was registered to undo, newest first; a cancel tells its reason", async (t) => {
  const done: string[] = [];
  const saga = workflow("saga", async (wait: boolean) => {
    onCancel((reason) => done.push(`cancelled ${reason}`));
    await step("charge", () => "c-1", { compensate: (receipt) => void done.push(`refund ${receipt}`) });
    compensate("tidy", () => void done.push("tidy"));
    if (wait) await waitFor("never");
    throw new RangeError("no stock");
  });
  const opened = await runtime(t, [saga]);
  await assert.rejects(opened.run(saga, false), (error: InstanceFailedError) => error.cause instanceof RangeError);
  assert.deepEqual(done.splice(0), ["tidy", "refund c-1"]);
  const handle = await opened.start(saga, true);
  while ((await handle.status()).status === "pending") await new Promise(setImmediate);
  await handle.cancel("changed my mind");
  await assert.rejects(handle.result(), { name: "CancelledError" });
  assert.deepEqual(done, ["cancelled changed my mind", "tidy", "refund c-1"]);
});
