import { Worker } from "node:worker_threads";
import { type AnyDone, answer } from "../engines/callbacks.ts";
import { StoreError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Operation } from "../operations/index.ts";
import type { Notice } from "../store.ts";
import type { Outcome } from "./engine.ts";
import { unpackNotices } from "./notice-packing.ts";
import { unpackError, unpackOutcomes } from "./outcome-packing.ts";
import { packOperations } from "./packing.ts";
import type { FromThread, ThreadStart, ThreadStats, ToThread } from "./thread-messages.ts";

export interface LinkEvents {
  /** After the callbacks of the operations that they came with. */
  onNotices(notices: readonly Notice[]): void;
  /** What others commit from now on is noticed. */
  onWatching(): void;
  onCheckpointed(walPages: number, walPagesLeft: number): void;
  /** After each transaction. */
  onStats(stats: ThreadStats): void;
  /** The thread is gone; what it had has been failed. The next operation starts another. */
  onEnd(): void;
}

interface Waiting {
  readonly operation: Operation;
  readonly done: AnyDone;
}

/** The sources run as they are, and so does what was built of them. */
const threadProgram = import.meta.url.endsWith(".ts")
  ? new URL("./thread.ts", import.meta.url)
  : new URL("./thread.js", import.meta.url);

/** A thread with a connection, and what it has been given and has not answered. It keeps the process alive only while somebody waits for it. */
export class ThreadLink {
  readonly #program: URL;
  readonly #start: ThreadStart;
  readonly #events: LinkEvents;
  #worker: Worker | undefined;
  #waiting: Waiting[] = [];
  /** The last of those in `#waiting`, which wait for room in `#underWay`. */
  #unsent: Operation[] = [];
  /** Of each message that the thread has, how many of its operations are without an answer. */
  #underWay: number[] = [];
  #answered = 0;
  #failure: StoreError | undefined;
  #watched = false;
  #carriedOut = 0;
  #failures = 0;

  /** `program`: what the thread runs; a test takes another. */
  constructor(start: ThreadStart, events: LinkEvents, program: URL = threadProgram) {
    this.#program = program;
    this.#start = start;
    this.#events = events;
  }

  get carriedOut(): number {
    return this.#carriedOut;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Operations without an answer. */
  get size(): number {
    return this.#waiting.length - this.#answered;
  }

  /** Whether an operation on this instance is without an answer. */
  concerns(instanceId: string): boolean {
    for (let index = this.#answered; index < this.#waiting.length; index += 1) {
      const operation = this.#waiting[index]?.operation;
      if (operation !== undefined && "instanceId" in operation && operation.instanceId === instanceId) return true;
    }
    return false;
  }

  send(operations: readonly Operation[], dones: readonly AnyDone[]): void {
    if (operations.length === 0) return;
    this.#open();
    for (const [index, operation] of operations.entries()) {
      const done = dones[index];
      if (done !== undefined) this.#waiting.push({ operation, done });
    }
    if (this.size === operations.length) this.#holdProcess();
    for (const operation of operations) this.#unsent.push(operation);
    if (this.#underWay.length < limits.threadMessagesMax) this.#sendRest();
  }

  /**
   * A message costs as much as some ten operations, so there is never more than one that is being worked on and one that waits for its turn.
   * What comes meanwhile gathers here and goes as one.
   */
  #sendRest(): void {
    if (this.#unsent.length === 0) return;
    const packed = packOperations(this.#unsent);
    this.#underWay.push(this.#unsent.length);
    this.#unsent = [];
    this.#worker?.postMessage({ type: "operations", packed } satisfies ToThread, [packed.slab.buffer as ArrayBuffer]);
  }

  watch(watched: boolean): void {
    if (watched === this.#watched) return;
    this.#watched = watched;
    if (watched) this.#open();
    this.#post({ type: "watch", watched });
    this.#holdProcess();
  }

  checkpoint(): void {
    this.#open();
    this.#post({ type: "checkpoint" });
  }

  /** Waits for everything that is without an answer, then for the end of the thread. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    worker.ref();
    const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    this.#post({ type: "close" });
    await ended;
  }

  #open(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(this.#program, { workerData: this.#start });
    worker.unref();
    this.#worker = worker;
    this.#failure = undefined;
    worker.on("message", (message: FromThread) => this.#hear(message));
    worker.on("error", (cause) => {
      this.#failure ??= new StoreError(
        "UNKNOWN_OUTCOME",
        `the thread of the database has ended (${String(cause)}): what it had may have been carried out; look and try again`,
        { cause },
      );
    });
    worker.on("exit", () => this.#end(worker));
    if (this.#watched) this.#post({ type: "watch", watched: true });
    this.#holdProcess();
    return worker;
  }

  /** While somebody waits for this thread. */
  #holdProcess(): void {
    if (this.size > 0 || this.#watched) this.#worker?.ref();
    else this.#worker?.unref();
  }

  #post(message: ToThread): void {
    // It keeps its place behind the operations before it.
    this.#sendRest();
    this.#worker?.postMessage(message);
  }

  #hear(message: FromThread): void {
    if (message.type === "outcomes") {
      this.#events.onStats(message.stats);
      this.#arrived(message.packed.codes.length);
      this.#settle(unpackOutcomes(message.packed));
      this.#events.onNotices(unpackNotices(message.notices));
    } else if (message.type === "notices") this.#events.onNotices(unpackNotices(message.notices));
    else if (message.type === "watching") this.#events.onWatching();
    else if (message.type === "checkpointed") this.#events.onCheckpointed(message.walPages, message.walPagesLeft);
    else if (message.type === "failed") this.#failure = unpackError(message.error);
  }

  /** So many more operations have answers. */
  #arrived(count: number): void {
    let rest = count;
    while (rest > 0 && this.#underWay.length > 0) {
      const [first = 0] = this.#underWay;
      if (first > rest) this.#underWay[0] = first - rest;
      else this.#underWay.shift();
      rest -= first;
    }
    if (this.#underWay.length < limits.threadMessagesMax) this.#sendRest();
  }

  #settle(outcomes: readonly Outcome[]): void {
    const first = this.#answered;
    this.#answered += outcomes.length;
    this.#carriedOut += outcomes.length;
    const settled = this.#waiting.slice(first, this.#answered);
    if (this.#answered > 1_024 || this.size === 0) {
      this.#waiting = this.#waiting.slice(this.#answered);
      this.#answered = 0;
    }
    if (this.size === 0) this.#holdProcess();
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.error !== undefined) this.#failures += 1;
      answer(settled[index]?.done, outcome);
    }
  }

  #end(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#underWay = [];
    this.#unsent = [];
    const error =
      this.#failure ??
      new StoreError(
        "UNKNOWN_OUTCOME",
        "the thread of the database has ended: what it had may have been carried out; look and try again",
      );
    this.#settle(this.#waiting.slice(this.#answered).map(() => ({ error, result: undefined })));
    this.#events.onEnd();
  }
}
