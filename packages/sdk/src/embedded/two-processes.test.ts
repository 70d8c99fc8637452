// Processes that share a database: one starts, another answers; a busy one keeps its work while it may.
// BUSY_MS=20000 and BUSY_MS=80000 for longer times: after 60 s without a sign of life the work goes to the other process.

import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../limits.ts";
import { Child } from "../testing/processes.ts";
import { databases } from "./databases.test.helper.ts";
import { type Cleaning, lastFirst } from "./local.test.helper.ts";

/** Longer than the lease. */
const busyMs = Number(process.env.BUSY_MS ?? 13_000);
const busyLeaseMs = 10_000;
/** Nobody dies here, so a slow machine is not to lose its work. */
const leaseMs = 60_000;

async function started(t: Cleaning, url: string, role = "worker", lease = leaseMs): Promise<Child> {
  const child = new Child("embedded", [url, String(lease), role]);
  t.after(() => child.kill());
  await child.line((line) => line === '{"type":"ready"}');
  return child;
}

const tell = (child: Child, command: string): void => {
  child.process.stdin?.write(`${command}\n`);
};
const given = (id: string, step: string) => (line: string) =>
  line.startsWith(`{"type":"given","id":"${id}","step":"${step}"`);
const result = (id: string) => (line: string) => line.startsWith(`{"type":"result","id":"${id}"`);

for (const [engine, urlOf] of Object.entries(databases)) {
  test(`${engine}: what one process starts another runs, and a third hears the result`, async (context) => {
    const t = lastFirst(context);
    const url = await urlOf(t);
    const client = await started(t, url, "client");
    tell(client, "start 2 shared");
    await client.line((line) => line.startsWith('{"type":"started"'));
    const waiting = await started(t, url, "client");
    tell(waiting, "result shared-line-1");
    const worker = await started(t, url);
    const told = await waiting.line(result("shared-line-1"));
    await worker.line(given("shared-line-1", "step-11"));
    tell(worker, "result shared-line-1");
    assert.equal(await worker.line(result("shared-line-1")), told);
    assert.equal(client.lines.some(given("shared-line-1", "step-0")), false);
  });

  test(`${engine}: a start that two processes make at once is one instance`, async (context) => {
    const t = lastFirst(context);
    const url = await urlOf(t);
    const children = await Promise.all([started(t, url), started(t, url)]);
    for (const child of children) tell(child, "start 5 both");
    await Promise.all(children.map((child) => child.line((line) => line.startsWith('{"type":"started"'))));
    for (const child of children) tell(child, "result both-line-4");
    const [one, other] = await Promise.all(children.map((child) => child.line(result("both-line-4"))));
    assert.equal(one, other);
    const first = children.flatMap(({ lines }) => lines.filter(given("both-line-4", "step-0")));
    assert.equal(first.length, 1);
  });

  test(`${engine}: what a process has that ends by SIGTERM goes to another at once, long before its lease is over`, async (context) => {
    const t = lastFirst(context);
    const url = await urlOf(t);
    const ending = await started(t, url, "heeding", 300_000);
    tell(ending, "hold held");
    await ending.line(given("held", "before"));
    const other = await started(t, url, "worker", 300_000);
    tell(ending, "release");
    ending.process.kill("SIGTERM");
    await ending.exited;
    assert.equal(ending.process.signalCode, "SIGTERM");
    tell(other, "release");
    tell(other, "result held");
    await other.line(result("held"));
  });

  test(`${engine}: a process whose event loop is busy for ${busyMs} ms keeps its work, or loses it after a minute`, async (context) => {
    const t = lastFirst(context);
    const url = await urlOf(t);
    const busy = await started(t, url, "worker", busyLeaseMs);
    tell(busy, "hold held");
    await busy.line(given("held", "before"));
    const idle = await started(t, url, "worker", busyLeaseMs);
    tell(busy, `block ${busyMs}`);
    await busy.line((line) => line === '{"type":"back"}');
    tell(busy, "release");
    tell(idle, "release");
    tell(idle, "result held");
    await idle.line(result("held"));
    const isKept = busyMs < limits.leaseGoneMs;
    assert.equal(busy.lines.some(given("held", "after")), isKept);
    assert.equal(idle.lines.some(given("held", "after")), !isKept);
  });
}
