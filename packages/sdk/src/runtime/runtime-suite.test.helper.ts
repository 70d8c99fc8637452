// What a runtime promises, whatever source its work comes from: run over a store in this process, and over a core by its wire.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { InstanceState } from "../api/client.ts";
import type { Runtime, RuntimeOptions } from "../api/runtime.ts";
import type { AnyWorkflow } from "../api/workflow.ts";
import {
  type CancelledError,
  continueAsNew,
  emit,
  now,
  onCancel,
  patched,
  publish,
  ref,
  scope,
  sendSignal,
  sleep,
  spawn,
  step,
  waitFor,
  workflow,
} from "../index.ts";
import { until } from "../testing/until.ts";
import { silentLogger } from "./testing/setup.ts";

/** Runtimes of one test on one store; closed when it is over. */
export interface Ground {
  runtime(workflows: readonly AnyWorkflow[], options?: RuntimeOptions): Promise<Runtime>;
}

/** Long waits give the process back at once. */
const quick: RuntimeOptions = { suspendAfter: 50 };

const isSuspended = (runtime: Runtime, id: string) => async (): Promise<boolean> =>
  (await runtime.get(ref("any"), id).status()).status === "suspended";

/** Tries with longer and longer waits until one was long enough for what was to be seen on a machine that may be slow. */
async function longEnough(attempt: (ms: number) => Promise<boolean>): Promise<void> {
  for (const ms of [300, 1_200, 4_800, 19_200]) if (await attempt(ms)) return;
  assert.fail("it was never put away");
}

/** Where it stands when it runs no longer. */
async function settledState(handle: { status(): Promise<InstanceState> }): Promise<InstanceState> {
  let state = await handle.status();
  await until(async () => {
    state = await handle.status();
    return state.status !== "pending" && state.status !== "running";
  });
  return state;
}

