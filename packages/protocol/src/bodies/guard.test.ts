import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import type { ProtocolError } from "../errors.ts";
import { Guard } from "./guard.ts";

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

test("the clock runs only while the peer is waited for, and anew each time", () => {
  const errors: ProtocolError[] = [];
  const guard = new Guard({ progressTimeoutMs: 100 }, (why) => errors.push(why));
  // A peer that dawdles.
  for (let i = 0; i < 5; i++) {
    guard.wait();
    mock.timers.tick(80);
    guard.progress();
  }
  // Nobody waits: the reader itself is slow.
  mock.timers.tick(1_000);
  assert.deepEqual(errors, []);
  guard.wait();
  mock.timers.tick(99);
  assert.deepEqual(errors, []);
  mock.timers.tick(1);
  assert.equal(errors.length, 1);
  assert.equal((errors as { code: string }[])[0]?.code, "CALL_TIMEOUT");
  guard.wait();
  mock.timers.tick(1_000);
  assert.equal(errors.length, 1);
});

test("a signal counts until the end, and nothing twice", () => {
  const errors: ProtocolError[] = [];
  const abort = new AbortController();
  const guards = [0, 1].map(
    () => new Guard({ signal: abort.signal, progressTimeoutMs: 100 }, (why) => errors.push(why)),
  );
  guards[0]?.end();
  guards[1]?.wait();
  abort.abort("enough");
  mock.timers.tick(1_000);
  assert.equal(errors.length, 1);
  assert.deepEqual([errors[0]?.code, errors[0]?.cause], ["CALL_ABORTED", "enough"]);
});
