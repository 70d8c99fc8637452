// Idle runs: when they are told, where they stand, and that freezing one loses nothing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryHistory, MemoryStore } from "../testing/memory-history.ts";
import { rngOf } from "../testing/rng.ts";
import { runOptions, runProcess } from "../testing/run-once.ts";
import { macrotask, SimulatedClock } from "../testing/simulated-clock.ts";
import type { RunContext } from "./context.ts";
import type { RunEnd, RunOptions } from "./control.ts";
import { Run } from "./run.ts";

/** A run whose time passes by hand, and what it told. */
class Stage {
  readonly clock = new SimulatedClock();
  readonly store: MemoryStore;
  readonly history: MemoryHistory;
  readonly told: string[] = [];
  readonly run: Run;
  end: RunEnd | undefined;

  constructor(body: (context: RunContext) => unknown, store = new MemoryStore(), settings: Partial<RunOptions> = {}) {
    this.store = store;
    this.history = new MemoryHistory(store, { clock: this.clock, rng: rngOf(1), sparse: false });
    this.run = new Run(
      runOptions({
        history: this.history,
        clock: this.clock,
        body: (_, context) => body(context),
        listener: {
          idle: () => void this.told.push("idle"),
          busy: () => void this.told.push("busy"),
          wants: (names) => void this.told.push(`wants ${names.join()}`),
        },
        settings,
      }),
    );
    void this.run.start().then((end) => {
      this.end = end;
    });
  }

  /** Until nothing happens before `ms` are over. */
  async pass(ms: number): Promise<void> {
    const until = this.clock.now() + ms;
    let isOver = false;
    this.clock.after(ms, () => {
      isOver = true;
    });
    for (let turn = 0; turn < 4; turn++) await macrotask();
    while (!isOver && this.clock.step()) for (let turn = 0; turn < 4; turn++) await macrotask();
    assert.equal(this.clock.now(), until);
  }

  send(name: string, value: unknown): void {
    this.store.send(name, JSON.stringify(value));
    this.run.arrived([...this.store.signals]);
  }
}

test("a run is idle when only time and signals can move it, is told once, and says where it stands", async () => {
  const stage = new Stage(async (context) => {
    await context.step("work", () => new Promise((resolve) => void stage.clock.after(50, () => resolve(1))));
    await Promise.race([context.waitFor("approved"), context.waitFor("refused"), context.sleep("limit", "1h")]);
    return "done";
  });
  await stage.pass(10);
  assert.deepEqual([stage.told, stage.run.standing()], [[], undefined], "a body runs");
  await stage.pass(200);
  assert.deepEqual(stage.told, ["wants refused,approved", "idle"]);
  const standing = stage.run.standing();
  assert.deepEqual(standing?.names, ["refused", "approved"]);
  assert.deepEqual([standing?.recordedSignal, standing?.armed], [undefined, 3]);
  const dueIn = (standing?.untilMs ?? 0) - stage.clock.now();
  assert.ok(dueIn > 3_500_000 && dueIn <= 3_600_000);
  await stage.pass(1_000_000);
  assert.equal(stage.told.length, 2, "not told again");
  stage.send("approved", 1);
  assert.deepEqual(stage.told.slice(2), ["busy", "wants refused"]);
  assert.equal(stage.run.standing(), undefined);
  await stage.pass(100);
  assert.equal(stage.end?.is, "returned");
});

test("a retry that waits is idle time; asking the outside is not", async () => {
  let confirm: () => void = () => {};
  const stage = new Stage(
    (context) =>
      context.step(
        "flaky",
        (s) => {
          if (s.attempt === 1) throw new Error("not yet");
          return s.attempt;
        },
        { retry: { attempts: 2, backoff: "2m", jitter: 0 } },
      ),
    new MemoryStore(),
  );
  stage.history.recordRetry = (): Promise<void> =>
    new Promise((resolve) => {
      confirm = resolve;
    });
  await stage.pass(5_000);
  assert.deepEqual([stage.told, stage.run.standing()], [[], undefined], "its record is on the way");
  confirm();
  await stage.pass(10);
  assert.deepEqual(stage.told, ["idle"]);
  assert.equal(stage.run.standing()?.untilMs, 1_700_000_120_000);
  await stage.pass(130_000);
  assert.deepEqual(stage.told, ["idle", "busy"]);
  assert.ok(stage.end?.is === "returned" && stage.end.value === 2);
});

