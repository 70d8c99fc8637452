import assert from "node:assert/strict";
import { test } from "node:test";
import { instance, request } from "@runtara/protocol";
import * as z from "zod";
import { isRuntaraError, StartConflictError, UnstorableValueError, ValidationError } from "../errors.ts";
import { random, sleep, step } from "../functions.ts";
import { TestCore } from "../testing/core-in-process.ts";
import { workflow } from "../workflow.ts";
import type { Outcome, RunEvent } from "./outcome.ts";
import { runInstance } from "./run-instance.ts";

const { InstanceStatus } = instance;

function outputOf(outcome: Outcome): unknown {
  if (outcome.status === "failed") throw outcome.error;
  assert.equal(outcome.status, "completed");
  return outcome.output;
}

/** A promise and its resolver. */
function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

test("a workflow completes; run again with its id, the stored output is returned and nothing runs", async (t) => {
  const core = await TestCore.start(t);
  let runs = 0;
  const order = workflow("order", async (input: { total: number }) => {
    await sleep("a moment", 5);
    return {
      doubled: await step("double", () => {
        runs++;
        return input.total * 2;
      }),
      at: new Date(0),
      list: new Map([[1, 2n]]),
    };
  });
  const events: RunEvent[] = [];
  const first = await runInstance(
    order,
    core.options("i", { input: { total: 4 }, onEvent: (event) => events.push(event) }),
  );
  assert.deepEqual(outputOf(first), { doubled: 8, at: new Date(0), list: new Map([[1, 2n]]) });
  assert.equal(first.earlier, false);
  const again = await runInstance(order, core.options("i", { input: { total: 4 } }));
  assert.deepEqual(again, { ...first, earlier: true });
  assert.deepEqual(await runInstance(order, core.options("i")), again, "without an input there is nothing to compare");
  assert.equal(runs, 1);
  assert.deepEqual(
    events.map((event) => event.type),
    ["registered", "live", "saved", "saved"],
  );
  assert.deepEqual(events[3], {
    ...events[3],
    type: "saved",
    id: "double",
    kind: "step",
    name: "double",
    seq: 2,
    outcome: "value",
  } as RunEvent);
  const status = await core.status("i");
  assert.equal(
    new TextDecoder().decode(status.output),
    '{"doubled":8,"at":{"$rt:Date":"1970-01-01T00:00:00.000Z"},"list":{"$rt:Map":[[1,{"$rt:bigint":"2"}]]}}',
  );
});

test("a workflow that fails reports name and message; run again, the same error is returned", async (t) => {
  const core = await TestCore.start(t);
  const failing = workflow("failing", async () => {
    await step(
      "charge",
      () => {
        throw new RangeError("too much", { cause: 5 });
      },
      { retry: false },
    );
  });
  const first = await runInstance(failing, core.options("i"));
  assert.equal(first.status, "failed");
  assert.ok(first.error instanceof RangeError && first.error.cause === 5);
  const status = await core.status("i");
  assert.deepEqual([status.status, status.error], [InstanceStatus.STATUS_FAILED, "RangeError: too much"]);
  const again = await runInstance(failing, core.options("i"));
  assert.equal(again.status, "failed");
  assert.deepEqual([again.earlier, again.error.name, again.error.message], [true, "RangeError", "too much"]);
});

test("the same id with another input or workflow is refused with the fields, finished or not", async (t) => {
  const core = await TestCore.start(t);
  const echo = workflow("echo", async (input: unknown) => input);
  const other = workflow("other", async () => 1);
  await runInstance(echo, core.options("i", { input: { id: 7, items: [{ price: 5 }], at: new Date(0) } }));
  const conflict = (input: unknown): Promise<unknown> =>
    runInstance(echo, core.options("i", { input })).catch((error: unknown) => error);
  const error = await conflict({ id: 7, items: [{ price: 6 }, 1], at: new Date(1) });
  assert.ok(error instanceof StartConflictError);
  assert.match(
    error.message,
    /input\.items\[0\]\.price: 5 was stored, 6 was given; input\.items\[1\]: nothing was stored, 1 was given; input\.at/,
  );
  await assert.rejects(runInstance(other, core.options("i")), /instance i is one of workflow "echo", not of "other"/);
  assert.deepEqual(
    outputOf(await runInstance(echo, core.options("i", { input: { at: new Date(0), items: [{ price: 5 }], id: 7 } }))),
    {
      id: 7,
      items: [{ price: 5 }],
      at: new Date(0),
    },
  );
});

