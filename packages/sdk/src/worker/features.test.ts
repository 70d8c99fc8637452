// Cores that serve less: images fall back to the base protocol, workers say what is missing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type FeatureName, featuresOf } from "@runtara/protocol";
import { isRuntaraError, type UnsupportedError } from "../errors.ts";
import { continueAsNew, publish, sleep, spawn, step } from "../functions.ts";
import { TestCore } from "../testing/core-in-process.ts";
import { olderCore } from "../testing/older-core.ts";
import { workflow } from "../workflow.ts";
import { neededFeatures } from "./remote/begin-extended.ts";
import { runInstance } from "./run-instance.ts";
import { serve } from "./serve.ts";

const extensions = featuresOf("instance");
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function ordinary(stop: AbortController, seen: string[]) {
  return workflow("ordinary", async (input: { n: number }, ctx) => {
    const before = ctx.random();
    const first = await step("first", () => {
      seen.push("first");
      return input.n + 1;
    });
    await sleep("moment", 5);
    const second = await step(
      "second",
      async (s) => {
        seen.push(`second ${s.attempt}`);
        if (s.attempt === 1) throw new Error("once");
        if (!stop.signal.aborted) await new Promise(() => stop.abort());
        return first * 2;
      },
      { retry: { attempts: 5, backoff: 1 } },
    );
    return [before, ctx.random(), second];
  });
}

for (const missing of [...extensions, undefined]) {
  const what = missing === undefined ? "every extension" : `"${missing}"`;
  test(`an image runs, and goes on after a stop, on a core without ${what}`, async (t) => {
    const core = await TestCore.start(t);
    const server = await olderCore(t, core, (feature) => missing !== undefined && feature !== missing);
    const stop = new AbortController();
    const seen: string[] = [];
    const work = ordinary(stop, seen);
    const options = core.options("i", { server, input: { n: 1 } });
    assert.equal((await runInstance(work, { ...options, signal: stop.signal })).status, "stopped");
    const outcome = await runInstance(work, options);
    assert.ok(outcome.status === "completed", String("error" in outcome && outcome.error));
    assert.equal((outcome.output as number[])[2], 4);
    assert.deepEqual(
      seen,
      ["first", "second 1", "second 2", "second 2"],
      "counting goes on, nothing stored runs again",
    );
    assert.deepEqual(await runInstance(work, options), { ...outcome, earlier: true });
    await assert.rejects(runInstance(work, { ...options, input: { n: 2 } }), /input\.n: 1 was stored, 2 was given/);
  });
}

for (const missing of extensions) {
  const isNeeded = missing === "work-queue" || neededFeatures.includes(missing);
  const end = isNeeded ? "is refused and the feature named" : "works";
  test(`a worker of a core without "${missing}" ${end}`, async (t) => {
    const core = await TestCore.start(t);
    const server = await olderCore(t, core, (feature) => feature !== missing);
    const work = workflow("work", async (n: number) => {
      await sleep("moment", 5);
      return step("double", () => n * 2);
    });
    const tls = { dangerouslySkipVerification: true };
    const serving = serve([work], { server, tls, logger: silent, handleSignals: false, suspendAfter: 1 });
    if (isNeeded) {
      await assert.rejects(serving, (error) => {
        assert.ok(isRuntaraError(error, "UNSUPPORTED"), String(error));
        assert.equal((error as UnsupportedError).feature, missing);
        assert.match(error.message, new RegExp(`"${missing}"`));
        return true;
      });
      return;
    }
    await using runtime = await serving;
    // Management beside the worker's own calls is a feature of its own.
    if (missing === "management") {
      await assert.rejects(runtime.start(work, 4), {
        code: "UNSUPPORTED",
        feature: "start-workflow" satisfies FeatureName,
      });
      return;
    }
    assert.equal(await runtime.run(work, 4), 8);
  });
}

test("what the base protocol has no way for fails and says so", async (t) => {
  const core = await TestCore.start(t);
  const server = await olderCore(t, core, () => false);
  const other = workflow("other", async () => 1);
  const cases = {
    child: workflow("child", async () => {
      await spawn(other).started;
    }),
    further: workflow("further", async (n: number) => {
      await step("count", () => n);
      return continueAsNew(n + 1);
    }),
  };
  for (const [id, work] of Object.entries(cases)) {
    const outcome = await runInstance(work, core.options(id, { server, input: 1 }));
    assert.ok(outcome.status === "failed");
    const error = isRuntaraError(outcome.error, "UNSUPPORTED") ? outcome.error : outcome.error.cause;
    assert.ok(isRuntaraError(error, "UNSUPPORTED"), String(outcome.error));
    assert.match(error.message, /the base protocol has no .*npx runtara core/);
  }
  const published = workflow("published", async () => {
    publish("stage", { at: 1 });
    return step("go", () => 1);
  });
  assert.equal((await runInstance(published, core.options("p", { server }))).status, "completed");
});
