// Random programs through crashes: every result reaches the call it belongs to, no stored step runs again, every replay repeats what was
// delivered before, each signal is taken once and each message arrives once. The controls break the engine on purpose and have to be noticed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { campaign, type Variant } from "../testing/life.ts";
import { seedOfRun } from "../testing/rng.ts";
import type { StoredEntry } from "./entries.ts";
import type { Replay } from "./history.ts";
import type { MakeTurns } from "./turns.ts";

/** PROGRAMS in the environment is the number of programs of all variants together. */
const programs = Number(process.env.PROGRAMS ?? 10_000);

const variants: readonly (Variant & { readonly what: string; readonly share: number })[] = [
  { what: "listed, saved in batches", share: 0.1, sparse: false },
  {
    what: "with cancels, signals, messages, patches and suspensions",
    share: 0.4,
    sparse: false,
    cancel: true,
    signals: true,
    messages: true,
    patches: true,
    suspend: true,
  },
  {
    what: "through three runs of one instance",
    share: 0.1,
    sparse: false,
    cancel: true,
    signals: true,
    messages: true,
    suspend: true,
    runs: 3,
  },
  { what: "with signals and suspensions", share: 0.2, sparse: false, signals: true, suspend: true },
  { what: "looked up, saved in parallel", share: 0.1, sparse: true },
  {
    what: "looked up, with cancels, signals and patches",
    share: 0.1,
    sparse: true,
    cancel: true,
    signals: true,
    patches: true,
  },
];

for (const { what, share, ...variant } of variants) {
  test(`random programs through crashes: ${what}`, async (t) => {
    const seed = seedOfRun();
    const totals = await campaign(seed, Math.ceil(programs * share), variant);
    const { failures, ...counts } = totals;
    t.diagnostic(`seed ${seed}: ${JSON.stringify(counts)}`);
    assert.deepEqual(failures.slice(0, 5), [], `${failures.length} failed; repeat with SEED=${seed}`);
    if (variant.signals) assert.ok(totals.signals > 0);
  });
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

test("control: an order of arrival in the place of the order of delivery is noticed", async () => {
  const { failures } = await campaign(1, 150, { sparse: true, renumber: true });
  assert.ok(failures.length > 10, `${failures.length} of 150 programs failed`);
});
