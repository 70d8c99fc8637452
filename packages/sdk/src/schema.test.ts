import assert from "node:assert/strict";
import { test } from "node:test";
import * as arktype from "arktype";
import * as v from "valibot";
import { z } from "zod";
import { ConfigError, ValidationError } from "./errors.ts";
import { isSchema, type StandardSchemaV1, type, validate, validateNow } from "./schema.ts";

const libraries: readonly [string, StandardSchemaV1][] = [
  ["zod", z.object({ items: z.array(z.object({ sku: z.string() })) })],
  ["valibot", v.object({ items: v.array(v.object({ sku: v.string() })) })],
  ["arktype", arktype.type({ items: [{ sku: "string" }, "[]"] })],
];

for (const [name, schema] of libraries) {
  test(`${name}: what fits comes back, what doesn't is told with its path`, async () => {
    assert.ok(isSchema(schema));
    const good = { items: [{ sku: "a" }] };
    assert.deepEqual(await validate(schema, good, "the input"), good);
    assert.deepEqual(validateNow(schema, good, "the input"), good);
    const bad = { items: [{ sku: "a" }, { sku: 5 }] };
    const isTold = (error: unknown): boolean =>
      error instanceof ValidationError &&
      error.message.startsWith("the input is not valid: items[1].sku: ") &&
      error.issues.length === 1 &&
      error.issues[0]?.path === "items[1].sku";
    await assert.rejects(validate(schema, bad, "the input"), isTold);
    assert.throws(() => validateNow(schema, bad, "the input"), isTold);
  });
}

test("defaults and transforms give another value; type<T>() gives the same", async () => {
  const schema = z.object({ n: z.coerce.number().default(5) });
  assert.deepEqual(await validate(schema, {}, "x"), { n: 5 });
  assert.deepEqual(await validate(schema, { n: "7" }, "x"), { n: 7 });
  const value = { any: () => {} };
  assert.equal(await validate(type<unknown>(), value, "x"), value);
});

test("a schema that throws, or answers later where nobody can wait, is a mistake of the setup", async () => {
  const throwing = z.string().refine(() => {
    throw new Error("broken");
  });
  await assert.rejects(
    validate(throwing, "a", "the payload"),
    (error) => error instanceof ConfigError && /the payload: its schema threw Error: broken/.test(error.message),
  );
  const later: StandardSchemaV1 = { "~standard": { version: 1, vendor: "test", validate: async () => ({ value: 1 }) } };
  assert.equal(await validate(later, 0, "x"), 1);
  assert.throws(
    () => validateNow(later, 0, 'publish "a"'),
    (error) => error instanceof ConfigError && /its schema is asynchronous/.test(error.message),
  );
  const failing: StandardSchemaV1 = {
    "~standard": { version: 1, vendor: "test", validate: () => Promise.reject(new Error("late")) },
  };
  assert.throws(() => validateNow(failing, 0, "x"), ConfigError);
  // Of another make than the language's promises.
  const then = (done: (result: object) => void): void => done({ value: 1 });
  const thenable: StandardSchemaV1 = {
    "~standard": { version: 1, vendor: "test", validate: () => ({ then }) as never },
  };
  assert.throws(() => validateNow(thenable, 0, "x"), /its schema is asynchronous/);
});

test("what has no `~standard` is no schema", () => {
  for (const value of [undefined, null, 5, "x", {}, () => {}, { "~standard": null }, { "~standard": { version: 1 } }]) {
    assert.ok(!isSchema(value));
  }
});
