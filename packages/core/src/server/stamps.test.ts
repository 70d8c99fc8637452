import assert from "node:assert/strict";
import { test } from "node:test";
import { Stamps } from "./stamps.ts";

test("I5: the latest epoch of an instance counts, until it is deleted", () => {
  const stamps = new Stamps(10);
  assert.equal(stamps.get("a"), undefined);
  stamps.set("a", 1);
  stamps.set("a", 3);
  assert.equal(stamps.get("a"), 3);
  stamps.delete("a");
  assert.equal(stamps.get("a"), undefined);
});

test("beyond its bound the instance that registered longest ago is forgotten, and it says so", () => {
  const stamps = new Stamps(2);
  assert.equal(stamps.set("a", 1), false);
  assert.equal(stamps.set("b", 1), false);
  assert.equal(stamps.set("a", 2), false, "young again");
  assert.equal(stamps.set("c", 1), true);
  assert.deepEqual(
    ["a", "b", "c"].map((id) => stamps.get(id)),
    [2, undefined, 1],
  );
});
