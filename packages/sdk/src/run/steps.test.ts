import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CancelledError,
  ContextError,
  FatalError,
  isRuntaraError,
  RetryableError,
  StepTimeoutError,
  UnstorableValueError,
} from "../errors.ts";
import { now, random, scope, sleep, sleepUntil, step, uuid } from "../functions.ts";
import { MemoryStore } from "../testing/memory-history.ts";
import { type ProcessOptions, runProcess } from "../testing/run-once.ts";
import { SimulatedClock } from "../testing/simulated-clock.ts";
import type { RunContext } from "./context.ts";
import type { EngineEvent, RunEnd } from "./control.ts";
import { readEnvelope } from "./envelope.ts";
import { defaultPolicy } from "./retry.ts";

type Body = (context: RunContext) => Promise<unknown>;

/** Runs a body in a new instance. */
async function run(
  body: Body,
  options: Partial<ProcessOptions> = {},
): Promise<{ end: RunEnd; store: MemoryStore; events: EngineEvent[] }> {
  const store = options.store ?? new MemoryStore();
  const events: EngineEvent[] = [];
  const settings = { stepPolicy: defaultPolicy, ...options.settings };
  const tell = (event: EngineEvent): void => void events.push(event);
  const { end } = await runProcess({ ...options, store, body: (_, context) => body(context), settings, tell });
  assert.ok(end, "the run came to its end");
  return { end, store, events };
}

function outputOf(end: RunEnd): unknown {
  if (end.is === "threw") throw end.error;
  assert.equal(end.is, "returned");
  return end.value;
}

function errorOf(end: RunEnd): Error & { code?: string } {
  assert.equal(end.is, "threw");
  return end.error as Error;
}

test("a step runs in the call, its result is stored in the documented form and returned", async () => {
  let isRunning = false;
  const { end, store } = await run(async () => {
    const promise = step("charge", () => {
      isRunning = true;
      return { id: 7 };
    });
    assert.ok(isRunning);
    return promise;
  });
  assert.deepEqual(outputOf(end), { id: 7 });
  assert.match(
    store.entries.get("charge") ?? "",
    /^\{"\$rt":1,"seq":1,"at":1700000000000,"src":"\S*steps\.test\.ts:\d+:\d+","value":\{"id":7\}\}$/,
  );
});

test("a step is tried four times by default, announced before each wait, with growing waits", async () => {
  const attempts: number[] = [];
  const clock = new SimulatedClock();
  const { end, store, events } = await run(
    () =>
      step("flaky", (s) => {
        attempts.push(s.attempt);
        throw Object.assign(new Error(`no ${s.attempt}`), { status: 500, socket: () => {} });
      }),
    { clock },
  );
  assert.deepEqual(attempts, [1, 2, 3, 4]);
  assert.equal(store.retries.get("flaky")?.attempt, 4);
  const waits = events.flatMap((event) => (event.type === "attemptFailed" ? [event.nextInMs] : []));
  for (const [index, wait] of waits.entries()) {
    const full = 1_000 * 2 ** index;
    assert.ok(wait > full * 0.79 && wait <= full, `wait ${index + 1} is ${wait}`);
  }
  const error = errorOf(end) as Error & { status?: number; socket?: unknown };
  assert.deepEqual(
    [error.message, error.status, error.socket],
    ["no 4", 500, undefined],
    "the stored form, in the first run too",
  );
});

test("the failure of a step is the same error in the first run and in a replay", async () => {
  class PaymentError extends Error {
    override readonly name = "PaymentError";
  }
  const store = new MemoryStore();
  const seen: unknown[] = [];
  const body: Body = async (context) => {
    const error = await context
      .step(
        "charge",
        () => {
          throw new PaymentError("declined");
        },
        { retry: false },
      )
      .catch((reason: Error) => reason);
    assert.ok(error instanceof Error);
    seen.push([error instanceof PaymentError, error.constructor, error.name, error.message, error.stack]);
    return undefined;
  };
  await run(body, { store });
  await run(body, { store });
  assert.equal(seen.length, 2);
  assert.deepEqual(seen[0], seen[1]);
  assert.deepEqual((seen[0] as unknown[]).slice(0, 4), [false, Error, "PaymentError", "declined"]);
});

