import assert from "node:assert/strict";
import { test } from "node:test";
import { Budget } from "./budget.ts";

test("room is given in order, when there is enough", () => {
  const budget = new Budget(100);
  const granted: string[] = [];
  const grant = (name: string) => (): void => void granted.push(name);
  const [third, fourth] = [grant("third"), grant("fourth")];
  budget.reserve(60, grant("first"));
  budget.reserve(60, grant("second"));
  budget.reserve(100, third);
  budget.reserve(1, fourth);
  assert.deepEqual(granted, ["first"]);
  budget.release(60);
  assert.deepEqual(granted, ["first", "second"], "small ones do not overtake");
  assert.equal(budget.withdraw(third), true);
  assert.deepEqual(granted, ["first", "second", "fourth"]);
  assert.equal(budget.withdraw(third), false);
  budget.release(61);
  budget.reserve(101, grant("fifth"));
  assert.equal(granted.at(-1), "fifth", "a lone one has room");
  budget.reserve(1, grant("sixth"));
  assert.equal(granted.at(-1), "fifth");
});
