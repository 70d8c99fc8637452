import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A folder of its own, gone after the test. */
export function temporaryFolder(t: { after(cleanUp: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), "runtara-sdk-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const fixtures: { core: URL; run: URL; embedded: URL; worker: URL } = {
  core: new URL("./fixtures/core-process.ts", import.meta.url),
  run: new URL("./fixtures/run-process.ts", import.meta.url),
  embedded: new URL("./fixtures/embedded-process.ts", import.meta.url),
  worker: new URL("./fixtures/worker-process.ts", import.meta.url),
};

/** A child process whose lines can be waited for. */
export class Child {
  readonly process: ChildProcess;
  readonly lines: string[] = [];
  readonly exited: Promise<number | null>;
  /** It has ended, and all that it said has been read. */
  #isOver = false;
  #waiting: (() => void)[] = [];

  constructor(fixture: keyof typeof fixtures, args: readonly string[]) {
    const path = fileURLToPath(fixtures[fixture]);
    this.process = spawn(process.execPath, ["--conditions=runtara-src", path, ...args], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.exited = once(this.process, "close").then(([code]) => code as number | null);
    void this.exited.then(() => {
      this.#isOver = true;
      this.#wake();
    });
    createInterface({ input: this.process.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      this.lines.push(line);
      this.#wake();
    });
  }

  /** The first line that fits, now or later. Rejects when the process ends without one. */
  async line(fits: (line: string) => boolean): Promise<string> {
    for (let index = 0; ; ) {
      for (; index < this.lines.length; index++) {
        const line = this.lines[index] as string;
        if (fits(line)) return line;
      }
      if (this.#isOver) {
        throw new Error(`process ended without the line; it said: ${this.lines.slice(-5).join(" | ")}`);
      }
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** SIGKILL, and wait for its end. */
  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.exited;
  }
}

/** A core process; `port` 0 takes a free one. */
export async function startCore(
  database: string,
  port: number,
): Promise<{ core: Child; address: string; port: number }> {
  const core = new Child("core", [database, String(port)]);
  const ready = await core.line((line) => line.startsWith("ready "));
  const address = ready.slice("ready ".length);
  return { core, address, port: Number(address.split(":").at(-1)) };
}