test("FatalError, a false `when`, and the limit of attempts end the retries; RetryableError and `when` set the wait", async () => {
  const counts: Record<string, number> = {};
  const failing = (name: string, error: () => Error, retry?: object) =>
    step(
      name,
      () => {
        counts[name] = (counts[name] ?? 0) + 1;
        throw error();
      },
      retry === undefined ? {} : { retry },
    ).catch((reason: Error) => reason);
  const { end, events } = await run(async () => [
    await failing("fatal", () => new FatalError("stop")),
    await failing("once", () => new Error("x"), { attempts: 1 }),
    await failing("when", () => new Error("x"), { when: () => false }),
    await failing("asked", () => new RetryableError("later", { after: "1h" }), { attempts: 2 }),
    await failing("replaced", () => new Error("x"), { attempts: 2, when: () => "5m" }),
    await failing("elapsed", () => new Error("x"), { attempts: 9, maxElapsed: "1500ms", jitter: 0 }),
  ]);
  assert.deepEqual(counts, { fatal: 1, once: 1, when: 1, asked: 2, replaced: 2, elapsed: 2 });
  assert.ok((outputOf(end) as Error[])[0] instanceof FatalError);
  const waits = events.flatMap((event) => (event.type === "attemptFailed" ? [[event.name, event.nextInMs]] : []));
  assert.deepEqual(waits, [
    ["asked", 3_600_000],
    ["replaced", 300_000],
    ["elapsed", 1_000],
  ]);
});

test("attempts go on counting after a crash, and the one that was announced is made at once", async () => {
  const store = new MemoryStore();
  const seen: number[] = [];
  const body: Body = (context) =>
    context.step("flaky", (s) => {
      seen.push(s.attempt);
      if (s.attempt < 3) throw new Error("not yet");
      return "done";
    });
  const clock = new SimulatedClock();
  await runProcess({
    store,
    clock,
    crashAfter: 1,
    body: (_, context) => body(context),
    settings: { stepPolicy: defaultPolicy },
  });
  assert.deepEqual(seen, [1, 2]);
  const { end } = await run(body, { store, clock });
  assert.equal(outputOf(end), "done");
  assert.deepEqual(seen, [1, 2, 3]);
});

test("a time-out aborts the attempt, counts as its failure, and drops the late result", async () => {
  const clock = new SimulatedClock();
  const signals: AbortSignal[] = [];
  const { end } = await run(
    () =>
      step(
        "slow",
        (s) => {
          signals.push(s.signal);
          return new Promise((resolve) => void clock.after(s.attempt === 1 ? 500 : 50, () => resolve(s.attempt)));
        },
        { timeout: 100 },
      ),
    { clock },
  );
  assert.equal(outputOf(end), 2);
  assert.ok(signals[0]?.aborted && signals[0].reason instanceof StepTimeoutError);
  assert.equal(signals[1]?.aborted, false);

  const { end: failed } = await run(
    () => step("slow", () => new Promise(() => {}), { timeout: "1s", retry: { attempts: 2 } }),
    {},
  );
  assert.ok(errorOf(failed) instanceof StepTimeoutError);
  assert.match(errorOf(failed).message, /step "slow": attempt 2 took longer than 1000 ms/);
});

test("a result that can't be stored names step, place and path, is not tried again, and is stored as the failure", async () => {
  const store = new MemoryStore();
  let runs = 0;
  const body: Body = (context) =>
    context.step("load", () => {
      runs++;
      return { items: [{ socket: () => {} }] } as never;
    });
  const { end } = await run(body, { store });
  const error = errorOf(end);
  assert.ok(error instanceof UnstorableValueError);
  assert.match(
    error.message,
    /^step "load" \(\S*steps\.test\.ts:\d+:\d+\) returned a value that can't be stored: result\.items\[0\]\.socket is a function$/,
  );
  const again = errorOf((await run(body, { store })).end);
  assert.equal(again.message, error.message);
  assert.equal(runs, 1);
});

