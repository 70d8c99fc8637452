import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { ConfigError, ContextError, ValidationError } from "../../errors.ts";
import { emit, log, publish } from "../../functions.ts";
import { rngOf } from "../../testing/rng.ts";
import { outputOf, World, type WorldBody } from "../../testing/world.ts";

const talkative: WorldBody = async (_, c) => {
  c.publish("state", "begun");
  for (let index = 1; index <= 5; index++) {
    await c.step("work", () => index);
    c.publish("state", { done: index });
    emit("progress", index);
    c.log.info("worked", { index });
    await c.sleep(10);
  }
  publish("state", undefined);
  c.emit("over");
  return "done";
};

test("values and events leave in order, in stored form, with the time of their turn", async () => {
  const world = new World();
  const instance = world.start("i", talkative);
  await world.run();
  const messages = instance.messages.map((text) => JSON.parse(text));
  assert.deepEqual(messages.slice(0, 3), [
    { kind: "published", key: "state", text: '"begun"' },
    { kind: "published", key: "state", text: '{"done":1}' },
    { kind: "event", subtype: "progress", text: "1", at: 1_700_000_000_000 },
  ]);
  assert.deepEqual(messages.slice(-2), [
    { kind: "published", key: "state", text: '{"$rt:undefined":0}' },
    { kind: "event", subtype: "over", text: "null", at: 1_700_000_000_050 },
  ]);
});

test("through crashes each message comes exactly once, and no line of the log twice", async () => {
  const quiet = new World();
  const reference = quiet.start("i", talkative);
  await quiet.run();
  for (let seed = 1; seed <= 60; seed++) {
    const lines: string[] = [];
    const logger = {
      debug: () => {},
      info: (fields: object, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`),
      warn: () => {},
      error: () => {},
    };
    const world = new World({ rng: rngOf(seed), crashes: 0.1, suspensions: 0.2, settings: { logger } });
    const instance = world.start("i", talkative);
    await world.run();
    assert.deepEqual(instance.messages, reference.messages, `seed ${seed}`);
    assert.deepEqual(lines, [...new Set(lines)]);
    if (instance.crashes === 0) assert.equal(lines[0], 'worked {"workflow":"test","instanceId":"i","run":1,"index":1}');
  }
});

test("without a crash every line is there; the free log works in steps too", async () => {
  const lines: string[] = [];
  const note = (_: object, message: string): void => void lines.push(message);
  const settings = { logger: { debug: note, info: note, warn: note, error: note } };
  const world = new World({ settings });
  world.start("i", async (_, c) => {
    log.debug("one");
    await c.step("s", () => log.warn("two"));
    c.log.error("three");
  });
  await world.run();
  assert.deepEqual(lines, ["one", "two", "three"]);
});

test("published values are checked by their schema, at once", async () => {
  const published = {
    state: z.coerce.number(),
    slow: { "~standard": { version: 1, vendor: "test", validate: async (value: unknown) => ({ value }) } },
  };
  const world = new World({ settings: { facts: { published } } as never });
  const instance = world.start("i", async (_, c) => {
    c.publish("state", "5");
    assert.throws(() => c.publish("state", "five"), ValidationError);
    assert.throws(() => c.publish("slow", 1), ConfigError);
    assert.throws(
      () => c.publish("other", () => 1),
      /publish "other" was given a value that can't be stored: value is a function/,
    );
    c.publish("other", 1);
  });
  await world.run();
  outputOf(instance);
  assert.deepEqual(
    instance.messages.map((text) => JSON.parse(text).text),
    ["5", "1"],
  );
});

test("steps don't publish: what they did would not be counted again", async () => {
  const world = new World();
  const instance = world.start("i", async (_, c) => {
    for (const call of [
      () => c.publish("a", 1),
      () => c.emit("a"),
      () => c.onCancel(() => {}),
      () => c.compensate("x", () => 1),
    ]) {
      const error = await c.step("s", () => void call(), { retry: false }).catch((reason: unknown) => reason);
      assert.ok(error instanceof ContextError);
      assert.match(error.message, /was called in the body of step "s"/);
    }
  });
  await world.run();
  outputOf(instance);
});
