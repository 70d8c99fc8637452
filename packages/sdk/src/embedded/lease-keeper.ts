import { Worker } from "node:worker_threads";
import { limits } from "../limits.ts";
import type { LeaseKeeper } from "../ports/source.ts";
import type { LeaseThreadStart } from "./lease-thread.ts";

export interface ThreadKeeperOptions {
  /** Of the database. */
  readonly url: string;
  readonly workerId: string;
  readonly leaseMs: number;
  /** Silence after which it does not renew any more. */
  readonly goneMs?: number;
  /** The loop is back; so many renewals were made in its place. */
  readonly onStoodIn: (renewals: number) => void;
  /** The thread has failed: the loop's own renewals are all there are from now on. */
  readonly onFailed: (error: Error) => void;
}

/** The sources run as they are, and so does what was built of them. */
const program = import.meta.url.endsWith(".ts")
  ? new URL("./lease-thread.ts", import.meta.url)
  : new URL("./lease-thread.js", import.meta.url);

/**
 * A thread that sees whether the event loop gives signs of life. If there is none for a third of the lease, it opens the database itself and
 * renews in the loop's place, until the loop is back or has been silent for `limits.leaseGoneMs`: a loop that never comes back must lose
 * its work. It does not keep the process alive.
 */
export class ThreadKeeper implements LeaseKeeper {
  readonly #signs: Int32Array<SharedArrayBuffer> = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker: Worker;

  /** @throws Error where threads can't be started */
  constructor({ url, workerId, leaseMs, goneMs = limits.leaseGoneMs, ...told }: ThreadKeeperOptions) {
    const third = leaseMs / 3;
    const signs = this.#signs.buffer;
    const start: LeaseThreadStart = { signs, url, workerId, leaseMs, quietMs: third, everyMs: third, goneMs };
    // It says nothing; so this process's own streams are not made for it.
    const silent = { stdin: false, stdout: true, stderr: true };
    // What the process was started with may not fit a program in a file (--input-type), nor be meant for it (--import).
    const execArgv = process.execArgv.filter((argument) => argument.startsWith("--conditions="));
    this.#worker = new Worker(program, { workerData: start, name: "runtara-lease", execArgv, ...silent });
    this.#worker.on("message", told.onStoodIn);
    this.#worker.on("error", told.onFailed);
    this.#worker.unref();
  }

  sign(): void {
    Atomics.add(this.#signs, 0, 1);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