test("an output that can't be stored fails the instance, naming the path", async () => {
  const { end } = await run(async () => ({ a: Symbol("x") }));
  assert.match(errorOf(end).message, /^workflow "test" returned a value that can't be stored: output\.a is a symbol$/);
});

test("what is thrown can be anything", async () => {
  const { end } = await run(async () => {
    const thrown = [{ code: 5 }, "text", undefined, () => {}];
    const caught: unknown[] = [];
    for (const value of thrown) {
      await step(
        "throw",
        () => {
          throw value;
        },
        { retry: false },
      ).catch((error) => caught.push(error));
    }
    return caught.map((error) => (error instanceof Error ? error.message.replace(/\(\S+\)/, "(…)") : error));
  });
  assert.deepEqual(outputOf(end), [
    { code: 5 },
    "text",
    undefined,
    `step "throw" (…) threw a value that can't be stored (thrown value is a function)`,
  ]);
});

test("what has no text, or fails when it is stored, is thrown, retried and compensated like anything else", async () => {
  class Hostile extends Error {
    override get message(): string {
      throw new Error("no message");
    }
  }
  for (const thrown of [Object.create(null), new Hostile()]) {
    let attempts = 0;
    let undone = 0;
    const { end, store } = await run(async (context) => {
      context.compensate("first", () => void undone++);
      context.compensate("second", () => Promise.reject(thrown), { retry: { attempts: 1 } });
      return context.step("throw", () => Promise.reject(++attempts > 0 && thrown), { retry: { attempts: 2 } });
    });
    assert.deepEqual([attempts, undone], [2, 1]);
    assert.equal(errorOf(end).code, "COMPENSATION");
    assert.deepEqual([...store.entries.keys()], ["throw", "second!undo", "first!undo"]);
  }
});

test("the loser of a race that fails later is no unhandled rejection", async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", note);
  const clock = new SimulatedClock();
  const store = new MemoryStore();
  const body: Body = async (context) => {
    const first = await Promise.race([
      context.step("slow", () => new Promise((_, reject) => void clock.after(50, () => reject(new Error("late")))), {
        retry: false,
      }),
      context.sleep("t", 5),
    ]);
    await context.sleep("longer", 200);
    return first;
  };
  await run(body, { clock, store });
  await run(body, { clock, store });
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", note);
  assert.match(store.entries.get("slow") ?? "", /"error":/);
  assert.deepEqual(unhandled, []);
});

test("durable calls in a step body, outside a workflow, and after the end throw ContextError", async () => {
  for (const call of [
    () => step("x", () => 1),
    () => sleep(1),
    () => sleepUntil("x", 5),
    () => now(),
    () => random(),
    () => uuid(),
    () => scope("x", async () => 1),
  ]) {
    assert.throws(
      call,
      (error) => error instanceof ContextError && /was called outside a workflow/.test(error.message),
    );
  }
  const { end } = await run(async (context) => {
    const messages: string[] = [];
    for (const call of [() => step("inner", () => 1), () => context.sleep(1), () => context.random(), () => uuid()]) {
      await step("outer", async () => call(), { retry: false }).catch((error: Error) => messages.push(error.message));
    }
    return messages;
  });
  assert.match(
    (outputOf(end) as string[])[0] ?? "",
    /^step\("inner"\) was called in the body of step "outer"; steps don't nest/,
  );
  assert.equal((outputOf(end) as string[]).length, 4);

  let ended: RunContext | undefined;
  await run(async (context) => {
    ended = context;
    return context.step("a", () => 1);
  });
  let lateRuns = 0;
  const late = (): unknown => ended?.step("late", () => ++lateRuns);
  assert.throws(late, (error: Error) => {
    assert.match(error.message, /^step "late" was called after the workflow had ended \(missing await\?\)$/);
    return error instanceof ContextError;
  });
  assert.equal(lateRuns, 0);
});

