import assert from "node:assert/strict";
import { test } from "node:test";
import type { OperationOf } from "@runtara/store";
import { Disk } from "./disk.ts";
import { type CrashPoint, DyingStore } from "./dying-store.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function save(checkpointId: string, instanceId = "i"): OperationOf<"saveCheckpoint"> {
  return { kind: "saveCheckpoint", instanceId, checkpointId, state: bytes(checkpointId), nowMs: 1 };
}

/** A disk with running instances, and one process on it. */
async function processOn(point?: CrashPoint, ids: readonly string[] = ["i"]) {
  const disk = new Disk(1);
  for (const instanceId of ids) {
    const seed = new Uint8Array(16);
    await disk.run({
      kind: "registerInstance",
      instanceId,
      tenantId: "t",
      checkTenant: false,
      seed,
      nowMs: 0,
      staleAfterMs: 0,
    });
  }
  const deaths: string[] = [];
  const store = new DyingStore({
    disk,
    crashAt: ({ number, ids }) =>
      point !== undefined && (point.at === number || ids.includes(String(point.at))) ? point : undefined,
    onDeath: ({ number }, { when }) => {
      deaths.push(`${when} ${number}`);
    },
  });
  const answers: string[] = [];
  const submit = (operation: OperationOf<"saveCheckpoint">): void => {
    store.submit(operation, (...[error]) => {
      answers.push(error === undefined ? operation.checkpointId : error.code);
    });
  };
  return { disk, store, deaths, answers, submit };
}

async function stored(disk: Disk, instanceId = "i"): Promise<string[]> {
  const page = await disk.run({ kind: "listCheckpoints", instanceId, limit: 100 });
  return page.outcome === "page" ? page.checkpoints.map(({ checkpointId }) => checkpointId).reverse() : [];
}

test("it carries out and answers as the store below does", async () => {
  const { disk, store, answers, submit } = await processOn();
  submit(save("a"));
  submit(save("b"));
  assert.deepEqual(answers, [], "never inside submit");
  assert.equal(store.underWay, 2);
  store.flush();
  assert.deepEqual(answers, ["a", "b"]);
  assert.equal(store.underWay, 0);
  assert.deepEqual(await stored(disk), ["a", "b"]);
});

for (const [when, kept] of [
  ["before", ["a"]],
  ["after", ["a", "b"]],
] as const) {
  test(`a crash ${when} the second commit keeps ${kept.join(" and ")} and answers only the first`, async () => {
    const { disk, store, deaths, answers, submit } = await processOn({ at: 2, when });
    const heard: string[] = [];
    store.watch(({ topic }) => heard.push(topic));
    for (const id of ["a", "b", "c"]) submit(save(id));
    store.flush();
    assert.deepEqual(deaths, [`${when} 2`]);
    assert.equal(store.isDead, true);
    submit(save("d"));
    store.flush();
    assert.deepEqual(await stored(disk), kept);
    // The first was carried out before the crash, in the same flush: its answer is lost with the process.
    assert.deepEqual(answers, []);
    assert.deepEqual(heard, []);
  });
}

test("a crash at the commit of a checkpoint, by its id", async () => {
  const { disk, store, deaths, submit } = await processOn({ at: "b", when: "before" });
  for (const id of ["a", "b"]) {
    submit(save(id));
    store.flush();
  }
  assert.deepEqual(deaths, ["before 2"]);
  assert.deepEqual(await stored(disk), ["a"]);
});

test("a kill keeps of each instance a beginning of what was under way", async () => {
  const coins = [true, true, false, true];
  const { disk, store, answers, submit } = await processOn(undefined, ["i", "k"]);
  for (const [id, instanceId] of [
    ["a", "i"],
    ["b", "k"],
    ["c", "i"],
    ["d", "i"],
    ["e", "k"],
  ] as const) {
    submit(save(id, instanceId));
  }
  store.kill(() => coins.shift() ?? false);
  assert.deepEqual([await stored(disk, "i"), await stored(disk, "k")], [["a"], ["b", "e"]]);
  assert.deepEqual(answers, []);
});

test("instances get their seed from the test's seed and their own id", async () => {
  const seedOf = async (seed: number, instanceId: string): Promise<string> => {
    const disk = new Disk(seed);
    await disk.run({
      kind: "startInstance",
      instanceId,
      tenantId: "t",
      workflow: "w",
      tags: {},
      seed: new Uint8Array(16),
      nowMs: 0,
    });
    const { work } = await disk.run({
      kind: "claimWork",
      workerId: "x",
      tenantId: "t",
      offers: [{ name: "w", versions: [] }],
      capacity: 1,
      received: 0,
      leaseMs: 1_000,
      runningMax: 0,
      bytesMax: 1_000,
      nowMs: 1,
    });
    assert.deepEqual(disk.heldBy("x"), [{ instanceId, epoch: work[0]?.facts.epoch }]);
    return Buffer.from(work[0]?.facts.seed ?? []).toString("hex");
  };
  assert.equal(await seedOf(1, "a"), await seedOf(1, "a"));
  assert.notEqual(await seedOf(1, "a"), await seedOf(1, "b"));
  assert.notEqual(await seedOf(1, "a"), await seedOf(2, "a"));
});
