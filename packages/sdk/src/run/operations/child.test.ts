import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { CancelledError, InstanceFailedError, StartConflictError, ValidationError } from "../../errors.ts";
import { spawn } from "../../functions.ts";
import { errorOf, outputOf, World, type WorldBody } from "../../testing/world.ts";
import { ref, workflow } from "../../workflow.ts";
import { readEnvelope } from "../envelope.ts";
import { endOfChild } from "./child-end.ts";

const ship = ref("ship") as ReturnType<typeof ref>;

const workflows: Record<string, WorldBody> = {
  ship: async (input, c) => {
    const order = (input as { id: string } | undefined)?.id ?? "none";
    const how = await c.waitFor("how", { timeout: "1h" });
    return new Map([[order, how]]);
  },
  fail: async () => {
    throw new RangeError("no more ships");
  },
  slow: async (_, c) => c.sleep("30d"),
};

function parent(body: WorldBody, options: ConstructorParameters<typeof World>[0] = {}) {
  const world = new World({ workflows, ...options });
  return { world, instance: world.start("p", body) };
}

test("a child is started once, gets signals, and its result comes back as it was", async () => {
  const { world, instance } = parent(async (_, c) => {
    const child = c.spawn(ship, { id: "o-1" });
    assert.equal(child.id, "p.ship");
    await child.signal("how", "by air");
    return [await child.result(), await child.result()];
  });
  await world.run();
  const result = new Map([["o-1", "by air"]]);
  assert.deepEqual(outputOf(instance), [result, result]);
  assert.deepEqual(instance.ids, ["ship", "how!send", "ship!result"]);
  assert.equal(readEnvelope(instance.store.entries.get("ship") ?? "").kind, "child");
  assert.equal(readEnvelope(instance.store.entries.get("ship!result") ?? "").kind, "child");
  assert.equal(world.instances.size, 2);
});

test("children of one name are counted, named, scoped, or given an id", async () => {
  const { world, instance } = parent(async (_, c) => {
    const children = [
      c.spawn(ship, undefined),
      c.spawn(ship, undefined),
      c.spawn(ship, undefined, { name: "to home" }),
      await c.scope("in", async (inner) => inner.spawn(ship, undefined)),
      spawn(ship, undefined, { id: "my-own" }),
    ];
    await Promise.all(children.map(({ started }) => started));
    return children.map(({ id }) => id);
  });
  await world.run();
  assert.deepEqual(outputOf(instance), ["p.ship", "p.ship~2", "p.to*20home", "p.in.ship", "my-own"]);
  assert.deepEqual([...world.instances.keys()].slice(1), outputOf(instance));
});

test("a child's failure is an InstanceFailedError with its error as the cause; a cancelled one a CancelledError", async () => {
  const { world, instance } = parent(async (_, c) => {
    const failed = await c
      .spawn(ref("fail"), undefined)
      .result()
      .catch((error: unknown) => error);
    const slow = c.spawn(ref("slow"), undefined);
    const cancelled = slow.result().catch((error: unknown) => error);
    await slow.cancel();
    return [failed, await cancelled];
  });
  await world.run();
  const [failed, cancelled] = outputOf(instance) as [InstanceFailedError, CancelledError];
  assert.ok(failed instanceof InstanceFailedError);
  assert.equal(failed.message, "the child instance p.fail failed: RangeError: no more ships");
  assert.equal(failed.instanceId, "p.fail");
  assert.ok(failed.cause instanceof RangeError);
  assert.ok(cancelled instanceof CancelledError);
  assert.equal(cancelled.message, "the child instance p.slow was cancelled");
  assert.equal(world.instances.get("p.slow")?.end?.is, "cancelled");
});

test("a start that is refused rejects `started`, the result and what is sent to it; it is an entry, so a replay says the same", async () => {
  const conflict = new StartConflictError("p.ship belongs to another workflow");
  const seen: unknown[] = [];
  const { world, instance } = parent(async (_, c) => {
    const child = c.spawn(ref("unheard-of"), undefined);
    const outcomes = await Promise.allSettled([child.started, child.result(), child.signal("how", 1), child.cancel()]);
    seen.push(outcomes.map((outcome) => (outcome.status === "rejected" ? String(outcome.reason) : "?")));
    await c.sleep(10);
    seen.push(await child.result().catch(String));
  });
  const { start } = world;
  world.start = () => {
    throw conflict;
  };
  Object.assign(workflows, { "unheard-of": workflows.ship });
  world.clock.after(5, () => world.crash(instance));
  await world.run();
  world.start = start;
  const text = String(conflict);
  assert.deepEqual(seen, [[text, text, text, text], [text, text, text, text], text]);
  assert.match(instance.store.entries.get("unheard-of") ?? "", /"kind":"child".*"error":/);
});

