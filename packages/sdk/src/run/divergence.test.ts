// Edits of the code between two processes of one instance: breaking ones are found before a new body runs, harmless ones pass.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { NonDeterminismError } from "../errors.ts";
import { MemoryStore } from "../testing/memory-history.ts";
import { pick, type Rng, rngOf, seedOfRun } from "../testing/rng.ts";
import { runProcess } from "../testing/run-once.ts";
import { SimulatedClock } from "../testing/simulated-clock.ts";
import type { RunContext } from "./context.ts";
import type { RunEnd } from "./control.ts";
import { readEnvelope } from "./envelope.ts";

/** A sequence of steps, in which a group runs at once. */
type Program = readonly (readonly string[])[];

function bodyOf(program: Program, ran: string[]) {
  return async (_: unknown, context: RunContext): Promise<string> => {
    for (const group of program) {
      await Promise.all(group.map((name) => context.step(name, () => void ran.push(name))));
    }
    return "done";
  };
}

function randomProgram(rng: Rng): string[][] {
  const groups: string[][] = [];
  for (let count = 0; count < 6; ) {
    const size = rng() < 0.3 ? 2 + Math.floor(rng() * 2) : 1;
    groups.push(Array.from({ length: size }, () => `s${count++}`));
  }
  return groups;
}

interface Edit {
  readonly kind: string;
  readonly program: string[][];
  readonly isBreaking: boolean;
}

/** An edit that touches an entry that was *delivered*; what was merely under way at the crash, nobody has seen. */
function randomEdit(rng: Rng, program: string[][], delivered: ReadonlySet<string>): Edit | undefined {
  const copy = program.map((group) => [...group]);
  const at = program.findIndex((group) => group.some((name) => delivered.has(name)));
  if (at < 0) return undefined;
  const candidates = program.flatMap((group, index) =>
    group.filter((name) => delivered.has(name)).map((name) => ({ index, name })),
  );
  const { index, name } = pick(rng, candidates);
  const group = copy[index] as string[];
  const kind = pick(rng, ["rename", "remove", "insert", "swap", "append", "rename-new", "reorder-group", "grow-group"]);
  switch (kind) {
    case "rename":
      group[group.indexOf(name)] = `renamed-${name}`;
      return { kind, program: copy, isBreaking: true };
    case "remove":
      group.splice(group.indexOf(name), 1);
      return { kind, program: copy, isBreaking: true };
    case "insert":
      copy.splice(index, 0, ["inserted"]);
      return { kind, program: copy, isBreaking: true };
    case "swap": {
      const next = copy[index + 1];
      if (!next?.every((other) => delivered.has(other)) || !group.every((other) => delivered.has(other)))
        return undefined;
      copy.splice(index, 2, next, group);
      return { kind, program: copy, isBreaking: true };
    }
    case "append":
      return { kind, program: [...copy, ["appended"]], isBreaking: false };
    case "rename-new": {
      const last = copy.at(-1) as string[];
      if (last.some((other) => delivered.has(other)) || copy.length - 2 < at) return undefined;
      // Not called before the crash, for the group before it was not done.
      if (!(copy.at(-2) as string[]).every((other) => delivered.has(other)))
        return { kind, program: [...copy.slice(0, -1), ["new"]], isBreaking: false };
      return undefined;
    }
    case "reorder-group":
      return { kind, program: copy.map((names) => [...names].reverse()), isBreaking: false };
    default:
      // Nothing after the group was called yet.
      if ((program[index] as string[]).every((other) => delivered.has(other))) return undefined;
      group.push("added");
      return { kind, program: copy, isBreaking: false };
  }
}

interface Tally {
  breaking: number;
  harmless: number;
  faults: string[];
}

