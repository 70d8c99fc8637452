// Random programs and crashes against the engine: every result reaches the call it belongs to, no stored step runs again, every replay
// repeats what was delivered before. The controls break the engine on purpose and have to be noticed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore } from "../testing/memory-history.ts";
import { execute, randomProgram } from "../testing/programs.ts";
import { rngOf, seedOfRun } from "../testing/rng.ts";
import { type ProcessOptions, runProcess } from "../testing/run-once.ts";
import { SimulatedClock } from "../testing/simulated-clock.ts";
import type { Replay, StoredEntry } from "./history.ts";
import type { MakeTurns } from "./turns.ts";

interface Totals {
  runs: number;
  crashes: number;
  cancels: number;
  failures: string[];
}

interface Variant {
  sparse: boolean;
  cancel?: boolean;
  settings?: ProcessOptions["settings"];
  tamper?: (replay: Replay) => void;
}

/** One program from start to end through up to a dozen crashes. Throws what is wrong. */
async function live(seed: number, variant: Variant, totals: Totals): Promise<void> {
  const rng = rngOf(seed);
  const program = randomProgram(rng);
  const store = new MemoryStore();
  const clock = new SimulatedClock();
  const cancelAt = variant.cancel && rng() < 0.6 ? Math.floor(rng() * 60) : Number.POSITIVE_INFINITY;
  let before: string[] = [];
  let isCancelWanted = false;
  let total = 0;
  for (let incarnation = 1; ; incarnation++) {
    totals.runs++;
    const trace: string[] = [];
    const faults: string[] = [];
    const { end, events } = await runProcess({
      store,
      clock,
      rng,
      sparse: variant.sparse,
      crashAfter: incarnation < 12 ? 1 + Math.floor(rng() * 40) : 5_000,
      settings: { probe: (what, id) => trace.push(`${what} ${id}`), ...variant.settings },
      onEvent: (run, event) => {
        if (event === 0 && variant.tamper && run.history.replay) variant.tamper(run.history.replay);
        isCancelWanted ||= total + event >= cancelAt;
        if (isCancelWanted) run.cancel();
      },
      body: (_, context) =>
        execute(context, program, {
          body: (id) => {
            if (store.entries.has(id)) faults.push(`the body of stored step ${id} ran again`);
          },
          latency: () => (rng() < 0.3 ? 0 : 1 + Math.floor(rng() * 30)),
          wait: (ms) => new Promise((resolve) => void clock.after(ms, resolve)),
          swapped: (message) => faults.push(message),
        }),
    });
    total += events;
    assert.deepEqual(faults, []);
    checkTrace(before, trace);
    if (trace.filter(isDelivery).length >= before.filter(isDelivery).length) before = trace;
    if (end && end.is !== "returned" && end.is !== "cancelled") throw "error" in end ? end.error : new Error(end.is);
    if (end?.is === "cancelled") totals.cancels++;
    // Sometimes the process dies after the end, before anybody was told.
    if (end && !(rng() < 0.3 && incarnation < 12)) return;
    assert.ok(incarnation < 13, "the program comes to its end");
    totals.crashes++;
  }
}

const isDelivery = (line: string): boolean => line.startsWith("deliver");

/** Up to its last delivery the earlier process is repeated call by call. */
function checkTrace(before: readonly string[], after: readonly string[]): void {
  const end = Math.min(before.findLastIndex(isDelivery) + 1, after.length);
  assert.deepEqual(after.slice(0, end), before.slice(0, end), "the replay repeats the earlier process");
}

async function campaign(seed: number, programs: number, variant: Variant): Promise<Totals> {
  const totals: Totals = { runs: 0, crashes: 0, cancels: 0, failures: [] };
  for (let index = 0; index < programs; index++) {
    try {
      await live(seed + index, variant, totals);
    } catch (error) {
      totals.failures.push(`seed ${seed + index}: ${(error as Error).message}`);
    }
  }
  return totals;
}

const programs = Number(process.env.PROGRAMS ?? 400);

for (const sparse of [false, true]) {
  for (const cancel of [false, true]) {
    const kind = `${sparse ? "looked up, saved in parallel" : "listed, saved in batches"}${cancel ? ", with cancels" : ""}`;
    test(`random programs through crashes: ${kind}`, async (t) => {
      const seed = seedOfRun();
      const totals = await campaign(seed, programs, { sparse, cancel });
      t.diagnostic(
        `seed ${seed}: ${programs} programs, ${totals.runs} processes, ${totals.crashes} crashes, ${totals.cancels} cancelled`,
      );
      assert.deepEqual(totals.failures.slice(0, 5), [], `repeat with SEED=${seed}`);
    });
  }
}

/** All that is ready settles in one macrotask. */
const settleTogether: MakeTurns = (begin, end) => {
  const turns = { isInside: false, isScheduled: false, schedule };
  let isPumping = false;
  function schedule(): void {
    if (turns.isScheduled) return;
    turns.isScheduled = true;
    if (!isPumping) setImmediate(pump);
  }
  function pump(): void {
    isPumping = true;
    turns.isInside = true;
    while (turns.isScheduled) {
      begin();
      turns.isScheduled = false;
      end();
    }
    isPumping = false;
    setImmediate(() => {
      turns.isInside = false;
    });
  }
  return turns;
};

test("control: deliveries of one packet that settle together are noticed", async () => {
  const { failures } = await campaign(1, 150, { sparse: false, settings: { makeTurns: settleTogether } });
  assert.ok(failures.length > 10, `${failures.length} of 150 programs failed`);
});

/** Answers in the order of the calls, with numbers that hide it. */
function answerInCallOrder(replay: Replay): void {
  const calls: string[] = [];
  const given = new Set<string>();
  const entries = new Map<string, StoredEntry>();
  for (;;) {
    const entry = replay.peek([]) as StoredEntry | undefined;
    if (!entry) break;
    entries.set(entry.id, entry);
    replay.take();
  }
  let seq = 0;
  let current: string | undefined;
  Object.assign(replay, {
    peek: (called: readonly string[]) => {
      calls.push(...called);
      current =
        calls.find((id) => entries.has(id) && !given.has(id)) ?? [...entries.keys()].find((id) => !given.has(id));
      const entry = current === undefined ? undefined : entries.get(current);
      return entry && { ...entry, text: entry.text.replace(/"seq":\d+/, `"seq":${seq + 1}`), seq: seq + 1 };
    },
    take: () => {
      seq++;
      given.add(current as string);
    },
  });
}

test("control: stored results answered in call order are noticed", async () => {
  const { failures } = await campaign(1, 150, { sparse: false, tamper: answerInCallOrder });
  assert.ok(failures.length > 10, `${failures.length} of 150 programs failed`);
});