test("an instance that something else wrote is not run", async (t) => {
  const core = await TestCore.start(t);
  await core.call((client) =>
    request(client, instance.RegisterInstanceRequestSchema, { instanceId: "rust", tenantId: "t" }),
  );
  await core.save("rust", "durable::f::1", "5");
  await assert.rejects(
    runInstance(
      workflow("w", async () => 1),
      core.options("rust", { tenantId: "t" }),
    ),
    /holds checkpoints that no workflow/,
  );
});

test("the input is validated before the first turn, what the schema made of it is stored, and never made again", async (t) => {
  const core = await TestCore.start(t);
  let made = 0;
  const shape = z.object({ name: z.string(), token: z.string().default(() => `t${++made}`) });
  const stop = new AbortController();
  let runs = 0;
  const order = workflow("order", { input: shape }, async (input) => {
    await step("once", () => 1);
    if (++runs === 1) await new Promise(() => stop.abort());
    return input.token;
  });
  const first = await runInstance(order, core.options("i", { input: { name: "a" }, signal: stop.signal }));
  assert.equal(first.status, "stopped");
  const second = await runInstance(order, core.options("i", { input: { name: "a" } }));
  assert.deepEqual([outputOf(second), made], ["t1", 1]);
  await assert.rejects(
    runInstance(order, core.options("i", { input: { name: "b" } })),
    /input\.name: "a" was stored, "b" was given/,
  );

  const bad = await runInstance(order, core.options("bad", { input: { name: 5 } as never }));
  assert.equal(bad.status, "failed");
  assert.ok(bad.error instanceof ValidationError);
  assert.match(bad.error.message, /^input of workflow "order" is not valid: name: /);
  assert.equal(runs, 2);
  assert.equal((await runInstance(order, core.options("bad"))).earlier, true);
});

test("an input that can't be stored is refused and leaves nothing behind", async (t) => {
  const core = await TestCore.start(t);
  const echo = workflow("echo", async (input: unknown) => input as string);
  const failure = runInstance(echo, core.options("i", { input: { go: () => {} } }));
  await assert.rejects(failure, (error) => error instanceof UnstorableValueError && error.path === "input.go");
  assert.equal((await core.status("i")).status, InstanceStatus.STATUS_UNKNOWN);
});

test("a run that was stopped is resumed with its stored results, its seed and its start", async (t) => {
  const core = await TestCore.start(t);
  const stop = new AbortController();
  const ran: string[] = [];
  const seen: unknown[] = [];
  let isSecond = false;
  const work = workflow("work", async (_: undefined, ctx) => {
    seen.push([ctx.now(), random(), ctx.instanceId, ctx.tenantId]);
    for (const name of ["a", "b", "c"]) {
      await step(name, async () => {
        ran.push(name);
        if (name === "c" && !isSecond) await new Promise(() => stop.abort());
        return name;
      });
    }
    return ran.length;
  });
  const events: RunEvent[] = [];
  assert.equal(
    (await runInstance(work, core.options("i", { tenantId: "acme", signal: stop.signal }))).status,
    "stopped",
  );
  isSecond = true;
  const outcome = await runInstance(
    work,
    core.options("i", { tenantId: "acme", onEvent: (event) => events.push(event) }),
  );
  assert.equal(outputOf(outcome), 4);
  assert.deepEqual(ran, ["a", "b", "c", "c"]);
  assert.deepEqual(seen[0], seen[1]);
  assert.deepEqual(events[0], { type: "registered", instanceId: "i", resumed: true });
  assert.deepEqual({ ...events[1], tookMs: 0 }, { type: "live", replayed: 2, tookMs: 0 });
});

