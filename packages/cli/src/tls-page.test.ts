// docs/tls.md as a reader would follow it: its commands one after the other in one folder, then its code.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryFolder } from "./testing.ts";

const root = resolve(import.meta.dirname, "../../..");
const page = readFileSync(join(root, "docs/tls.md"), "utf8");
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms"))].map(([, text = ""]) => text);

/** A folder with what the page takes for granted: order.ts, our packages, and an `npx` that is ours. */
function readersFolder(t: TestContext): string {
  const folder = temporaryFolder(t);
  const source = /```ts\n(\/\/ order\.ts\n[\s\S]*?)```/.exec(readFileSync(join(root, "README.md"), "utf8"))?.[1] ?? "";
  writeFileSync(join(folder, "order.ts"), source.replace('"2s"', '"20ms"'));
  mkdirSync(join(folder, "node_modules/@runtara"), { recursive: true });
  for (const name of ["sdk", "protocol"]) {
    symlinkSync(join(root, "packages", name), join(folder, "node_modules/@runtara", name));
  }
  mkdirSync(join(folder, "bin"));
  const npx = join(folder, "bin/npx");
  writeFileSync(
    npx,
    `#!/bin/sh\nshift\nexec "${process.execPath}" "${join(root, "packages/cli/bin/runtara.js")}" "$@"\n`,
  );
  chmodSync(npx, 0o755);
  return folder;
}

function readersEnv(folder: string, more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith("RUNTARA_") && name !== "DATA_DIR");
  return { ...Object.fromEntries(clean), PATH: `${join(folder, "bin")}:${process.env.PATH}`, ...more };
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it to its end; with `until`, resolves as soon as stdout has that. */
async function run(child: ChildProcess, until?: string): Promise<Ended> {
  const text = { stdout: "", stderr: "" };
  const ready = Promise.withResolvers<void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
      text[name] += chunk;
      if (until !== undefined && text.stdout.includes(until)) ready.resolve();
    });
  }
  const ended = once(child, "close");
  await Promise.race([ready.promise, ended]);
  return { code: child.exitCode, ...text };
}

test("every command of docs/tls.md does what it says", async (t) => {
  const folder = readersFolder(t);
  let core: ChildProcess | undefined;
  let address = "";
  const stop = async () => {
    if (core?.pid === undefined || core.exitCode !== null) return;
    const ended = once(core, "close");
    core.kill("SIGTERM");
    await ended;
  };
  t.after(stop);
  const options = { cwd: folder, stdio: ["ignore", "pipe", "pipe"] as ["ignore", "pipe", "pipe"] };
  let count = 0;
  for (const block of blocks("sh")) {
    if (/^npx runtara core/m.test(block)) {
      const setup = block.trim().split("\n").slice(0, -1).join("\n");
      if (setup !== "") await runBlock(setup);
      await stop();
      const line = block.trim().split("\n").at(-1) ?? "";
      core = spawn("sh", ["-c", `exec ${line}`], { ...options, env: readersEnv(folder, { RUNTARA_QUIC_PORT: "0" }) });
      const { stdout, stderr } = await run(core, "ready core");
      address = /^ready core (\S+)$/m.exec(stdout)?.[1] ?? assert.fail(stderr);
      count += 1;
    } else await runBlock(block);
  }
  assert.equal(count, 3, "cores started");

  async function runBlock(block: string): Promise<void> {
    const script = block.replaceAll("127.0.0.1:8001", address);
    const env = readersEnv(folder, { RUNTARA_SERVER_ADDR: address });
    const { code, stdout, stderr } = await run(spawn("sh", ["-euc", script], { ...options, env }));
    assert.equal(code, 0, `${script}\n${stdout}${stderr}`);
    const runs = block.split("npx runtara run").length - 1;
    assert.equal(stdout.split('"receipt":').length - 1, runs, stdout + stderr);
  }
});

test("the code of docs/tls.md prints what its comments say", async (t) => {
  const folder = readersFolder(t);
  const [code = ""] = blocks("ts");
  const expected = [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, line]) => `${line}\n`).join("");
  const args = ["--conditions=runtara-src", "--input-type=module-typescript", "-e", code];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: readersEnv(folder),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = await run(child);
  assert.deepEqual(ended, { code: 0, stdout: expected, stderr: "" });
});