async function tryEdit(seed: number, sparse: boolean, tally: Tally): Promise<void> {
  const rng = rngOf(seed);
  const program = randomProgram(rng);
  const store = new MemoryStore();
  const delivered = new Set<string>();
  await runProcess({
    store,
    rng,
    sparse,
    body: bodyOf(program, []),
    crashAfter: 3 + Math.floor(rng() * 16),
    settings: { probe: (what, id) => void (what === "deliver" && delivered.add(id)) },
  });
  const edit = randomEdit(rng, program, sparse ? knownLater(store, delivered) : delivered);
  if (!edit) return;
  const ran: string[] = [];
  const { end } = await runProcess({ store, rng, sparse, body: bodyOf(edit.program, ran) });
  const what = `seed ${seed} ${edit.kind}: ${JSON.stringify(program)} -> ${JSON.stringify(edit.program)}, delivered ${[...delivered]}`;
  if (!edit.isBreaking) {
    tally.harmless++;
    if (end?.is !== "returned") tally.faults.push(`false alarm, ${what}: ${describe(end)}`);
    return;
  }
  tally.breaking++;
  if (end?.is !== "diverged") tally.faults.push(`missed, ${what}: ${describe(end)}`);
  if (ran.length > 0) tally.faults.push(`the body of ${ran} ran, ${what}`);
}

/** Where entries can't be listed, a delivered one is known to a later process only if something that was saved came after its delivery, or
 *  if it was saved last. An edit of the others contradicts nothing that is stored. */
function knownLater(store: MemoryStore, delivered: ReadonlySet<string>): Set<string> {
  const heads = [...store.entries].map(([id, text]) => ({ id, ...readEnvelope(text) }));
  const lastSeen = Math.max(0, ...heads.map(({ after }) => after?.[0] ?? 0));
  const known = heads.filter(({ id, seq }) => delivered.has(id) && (seq <= lastSeen || id === store.newest));
  return new Set(known.map(({ id }) => id));
}

function describe(end: RunEnd | undefined): string {
  return end && "error" in end ? String(end.error) : String(end?.is);
}

for (const sparse of [false, true]) {
  test(`breaking edits are found before a new body runs, harmless ones pass: ${sparse ? "looked up" : "listed"}`, async (t) => {
    const seed = seedOfRun();
    const tally: Tally = { breaking: 0, harmless: 0, faults: [] };
    for (let index = 0; index < Number(process.env.PROGRAMS ?? 1_000); index++)
      await tryEdit(seed + index, sparse, tally);
    t.diagnostic(`seed ${seed}: ${tally.breaking} breaking, ${tally.harmless} harmless`);
    assert.deepEqual(tally.faults.slice(0, 5), [], `repeat with SEED=${seed}`);
    assert.ok(tally.breaking > 50 && tally.harmless > 50);
  });
}

/** Runs the first body to its end without telling anybody, then the second over the same entries. */
async function edited(
  first: (context: RunContext) => Promise<unknown>,
  second: (context: RunContext) => Promise<unknown>,
  sparse: boolean,
): Promise<NonDeterminismError> {
  const store = new MemoryStore();
  await runProcess({ store, sparse, body: (_, context) => first(context) });
  const { end } = await runProcess({ store, sparse, body: (_, context) => second(context) });
  assert.equal(end?.is, "diverged");
  return end.error;
}

test("the report names both sides, the entry, the places in the source and the checkpoint", async () => {
  for (const sparse of [false, true]) {
    const error = await edited(
      async (c) => {
        await c.step("charge", () => 1);
        await c.step("refund", () => 2);
        await c.step("mail", () => 3);
      },
      async (c) => {
        await c.step("charge", () => 1);
        await c.step("refund-order", () => 2);
        await c.step("mail", () => 3);
      },
      sparse,
    );
    const lines = error.message.split("\n");
    assert.equal(lines[0], 'workflow "test", instance i-1: code and history differ at entry 2 of 3.');
    assert.match(
      lines[1] ?? "",
      /^ {2}history: step "refund" {8}\S*divergence\.test\.ts:\d+:\d+ {3}checkpoint refund, saved 2023-11-14T22:13:20Z$/,
    );
    assert.match(
      lines[2] ?? "",
      /^ {2}code: {4}step "refund-order" {2}\S*divergence\.test\.ts:\d+:\d+ {3}\(nothing was executed\)$/,
    );
    assert.equal(error.name, "NonDeterminismError");
    assert.deepEqual(
      [error.report.entry, error.report.history.checkpointId, error.report.code.does],
      [2, "refund", "calls"],
    );
  }
});

