import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Instance, openStore, type Store } from "@runtara/store";
import { testDatabase } from "@runtara/store/testing/postgres";

const seed = new Uint8Array(16);
const childFile = fileURLToPath(new URL(`testing/core-child${import.meta.url.slice(-3)}`, import.meta.url));

async function startCore(children: ChildProcess[], url: string, role: "work" | "timers"): Promise<ChildProcess> {
  const child = spawn(process.execPath, [...process.execArgv, childFile, url, role], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  assert.ok(child.stdout !== null);
  const [text] = await once(child.stdout, "data");
  assert.equal(String(text), "ready\n");
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = once(child, "exit");
  child.kill("SIGKILL");
  await over;
}

/** Resolves when all have ended, looking whenever the store tells of something. */
async function allEnded(store: Store, ids: readonly string[]): Promise<Instance[]> {
  for (;;) {
    let hint = () => {};
    const hinted = new Promise<void>((resolve) => {
      hint = resolve;
    });
    const unwatch = store.watch(() => hint());
    const reads = await Promise.all(ids.map((instanceId) => store.run({ kind: "readInstance", instanceId })));
    const ended = reads.flatMap((read) =>
      read.outcome === "found" && read.instance.finishedAtMs ? [read.instance] : [],
    );
    if (ended.length < ids.length) await hinted;
    unwatch();
    if (ended.length === ids.length) return ended;
  }
}

test("I7: on SQLite, four processes, one of them killed: each wake time and time-out happens once, never early", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "runtara-timers-"));
  try {
    await withProcesses(t, join(folder, "core.db"));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("I7: on PostgreSQL, four processes, one of them killed: each wake time and time-out happens once, never early", async (t) => {
  await using database = await testDatabase();
  await withProcesses(t, database.url);
});

async function withProcesses(t: TestContext, url: string): Promise<void> {
  const store = await openStore(url);
  const children: ChildProcess[] = [];
  try {
    const killed = await startCore(children, url, "timers");
    await Promise.all((["work", "work", "timers"] as const).map((role) => startCore(children, url, role)));
    await fireAll(t, store, killed);
  } finally {
    await Promise.all(children.map(end));
    await store.close();
  }
}

async function fireAll(t: TestContext, store: Store, killed: ChildProcess): Promise<void> {
  const beganMs = Date.now();
  const dueMs = new Map(Array.from({ length: 60 }, (_, n) => [`i${n}`, beganMs + 200 + 25 * n]));
  for (const [instanceId, atMs] of dueMs) {
    const nowMs = Date.now();
    const usual = { kind: "startInstance", instanceId, tenantId: "t", tags: {}, seed, nowMs } as const;
    if (Number(instanceId.slice(1)) % 2 === 0) await store.run({ ...usual, workflow: "w", startAtMs: atMs });
    else {
      await store.run({ ...usual, timeoutMs: atMs - nowMs });
      const registration = { instanceId, tenantId: "t", checkTenant: false, seed, staleAfterMs: 0, nowMs };
      await store.run({ kind: "registerInstance", ...registration });
    }
  }
  await allEnded(store, ["i10"]);
  killed.kill("SIGKILL");
  const lateMs: number[] = [];
  for (const { instanceId, status, epoch, startedAtMs, finishedAtMs } of await allEnded(store, [...dueMs.keys()])) {
    const isStart = status === "completed";
    const happenedMs = (isStart ? startedAtMs : finishedAtMs) ?? 0;
    lateMs.push(happenedMs - (dueMs.get(instanceId) ?? 0));
    // Claimed once; or registered once, and fenced by its one time-out.
    assert.deepEqual([status, epoch], isStart ? ["completed", 1] : ["failed", 2]);
    const listed = await store.run({ kind: "listEvents", instanceId, limit: 10 });
    const types = listed.outcome === "page" ? listed.events.map(({ type }) => type) : [];
    assert.deepEqual(types.toSorted(), ["started", status].toSorted());
  }
  assert.ok(lateMs.every((late) => late >= 0));
  lateMs.sort((a, b) => a - b);
  t.diagnostic(`late by ${lateMs[30]} ms in the middle, ${lateMs.at(-1)} ms at most`);
}