test("a body that runs again after a wait makes the run busy until it ends", async () => {
  const stage = new Stage((context) =>
    context.step(
      "flaky",
      async ({ attempt }) => {
        await new Promise<void>((resolve) => void stage.clock.after(1_000, resolve));
        if (attempt === 1) throw new Error("not yet");
      },
      { retry: { attempts: 2, backoff: "2m", jitter: 0 } },
    ),
  );
  await stage.pass(5_000);
  assert.deepEqual(stage.told, ["idle"]);
  await stage.pass(116_500);
  assert.deepEqual([stage.told, stage.run.bodies], [["idle", "busy"], ["flaky"]]);
});

test("a run whose body gave up its place in the line is idle when its turn there comes", async () => {
  const { gate } = runOptions({
    history: undefined as never,
    clock: new SimulatedClock(),
    body: () => {},
    concurrentSteps: 1,
  });
  const holds = Promise.withResolvers<void>();
  const holder = new Stage((context) => context.step("holds", () => holds.promise), new MemoryStore(), { gate });
  await holder.pass(10);
  const stage = new Stage(
    async (context) => {
      await context.step("never", () => {}).catch(() => {});
      await context.waitFor("go");
    },
    new MemoryStore(),
    { gate },
  );
  await stage.pass(10);
  stage.run.cancel(undefined);
  await stage.pass(100);
  assert.deepEqual([stage.told, stage.run.standing()], [["wants go"], undefined]);
  holds.resolve();
  await holder.pass(10);
  await stage.pass(10);
  assert.deepEqual(stage.told, ["wants go", "idle"]);
  assert.deepEqual(stage.run.standing()?.names, ["go"]);
});

test("a frozen run does nothing; thawed, it does all that came meanwhile", async () => {
  const ran: string[] = [];
  const stage = new Stage(async (context) => {
    const foreign = new Promise<string>((resolve) => void stage.clock.after(2_000, () => resolve("foreign")));
    const late = foreign.then((name) => context.step(name, () => void ran.push(name)));
    const signal = context.waitFor("go");
    await context.sleep("nap", "1s");
    await context.step("after", () => void ran.push("after"));
    context.emit("awake");
    await Promise.all([late, signal]);
    return "done";
  });
  await stage.pass(100);
  assert.ok(stage.run.standing());
  stage.run.freeze();
  assert.throws(() => stage.run.freeze(), /only an idle run/);
  await stage.pass(5_000);
  stage.send("go", 1);
  await stage.pass(5_000);
  assert.deepEqual([ran, [...stage.store.entries.keys()], stage.end], [[], [], undefined]);
  assert.equal(stage.store.signals.length, 1, "it stays where it was");
  stage.run.thaw();
  await stage.pass(500);
  assert.equal(stage.end?.is, "returned");
  assert.deepEqual(ran.sort(), ["after", "foreign"]);
  assert.deepEqual([...stage.store.entries.keys()].sort(), ["after", "foreign", "go!signal", "nap"]);
  assert.deepEqual([stage.store.messages.length, stage.store.signals.length], [1, 0]);
});

test("a frozen run that nothing has moved is told idle again when it is thawed", async () => {
  const stage = new Stage((context) => context.sleep("long", "1d"));
  await stage.pass(10);
  stage.run.freeze();
  await stage.pass(10);
  stage.run.thaw();
  await stage.pass(10);
  assert.deepEqual(stage.told, ["idle", "idle"]);
  assert.ok(stage.run.standing());
});

test("a cancel that comes to a frozen run is written when it is thawed, and then the history has it", async () => {
  const stage = new Stage(async (context) => {
    await context.sleep("long", "1d").catch(() => {});
    await context.sleep("longer", "1d");
  });
  await stage.pass(10);
  stage.run.freeze();
  stage.run.cancel("enough");
  await stage.pass(50);
  assert.equal(stage.store.entries.size, 0);
  stage.run.thaw();
  await stage.pass(100);
  assert.match(stage.store.entries.get("!cancel") ?? "", /"kind":"cancel","value":\{"reason":"enough"\}\}$/);
  assert.equal(stage.run.standing()?.recordedSignal, "cancel");
});