test("another kind under the same id, a function that ends early, and nothing called at all are divergences", async () => {
  for (const sparse of [false, true]) {
    const kind = await edited(
      async (c) => c.step("wait", () => 1),
      async (c) => c.sleep("wait", 5),
      sparse,
    );
    assert.match(kind.message, /history: step "wait"[\s\S]*The same id, but now it is a sleep\./);
    const early = await edited(
      async (c) => [await c.step("a", () => 1), await c.step("b", () => 1)],
      async (c) => c.step("a", () => 1),
      sparse,
    );
    assert.match(early.message, /entry 2 of 2[\s\S]*history: step "b"[\s\S]*code: {4}the function ended/);
    const silent = await edited(
      async (c) => c.step("a", () => 1),
      () => new Promise(() => {}),
      sparse,
    );
    assert.match(silent.message, /code: {4}no durable call is waiting for it/);
  }
});

test("a state of somebody else under an id of ours is a divergence", async () => {
  for (const sparse of [false, true]) {
    const store = new MemoryStore();
    store.entries.set("a", "whatever");
    store.newest = "a";
    const { end } = await runProcess({ store, sparse, body: (_, context) => context.step("a", () => 1) });
    assert.equal(end?.is, "diverged");
    assert.match(end.error.message, /history: a state that no workflow wrote +checkpoint a/);
  }
});

test("an entry whose value can't be read stops the run like a divergence", async () => {
  const store = new MemoryStore();
  store.entries.set("a", '{"$rt":1,"seq":1,"at":1700000000000,"value":{"$rt:class":["gone",1]}}');
  store.newest = "a";
  const { end } = await runProcess({ store, sparse: true, body: (_, context) => context.step("a", () => 1) });
  assert.equal(end?.is, "diverged");
  assert.match(end.error.message, /the class "gone", which is not registered/);
});

test("the report says how to go on", async () => {
  const error = await edited(
    async (c) => c.step("a", () => 1),
    async (c) => c.step("b", () => 1),
    false,
  );
  assert.match(
    error.message,
    /Bring the old call back, or guard the new one with patched\(\)\. Then resume the instance: handle\.resume\(\), or\n {2}npx runtara resume i-1\. New instances are not affected\.$/,
  );
});

test("after the fix the same history goes on", async () => {
  for (const sparse of [false, true]) {
    const store = new MemoryStore();
    const right = async (_: unknown, c: RunContext): Promise<unknown> => [
      await c.step("a", () => 1),
      await c.step("b", () => 2),
    ];
    const wrong = async (_: unknown, c: RunContext): Promise<unknown> => c.step("other", () => 1);
    await runProcess({ store, sparse, body: right, crashAfter: 3 });
    const before = [...store.entries];
    const { end: diverged } = await runProcess({ store, sparse, body: wrong });
    assert.equal(diverged?.is, "diverged");
    assert.deepEqual([...store.entries], before, "nothing was written");
    const { end } = await runProcess({ store, sparse, body: right });
    assert.ok(end?.is === "returned");
    assert.deepEqual(end.value, [1, 2]);
  }
});

test("a signal, or the end of a child, that the code does not wait for any more is a divergence", async () => {
  for (const sparse of [false, true]) {
    const store = new MemoryStore();
    store.send("approved", "true");
    const first = async (_: unknown, c: RunContext): Promise<unknown> => [
      await c.waitFor("approved"),
      await c.step("a", () => 1),
    ];
    await runProcess({ store, sparse, body: first, onEvent: (run) => run.arrived([...store.signals]) });
    const { end } = await runProcess({ store, sparse, body: (_, c) => c.step("a", () => 1) });
    assert.ok(end?.is === "diverged");
    assert.match(
      end.error.message,
      sparse ? /differ at entry 1/ : /history: signal "approved" +checkpoint approved!signal/,
    );
    const ran: string[] = [];
    const { end: waitsLonger } = await runProcess({
      store,
      sparse,
      body: async (_, c) => [await c.waitFor("approved"), await c.step("a", () => ran.push("a"))],
    });
    assert.deepEqual([waitsLonger?.is, ran], ["returned", []]);
  }
});

