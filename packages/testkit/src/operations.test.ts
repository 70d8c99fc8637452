// Every operation of the SDK under every crash, on the real runtime.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AnyWorkflow,
  CancelledError,
  continueAsNew,
  emit,
  FatalError,
  now,
  onCancel,
  patched,
  publish,
  type StandardSchemaV1,
  scope,
  sendSignal,
  sleep,
  spawn,
  step,
  waitFor,
  waitForAny,
  workflow,
} from "@runtara/sdk";
import { everyCrash } from "./index.ts";

const child = workflow("child", async (name: string) => {
  const greeting = await step("greet", () => `hello ${name}`);
  await sleep("rest", "2h");
  if (name === "bad") throw new FatalError("bad child");
  return greeting;
});

test("children: results, failures, a detached one, one that is over when it is cancelled", async () => {
  const parent = workflow("parent", async () => {
    const good = spawn(child, "good");
    const bad = spawn(child, "bad");
    const lost = spawn(child, "lost", { name: "lost" });
    spawn(child, "free", { detached: true, id: "free" });
    const failed = await bad.result().catch((error: Error) => `${error.name}: ${String(error.cause)}`);
    await lost.cancel();
    const cancelled = await lost.result().catch((error: Error) => error.name);
    return [await good.result(), failed, cancelled];
  });
  const { crashes } = await everyCrash(parent, undefined, {
    workflows: [child],
    async drive(rt, handle) {
      await rt.advance("5h");
      assert.deepEqual(await handle.result(), [
        "hello good",
        "InstanceFailedError: FatalError: bad child",
        "hello lost",
      ]);
    },
    pairs: false,
  });
  assert.ok(crashes > 20);
});

test("signals: from outside, from a workflow, with time-outs, of several names; and what is published", async () => {
  const talk = workflow("talk", async (_: undefined, ctx) => {
    const heard: unknown[] = [];
    await sendSignal(ctx.instanceId, "self", { from: "me" });
    heard.push(await waitFor("self"));
    heard.push(await waitFor("never", { timeout: "1h" }));
    for (let count = 0; count < 3; count++) {
      const any = await waitForAny(["a", "b"]);
      heard.push(any);
      publish("heard", heard.length);
      emit("heard", any);
    }
    return heard;
  });
  await everyCrash(talk, undefined, {
    async drive(rt, handle) {
      await handle.signal("b", 1);
      await rt.advance("2h");
      await handle.signal("a", 2);
      await handle.signal("b", 3);
      await rt.advance("1h");
      assert.deepEqual(await handle.result(), [
        { from: "me" },
        undefined,
        { name: "b", value: 1 },
        { name: "a", value: 2 },
        { name: "b", value: 3 },
      ]);
      assert.equal(await handle.published("heard"), 5);
    },
  });
});

test("a saga is undone in reverse, each undo once per attempt, though one needs a second one", async () => {
  const undone: string[] = [];
  const saga = workflow("saga", async () => {
    const undo = (name: string) => ({
      compensate: (result: string | undefined, s: { attempt: number }) => {
        if (name === "two" && s.attempt === 1) throw new Error("busy");
        undone.push(`${name} ${result}`);
      },
    });
    await step("one", () => "1", undo("one"));
    await Promise.all([step("two", () => "2", undo("two")), step("three", () => "3", undo("three"))]);
    await sleep("a while", "1d");
    await step("four", () => Promise.reject(new FatalError("no")), undo("four"));
  });
  await everyCrash(saga, undefined, {
    reset: () => {
      undone.length = 0;
    },
    async drive(rt, handle) {
      await rt.advance("2d");
      assert.equal((await handle.status()).status, "failed");
      assert.deepEqual([...new Set(undone)], ["four undefined", "three 3", "two 2", "one 1"]);
    },
  });
});

test("a cancel is delivered once, and cleaning up is durable", async () => {
  const cleaning = workflow("cleaning", async () => {
    const told: (string | undefined)[] = [];
    onCancel((reason) => told.push(reason));
    try {
      await step("work", () => "worked");
      await sleep("long", "30d");
    } catch (error) {
      if (!(error instanceof CancelledError)) throw error;
      await sleep("cool down", "1h");
      return { told, cleaned: await step("clean", () => true), at: now() };
    }
    return undefined;
  });
  await everyCrash(cleaning, undefined, {
    async drive(rt, handle) {
      await rt.advance("1d");
      await handle.cancel("enough");
      await rt.advance("2h");
      const result = await handle.result();
      assert.deepEqual(result && [result.told, result.cleaned], [["enough"], true]);
    },
  });
});

test("runs that follow each other, with signals carried over, scopes and patches", async () => {
  const counting = workflow("counting", async (from: number): Promise<ReturnType<typeof continueAsNew> | object> => {
    const isNew = await patched("new-way");
    const two = await scope("pair", () => Promise.all([step("add", () => from + 1), step("add", () => from + 2)]));
    await sleep("rest", "1h");
    if (from < 4) return continueAsNew(two[1]);
    return { from, isNew, kept: await waitFor<string>("early") };
  });
  await everyCrash(counting, 0, {
    async drive(rt, handle) {
      await handle.signal("early", "kept");
      await rt.advance("4h");
      assert.deepEqual(await handle.result(), { from: 4, isNew: true, kept: "kept" });
    },
  });
});

const text: StandardSchemaV1<string> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => (typeof value === "string" ? { value } : { issues: [{ message: "no text" }] }),
  },
};

test("a payload that does not fit is put aside once, and an undo that fails for good is told once", async () => {
  const strict = workflow("strict", { signals: { word: text } }, async (_: undefined, ctx) => {
    await step("begin", () => undefined, {
      compensate: () => {
        throw new FatalError("can't be undone");
      },
    });
    const word = await ctx.waitFor("word");
    throw new FatalError(`heard ${word}`);
  });
  await everyCrash(strict, undefined, {
    async drive(rt, handle) {
      const loose = rt.get<AnyWorkflow>({ name: "strict" }, handle.id);
      await loose.signal("word", 5);
      await handle.signal("word", "yes");
      await rt.advance("1h");
      const told: string[] = [];
      for await (const entry of handle.history()) if (entry.kind === "event") told.push(entry.subtype ?? entry.type);
      assert.deepEqual(
        told.filter((subtype) => subtype.includes("_")),
        ["signal_rejected", "compensation_failed"],
      );
      const error = await handle.result().catch((error: Error) => error);
      assert.match(String(error instanceof Error && error.cause), /^CompensationError/);
    },
  });
});
