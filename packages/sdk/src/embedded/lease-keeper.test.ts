// A blocked event loop keeps its lease for a while, and loses it when it stays blocked. The loop is blocked by a wait that costs no CPU.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openStore } from "@runtara/store";
import { databases } from "./databases.test.helper.ts";
import { ThreadKeeper } from "./lease-keeper.ts";
import { type Cleaning, LocalWorker, lastFirst } from "./local.test.helper.ts";

/** Long enough for a slow machine to load an engine in two thirds of it. */
const leaseMs = 5_000;

/** A worker that has an instance, its standby, and another worker that would take the instance over. */
async function standby(t: Cleaning, url: string, goneMs: number) {
  const stores = [await openStore(url), await openStore(url)] as const;
  t.after(async () => {
    for (const store of stores) await store.close();
  });
  const first = new LocalWorker(t, stores[0], "first", leaseMs);
  const second = new LocalWorker(t, stores[1], "second", leaseMs);
  const { promise: stoodIn, resolve } = Promise.withResolvers<number>();
  await first.start("i");
  const keeper = new ThreadKeeper({
    url,
    workerId: "first",
    leaseMs,
    goneMs,
    onStoodIn: resolve,
    onFailed: assert.fail,
  });
  await first.claimOne();
  t.after(() => keeper.close());
  return { first, second, keeper, stoodIn };
}

const block = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
};

for (const [engine, urlOf] of Object.entries(databases)) {
  test(`${engine}: a loop that is busy for longer than its lease keeps its work, and hears that somebody stood in`, async (context) => {
    const t = lastFirst(context);
    const { first, second, keeper, stoodIn } = await standby(t, await urlOf(t), 60_000);
    block(1.5 * leaseMs);
    assert.deepEqual(await second.claim(1, 20), []);
    assert.deepEqual((await first.source.renew(leaseMs)).lost, []);
    keeper.sign();
    assert.ok((await stoodIn) >= 2);
  });

  test(`${engine}: a loop that stays busy loses its work to another process`, async (context) => {
    const t = lastFirst(context);
    const { first, second } = await standby(t, await urlOf(t), leaseMs / 2);
    block(2 * leaseMs);
    const [taken] = await second.claim(1);
    assert.equal(taken?.instanceId, "i");
    assert.deepEqual((await first.source.renew(leaseMs)).lost, ["i"]);
  });
}
