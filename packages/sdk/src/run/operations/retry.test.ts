import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Retry } from "../../api/step.ts";
import {
  CancelledError,
  ContextError,
  FatalError,
  RetryableError,
  StepTimeoutError,
  UnstorableValueError,
} from "../../errors.ts";
import { outputOf, World } from "../../testing/world.ts";
import { defaultPolicy, nextAttemptIn, policyOf } from "../retry.ts";

const policy = (retry: Retry | false) => policyOf({ retry }, { ...defaultPolicy, jitter: 0 }, "step");

test("the table of waits: attempts, backoff, factor, the longest wait, what the error asks for, what `when` says", () => {
  const boom = new Error("boom");
  const table: [Retry | false, unknown, number, number, number | undefined][] = [
    // policy, error, failed attempt, elapsed, wait
    [{}, boom, 1, 0, 1_000],
    [{}, boom, 2, 0, 2_000],
    [{}, boom, 3, 0, 4_000],
    [{}, boom, 4, 0, undefined],
    [false, boom, 1, 0, undefined],
    [{ attempts: 1 }, boom, 1, 0, undefined],
    [{ attempts: Number.POSITIVE_INFINITY }, boom, 1_000, 0, 300_000],
    [{ backoff: "10s", factor: 3 }, boom, 2, 0, 30_000],
    [{ attempts: 9, backoff: "10s", maxBackoff: "25s" }, boom, 3, 0, 25_000],
    [{ factor: 1 }, boom, 3, 0, 1_000],
    [{ maxElapsed: "3s" }, boom, 2, 1_000, 2_000],
    [{ maxElapsed: "3s" }, boom, 2, 1_001, undefined],
    [{ when: () => false }, boom, 1, 0, undefined],
    [{ when: () => true }, boom, 1, 0, 1_000],
    [{ when: () => "7s" }, boom, 1, 0, 7_000],
    [{ when: (_, attempt) => attempt * 10 }, boom, 2, 0, 20],
    [{ when: (error) => (error as Error).message === "boom" }, new Error("other"), 1, 0, undefined],
    [{}, new FatalError("stop"), 1, 0, undefined],
    [{ when: () => true }, new FatalError("stop"), 1, 0, undefined],
    [{}, new UnstorableValueError("x", "result"), 1, 0, undefined],
    [{}, new CancelledError("x"), 1, 0, undefined],
    [{}, new StepTimeoutError("slow"), 1, 0, 1_000],
    [{}, new TypeError("fetch failed"), 1, 0, 1_000],
    [{}, "a text", 1, 0, 1_000],
    [{ attempts: Number.POSITIVE_INFINITY }, boom, 5_000, 0, 300_000],
    [{ attempts: Number.POSITIVE_INFINITY, backoff: 0 }, boom, 5_000, 0, 0],
    [{}, undefined, 1, 0, 1_000],
    [{}, new RetryableError("later"), 1, 0, 1_000],
    [{}, new RetryableError("later", { after: "1h" }), 1, 0, 3_600_000],
    [{ backoff: "2h", maxBackoff: "2h" }, new RetryableError("later", { after: "1h" }), 1, 0, 7_200_000],
    [{ maxElapsed: "10m" }, new RetryableError("later", { after: "1h" }), 1, 0, undefined],
    [{ attempts: 1 }, new RetryableError("later", { after: "1h" }), 1, 0, undefined],
  ];
  for (const [index, [retry, error, attempt, elapsedMs, expected]] of table.entries()) {
    assert.equal(nextAttemptIn(policy(retry), error, attempt, elapsedMs, 0.5), expected, `row ${index}`);
  }
});

test("jitter shortens each wait by up to its share, and never lengthens it", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      fc.integer({ min: 1, max: 60 }),
      (jitter, random, attempt) => {
        const retry = { ...defaultPolicy, attempts: 100, jitter };
        const full = nextAttemptIn({ ...retry, jitter: 0 }, new Error("x"), attempt, 0, random) ?? 0;
        const wait = nextAttemptIn(retry, new Error("x"), attempt, 0, random) ?? -1;
        assert.ok(wait <= full && wait >= Math.floor(full * (1 - jitter)), `${wait} of ${full}`);
      },
    ),
  );
});

test("a step's options win over the workflow's, and those over the defaults; members are taken one by one", () => {
  const workflow = policyOf({ retry: { attempts: 7, backoff: "5s" }, timeout: "1m" }, defaultPolicy, "workflow");
  const step = policyOf({ retry: { backoff: "6s" } }, workflow, "step");
  assert.deepEqual([step.attempts, step.backoffMs, step.factor, step.timeoutMs], [7, 6_000, 2, 60_000]);
  assert.equal(policyOf({ retry: false }, workflow, "step").attempts, 1);
  for (const bad of [{ attempts: 0 }, { factor: 0.5 }, { jitter: 2 }, { attempts: "3" as never }]) {
    assert.throws(() => policyOf({ retry: bad }, workflow, 'step "x"'), ContextError);
  }
});

test("what `when` throws, and an answer that is no duration, are the step's failure", async () => {
  const world = new World();
  const instance = world.start("i", async (_, c) => {
    const fail = (): never => {
      throw new Error("body");
    };
    const when = () => {
      throw new RangeError("when");
    };
    return [
      String(await c.step("a", fail, { retry: { attempts: 3, when } }).catch((error) => error)),
      String(await c.step("b", fail, { retry: { attempts: 3, when: () => "soon" as "1s" } }).catch((error) => error)),
    ];
  });
  await world.run();
  const [thrown, bad] = outputOf(instance) as string[];
  assert.equal(thrown, "RangeError: when");
  assert.match(bad ?? "", /the answer of retry\.when/);
});

test("a time-out ends the attempt, is retried, and frees the body's place", async () => {
  const world = new World({ settings: { stepPolicy: { ...defaultPolicy, jitter: 0 } } });
  const attempts: [number, boolean][] = [];
  const instance = world.start("i", async (_, c) =>
    c.step(
      "hangs",
      (s) => {
        s.signal.addEventListener("abort", () =>
          attempts.push([s.attempt, s.signal.reason instanceof StepTimeoutError]),
        );
        return s.attempt === 3 ? "third" : new Promise<string>(() => {});
      },
      { timeout: "2s" },
    ),
  );
  const begun = world.clock.now();
  await world.run();
  assert.equal(outputOf(instance), "third");
  assert.deepEqual(attempts, [
    [1, true],
    [2, true],
  ]);
  assert.equal(world.clock.now() - begun, 2_000 + 1_000 + 2_000 + 2_000);
});