test("attempts go on counting over a crash: retry records are found", async (t) => {
  const core = await TestCore.start(t);
  const stop = new AbortController();
  const seen: number[] = [];
  const options = { retry: { attempts: 20, backoff: 1, maxBackoff: 1 } };
  const flaky = workflow("flaky", async () =>
    step(
      "flaky",
      async (s) => {
        seen.push(s.attempt);
        if (s.attempt === 6 && !stop.signal.aborted) await new Promise(() => stop.abort());
        if (s.attempt < 8) throw new Error("not yet");
        return s.attempt;
      },
      options,
    ),
  );
  assert.equal((await runInstance(flaky, core.options("i", { signal: stop.signal }))).status, "stopped");
  assert.equal(outputOf(await runInstance(flaky, core.options("i"))), 8);
  assert.deepEqual(seen, [1, 2, 3, 4, 5, 6, 6, 7, 8]);
});

test("code that has diverged is suspended with both sides reported, and goes on after a fix", async (t) => {
  const core = await TestCore.start(t);
  const stop = new AbortController();
  const version = (name: string, mayStop: boolean) =>
    workflow("order", async () => {
      await step("charge", () => 1);
      await step(name, () => 2);
      await step("last", async () => (mayStop ? new Promise<number>(() => stop.abort()) : 3));
      return name;
    });
  await runInstance(version("refund", true), core.options("i", { signal: stop.signal }));
  const outcome = await runInstance(version("refund-order", false), core.options("i"));
  assert.ok(outcome.status === "suspended" && outcome.reason === "diverged");
  assert.match(outcome.error.message, /entry 2 of 2[\s\S]*history: step "refund" [\s\S]*code: {4}step "refund-order"/);
  assert.equal((await core.status("i")).status, InstanceStatus.STATUS_SUSPENDED);
  assert.equal(await core.checkpoint("i", "refund-order"), undefined, "nothing new ran");
  assert.equal(outputOf(await runInstance(version("refund", false), core.options("i"))), "refund");
});

test("a cancel by poll ends waits, lets the release run, and the instance is cancelled", async (t) => {
  const core = await TestCore.start(t);
  const asleep = gate();
  const order = workflow("order", async (_: undefined, ctx) => {
    try {
      const wait = ctx.sleep("long", "1h");
      asleep.open();
      await wait;
    } finally {
      await step("release", () => "released");
    }
  });
  const events: RunEvent[] = [];
  const running = runInstance(order, core.options("i", { onEvent: (event) => events.push(event) }));
  await asleep.opened;
  await core.signal("i", "cancel");
  assert.equal((await running).status, "cancelled");
  assert.ok(events.some((event) => event.type === "signal" && event.signal === "cancel"));
  assert.match((await core.checkpoint("i", "release")) ?? "", /"released"/);
  assert.equal((await core.status("i")).status, InstanceStatus.STATUS_CANCELLED);
  assert.deepEqual(await runInstance(order, core.options("i")), {
    instanceId: "i",
    earlier: true,
    status: "cancelled",
  });
});

test("a cancel comes with checkpoint answers, too", async (t) => {
  const core = await TestCore.start(t);
  const loop = workflow("loop", async () => {
    for (let index = 0; ; index++) await step("work", async () => index);
  });
  let saved = 0;
  const outcome = await runInstance(
    loop,
    core.options("i", {
      signalPollIntervalMs: 0,
      onEvent: (event) => {
        if (event.type === "saved" && ++saved === 3) void core.signal("i", "cancel");
      },
    }),
  );
  assert.equal(outcome.status, "cancelled");
});

test("a pause suspends the instance when its bodies are done; run again it goes on", async (t) => {
  const core = await TestCore.start(t);
  const started = gate();
  const goOn = gate();
  const ran: string[] = [];
  const work = workflow("work", async () => {
    for (const name of ["a", "b"]) {
      await step(name, async () => {
        ran.push(name);
        started.open();
        await goOn.opened;
      });
    }
    return ran;
  });
  const running = runInstance(work, core.options("i", { onEvent: (event) => event.type === "signal" && goOn.open() }));
  await started.opened;
  await core.signal("i", "pause");
  const outcome = await running;
  assert.ok(outcome.status === "suspended" && outcome.reason === "paused");
  assert.deepEqual(ran, ["a"]);
  assert.equal((await core.status("i")).status, InstanceStatus.STATUS_SUSPENDED);
  assert.deepEqual(outputOf(await runInstance(work, core.options("i"))), ["a", "b"]);
});

