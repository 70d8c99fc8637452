// A worker whose event loop is busy for longer than its lease. BUSY_MS=70000 for one that stays away for too long.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { limits } from "../limits.ts";
import { Child, startCore, temporaryFolder } from "../testing/processes.ts";

const busyMs = Number(process.env.BUSY_MS ?? 6_000);
const leaseMs = 2_000;

const tell = (child: Child, command: string): void => {
  child.process.stdin?.write(`${command}\n`);
};
const given = (step: string) => (line: string) => line.startsWith(`{"type":"given","id":"held","step":"${step}"`);

test(`R22: a worker whose event loop is busy for ${busyMs} ms keeps its work, or loses it after a minute`, async (t) => {
  const { core, address } = await startCore(join(temporaryFolder(t), "core.db"), 0);
  const workers: Child[] = [];
  t.after(async () => {
    for (const child of [...workers, core]) await child.kill();
  });
  const started = async (): Promise<Child> => {
    const child = new Child("worker", [address, String(leaseMs)]);
    workers.push(child);
    await child.line((line) => line === '{"type":"ready"}');
    return child;
  };
  const busy = await started();
  tell(busy, "hold held");
  await busy.line(given("before"));
  const idle = await started();
  tell(busy, `block ${busyMs}`);
  await busy.line((line) => line === '{"type":"back"}');
  for (const child of [busy, idle]) tell(child, "release");
  tell(idle, "result held");
  await idle.line((line) => line.startsWith('{"type":"result"'));
  const isKept = busyMs < limits.leaseGoneMs;
  assert.equal(busy.lines.some(given("after")), isKept);
  assert.equal(idle.lines.some(given("after")), !isKept);
});
