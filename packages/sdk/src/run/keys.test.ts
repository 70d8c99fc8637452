import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ContextError } from "../errors.ts";
import { limits } from "../limits.ts";
import { escapeName, escapeText, nameOfId, rootScope, Scope, shorten } from "./keys.ts";

test("ids follow the grammar", () => {
  const scope = rootScope(1);
  const id = (name: string, key?: string | number): string => scope.nextId(escapeName(name, "step"), key);
  assert.deepEqual(
    [id("charge"), id("charge"), id("Charge card"), id("charge", "cust_1"), id("charge", "cust_1")],
    ["charge", "charge~2", "Charge*20card", "charge(cust_1)", "charge(cust_1)~2"],
  );
  scope.child("items");
  scope.child("items");
  const items = scope.child("items");
  assert.equal(items.nextId("charge", "cust_1"), "items~3.charge(cust_1)");
  assert.equal(scope.nextId("items"), "items~4", "scopes and calls share one counter");
  assert.equal(rootScope(2).nextId("charge"), "!2.charge");
  assert.equal(scope.nextId(escapeName("überweisen", "step"), 7), "*C3*BCberweisen(7)");
});

test("hostile names never collide, never need escaping in a URL, never contain ::", () => {
  const parts = [
    "a",
    "A",
    "1",
    "-",
    "_",
    "*",
    ".",
    "~",
    "!",
    "(",
    ")",
    ":",
    "/",
    " ",
    "é",
    "::retry::2",
    "durable::",
    "%",
    "'",
    "x*2E",
    "~2",
    "!undo",
  ];
  const text = fc.oneof(
    fc.array(fc.constantFrom(...parts), { minLength: 1, maxLength: 4 }).map((list) => list.join("")),
    fc.string({ minLength: 1, maxLength: 40, unit: "grapheme" }),
  );
  const call = fc.record({
    scopes: fc.array(text, { maxLength: 2 }),
    name: text,
    key: fc.option(text, { nil: undefined }),
    count: fc.integer({ min: 1, max: 3 }),
    run: fc.integer({ min: 1, max: 3 }),
  });
  const seen = new Map<string, string>();
  fc.assert(
    fc.property(call, ({ scopes, name, key, count, run }) => {
      let scope = rootScope(run);
      for (const part of scopes) scope = scope.child(escapeText(part));
      let id = "";
      for (let index = 0; index < count; index++) id = scope.nextId(escapeText(name), key);
      assert.equal(encodeURIComponent(id), id);
      assert.ok(!id.includes("::") && id.length <= limits.idBytesMax);
      const logical = JSON.stringify([run, scopes.map(utf8), utf8(name), key === undefined ? null : utf8(key), count]);
      const holder = seen.get(id);
      assert.ok(holder === undefined || holder === logical, `${id} stands for ${holder} and ${logical}`);
      seen.set(id, logical);
    }),
    { numRuns: Number(process.env.RUNS ?? 5_000) },
  );
});

/** Lone surrogates have no UTF-8 form; they are the same as the replacement character, and counted with it. */
function utf8(text: string): string {
  return Buffer.from(text).toString("hex");
}

test("long ids keep their head and end in a hash of the whole", () => {
  const long = shorten("a".repeat(481));
  assert.equal(long.length, 440 + 2 + 32);
  assert.match(long, /^a{440}\*~[a-z2-7]{32}$/);
  assert.notEqual(shorten(`${"a".repeat(481)}b`), shorten(`${"a".repeat(481)}c`));
  assert.equal(shorten("a".repeat(480)).length, 480);
  const deep = Array.from({ length: 10 }).reduce<Scope>((scope) => scope.child("n".repeat(60)), rootScope(1));
  assert.notEqual(deep.nextId("x"), deep.nextId("x"), "the counter is part of what is hashed");
});

test("names are checked", () => {
  for (const name of ["", "x".repeat(129), "é".repeat(65), "a\nb", "a\u0000", "\u0085"]) {
    assert.throws(() => escapeName(name, "step"), ContextError);
  }
  assert.throws(() => escapeName(5 as never, "step"), /step: the name 5 can't be used/);
  assert.equal(escapeName("é".repeat(64), "step").length, 64 * 6);
  let scope = new Scope("", 0);
  for (let depth = 0; depth < limits.scopeDepthMax; depth++) scope = scope.child("s");
  assert.throws(() => scope.child("s"), /nested deeper than 32/);
});

test("the name of an id is what the code wrote", () => {
  assert.equal(nameOfId("items~3.Charge*20card(c1)~2"), "Charge card");
  assert.equal(nameOfId("!cancel"), "!cancel");
  assert.equal(nameOfId("*FF"), "*FF");
});
