// What `open` takes, refuses and says.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Logger } from "../api/runtime.ts";
import { isRuntaraError } from "../errors.ts";
import { step, workflow } from "../index.ts";
import { limits } from "../limits.ts";
import { folder, storeOf } from "./local.test.helper.ts";
import { open, openIn } from "./open.ts";

const echo = workflow("echo", async (value: string) => step("say", () => value));

/** A logger that keeps what it is told. */
function keptLog(): { readonly logger: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const keep =
    (level: string) =>
    (_: object, message: string): void => {
      lines.push(`${level}: ${message}`);
    };
  return { lines, logger: { debug: () => {}, info: () => {}, warn: keep("warn"), error: keep("error") } };
}

/** The machine's time, with timers that run when the test says so. */
function heldClock(): {
  readonly clock: { now(): number; after(ms: number, action: () => void): () => void };
  pass(ms: number): void;
} {
  const held = new Set<{ readonly ms: number; readonly action: () => void }>();
  return {
    clock: {
      now: Date.now,
      after(ms, action) {
        const timer = { ms, action };
        held.add(timer);
        return () => held.delete(timer);
      },
    },
    pass(ms) {
      for (const timer of [...held]) {
        if (timer.ms > ms || !held.delete(timer)) continue;
        timer.action();
      }
    },
  };
}

test("the database comes from the option, else from RUNTARA_DATABASE_URL; the tenant likewise", async (t) => {
  const path = join(folder(t), "of-environment", "work.db");
  const env = { RUNTARA_DATABASE_URL: `sqlite:${path}`, RUNTARA_TENANT_ID: "acme" };
  await using first = await openIn({ workflows: [echo] }, env);
  assert.equal(await first.run(echo, "a", { id: "i" }), "a");
  assert.ok(existsSync(path));
  await using other = await openIn({ workflows: [], tenantId: "other" }, env);
  await assert.rejects(other.get(echo, "i").status(), { name: "NotFoundError" });
  await using same = await openIn({ workflows: [], store: path, tenantId: "acme" }, {});
  assert.equal(await same.get(echo, "i").result(), "a");
});

test("what can't be used is refused by its name, and nothing is left behind", async (t) => {
  const path = join(folder(t), "missing", "work.db");
  const refusals: readonly (readonly [Parameters<typeof open>[0], RegExp])[] = [
    [{ lease: "10ms" }, /lease is 10ms; it must be 1000 to 300000 ms/],
    [{ lease: "soon" as never }, /lease is "soon"/],
    [{ drain: -1 }, /drain is -1/],
    [{ suspendAfter: Number.NaN }, /suspendAfter is NaN/],
    [{ tenantId: "" }, /tenantId is ""/],
    [{ workerId: "a\0b" }, /workerId is "a\\u0000b"/],
    [{ concurrency: { instances: 0 } }, /concurrency\.instances is 0; it must be a whole number from 1 on/],
    [{ concurrency: { steps: 1.5 } }, /concurrency\.steps is 1\.5/],
    [{ store: "mysql://nowhere" }, /supported: sqlite:PATH/],
    [{ store: `sqlite:${path}?mode=rw` }, /no such file/],
    [{ store: `sqlite:${path}`, workflows: [echo, workflow("echo", async () => 1)] }, /echo/],
  ];
  for (const [options, message] of refusals) {
    await assert.rejects(open({ store: `sqlite:${path}`, ...options }), (error: Error) => {
      assert.ok(isRuntaraError(error, "CONFIG"), String(error));
      assert.match(error.message, message);
      return true;
    });
  }
});

test("an open store stays open after close", async (t) => {
  const store = await storeOf(t, "sqlite");
  const runtime = await open({ store, workflows: [echo] });
  assert.equal(await runtime.run(echo, "a", { id: "i" }), "a");
  await runtime.close();
  assert.equal((await store.run({ kind: "readInstance", instanceId: "i" })).outcome, "found");
});

test("close while a result is awaited: the wait ends with an error, and the instance is unharmed", async (t) => {
  const store = await storeOf(t, "sqlite");
  const endless = workflow("endless", async () => {
    await step(
      "wait",
      (s) => new Promise((_, reject) => s.signal.addEventListener("abort", () => reject(s.signal.reason))),
    );
  });
  const runtime = await open({ store, workflows: [endless] });
  const handle = await runtime.start(endless, undefined, { id: "i" });
  const result = handle.result();
  const rejected = assert.rejects(result, { name: "ConnectionError" });
  await runtime.close({ drain: 0 });
  await rejected;
  const read = await store.run({ kind: "readInstance", instanceId: "i" });
  assert.ok(read.outcome === "found" && read.instance.status !== "failed");
});

test("unfinished instances of workflows that nobody named are told of once, and stay as they are", async (t) => {
  const store = await storeOf(t, "memory");
  const absent = workflow("absent", async () => 1);
  for (const instanceId of ["a", "b"]) {
    const start = { instanceId, tenantId: "default", workflow: absent.name, tags: {}, seed: new Uint8Array(16) };
    await store.run({ kind: "startInstance", ...start, nowMs: 1 });
  }
  const { logger, lines } = keptLog();
  const { clock, pass } = heldClock();
  const runtime = await open({ store, workflows: [echo], logger, clock });
  t.after(() => runtime.close({ drain: 0 }));
  pass(limits.unknownWorkflowsAfterMs);
  while (lines.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(lines.length, 1);
  assert.match(
    lines[0] ?? "",
    /^warn: unfinished instances of workflows that this process does not run: absent \(2\); /,
  );
  assert.equal((await runtime.get(absent, "a").status()).status, "pending");
});

test("where threads can't be started, workflows run all the same, and a warning says what is missing", (t) => {
  const program = `
    const { open } = await import("@runtara/sdk/embedded");
    const { step, workflow } = await import("@runtara/sdk");
    const echo = workflow("echo", async (value) => step("say", () => value));
    const runtime = await open({ store: process.argv[1], workflows: [echo] });
    console.log(await runtime.run(echo, "a"));
    await runtime.close();`;
  const allowed = ["--permission", "--allow-fs-read=*", "--allow-fs-write=*", "--conditions=runtara-src"];
  const args = [...allowed, "--input-type=module", "--eval", program, join(folder(t), "work.db")];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: import.meta.dirname, encoding: "utf8" });
  assert.equal(stdout, "a\n", stderr);
  assert.match(stderr, /runtara: no thread keeps the lease while the event loop is busy/);
});

test("SIGTERM closes only where it was asked for", async (t) => {
  const before = process.listenerCount("SIGTERM");
  const plain = await open({ store: await storeOf(t, "memory"), workflows: [] });
  assert.equal(process.listenerCount("SIGTERM"), before);
  await plain.close();
  const heeding = await open({ store: await storeOf(t, "memory"), workflows: [], handleSignals: true });
  assert.equal(process.listenerCount("SIGTERM"), before + 1);
  await heeding.close();
  assert.equal(process.listenerCount("SIGTERM"), before);
});