test("pausing one run holds back its bodies and nobody else's", async () => {
  const gate = runOptions({ history: undefined as never, clock: new SimulatedClock(), body: () => {} }).gate;
  const first = new Stage(
    (context) =>
      context
        .step("a", () => new Promise<void>((resolve) => void first.clock.after(100, resolve)))
        .then(() => context.step("b", () => 1)),
    new MemoryStore(),
    { gate },
  );
  const second = new Stage((context) => context.step("c", () => "ran"), new MemoryStore(), { gate });
  await first.pass(10);
  first.run.pause();
  await second.pass(100);
  assert.ok(second.end?.is === "returned" && second.end.value === "ran");
  assert.deepEqual([first.end, first.run.bodies], [undefined, ["a"]]);
  await first.pass(300);
  assert.deepEqual([first.end?.is, [...first.store.entries.keys()]], ["paused", ["a"]]);
});

test("a run that was stopped frees its places at the gate, even where a body does not stop", async () => {
  const { gate } = runOptions({
    history: undefined as never,
    clock: new SimulatedClock(),
    body: () => {},
    concurrentSteps: 1,
  });
  const stuck = new Stage((context) => context.step("stuck", () => new Promise(() => {})), new MemoryStore(), { gate });
  const waiting = new Stage((context) => context.step("next", () => "ran"), new MemoryStore(), { gate });
  await stuck.pass(10);
  await waiting.pass(100);
  assert.deepEqual([waiting.end], [undefined]);
  stuck.run.stop({ is: "suspended" });
  await waiting.pass(100);
  assert.equal(waiting.end?.is, "returned");
});

test("the hub's answers may be late: what was taken up, or is not awaited, is passed over", async () => {
  const stage = new Stage(async (context) => {
    const first = await context.waitFor<number>("n");
    const second = await context.waitFor<number>("n");
    return [first, second];
  });
  await stage.pass(10);
  for (const value of [1, 2, 3]) stage.store.send("n", String(value));
  stage.store.send("other", "9");
  const all = [...stage.store.signals];
  for (let count = 0; count < 3; count++) stage.run.arrived(all);
  await stage.pass(100);
  stage.run.arrived(all);
  await stage.pass(100);
  assert.ok(stage.end?.is === "returned");
  assert.deepEqual(stage.end.value, [1, 2]);
  assert.deepEqual(
    stage.store.signals.map(({ payload }) => new TextDecoder().decode(payload)),
    ["3", "9"],
  );
});

test("an answer with what an earlier run of this process has consumed is passed over", async () => {
  const consumed = new Map<string, number>();
  const stage = new Stage(async (context) => context.continueAsNew(await context.waitFor("n")), new MemoryStore(), {
    consumed,
  });
  await stage.pass(10);
  stage.store.send("n", "1");
  const late = [...stage.store.signals];
  stage.run.arrived(late);
  await stage.pass(100);
  assert.equal(stage.end?.is, "continued");
  const store = new MemoryStore();
  store.continueFrom(stage.store);
  const next = new Stage((context) => context.waitFor("n"), store, { consumed });
  await next.pass(10);
  next.run.arrived(late);
  await next.pass(100);
  assert.equal(next.end, undefined);
  // The ids of signals go on from run to run.
  next.run.arrived(late.map((signal) => ({ ...signal, signalId: signal.signalId + 1 })));
  await next.pass(1);
  assert.deepEqual(next.told.slice(0, 2), ["wants n", "idle"]);
});

test("replays send again exactly the messages that may be missing", async () => {
  const store = new MemoryStore();
  const sent: number[] = [];
  const body = async (_: unknown, context: RunContext): Promise<void> => {
    context.publish("progress", 1);
    await context.step("a", () => 1);
    context.publish("progress", 2);
    context.emit("half", { way: true });
    await context.step("b", () => 1);
    context.publish("progress", 3);
  };
  await runProcess({ store, body });
  assert.deepEqual(
    store.messages.map((text) => JSON.parse(text).text),
    ["1", "2", '{"way":true}', "3"],
  );
  assert.match(store.entries.get("b") ?? "", /"out":3/);
  const clock = new SimulatedClock();
  const history = new MemoryHistory(store, { clock, rng: rngOf(1), sparse: false });
  history.send = ({ number }) => void sent.push(number);
  await new Run(runOptions({ history, clock, body })).start();
  assert.deepEqual(sent, [4]);
});