test("a result that another process has saved under the same id fences this one", async (t) => {
  const core = await TestCore.start(t);
  const work = workflow("work", async () => {
    await step("a", async () => {
      await core.save("i", "a", '{"$rt":1,"seq":1,"at":5,"value":"theirs"}');
      return "ours";
    });
    return "end";
  });
  const outcome = await runInstance(work, core.options("i"));
  assert.equal(outcome.status, "fenced");
  assert.match(outcome.error.message, /another process has saved checkpoint a/);
  assert.equal((await core.status("i")).status, InstanceStatus.STATUS_RUNNING, "nothing more was written");
});

test("an instance that was given up as lost registers again and loses nothing", async (t) => {
  const core = await TestCore.start(t);
  const work = workflow("work", async () => {
    const results: number[] = [];
    for (let index = 0; index < 3; index++) {
      results.push(
        await step("work", async () => {
          if (index === 1)
            await core.call((client) =>
              request(client, instance.InstanceEventSchema, {
                instanceId: "i",
                eventType: instance.InstanceEventType.EVENT_SUSPENDED,
                timestampMs: 1n,
              }),
            );
          return index;
        }),
      );
    }
    return results;
  });
  assert.deepEqual(outputOf(await runInstance(work, core.options("i"))), [0, 1, 2]);
  assert.equal((await core.status("i")).status, InstanceStatus.STATUS_COMPLETED);
});

test("an instance that is ended by other hands stops this process with that end", async (t) => {
  const core = await TestCore.start(t);
  const work = workflow("work", async () => {
    await step("work", async () => {
      await core.call((client) =>
        request(client, instance.InstanceEventSchema, {
          instanceId: "i",
          eventType: instance.InstanceEventType.EVENT_FAILED,
          payload: new TextEncoder().encode("Timeout: too long"),
          timestampMs: 1n,
        }),
      );
    });
    return "end";
  });
  const outcome = await runInstance(work, core.options("i"));
  assert.ok(outcome.status === "failed" && !outcome.earlier);
  assert.equal(outcome.error.name, "Timeout");
});

test("heartbeats are sent at their interval, and by steps at most once a second", async (t) => {
  const core = await TestCore.start(t);
  const seen: string[] = [];
  const submit = core.store.submit.bind(core.store);
  core.store.submit = ((operation: { kind: string; type?: string }, done: never) => {
    if (operation.kind === "appendEvent") seen.push(String(operation.type));
    return submit(operation as never, done);
  }) as typeof core.store.submit;
  const beating = gate();
  const work = workflow("work", async () =>
    step("long", async (s) => {
      for (let count = 0; count < 50; count++) s.heartbeat();
      await beating.opened;
    }),
  );
  const running = runInstance(work, core.options("i", { heartbeatIntervalMs: 10 }));
  while (seen.filter((type) => type === "heartbeat").length < 4) await new Promise((resolve) => setImmediate(resolve));
  beating.open();
  assert.equal(outputOf(await running), undefined);
  // A heartbeat may still be on its way when the end is reported: each call has a stream of its own.
  assert.equal(seen.filter((type) => type === "completed").length, 1);
});

test("no core: a clear error within the connect time-out", async () => {
  const begin = performance.now();
  const failure = runInstance(
    workflow("w", async () => 1),
    { server: "127.0.0.1:9", instanceId: "i", connectTimeoutMs: 300, dangerouslySkipVerification: true },
  );
  await assert.rejects(
    failure,
    (error) =>
      isRuntaraError(error, "CONNECTION") && /no core answers at 127\.0\.0\.1:9 within 300 ms/.test(error.message),
  );
  assert.ok(performance.now() - begin < 5_000);
});

test("settings that can't be used are refused with their value", async () => {
  const w = workflow("w", async () => 1);
  for (const bad of [
    { instanceId: "" },
    { tenantId: "" },
    { connectTimeoutMs: -1 },
    { heartbeatIntervalMs: 0.5 },
    { server: "nowhere" },
    { concurrentSteps: 0 },
  ]) {
    await assert.rejects(
      runInstance(w, { instanceId: "i", connectTimeoutMs: 50, ...bad }),
      (error) => isRuntaraError(error, "CONFIG"),
      JSON.stringify(bad),
    );
  }
});