test("a workflow that returns while a body runs completes; the body is told, its name reported, its result dropped", async () => {
  const clock = new SimulatedClock();
  let signal: AbortSignal | undefined;
  const { end, store, events } = await run(
    async () => {
      void step("forgotten", (s) => {
        signal = s.signal;
        return new Promise((resolve) => void clock.after(10_000, () => resolve(1)));
      });
      return step("kept", () => 1);
    },
    { clock },
  );
  assert.equal(outputOf(end), 1);
  assert.ok(signal?.aborted);
  assert.deepEqual(
    events.filter((event) => event.type === "abandoned"),
    [{ type: "abandoned", names: ["forgotten"] }],
  );
  assert.deepEqual([...store.entries.keys()], ["kept"]);
});

test("a sleep writes one entry, when it is due; a crash neither restarts nor prolongs it", async () => {
  const clock = new SimulatedClock();
  const store = new MemoryStore();
  const begin = clock.now();
  const body: Body = async (context) => {
    await context.step("before", () => 1);
    const asleepAt = context.now();
    await context.sleep("cooling-off", "24h");
    return context.now() - asleepAt;
  };
  await runProcess({ store, clock, crashAfter: 3, body: (_, context) => body(context) });
  assert.deepEqual([...store.entries.keys()], ["before"], "nothing is written when it starts");
  clock.after(20 * 3_600_000, () => {});
  while (clock.now() < begin + 20 * 3_600_000) clock.step();
  const { end } = await run(body, { store, clock });
  assert.ok((outputOf(end) as number) - 86_400_000 < 100, "the rest of it, not the whole again");
  assert.equal(readEnvelope(store.entries.get("cooling-off") ?? "").kind, "sleep");
});

test("sleeps of equal due times fire in call order; past ones end at once; very long ones are counted", async () => {
  const clock = new SimulatedClock();
  const begin = clock.now();
  const order: string[] = [];
  const { end } = await run(
    async (context) => {
      const note = (name: string) => () => void order.push(name);
      await Promise.all([
        context.sleep("a", 50).then(note("a")),
        context.sleepUntil("b", begin + 50).then(note("b")),
        context.sleep("c", "50ms").then(note("c")),
        context.sleep("past", -5).then(note("past")),
        context.sleepUntil("past", new Date(0)).then(note("long ago")),
      ]);
      await context.sleep("40d");
      return context.now() - begin;
    },
    { clock },
  );
  assert.deepEqual(order, ["long ago", "past", "a", "b", "c"]);
  const elapsed = outputOf(end) as number;
  assert.ok(elapsed >= 40 * 86_400_000 && elapsed < 40 * 86_400_000 + 500);
});

test("a wait that is disarmed rejects with CancelledError and leaves no entry; leaving a using block does it too", async () => {
  const store = new MemoryStore();
  const body: Body = async (context) => {
    const wait = context.sleep("long", "1h");
    const outcome = wait.then(
      () => "slept",
      (error) => isRuntaraError(error, "CANCELLED"),
    );
    wait.cancel();
    wait.cancel();
    {
      using other = context.sleep("other", "1h");
      await context.step("meanwhile", () => other instanceof Promise);
    }
    return outcome;
  };
  assert.equal(outputOf((await run(body, { store })).end), true);
  assert.deepEqual([...store.entries.keys()], ["meanwhile"]);
  assert.equal(outputOf((await run(body, { store })).end), true);
});

