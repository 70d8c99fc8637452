// Real processes over the real protocol: the workflow's and the core's are killed at moments that matter.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Child, startCore, temporaryFolder } from "../testing/processes.ts";
import { rngOf, seedOfRun } from "../testing/rng.ts";

interface Counted {
  status: string;
  output: { sum: number; ids: string[]; startedAt: number; endedAt: number };
  earlier: boolean;
}

const steps = 40;
const expectedSum = Array.from({ length: steps }, (_, index) => 2 * index + 1).reduce((sum, value) => sum + value, 0);

function isSaved(line: string): boolean {
  return line.startsWith('{"type":"saved"');
}

/** The id of each acknowledged step, in the order of the acknowledgements. */
function savedIds(lines: readonly string[]): string[] {
  return lines.filter(isSaved).map((line) => (JSON.parse(line) as { id: string }).id);
}

function outcomeOf(child: Child): Counted {
  const line = child.lines.find((candidate) => candidate.startsWith('{"type":"outcome"'));
  assert.ok(line, `no outcome; the process said ${child.lines.slice(-3).join(" | ")}`);
  return JSON.parse(line) as Counted;
}

/** No step ran again after its result was acknowledged. */
function assertNoRepeats(ledger: string, acknowledgedBefore: readonly { id: string; ranUntil: number }[]): void {
  const runs = readFileSync(ledger, "utf8").trim().split("\n");
  for (const { id, ranUntil } of acknowledgedBefore) {
    assert.equal(runs.lastIndexOf(id) < ranUntil, true, `step ${id} ran again after it was acknowledged`);
  }
}

test("I1: a workflow process that is killed three times goes on each time with what was acknowledged", async (t) => {
  const folder = temporaryFolder(t);
  const seed = seedOfRun();
  const rng = rngOf(seed);
  t.diagnostic(`seed ${seed}`);
  const { core, address } = await startCore(join(folder, "core.db"), 0);
  t.after(() => core.kill());
  const ledger = join(folder, "ledger");
  const input = JSON.stringify({ ledger, steps, stepMs: 3 });
  const acknowledged: { id: string; ranUntil: number }[] = [];
  let before = 0;
  for (let kill = 0; kill < 3; kill++) {
    const child = new Child("run", [address, "victim", input]);
    const goal = 5 + Math.floor(rng() * 25);
    let count = 0;
    await child.line((line) => isSaved(line) && ++count >= goal);
    await child.kill();
    const ranUntil = readFileSync(ledger, "utf8").trim().split("\n").length;
    const ids = savedIds(child.lines);
    acknowledged.push(...ids.map((id) => ({ id, ranUntil })));
    const live = JSON.parse(child.lines.find((line) => line.startsWith('{"type":"live"')) ?? "{}") as {
      replayed: number;
    };
    assert.ok(live.replayed >= before, "all that was acknowledged before is replayed");
    before = live.replayed + ids.length;
  }
  const last = new Child("run", [address, "victim", input]);
  assert.equal(await last.exited, 0);
  const outcome = outcomeOf(last);
  assert.equal(outcome.status, "completed");
  assert.equal(outcome.output.sum, expectedSum);
  assert.equal(new Set(outcome.output.ids).size, steps + 1);
  assertNoRepeats(ledger, acknowledged);

  const again = new Child("run", [address, "victim", input]);
  assert.equal(await again.exited, 0);
  assert.deepEqual(outcomeOf(again), { ...outcome, earlier: true });
});

test("I1: a core that is killed and started again loses nothing, and the workflow process rides through", async (t) => {
  const folder = temporaryFolder(t);
  const database = join(folder, "core.db");
  const first = await startCore(database, 0);
  const ledger = join(folder, "ledger");
  const child = new Child("run", [first.address, "rider", JSON.stringify({ ledger, steps, stepMs: 3 })]);
  t.after(() => child.kill());
  let count = 0;
  await child.line((line) => isSaved(line) && ++count >= 20);
  await first.core.kill();
  const acknowledged = savedIds(child.lines);
  await child.line((line) => line.startsWith('{"type":"reconnecting"'));
  const second = await startCore(database, first.port);
  t.after(() => second.core.kill());
  assert.equal(await child.exited, 0);
  const outcome = outcomeOf(child);
  assert.equal(outcome.status, "completed");
  assert.equal(outcome.output.sum, expectedSum);
  assert.ok(child.lines.some((line) => line.startsWith('{"type":"reconnected"')));
  // One process, so each body ran once, and what was acknowledged before the kill is still there.
  const runs = readFileSync(ledger, "utf8").trim().split("\n");
  assert.equal(runs.length, new Set(runs).size);
  assert.equal(runs.length, 3 * steps);
  for (const id of acknowledged) assert.equal(savedIds(child.lines).filter((saved) => saved === id).length, 1);
});
