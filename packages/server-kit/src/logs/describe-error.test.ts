import assert from "node:assert/strict";
import { test } from "node:test";
import { type DescribedError, describeError } from "./describe-error.ts";

class Coded extends Error {
  override readonly name = "Coded";
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

function described(error: Error): DescribedError {
  return describeError(error) as DescribedError;
}

test("an error that repeats its causes is written once; the codes of the causes stay", () => {
  const root = new Coded("ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:5432");
  const store = new Coded("UNAVAILABLE", `the database does not answer: ${root.message}`, root);
  const core = new Coded("DATABASE_ERROR", `Database error during 'query': ${store.message}`, store);
  const { stack, ...rest } = described(core);
  assert.deepEqual(rest, {
    type: "Coded",
    code: "DATABASE_ERROR",
    message: core.message,
    causes: [{ code: "UNAVAILABLE" }, { code: "ECONNREFUSED" }],
  });
  assert.equal(JSON.stringify(describeError(core)).split(root.message).length, 2, "the text of the root is there once");
  assert.equal(stack, root.stack?.split("\n").slice(1).join("\n"), "the frames say where it began");
});

test("what a cause says beyond its error is kept", () => {
  const cause = new Error("disk full");
  const { causes } = described(new Coded("A", "the write failed", new Coded("A", "sync failed", cause)));
  assert.deepEqual(causes, [{ message: "sync failed" }, { message: "disk full" }]);
});

test("the parts of an AggregateError are its causes", () => {
  const parts = new AggregateError([new Coded("X", "by IPv6"), new Coded("X", "by IPv4")]);
  const { message, causes } = described(new Error("no connection", { cause: parts }));
  assert.equal(message, "no connection");
  assert.deepEqual(causes, [{ code: "X", message: "by IPv6" }, { message: "by IPv4" }]);
});

test("causes that go in circles or very deep come to an end; lines of a message are no frames", () => {
  const round = new Error("round");
  round.cause = new Error("about", { cause: round });
  assert.deepEqual(described(round).causes, [{ message: "about" }]);
  let deep = new Error("0");
  for (let level = 1; level <= 100; level += 1) deep = new Error(`level ${level}.`, { cause: deep });
  assert.equal(described(deep).causes?.length, 8);
  const { message, stack } = described(new Error("two\nlines"));
  assert.equal(message, "two\nlines");
  assert.match(stack ?? "", /^\s+at [^\n]*describe-error\.test/);
});

test("what is no error stays what it is, and an error may have no stack", () => {
  for (const value of [undefined, null, "text", { message: "x" }]) assert.equal(describeError(value), value);
  const bare = new Error("bare");
  delete bare.stack;
  assert.deepEqual(describeError(bare), { type: "Error", message: "bare" });
});

test("messages and stacks that are no texts are no trouble; without frames of the cause those of its error are shown", () => {
  for (const stack of [null, [], 7]) {
    const cause = Object.assign(new Error("in"), { stack });
    const outer = new Error("out", { cause });
    const { message, causes, stack: shown } = described(outer);
    assert.deepEqual([message, causes], ["out", [{ message: "in" }]]);
    assert.equal(shown, outer.stack?.split("\n").slice(1).join("\n"));
    assert.deepEqual(describeError(cause), { type: "Error", message: "in" });
  }
  const odd = Object.assign(new Error("in"), { message: /x/ });
  assert.deepEqual(described(new Error("out", { cause: odd })).causes, [{ message: "/x/" }]);
  assert.equal(described(odd).message, "/x/");
});
