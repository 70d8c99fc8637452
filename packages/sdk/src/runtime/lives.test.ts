// Many instances, few places, several processes that die without a goodbye: every workflow ends, and no result that was seen ever changes.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createCore } from "@runtara/core";
import { openMemoryStore } from "@runtara/store/memory";
import type { Runtime } from "../api/runtime.ts";
import { createClient } from "../client/client.ts";
import { LocalOperator } from "../embedded/local-operator.ts";
import { LocalSource } from "../embedded/local-source.ts";
import { type Context, continueAsNew, publish, sleep, spawn, step, waitFor, workflow } from "../index.ts";
import { type Rng, rngOf, seedOfRun } from "../testing/rng.ts";
import { createSealer } from "../values/sealer.ts";
import { assemble } from "./assemble.ts";
import type { Runner } from "./runtime.ts";
import { silentLogger } from "./testing/setup.ts";

const instances = Number(process.env.INSTANCES ?? 30);
const deaths = Number(process.env.DEATHS ?? 4);

/** What workflows saw: by instance, run and place, over all lives. */
class Witness {
  readonly seen = new Map<string, unknown>();
  readonly changed: string[] = [];
  replays = 0;

  see(ctx: Pick<Context, "instanceId" | "run">, place: string, value: unknown): void {
    const key = `${ctx.instanceId} ${ctx.run} ${place}`;
    if (!this.seen.has(key)) this.seen.set(key, value);
    else if (this.seen.get(key) !== value)
      this.changed.push(`${key}: ${String(this.seen.get(key))}, now ${String(value)}`);
    else this.replays++;
  }
}

function programs(witness: Witness) {
  let effects = 0;
  const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const effect = async (s: { attempt: number }, ms: number, fails: boolean): Promise<number> => {
    await wait(ms);
    if (fails && s.attempt === 1) throw new Error("the first attempt fails");
    return ++effects;
  };
  const leaf = workflow("leaf", async (ms: number, ctx) => {
    const value = await step("leaf", (s) => effect(s, ms, false));
    witness.see(ctx, "leaf", value);
    return value;
  });
  const tree = workflow("tree", async ({ seed, left }: { seed: number; left: number }, ctx) => {
    const rng = rngOf(seed);
    const values: number[] = [];
    for (let place = 0; place < 6; place++) values.push(await onePlace(ctx, rng, String(place)));
    if (left > 0) return continueAsNew({ seed: seed + 1, left: left - 1 });
    return values.length;
  });
  const onePlace = async (ctx: Context, rng: Rng, place: string): Promise<number> => {
    const [kind, ms] = [rng(), Math.floor(rng() * 25)];
    const value = await act(kind, ms);
    witness.see(ctx, place, value);
    publish("place", place);
    return value;

    async function act(kind: number, ms: number): Promise<number> {
      if (kind < 0.3) return step("work", (s) => effect(s, ms, kind < 0.05), { retry: { backoff: 20 } });
      if (kind < 0.5) {
        await sleep("pause", ms * 4);
        return 0;
      }
      if (kind < 0.7) return waitFor<number>("go");
      if (kind < 0.8) return spawn(leaf, ms).result();
      const both = [step("left", (s) => effect(s, ms, false)), step("right", (s) => effect(s, 5, false))];
      return kind < 0.9 ? Promise.race(both) : (await Promise.all(both)).reduce((sum, one) => sum * 1_000 + one);
    }
  };
  return { leaf, tree };
}

test(`every workflow ends and nothing that was seen changes, over ${deaths} deaths of two processes`, async (t) => {
  const seed = seedOfRun();
  t.diagnostic(`seed ${seed}`);
  const rng = rngOf(seed);
  const store = openMemoryStore();
  const witness = new Witness();
  const { leaf, tree } = programs(witness);
  let lives = 0;
  const live = (): { readonly runtime: Runtime; readonly runner: Runner } => {
    const core = createCore({ store });
    core.start();
    const source = new LocalSource({ core, store, workerId: `worker${lives++}`, tenantId: "t", leaseMs: 1_000 });
    const operator = new LocalOperator({ core, store, tenantId: "t" });
    const settings = {
      suspendAfterMs: Math.floor(rng() * 30),
      drainMs: 0,
      leaseMs: 1_000,
      instancesMax: 4,
      stepsMax: 6,
    };
    const assembled = assemble({
      parts: {
        ...{ source, operator, clock: source.clock, sealer: createSealer(), logger: silentLogger },
        activity: { begin: () => () => {} },
        settings: { ...settings, guard: false, strictTurns: false },
      },
      workflows: [leaf, tree],
      release: async () => {
        operator.close();
        await core.close();
      },
    });
    cleanUp(t, assembled.runtime);
    return assembled;
  };
  t.after(() => store.close());
  const workers = [live(), live()];
  const core = createCore({ store });
  const operator = new LocalOperator({ core, store, tenantId: "t" });
  t.after(async () => {
    operator.close();
    await core.close();
  });
  const client = createClient({ operator, tenantId: "t", sealer: createSealer(), clock: core.clock });
  const handles = await Promise.all(
    Array.from({ length: instances }, (_, n) =>
      client.start(tree, { seed: seed + 100 * n, left: n % 3 }, { id: `i${n}` }),
    ),
  );
  let isOver = false;
  const results = Promise.all(handles.map((handle) => handle.result())).finally(() => {
    isOver = true;
  });
  const signalling = signalAll(handles, () => isOver);
  for (let death = 0; death < deaths && !isOver; death++) {
    await new Promise((resolve) => setTimeout(resolve, 100 + rng() * 700));
    const index = Math.floor(rng() * 2);
    const dying = workers[index] as ReturnType<typeof live>;
    if (rng() < 0.7) dying.runner.vanish();
    else await dying.runner.close(0);
    workers[index] = live();
  }
  assert.deepEqual(
    await results,
    Array.from({ length: instances }, () => 6),
  );
  await signalling;
  assert.deepEqual(witness.changed, []);
  assert.ok(witness.replays > 0, "something was replayed");
});

/** Signals for everybody, more than they need. */
async function signalAll(
  handles: readonly { signal(name: string, payload: unknown): Promise<void> }[],
  isOver: () => boolean,
): Promise<void> {
  for (let number = 1; !isOver(); number++) {
    // To one that has ended none can be sent.
    await Promise.allSettled(handles.map((handle, n) => handle.signal("go", number * 1_000 + n)));
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}

function cleanUp(t: TestContext, runtime: Runtime): void {
  t.after(() => runtime.close({ drain: 0 }));
}
