import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLedger, parseLedger } from "./ledger.ts";

/** "s3@7" = batch 3 starts in process 7, "e3@7" = it ends there. */
function ledger(text: string): ReturnType<typeof parseLedger> {
  const lines = text.split(" ").map((word, index) => {
    const match = /^([se])(\d+)@(\d+)$/.exec(word);
    return `${match?.[1] === "s" ? "start" : "end"} ${match?.[2]} ${match?.[3]} ${index}\n`;
  });
  return parseLedger(lines.join(""));
}

test("a run without kills repeats nothing", () => {
  const report = checkLedger(ledger("s0@1 s1@1 e1@1 e0@1 s2@1 e2@1"), 3, 2, []);
  assert.deepEqual(report, { executions: 3, repeats: [], violations: [] });
});

test("what was in flight at a kill may run again", () => {
  const report = checkLedger(ledger("s0@1 s1@1 e0@1 s1@2 e1@2 s2@2 e2@2"), 3, 2, [{ pid: 1 }]);
  assert.deepEqual(report.violations, []);
  assert.deepEqual(report.repeats, [{ batch: 1, pids: [1, 2] }]);
});

test("a repeat without a kill breaks the promise", () => {
  assert.match(
    checkLedger(ledger("s0@1 e0@1 s0@2 e0@2"), 1, 2, []).violations.join(),
    /batch 0 ran again although process 1, .* was not killed/,
  );
});

test("a repeat of an acknowledged batch breaks the promise", () => {
  const report = checkLedger(ledger("s0@1 e0@1 s1@1 e1@1 s2@1 s0@2 e0@2 s2@2 e2@2"), 3, 2, [{ pid: 1 }]);
  assert.match(report.violations.join(), /batch 0 ran again although process 1 had gone on to round 1/);
});

test("a batch that is missing, or one too many, breaks the promise", () => {
  assert.match(checkLedger(ledger("s0@1 e0@1 s1@1"), 2, 2, []).violations.join(), /batch 1 never finished/);
  assert.match(
    checkLedger(ledger("s0@1 e0@1 s1@1 e1@1"), 1, 2, []).violations.join(),
    /batch 1 ran, but there are only 1/,
  );
});

test("a foreign line is refused, not skipped", () => {
  assert.throws(() => parseLedger("start 1 2 3\nsomething else\n"), /line 2 of the ledger/);
});
