// The demonstration itself, as `npm run demo` runs it: real processes, real kills.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Outcome } from "./scenario.ts";

async function demo(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return await demoIn(process.cwd(), ...args);
}

async function demoIn(cwd: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ["--conditions=runtara-src", join(import.meta.dirname, "main.ts"), ...args], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      output[stream] += text;
    });
  const [code] = (await once(child, "close")) as [number];
  return { code, ...output };
}

function folderOf(t: { after: (fn: () => void) => void }, files: number): string {
  const dir = mkdtempSync(join(tmpdir(), "runtara-demo-test-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  for (let file = 0; file < files; file++)
    writeFileSync(join(dir, `file ${file}`), `content of ${file}\n`.repeat(file % 50));
  return dir;
}

test("I1: every promise holds under three kills of the workflow and one of the core", async (t) => {
  // As from the front page, the folder is the one that the command runs in: nothing of its own may be put there.
  const dir = folderOf(t, 1200);
  const { code, stdout, stderr } = await demoIn(dir, dir, "--json");
  assert.equal(stderr, "");
  const outcome = JSON.parse(stdout) as Outcome;
  assert.deepEqual(
    outcome.promises.filter(({ kept }) => !kept),
    [],
    `seed ${outcome.seed}`,
  );
  assert.equal(code, 0);
  assert.equal(outcome.files, 1200);
  assert.equal(outcome.timeline.filter(({ what }) => what.startsWith("SIGKILL")).length, 4);
});

test("a folder that does not exist, or has too few files, is refused with a sentence", async (t) => {
  const missing = await demo(join(tmpdir(), "runtara-no-such-folder"));
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /is not a folder\. Name one that exists/);
  const few = await demo(folderOf(t, 3));
  assert.equal(few.code, 2);
  assert.match(few.stderr, /has 3 files; the demo needs at least 200/);
});