test("the parent's end cancels attached children, not detached ones", async () => {
  const { world, instance } = parent(async (_, c) => {
    await c.spawn(ref("slow"), undefined).started;
    await c.spawn(ref("slow"), undefined, { name: "free", detached: true }).started;
  });
  await world.run();
  assert.equal(instance.end?.is, "returned");
  assert.equal(world.instances.get("p.slow")?.end?.is, "cancelled");
  assert.equal(world.instances.get("p.free")?.end?.is, "returned");
});

test("a child ends while its parent is suspended, which wakes it", async () => {
  const { world, instance } = parent(
    async (_, c) => {
      await c.spawn(ref("slow"), undefined).result();
      return c.now();
    },
    { suspensions: 1 },
  );
  const begun = world.clock.now();
  await world.run();
  assert.equal(outputOf(instance), begun + 30 * 86_400_000);
  assert.equal(instance.suspensions, 1);
});

test("a result whose wait was cancelled between its save and its delivery is there for the next one", async () => {
  const told: unknown[] = [];
  const { world, instance } = parent(async (_, c) => {
    const child = c.spawn(ship, { id: "o" });
    await child.started;
    await child.signal("how", 1);
    try {
      await child.result();
    } catch (error) {
      told.push((error as Error).name);
      told.push(await child.result());
    }
    return told;
  });
  // In one moment: the cancel is recorded first, then the end of the child, before either is delivered.
  const { signal } = world;
  world.signal = (id, name, value, messageId) => {
    if (name === "ship!result") world.cancel("p");
    signal.call(world, id, name, value, messageId);
  };
  await world.run();
  assert.deepEqual(outputOf(instance), ["CancelledError", new Map([["o", 1]])]);
});

test("a thousand children", async () => {
  const { world, instance } = parent(
    async (_, c) => {
      const children = Array.from({ length: 1_000 }, (_, index) => c.spawn(ref("echo"), index));
      const results = await Promise.all(children.map((child) => child.result()));
      return results.reduce((sum: number, value) => sum + Number(value), 0);
    },
    { workflows: { echo: async (input) => input } },
  );
  await world.run();
  assert.equal(outputOf(instance), 499_500);
});

test("an input is checked by the child's schema where the parent has it, and must be storable", async () => {
  const strict = workflow("strict", { input: z.object({ id: z.string() }) }, async (input) => input.id);
  const { world, instance } = parent(async (_, c) => {
    const error = await c.spawn(strict, { id: 5 as unknown as string }).started.catch((reason: unknown) => reason);
    assert.throws(
      () => c.spawn(ship, { go: () => 1 }),
      /was to be started with a value that can't be stored: input\.go/,
    );
    return error;
  });
  await world.run();
  assert.ok(outputOf(instance) instanceof ValidationError);
  assert.equal(world.instances.size, 1);
});

test("a spawn that was taken out of the code, or is another kind now, is a divergence", async () => {
  const { world, instance } = parent(async (_, c) => {
    if (instance.crashes === 0) await c.spawn(ship, undefined).started;
    else await c.step("ship", () => 1);
    await c.sleep(50);
  });
  world.clock.after(10, () => world.crash(instance));
  await world.run();
  assert.equal(instance.end?.is, "diverged");
  assert.match(instance.end.error.message, /history: child "ship"[\s\S]*now it is a step/);
  assert.throws(() => errorOf(instance));
});

test("the end of a child in other words: a time-out, and the text of a peer that reports no structure", () => {
  const timedOut = endOfChild({ status: "failed" }, "c").value as InstanceFailedError;
  assert.deepEqual(
    [timedOut.message, timedOut.reason, timedOut.cause],
    ["the child instance c failed: it took longer than its timeout", "timeout", undefined],
  );
  const told = endOfChild({ status: "failed", error: "disk full" }, "c").value as InstanceFailedError;
  assert.deepEqual([told.message, told.reason], ["the child instance c failed: Error: disk full", "reported"]);
  const thrown = endOfChild({ status: "failed", error: "5", failure: 5 }, "c").value as InstanceFailedError;
  assert.deepEqual([thrown.message, thrown.cause], ["the child instance c failed: 5", 5]);
});