test("with strict turns a call outside a durable turn is an error that names its place", async () => {
  const { end } = await runProcess({
    store: new MemoryStore(),
    settings: { strictTurns: true },
    clock: ticking(),
    body: async (_, c) => {
      await new Promise((resolve) => setTimeout(resolve, 3));
      return c.step("late", () => 1);
    },
  });
  assert.ok(end?.is === "threw");
  assert.match(
    String(end.error),
    /ContextError: workflow "test": step "late" \(\S*divergence\.test\.ts:\d+:\d+\) was called after the code awaited something that is not durable/,
  );
});

/** Goes on while real time passes. */
function ticking(): SimulatedClock {
  const clock = new SimulatedClock();
  const tick = (): void => void clock.after(1, tick);
  tick();
  return clock;
}

test("the judge waits for a call that came late before, and only so long", async () => {
  const store = new MemoryStore();
  const body =
    (delayMs: number) =>
    async (_: unknown, c: RunContext): Promise<unknown> => {
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      return c.step("late", () => 1);
    };
  await runProcess({ store, clock: ticking(), body: body(2) });
  assert.match(store.entries.get("late") ?? "", /"f":1/);
  const { end } = await runProcess({ store, clock: ticking(), body: body(5) });
  assert.ok(end?.is === "returned" && end.value === 1);
  // On a clock that jumps to its next event the thirty seconds are over at once.
  const { end: tooLate } = await runProcess({ store, body: () => new Promise(() => {}) });
  assert.equal(tooLate?.is, "diverged");
});

test("a late wait for a signal is what the judge was waiting for, though it has no entry of its own", async () => {
  const store = new MemoryStore();
  for (const value of [1, 2]) store.send("a", String(value));
  const body = async (_: unknown, c: RunContext): Promise<unknown> => {
    const values: unknown[] = [];
    for (let count = 0; count < 2; count++) {
      for (let hop = 0; hop < 40; hop++) await new Promise((resolve) => setImmediate(resolve));
      values.push(await c.waitFor("a"));
    }
    return values;
  };
  for (let life = 1; life <= 2; life++) {
    const clock = ticking();
    const begin = clock.now();
    const { end } = await runProcess({ store, clock, body, onEvent: (run) => run.arrived([...store.signals]) });
    assert.deepEqual(end?.is === "returned" && end.value, [1, 2]);
    assert.ok(clock.now() - begin < 10_000, "nobody waited until the time was up");
  }
});

test("the code side is the call of the last turn, not one that was waiting before; a swapped call is named, too", async () => {
  for (const sparse of [false, true]) {
    const renamed = await edited(
      async (c) => {
        const limit = c.sleep("limit", "1h");
        const approval = c.waitFor("approved");
        await c.step("charge", () => 1);
        await Promise.race([limit, approval, c.step("refund", () => 2)]);
      },
      async (c) => {
        const limit = c.sleep("limit", "1h");
        const approval = c.waitFor("approved");
        await c.step("charge", () => 1);
        await Promise.race([limit, approval, c.step("refund-order", () => 2)]);
      },
      sparse,
    );
    assert.match(renamed.message, /history: step "refund" [\s\S]*code: {4}step "refund-order" /);
    const swapped = await edited(
      async (c) => [await c.step("a", () => 1), await c.step("b", () => 2)],
      async (c) => [await c.step("b", () => 2), await c.step("a", () => 1)],
      sparse,
    );
    assert.match(swapped.message, /history: step "[ab]"[\s\S]*code: {4}step "b"/);
  }
});

test("a history that can't be asked any more ends the run, and takes nothing down", async () => {
  const store = new MemoryStore();
  await runProcess({
    store,
    sparse: true,
    body: async (_, c) => [await c.step("a", () => 1), await c.step("b", () => 2)],
  });
  const away = new Error("the core is gone");
  const { end } = await runProcess({
    store,
    sparse: true,
    body: (_, c) => c.step("b", () => 2),
    onEvent: (run) => {
      run.history.find = () => Promise.reject(away);
    },
  });
  assert.ok(end?.is === "stopped" && end.error === away);
});
