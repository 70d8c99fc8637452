// What a run keeps of a step that has ended: its counter, nothing else.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { StepOptions } from "../api/step.ts";
import { runOptions } from "../testing/run-once.ts";
import type { RunContext } from "./context.ts";
import type { OutgoingEntry, StoredEntry } from "./entries.ts";
import { writeEnvelope } from "./envelope.ts";
import type { History, Replay, SaveListener } from "./history.ts";
import { ListReplay } from "./list-replay.ts";
import { Run } from "./run.ts";
import { systemClock } from "./timers.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Acknowledges what it is given and keeps none of it; counts what it is asked. */
class EmptyHistory implements History {
  readonly isSparse = false;
  readonly replay: Replay | undefined;
  asked = 0;
  saves = 0;

  constructor(replay?: Replay) {
    this.replay = replay;
  }

  save(entry: OutgoingEntry, listener: SaveListener): void {
    this.saves++;
    setImmediate(() => listener.saved(entry));
  }
  send(): void {
    this.asked++;
  }
  find(): Promise<undefined> {
    this.asked++;
    return Promise.resolve(undefined);
  }
  retryOf(): undefined {
    this.asked++;
  }
  recordRetry(): Promise<void> {
    this.asked++;
    return Promise.resolve();
  }
  startChild(): Promise<void> {
    this.asked++;
    return Promise.resolve();
  }
  heartbeat(): void {
    this.asked++;
  }
}

const marks: readonly number[] = [2_000, 6_000];

/** Bytes per step that are still there after the first mark. */
async function keptPerStep(history: History, options: StepOptions<unknown> = {}): Promise<number> {
  const used: number[] = [];
  const body = async (_: unknown, context: RunContext): Promise<void> => {
    // Due before every time-out, so that those that are taken back lie behind it.
    if (options.timeout) void context.sleepUntil("limit", Date.now() + 3_600_000);
    for (let index = 1; index <= 6_000; index++) {
      await context.step("charge", () => ({ index, text: "x".repeat(200) }), options);
      if (!marks.includes(index)) continue;
      collect();
      used.push(process.memoryUsage().heapUsed);
    }
  };
  const end = await new Run(runOptions({ history, clock: systemClock, body })).start();
  assert.equal(end.is, "returned");
  return ((used[1] as number) - (used[0] as number)) / 4_000;
}

test("a live run keeps nothing of the steps that are behind it, and asks nothing but to save each once", async (t) => {
  const history = new EmptyHistory();
  const kept = await keptPerStep(history);
  t.diagnostic(`${kept.toFixed(1)} bytes per step`);
  assert.ok(kept < 32, `${kept} bytes per step`);
  assert.deepEqual([history.saves, history.asked], [6_000, 0]);
});

test("a time-out that did not come to pass is not kept until it would have", async (t) => {
  const kept = await keptPerStep(new EmptyHistory(), { timeout: "1d" });
  t.diagnostic(`${kept.toFixed(1)} bytes per step`);
  assert.ok(kept < 48, `${kept} bytes per step`);
});

test("a replay frees each entry behind it", async (t) => {
  const rows = Array.from({ length: 6_000 }, (_, index): StoredEntry => {
    const seq = index + 1;
    const text = writeEnvelope(
      { seq, at: seq, kind: "step" },
      "value",
      JSON.stringify({ index: seq, text: "y".repeat(200) }),
    );
    return { id: index === 0 ? "charge" : `charge~${seq}`, seq, text };
  });
  let reads = 0;
  const replay = new ListReplay(
    rows.map(({ id, seq }) => ({ id, seq })),
    ({ seq }) => {
      reads++;
      return (rows[(seq as number) - 1] as StoredEntry).text;
    },
    0,
  );
  const history = new EmptyHistory(replay);
  const kept = await keptPerStep(history);
  t.diagnostic(`${kept.toFixed(1)} bytes per step`);
  assert.ok(kept < 32, `${kept} bytes per step`);
  assert.deepEqual([reads, history.saves, history.asked], [6_000, 0, 0]);
  assert.equal(replay.has("charge"), false, "freed");
});
