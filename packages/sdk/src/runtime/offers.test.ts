import assert from "node:assert/strict";
import { test } from "node:test";
import { workflow } from "../index.ts";
import { definitionOf, type WorkflowDefinition } from "../workflow.ts";
import { Offers } from "./offers.ts";

function define(version?: string, accepts: readonly string[] = []): WorkflowDefinition {
  const options = version === undefined ? {} : { version, accepts };
  return definitionOf(workflow("w", options, async () => {}));
}

test("a claim names every version that some code continues", () => {
  const offers = new Offers();
  assert.ok(offers.isEmpty);
  offers.add(define("2", ["1"]));
  offers.add(define("3"));
  assert.deepEqual(offers.all(), [{ name: "w", versions: ["2", "1", "3"] }]);
});

test("an instance is run by code of its version, else by code that accepts it", () => {
  const offers = new Offers();
  const [old, newer] = [define("2", ["1"]), define("3", ["2"])];
  offers.add(old);
  offers.add(newer);
  assert.equal(offers.find({ workflow: "w", version: "2" }), old);
  assert.equal(offers.find({ workflow: "w", version: "1" }), old);
  assert.equal(offers.find({ workflow: "w", version: null }), newer);
  assert.equal(offers.find({ workflow: "w", version: "9" }), undefined);
  assert.equal(offers.find({ workflow: "other", version: null }), undefined);
});

test("the same function again is no new offer; another one of the name and version is refused", () => {
  const offers = new Offers();
  const definition = define("1");
  assert.equal(offers.add(definition), true);
  assert.equal(offers.add(definition), false);
  assert.throws(() => offers.add(define("1")), { name: "ConfigError", message: /two workflows have the name "w"/ });
});

test("there are bounds, and what is beyond them is refused in words", () => {
  const offers = new Offers();
  offers.add(
    define(
      "1",
      Array.from({ length: 99 }, (_, n) => `0.${n}`),
    ),
  );
  assert.throws(() => offers.add(define("2")), { name: "ConfigError", message: /more than 100 versions/ });
  for (let n = 1; n < 1_000; n++) offers.add(definitionOf(workflow(`w${n}`, async () => {})));
  assert.throws(() => offers.add(definitionOf(workflow("last", async () => {}))), { message: /at most 1000/ });
  assert.equal(offers.all().length, 1_000);
});
