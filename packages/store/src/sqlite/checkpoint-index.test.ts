import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import fc from "fast-check";
import type { Instance } from "../model.ts";
import type { Operation } from "../operations/index.ts";
import { Engine } from "./engine.ts";
import { openDatabase } from "./open-database.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "runtara-index-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const seed = new Uint8Array(16);

function register(instanceId: string): Operation {
  return { kind: "registerInstance", instanceId, tenantId: "t", checkTenant: false, seed, nowMs: 1, staleAfterMs: 0 };
}

function save(instanceId: string, checkpointId: string, state: number): Operation {
  return { kind: "saveCheckpoint", instanceId, checkpointId, state: Uint8Array.of(state), nowMs: 1 };
}

function heartbeat(instanceId: string): Operation {
  return { kind: "appendEvent", instanceId, type: "heartbeat", createdAtMs: 1, nowMs: 10_000_000 };
}

/** An operation that throws in the middle of its batch: an id that the schema refuses. */
const broken: Operation = register("");

/** What one of the two openings does next. */
interface Step {
  readonly opening: 0 | 1;
  readonly saves: readonly (readonly [instance: number, id: number])[];
  readonly breaks: boolean;
  /** An event of this instance is stored, too: its row is then written. */
  readonly event: number | undefined;
  readonly reopens: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  opening: fc.constantFrom(0, 1),
  saves: fc.array(fc.tuple(fc.nat(2), fc.nat(12)), { maxLength: 6 }),
  breaks: fc.boolean(),
  event: fc.option(fc.nat(2), { nil: undefined }),
  reopens: fc.boolean(),
});

/** The pointer and the count of each instance, as they are read. */
function checkInstances(runner: Engine, model: Map<string, number>, last: Map<string, string>): void {
  const expected = ["0", "1", "2"].map((instanceId) => ({
    instanceId,
    checkpointId: last.get(instanceId) ?? null,
    checkpointCount: [...model.keys()].filter((name) => name.startsWith(`${instanceId} `)).length,
  }));
  const part = ({ instanceId, checkpointId, checkpointCount }: Instance) => ({
    instanceId,
    checkpointId,
    checkpointCount,
  });
  for (const instance of expected) {
    const [read] = runner.run([{ kind: "readInstance", instanceId: instance.instanceId }]);
    assert.ok(read?.result !== undefined && "instance" in read.result);
    assert.deepEqual(part(read.result.instance), instance);
  }
}

/** Page by page, in the order of saving, each once. */
function checkOwn(runner: Engine, instanceId: string, count: number): void {
  const [own] = runner.run([
    { kind: "listOwnCheckpoints", instanceId, epoch: 1, prefix: "", stateBytesMax: 10, pageBytesMax: 100 },
  ]);
  assert.ok(own?.result !== undefined && "retries" in own.result);
  assert.equal(new Set(own.result.checkpoints.map(({ checkpointId }) => checkpointId)).size, count);
  const [history] = runner.run([{ kind: "listHistory", instanceId, limit: 1_000, bytesMax: 10 }]);
  assert.ok(history?.result !== undefined && "entries" in history.result);
  const saved = history.result.entries.filter((entry) => "kind" in entry && entry.kind === "checkpoint");
  assert.equal(saved.length, count);
}

test("I2, I3: two openings of one file, failures and restarts in between, an index that lags by up to 5 rows: first state wins, pointers and counts are exact", async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      run += 1;
      const path = join(folder, `${run}.db`);
      const open = async () => {
        const database = await openDatabase({ engine: "sqlite", path, create: true });
        return { database, runner: new Engine(database, 5) };
      };
      type Opening = Awaited<ReturnType<typeof open>>;
      const openings: [Opening, Opening] = [await open(), await open()];
      openings[0].runner.run([register("0"), register("1"), register("2")]);
      const model = new Map<string, number>();
      const last = new Map<string, string>();
      let state = 0;
      for (const { opening, saves, breaks, event, reopens } of steps) {
        if (reopens) {
          openings[opening].database.close();
          openings[opening] = await open();
        }
        const expected: unknown[] = [];
        const batch: Operation[] = [];
        for (const [instance, id] of saves) {
          state = (state + 1) % 256;
          const name = `${instance} ${id}`;
          const existing = model.get(name);
          expected.push(existing === undefined ? ["saved", []] : ["found", [existing]]);
          if (existing === undefined) model.set(name, state);
          if (existing === undefined) last.set(String(instance), `step ${id}`);
          batch.push(save(String(instance), `step ${id}`, state));
        }
        if (event !== undefined) batch.push(heartbeat(String(event)));
        if (breaks) batch.push(broken);
        const outcomes = openings[opening].runner.run(batch).slice(0, saves.length);
        const seen = outcomes.map(({ result }) => {
          assert.ok(result !== undefined && "state" in result);
          return [result.outcome, [...result.state]];
        });
        assert.deepEqual(seen, expected);
        for (const { runner } of openings) checkInstances(runner, model, last);
      }
      for (const { runner, database } of openings) {
        for (const [name, kept] of model) {
          const [instanceId = "", id] = name.split(" ");
          const [read] = runner.run([{ kind: "loadCheckpoint", instanceId, checkpointId: `step ${id}` }]);
          assert.deepEqual(read?.result, { outcome: "found", state: Uint8Array.of(kept), createdAtMs: 1 });
        }
        for (const instanceId of ["0", "1", "2"]) {
          const [listed] = runner.run([{ kind: "listCheckpoints", instanceId, limit: 100 }]);
          assert.ok(listed?.result !== undefined && "total" in listed.result && "checkpoints" in listed.result);
          const count = [...model.keys()].filter((name) => name.startsWith(`${instanceId} `)).length;
          assert.equal(listed.result.checkpoints.length, count);
          assert.equal(listed.result.total, count);
          checkOwn(runner, instanceId, count);
        }
        database.close();
      }
    }),
    { numRuns: 60 },
  );
});