test("now stands still within a turn and is the same in a replay; random and uuid too, per scope", async () => {
  const store = new MemoryStore();
  const clock = new SimulatedClock();
  const seen: unknown[] = [];
  const body: Body = async (context) => {
    const facts: unknown[] = [now(), random(), uuid()];
    await context.sleep("a", 100);
    facts.push(now(), now() === context.now(), random());
    await scope("inner", async (inner) => {
      facts.push(inner.random(), random(), uuid());
      await inner.step("x", () => 1);
    });
    facts.push(random(), now());
    seen.push(facts);
    return undefined;
  };
  await run(body, { store, clock });
  await run(body, { store, clock });
  assert.deepEqual(seen[0], seen[1]);
  const numbers = (seen[0] as unknown[]).filter((fact) => typeof fact === "number" && fact < 1) as number[];
  assert.equal(new Set(numbers).size, numbers.length);
  assert.match(
    String((seen[0] as unknown[])[2]),
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
});

test("the idempotency key is a UUID that depends on instance and id, not on attempt or process", async () => {
  const keys: string[] = [];
  const body: Body = (context) =>
    context.step("charge", (s) => {
      keys.push(s.idempotencyKey, s.name, s.checkpointId);
      if (s.attempt === 1) throw new Error("again");
      return 1;
    });
  await run(body);
  await run((context) =>
    context.scope("other", (inner) => inner.step("charge", (s) => void keys.push(s.idempotencyKey))),
  );
  assert.match(keys[0] ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual(keys.slice(0, 3), [keys[0], "charge", "charge"]);
  assert.equal(keys[3], keys[0]);
  assert.notEqual(keys[6], keys[0]);
});

test("a call after something that is not durable is marked, warned about once with its place, and replays", async () => {
  for (const sparse of [false, true]) {
    const store = new MemoryStore();
    const body: Body = async (context) => {
      await new Promise((resolve) => setTimeout(resolve, 3));
      const first = await context.step("a", () => 1);
      await new Promise((resolve) => setTimeout(resolve, 3));
      return first + (await context.step("b", () => 2));
    };
    const clock = new SimulatedClock();
    const keepGoing = (): void => void clock.after(1, keepGoing);
    keepGoing();
    const { end, events } = await run(body, { store, sparse, clock });
    assert.equal(outputOf(end), 3);
    const warnings = events.filter((event) => event.type === "warning");
    assert.equal(warnings.length, 1);
    assert.match(
      String(warnings[0]?.message),
      /step "a" \(\S*steps\.test\.ts:\d+:\d+\) was called after the code awaited something/,
    );
    assert.match(store.entries.get("b") ?? "", /"f":1/);
    const again = await run(body, { store, sparse, clock });
    assert.equal(outputOf(again.end), 3);
  }
});

test("a foreign call that comes after the replay still gets its stored result", async () => {
  const store = new MemoryStore();
  let runs = 0;
  const body: Body = async (context) => {
    const late = new Promise((resolve) => setTimeout(resolve, 5)).then(() => context.step("late", () => ++runs));
    const early = context.step("early", () => late.then(() => 10));
    const results = await Promise.all([early, late]);
    await new Promise((resolve) => setTimeout(resolve, 1));
    return results;
  };
  const clock = new SimulatedClock();
  const keepGoing = (): void => void clock.after(1, keepGoing);
  keepGoing();
  const first = await run(body, { store, sparse: true, clock });
  assert.deepEqual(outputOf(first.end), [10, 1]);
  assert.equal(store.newest, "early");
  const again = await run(body, { store, sparse: true, clock });
  assert.deepEqual([outputOf(again.end), runs], [[10, 1], 1]);
});

test("as many bodies run at once as are allowed; the rest wait in call order", async () => {
  const clock = new SimulatedClock();
  const order: number[] = [];
  let inside = 0;
  let most = 0;
  const { end } = await run(
    () =>
      Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          step("work", async () => {
            order.push(index);
            most = Math.max(most, ++inside);
            await new Promise<void>((resolve) => void clock.after(10, resolve));
            inside--;
          }),
        ),
      ),
    { clock, concurrentSteps: 7 },
  );
  assert.equal((outputOf(end) as unknown[]).length, 40);
  assert.equal(most, 7);
  assert.deepEqual(
    order,
    Array.from({ length: 40 }, (_, index) => index),
  );
});