export function testRuntime(name: string, groundOf: (t: TestContext) => Promise<Ground>): void {
  const scenario = (title: string, run: (ground: Ground, t: TestContext) => Promise<void>): void => {
    void test(`${name}: ${title}`, { timeout: 60_000 }, async (t) => run(await groundOf(t), t));
  };

  scenario("steps side by side come to one result, each body runs once", async (ground) => {
    let bodies = 0;
    const fan = workflow("fan", async (count: number) => {
      const all = await Promise.all(
        Array.from({ length: count }, (_, n) =>
          scope(`s${n}`, async () => {
            const a = await step("a", async () => ++bodies && n);
            return step("b", () => a * 2);
          }),
        ),
      );
      return all.reduce((sum, value) => sum + value, 0);
    });
    const runtime = await ground.runtime([fan]);
    assert.deepEqual(await Promise.all([10, 20, 30].map((count) => runtime.run(fan, count))), [90, 380, 870]);
    assert.equal(bodies, 60);
  });

  scenario("a long sleep gives the process back, and wakes in time", async (ground) => {
    const naps = workflow("naps", async (ms: number) => {
      const from = await step("before", () => Date.now());
      await sleep(ms);
      return now() - from;
    });
    const runtime = await ground.runtime([naps], quick);
    await longEnough(async (ms) => {
      const handle = await runtime.start(naps, ms);
      const state = await settledState(handle);
      // Not early, but for the difference of two clocks that count whole milliseconds.
      assert.ok((await handle.result()) >= ms - 5);
      return state.reason === "sleeping" && state.wakeAt !== undefined;
    });
  });

  scenario("signals that are sent before anybody waits, while one waits, and while it is put away", async (ground) => {
    const asks = workflow("asks", async () => {
      await step("begin", () => 0);
      const got = [await waitFor<number>("n"), await waitFor<number>("n"), await waitFor<number>("n")];
      const late = await waitFor("never", { timeout: 20 });
      return [...got, late];
    });
    const runtime = await ground.runtime([asks], quick);
    const handle = await runtime.start(asks, undefined, { id: "a" });
    await handle.signal("n", 1);
    await handle.signal("n", 2);
    await until(isSuspended(runtime, "a"));
    assert.deepEqual((await handle.status()).waitingFor, ["n"]);
    await handle.signal("n", 3);
    assert.deepEqual(await handle.result(), [1, 2, 3, undefined]);
  });

  scenario("one instance signals another, once", async (ground) => {
    const listens = workflow("listens", async () => waitFor<string>("hello"));
    const speaks = workflow("speaks", async (to: string) => {
      await sendSignal(to, "hello", "from afar");
      return "sent";
    });
    const runtime = await ground.runtime([listens, speaks]);
    const handle = await runtime.start(listens, undefined, { id: "l" });
    assert.equal(await runtime.run(speaks, "l"), "sent");
    assert.equal(await handle.result(), "from afar");
  });

  scenario("a cancel reaches a waiting workflow, which cleans up and ends cancelled", async (ground) => {
    const told: unknown[] = [];
    const waits = workflow("waits", async () => {
      onCancel((reason) => told.push(reason));
      try {
        await waitFor("never");
      } finally {
        await step("clean", () => told.push("cleaned"));
      }
    });
    const runtime = await ground.runtime([waits], quick);
    const handle = await runtime.start(waits, undefined, { id: "w" });
    await until(isSuspended(runtime, "w"));
    await handle.cancel("no longer needed");
    await assert.rejects(handle.result(), { name: "CancelledError" } satisfies Partial<CancelledError>);
    assert.deepEqual(told, ["no longer needed", "cleaned"]);
  });

  scenario("a pause ends the running body first, a resume goes on behind it", async (ground) => {
    const told: string[] = [];
    const body = Promise.withResolvers<void>();
    const works = workflow("works", async () => {
      await step("long", async () => {
        told.push("begins");
        await body.promise;
        told.push("ends");
      });
      await step("next", () => told.push("next"));
      return "done";
    });
    const runtime = await ground.runtime([works]);
    const handle = await runtime.start(works, undefined, { id: "p" });
    await until(() => told.length === 1);
    await handle.pause();
    body.resolve();
    await until(isSuspended(runtime, "p"));
    assert.deepEqual([told, (await handle.status()).reason], [["begins", "ends"], "paused"]);
    await handle.resume();
    assert.equal(await handle.result(), "done");
    assert.deepEqual(told, ["begins", "ends", "next"]);
  });

  scenario("a kill ends it without its help", async (ground) => {
    const aborted = Promise.withResolvers<void>();
    const hangs = workflow("hangs", async () => {
      await step("hang", (s) => {
        s.signal.addEventListener("abort", () => aborted.resolve());
        return new Promise<never>(() => {});
      });
    });
    const runtime = await ground.runtime([hangs]);
    const handle = await runtime.start(hangs, undefined, { id: "k" });
    await until(async () => (await handle.status()).status === "running");
    await handle.kill("enough");
    await assert.rejects(handle.result());
    await aborted.promise;
  });

  scenario("continueAsNew goes on with another input in the same instance", async (ground) => {
    const counts = workflow("counts", async (n: number): Promise<string> => {
      const run = await step("count", () => n);
      // Sent when the first run waits for nothing.
      if (run < 5) return continueAsNew(run + 1) as never;
      return `after ${run}`;
    });
    const runtime = await ground.runtime([counts]);
    assert.equal(await runtime.run(counts, 1, { id: "c" }), "after 5");
    const runs: string[] = [];
    for await (const entry of runtime.get(counts, "c").history()) if (entry.kind === "step") runs.push(entry.id);
    assert.deepEqual(runs, ["count", "!2.count", "!3.count", "!4.count", "!5.count"]);
  });

  scenario("a child's end reaches its parent, also one that is put away", async (ground) => {
    const gate = Promise.withResolvers<void>();
    const child = workflow("child", async (n: number) => {
      if (n > 1) await step("wait", () => gate.promise);
      if (n === 3) throw new TypeError("three");
      return n * 10;
    });
    const parent = workflow("parent", async () => {
      const [one, two, three] = [spawn(child, 1), spawn(child, 2), spawn(child, 3)];
      const failed = await three.result().catch((error: Error) => (error.cause as Error).message);
      return [await one.result(), await two.result(), failed];
    });
    const runtime = await ground.runtime([child, parent], quick);
    const handle = await runtime.start(parent, undefined, { id: "p" });
    await until(isSuspended(runtime, "p"));
    gate.resolve();
    assert.deepEqual(await handle.result(), [10, 20, "three"]);
  });

  scenario("what is published can be read while it runs and when it is over; events come once", async (ground) => {
    const tells = workflow("tells", async () => {
      for (let n = 1; n <= 3; n++) {
        publish("progress", n);
        emit("reached", { n });
        await step("work", () => n);
      }
      await waitFor("go");
      publish("progress", "all");
      return "done";
    });
    const runtime = await ground.runtime([tells], quick);
    const handle = await runtime.start(tells, undefined, { id: "t" });
    await until(isSuspended(runtime, "t"));
    assert.equal(await handle.published("progress"), 3);
    await handle.signal("go", null);
    await handle.result();
    assert.equal(await handle.published("progress"), "all");
    const events: unknown[] = [];
    for await (const entry of handle.history())
      if (entry.kind === "event" && entry.subtype === "reached") events.push(entry.payload);
    assert.deepEqual(events, [{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  scenario("changed code that no longer fits is stopped, and goes on after the fix", async (ground) => {
    const ran: string[] = [];
    const version = (second: string): AnyWorkflow =>
      workflow("changes", async () => {
        await step("first", () => ran.push("first"));
        await step(second, () => ran.push(second));
        await waitFor("go");
        return ran.length;
      });
    const [right, wrong] = [version("second"), version("renamed")];
    const before = await ground.runtime([right], quick);
    await before.start(right, undefined, { id: "d" });
    await until(isSuspended(before, "d"));
    await before.close();

    const broken = await ground.runtime([wrong], { ...quick, logger: silentLogger });
    const handle = broken.get(wrong, "d");
    await handle.signal("go", 1);
    await until(async () => (await handle.status()).reason === "diverged");
    await broken.close();

    const fixed = await ground.runtime([right], quick);
    await fixed.get(right, "d").resume();
    assert.equal(await fixed.get(right, "d").result(), 2);
    assert.deepEqual(ran, ["first", "second"]);
  });

  scenario("patched is false for what began before it, and true for what begins after", async (ground) => {
    const old = workflow("patch", async () => {
      await step("a", () => 1);
      await waitFor("go");
      await step("b", () => 1);
      return "old";
    });
    const changed = workflow("patch", async () => {
      await step("a", () => 1);
      const isNew = await patched("p");
      await waitFor("go");
      if (!isNew) await step("b", () => 1);
      return isNew ? "new" : "old";
    });
    const before = await ground.runtime([old], quick);
    const handle = await before.start(old, undefined, { id: "o" });
    await until(isSuspended(before, "o"));
    await handle.signal("go", 1);
    await handle.result();
    await before.close();
    const after = await ground.runtime([changed], quick);
    const newer = await after.start(changed, undefined, { id: "n" });
    await newer.signal("go", 1);
    assert.equal(await newer.result(), "new");
  });

  scenario("a failing step is tried again after its waits, also when they are long", async (ground) => {
    const attempts = new Map<string, number[]>();
    const flaky = workflow("flaky", async (backoff: number, ctx) => {
      const made = attempts.get(ctx.instanceId) ?? [];
      attempts.set(ctx.instanceId, made);
      const body = (s: { attempt: number }): number => {
        made.push(s.attempt);
        if (s.attempt < 3) throw new Error("not yet");
        return s.attempt;
      };
      return step("try", body, { retry: { attempts: 5, backoff, factor: 1, jitter: 0 } });
    });
    const runtime = await ground.runtime([flaky], quick);
    await longEnough(async (ms) => {
      const handle = await runtime.start(flaky, ms);
      const { status } = await settledState(handle);
      assert.equal(await handle.result(), 3);
      assert.deepEqual(attempts.get(handle.id), [1, 2, 3]);
      return status === "suspended";
    });
  });

  scenario("what a closed runtime leaves is gone on with at once by another, no step is done again", async (ground) => {
    const ran: string[] = [];
    const body = Promise.withResolvers<void>();
    const long = workflow("long", async () => {
      await step("first", () => ran.push("first"));
      await step("second", async () => {
        ran.push("second");
        await body.promise;
        return "from the first runtime";
      });
      await step("third", () => ran.push("third"));
      return ran;
    });
    const first = await ground.runtime([long]);
    await first.start(long, undefined, { id: "i" });
    await until(() => ran.includes("second"));
    const closed = first.close({ drain: 30_000 });
    // The running body may finish, and its outcome counts.
    body.resolve();
    await closed;
    assert.deepEqual(ran, ["first", "second"]);
    const second = await ground.runtime([long]);
    assert.deepEqual(await second.get(long, "i").result(), ["first", "second", "third"]);
  });
}
