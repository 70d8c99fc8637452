// SPDX-License-Identifier: AGPL-3.0-or-later
// The Rust programs of this folder as child processes.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

type Child = ChildProcessByStdio<Writable, Readable, null>;

const readyDeadlineMs = 30_000;

function start(name: string, args: readonly string[]): Child {
  const folder = process.env.RUNTARA_INTEROP_BIN;
  if (folder === undefined)
    throw new Error("RUNTARA_INTEROP_BIN is not set: start the tests with `npm run test:interop`");
  return spawn(join(folder, name), args, { stdio: ["pipe", "pipe", "inherit"] });
}

/** Lines of a child's stdout, asked for one by one. */
class Lines {
  readonly #lines: string[] = [];
  readonly #waiting: ((line: string | undefined) => void)[] = [];
  #ended = false;

  constructor(source: Readable) {
    const reader = createInterface({ input: source, crlfDelay: Number.POSITIVE_INFINITY });
    reader.on("line", (line) => {
      const next = this.#waiting.shift();
      if (next === undefined) this.#lines.push(line);
      else next(line);
    });
    reader.on("close", () => {
      this.#ended = true;
      for (const next of this.#waiting.splice(0)) next(undefined);
    });
  }

  /** The next line; undefined once the output has ended. */
  next(): Promise<string | undefined> {
    const line = this.#lines.shift();
    if (line !== undefined || this.#ended) return Promise.resolve(line);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

async function stopped(child: Child, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}

/** A peer that listens. It ends with this process, whatever happens to it. */
export class ServerPeer implements AsyncDisposable {
  readonly #child: Child;
  readonly #lines: Lines;
  readonly address: string;

  private constructor(child: Child, lines: Lines, address: string) {
    this.#child = child;
    this.#lines = lines;
    this.address = address;
  }

  /** Resolves when the program has printed `ready ADDR`; rejects when it ends first or takes over 30 s. */
  static async start(name: string, ...args: string[]): Promise<ServerPeer> {
    const child = start(name, args);
    const lines = new Lines(child.stdout);
    const giveUp = setTimeout(() => child.kill("SIGKILL"), readyDeadlineMs);
    const line = await lines.next();
    clearTimeout(giveUp);
    const address = line?.match(/^ready (\S+)$/)?.[1];
    if (address !== undefined) return new ServerPeer(child, lines, address);
    await stopped(child, "SIGKILL");
    throw new Error(`${name} did not become ready: ${line ?? "it ended without a word"}`);
  }

  /** The next line it prints, parsed; rejects when it has ended. */
  async nextJson(): Promise<unknown> {
    const line = await this.#lines.next();
    if (line === undefined) throw new Error("the peer has ended");
    return JSON.parse(line);
  }

  /** SIGTERM; resolves when it is gone. */
  stop(): Promise<void> {
    return stopped(this.#child, "SIGTERM");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** What a driver answered to one line of its script. */
export type Answer<T> =
  | { readonly ok: T; readonly error?: undefined }
  | { readonly ok?: undefined; readonly error: { kind: string; text: string } };

/** A peer that runs a script: one object in, one answer out, in order. */
export class DriverPeer implements AsyncDisposable {
  readonly #child: Child;
  readonly #lines: Lines;

  constructor(name: string, ...args: string[]) {
    this.#child = start(name, args);
    this.#lines = new Lines(this.#child.stdout);
  }

  /** One step of the script. Rejects only when the peer has ended. */
  async try<T = unknown>(step: object): Promise<Answer<T>> {
    this.#child.stdin.write(`${JSON.stringify(step)}\n`);
    const line = await this.#lines.next();
    if (line === undefined) throw new Error(`the peer ended at ${JSON.stringify(step)}`);
    return JSON.parse(line) as Answer<T>;
  }

  /** One step that must succeed. */
  async ok<T = unknown>(step: object): Promise<T> {
    const answer = await this.try<T>(step);
    if (answer.error !== undefined) throw new Error(`${JSON.stringify(step)}: ${answer.error.text}`);
    return answer.ok;
  }

  /** One step that must fail: its error. */
  async fails(step: object): Promise<{ kind: string; text: string }> {
    const answer = await this.try(step);
    if (answer.error === undefined) throw new Error(`${JSON.stringify(step)} succeeded: ${JSON.stringify(answer.ok)}`);
    return answer.error;
  }

  /** Ends the script; resolves when the peer is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.stdin.end();
    await exited;
  }
}
