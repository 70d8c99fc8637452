import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { ValidationError } from "../../errors.ts";
import { outputOf, World, type WorldBody } from "../../testing/world.ts";
import type { EngineEvent } from "../control.ts";

const waitForOk: WorldBody = (_, c) => c.waitFor("ok", { timeout: "1h" });
const approval = z.object({ by: z.string(), at: z.coerce.date().default(new Date(0)) });

function begin(schema: object, signals: readonly unknown[], body: WorldBody = waitForOk) {
  const events: EngineEvent[] = [];
  const settings = { facts: { signals: { ok: schema } } } as never;
  const world = new World({ settings, onEvent: (_, event) => void events.push(event) });
  const instance = world.start("i", body);
  for (const [index, value] of signals.entries()) {
    world.clock.after(10 * (index + 1), () => world.signal("i", "ok", value));
  }
  return { world, instance, events };
}

test("a payload is checked, and what the schema makes of it is stored", async () => {
  const { world, instance } = begin(approval, [{ by: "me" }]);
  await world.run();
  assert.deepEqual(outputOf(instance), { by: "me", at: new Date(0) });
  assert.match(instance.store.entries.get("ok!signal") ?? "", /"value":\{"by":"me","at":\{"\$rt:Date":/);
});

test("a payload that does not fit is consumed and told of; the wait goes on", async () => {
  const { world, instance, events } = begin(approval, [{ by: 5 }, "text", { by: "me", at: "2026-01-01" }]);
  await world.run();
  assert.deepEqual(outputOf(instance), { by: "me", at: new Date("2026-01-01") });
  assert.deepEqual(instance.ids, ["ok!signal", "ok!signal~2", "ok!signal~3"]);
  assert.match(
    instance.store.entries.get("ok!signal") ?? "",
    /"kind":"signal","error":\{"\$rt:Error":\{"name":"ValidationError"/,
  );
  const rejected = events.flatMap((event) => (event.type === "signalRejected" ? [event] : []));
  assert.equal(rejected.length, 2);
  assert.ok(rejected[0]?.error instanceof ValidationError);
  assert.match(rejected[0].error.message, /^the payload of signal "ok" is not valid: by: /);
  assert.equal(instance.messages.length, 2, "an event for each, which a replay does not repeat");
  assert.match(instance.messages[0] ?? "", /"kind":"event","subtype":"signal_rejected"/);
});

test("a schema may be asynchronous: the wait is served when it has answered", async () => {
  let release: () => void = () => {};
  const slow = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value: unknown) =>
        new Promise((resolve) => {
          release = () => resolve({ value: `checked ${value}` });
        }),
    },
  };
  const { world, instance } = begin(slow, ["a"]);
  world.clock.after(500, () => release());
  await world.run();
  assert.equal(outputOf(instance), "checked a");
});

test("a signal that is being checked when its wait is given up stays in the store", async () => {
  let release: () => void = () => {};
  const slow = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value: unknown) =>
        new Promise((resolve) => {
          release = () => resolve({ value });
        }),
    },
  };
  const { world, instance } = begin(slow, ["a"], async (_, c) => {
    const first = await c.waitFor("ok", { timeout: 100 });
    await c.sleep(100);
    return first;
  });
  world.clock.after(150, () => release());
  await world.run();
  assert.equal(outputOf(instance), undefined);
  assert.equal(instance.store.signals.length, 1);
});

test("a payload that can't be read, and a schema that throws or makes what can't be stored, are refusals as well", async () => {
  const unreadable = { "$rt:Nonsense": 1 };
  const throwing = z.any().transform((value) => {
    if (value === "throw") throw new Error("schema trouble");
    return value === "function" ? () => 1 : value;
  });
  const { world, instance, events } = begin(throwing, ["throw", "function", "fine"]);
  world.clock.after(5, () => instance.store.send("ok", JSON.stringify(unreadable)));
  await world.run();
  assert.equal(outputOf(instance), "fine");
  const reasons = events.flatMap((event) => (event.type === "signalRejected" ? [event.error.message] : []));
  assert.deepEqual(reasons.length, 3);
  assert.match(reasons[0] ?? "", /Nonsense/);
  assert.match(reasons[1] ?? "", /its schema threw Error: schema trouble/);
  assert.match(reasons[2] ?? "", /signal "ok" brought a value that can't be stored: payload is a function/);
});

test("a signal that is being checked when the run ends stays in the store, and the next run takes it", async () => {
  const checks: (() => void)[] = [];
  const slow = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value: unknown) => new Promise<{ value: unknown }>((resolve) => checks.push(() => resolve({ value }))),
    },
  } as const;
  const world = new World({ settings: { facts: { signals: { ok: slow } } as never } });
  const instance = world.start("i", async (input, c) => {
    if (input === "second") return c.waitFor("ok");
    const wait = c.waitFor("ok");
    await c.sleep(100);
    // Its check ends in the turn in which the function ends.
    checks.shift()?.();
    void wait;
    return c.continueAsNew("second");
  });
  world.clock.after(10, () => world.signal("i", "ok", "kept"));
  world.clock.after(200, () => checks.shift()?.());
  await world.run();
  assert.equal(outputOf(instance), "kept");
  assert.deepEqual(instance.ids, ["sleep", "!next", "!2.ok!signal"]);
});
