import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a small server program; `drive` acts once its ready line is there. */
async function runServer(close: string, drive: (child: ChildProcess) => Promise<void> | void): Promise<Ended> {
  const kit = JSON.stringify(new URL("./index.ts", import.meta.url).href);
  const program = `
    const { announceReady, createLogger, onShutdownSignal } = await import(${kit});
    setInterval(() => {}, 1000);
    onShutdownSignal(${close}, { logger: createLogger({ name: "core" }) });
    announceReady("core", "127.0.0.1:1");`;
  const child = spawn(process.execPath, ["--conditions=runtara-src", "--input-type=module", "-e", program]);
  let stdout = "";
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk;
  });
  const ended = once(child, "close");
  for await (const chunk of child.stdout) {
    stdout += String(chunk);
    if (stdout.includes("\n")) await drive(child);
  }
  const [code] = await ended;
  return { code: code as number | null, stdout, stderr };
}

test("ready is one line on stdout, logs are JSON on stderr, SIGTERM closes and exits 0", async () => {
  const { code, stdout, stderr } = await runServer("async () => {}", (child) => void child.kill("SIGTERM"));
  assert.equal(stdout, "ready core 127.0.0.1:1\n");
  assert.equal(code, 0, stderr);
  const entry = JSON.parse(stderr.trim()) as { name: string; msg: string };
  assert.deepEqual([entry.name, entry.msg], ["core", "shutting down"]);
});

test("a failed close exits 1 and says why", async () => {
  const { code, stderr } = await runServer(
    "async () => { throw new Error('disk gone') }",
    (child) => void child.kill("SIGINT"),
  );
  assert.equal(code, 1);
  assert.match(stderr, /disk gone/);
});

test("errors that nobody catches are logged, not more than one a second, and the process lives", async () => {
  const kit = JSON.stringify(new URL("./index.ts", import.meta.url).href);
  const program = `
    const { createLogger, surviveFaults } = await import(${kit});
    surviveFaults(createLogger({ name: "core" }));
    for (let n = 0; n < 20; n += 1) setImmediate(() => { throw new Error("thrown " + n); });
    setTimeout(() => void Promise.reject(new Error("rejected")), 1100);
    setTimeout(() => process.exit(7), 1300);`;
  const child = spawn(process.execPath, ["--conditions=runtara-src", "--input-type=module", "-e", program]);
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk;
  });
  const [code] = await once(child, "close");
  assert.equal(code, 7, stderr);
  const entries = stderr
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { err: { message: string }; count?: number });
  assert.deepEqual(
    entries.map(({ err, count }) => [err.message, count]),
    [
      ["thrown 0", undefined],
      ["rejected", 20],
    ],
  );
});

test("a second signal exits at once with 128 + its number", async () => {
  const { code } = await runServer("() => new Promise(() => {})", async (child) => {
    const heard = child.stderr === null ? undefined : once(child.stderr, "data");
    child.kill("SIGINT");
    await heard;
    child.kill("SIGTERM");
  });
  assert.equal(code, 143);
});
