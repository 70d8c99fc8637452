import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { ConfigError } from "./errors.ts";
import { ref, workflow } from "./index.ts";
import { limits } from "./limits.ts";
import { defaultPolicy } from "./run/retry.ts";
import { definitionOf, isWorkflow, knownDefinition, stepPolicyOf } from "./workflow.ts";

const body = async (): Promise<number> => 1;

test("a workflow is its name, its version, and a definition for the runner", () => {
  const input = z.object({ n: z.number() });
  const signals = { go: z.string() };
  const published = { progress: z.number() };
  const made = workflow(
    "order",
    { version: "2.1", accepts: ["2.0"], input, signals, published, step: { retry: false } },
    body,
  );
  assert.deepEqual({ ...made }, { name: "order", version: "2.1", ...symbolsOf(made) });
  assert.ok(Object.isFrozen(made) && isWorkflow(made));
  const definition = definitionOf(made);
  assert.deepEqual(
    [
      definition.name,
      definition.version,
      definition.accepts,
      definition.schema,
      definition.signals,
      definition.published,
    ],
    ["order", "2.1", ["2.0"], input, signals, published],
  );
  assert.equal(definition.body, body);
  assert.equal(stepPolicyOf(definition).attempts, 1);
  assert.equal(stepPolicyOf(definition), stepPolicyOf(definition));
  const plain = definitionOf(workflow("plain", body));
  assert.deepEqual([plain.version, plain.accepts, plain.schema, plain.signals], [undefined, [], undefined, {}]);
  assert.equal(stepPolicyOf(plain), defaultPolicy);
});

function symbolsOf(value: object): object {
  return Object.fromEntries(Object.getOwnPropertySymbols(value).map((key) => [key, (value as never)[key]]));
}

test("a ref is only a name", () => {
  const order = ref("order");
  assert.ok(!isWorkflow(order));
  assert.equal(knownDefinition(order), undefined);
  assert.throws(() => definitionOf(order), /"order" is only the name of a workflow/);
  assert.throws(() => ref("no spaces"), ConfigError);
});

test("what can't be used is refused where it is defined, in words of the option", () => {
  const refused: [() => unknown, RegExp][] = [
    [() => workflow("", body), /the workflow name "" can't be used/],
    [() => workflow("a b", body), /the workflow name "a b"/],
    [() => workflow("x".repeat(limits.workflowNameCharsMax + 1), body), /1 to 100 of A-Z/],
    [() => workflow(5 as never, body), /the workflow name 5/],
    [() => workflow("w", {} as never), /workflow "w": the last argument must be a function/],
    [() => workflow("w", { version: "" }, body), /version is ""/],
    [() => workflow("w", { version: "a b" }, body), /version is "a b"/],
    [() => workflow("w", { accepts: ["1"] }, body), /accepts is given without version/],
    [() => workflow("w", { version: "2", accepts: "1" as never }, body), /accepts must be a list/],
    [() => workflow("w", { version: "2", accepts: [""] }, body), /a member of accepts is ""/],
    [
      () => workflow("w", { version: "2", accepts: Array.from({ length: 100 }, String) }, body),
      /accepts has 100 versions/,
    ],
    [() => workflow("w", { signals: null as never }, body), /signals must be schemas by name/],
    [() => workflow("w", { signals: { x: 5 as never } }, body), /signals\.x is no Standard Schema/],
    [() => workflow("w", { published: { x: {} as never } }, body), /published\.x is no Standard Schema/],
    [() => workflow("w", { input: "x" as never }, body), /input is no Standard Schema/],
    [() => workflow("w", { signals: { "": z.string() } }, body), /signals: the name "" can't be used/],
    [() => workflow("w", { signals: { "c!result": z.string() } }, body), /"c!result" is kept for the ends of children/],
    [() => workflow("w", { step: { retry: { attempts: 0 } } }, body), /workflow "w": retry\.attempts is 0/],
    [() => workflow("w", { step: { timeout: "soon" as never } }, body), /timeout is "soon"/],
  ];
  for (const [define, message] of refused) {
    assert.throws(define, (error) => error instanceof ConfigError && message.test(error.message), String(message));
  }
});