test("options that can't be meant are refused with their value", async () => {
  const { end } = await run(async (context) => {
    const calls: (() => unknown)[] = [
      () => context.step("x", () => 1, { timeout: "5 minutes" as never }),
      () => context.step("x", () => 1, { retry: { attempts: 0 } }),
      () => context.step("x", () => 1, { retry: { jitter: 2 } }),
      () => context.step("x", "nothing" as never),
      () => context.step("", () => 1),
      () => context.sleep("x", Number.NaN),
      () => context.sleep("soon" as never),
      () => context.sleepUntil("x", new Date(Number.NaN)),
      () => context.sleepUntil("x", 1e300),
      () => context.sleep("x", Number.MAX_SAFE_INTEGER),
    ];
    return calls.map((call) => {
      try {
        call();
        return "passed";
      } catch (error) {
        assert.ok(error instanceof ContextError);
        return error.message;
      }
    });
  });
  const messages = outputOf(end) as string[];
  assert.match(messages[0] ?? "", /step "x": timeout is "5 minutes"; it must be/);
  assert.match(messages[1] ?? "", /retry\.attempts is 0; it must be a number from 1/);
  assert.ok(!messages.includes("passed"));
  assert.match(messages[8] ?? "", /the time is 1e\+300; it must be .* at most 8200000000000000$/);
  assert.match(messages[9] ?? "", /must be a number of milliseconds from 0 to 4000000000000000,/);
});

test("a cancel rejects waits once, aborts bodies, lets finally blocks work, and ends the instance", async () => {
  const clock = new SimulatedClock();
  const store = new MemoryStore();
  let bodySignal: AbortSignal | undefined;
  const body: Body = async (context) => {
    try {
      await Promise.all([
        context.sleep("long", "1h"),
        context.step("watching", (s) => {
          bodySignal = s.signal;
          return new Promise((_, reject) => s.signal.addEventListener("abort", () => reject(s.signal.reason as Error)));
        }),
      ]);
      return undefined;
    } finally {
      await context.step("release", () => context.signal.aborted);
      await context.sleep("settle", 5);
    }
  };
  const onEvent: ProcessOptions["onEvent"] = (run, event) => {
    if (event >= 0) run.cancel(undefined);
  };
  const { end } = await run(body, { store, clock, onEvent });
  assert.equal(end.is, "cancelled");
  assert.ok(bodySignal?.reason instanceof CancelledError);
  assert.deepEqual([...store.entries.keys()].sort(), ["!cancel", "release", "settle", "watching"]);
  assert.match(store.entries.get("release") ?? "", /"value":true/);
  assert.match(store.entries.get("watching") ?? "", /"error":.*CancelledError/);
  assert.equal((await run(body, { store, clock })).end.is, "cancelled", "a replay ends the same way");
});

test("a cancel that finds nobody waiting is told by the next durable call, once; caught, the instance completes", async () => {
  const { end } = await run(
    async (context) => {
      const told: unknown[] = [];
      for (let index = 0; index < 6; index++) {
        await context.step("work", () => index).catch((error) => told.push(isRuntaraError(error, "CANCELLED")));
      }
      return told;
    },
    { onEvent: (run, event) => event === 1 && run.cancel(undefined) },
  );
  assert.deepEqual(outputOf(end), [true]);
});

test("a pause lets running bodies finish, starts no new ones, and stops when all is saved", async () => {
  const clock = new SimulatedClock();
  const store = new MemoryStore();
  const ran: string[] = [];
  const body: Body = async (context) => {
    for (const name of ["a", "b", "c"]) {
      await context.step(name, () => {
        ran.push(name);
        return new Promise((resolve) => void clock.after(10, () => resolve(name)));
      });
    }
    return "done";
  };
  const { end } = await run(body, { clock, store, onEvent: (run) => ran.includes("b") && run.pause() });
  assert.equal(end.is, "paused");
  assert.deepEqual(
    [ran, [...store.entries.keys()]],
    [
      ["a", "b"],
      ["a", "b"],
    ],
  );
  assert.equal(outputOf((await run(body, { clock, store })).end), "done");
  assert.deepEqual(ran, ["a", "b", "c"]);
});
