// One run of one instance. What must never break:
// - Results settle one a turn, in one recorded order: a replay makes the same calls in the same places.
// - Nothing new runs while stored entries are left to deliver.
// - A result is delivered only after it, and all before it, are durable.
// - Once stopped, a run writes nothing and its code goes no further.

import { CancelledError, ContextError, type FencedError, isRuntaraError, type NonDeterminismError } from "../errors.ts";
import { limits } from "../limits.ts";
import { byteLength } from "../values/index.ts";
import { Cancellation, cancelId } from "./cancel.ts";
import { RunContext } from "./context.ts";
import { outcomeOf, readEnvelope } from "./envelope.ts";
import type { EngineEvent } from "./events.ts";
import { frames } from "./frame.ts";
import { Gate } from "./gate.ts";
import type { History, OutgoingEntry, SaveListener, StoredEntry } from "./history.ts";
import { rootScope } from "./keys.ts";
import type { Operation } from "./operation.ts";
import { Outbox, type Outgoing } from "./outbox.ts";
import { type ReplayedEntry, Replayer } from "./replayer.ts";
import type { StepPolicy } from "./retry.ts";
import { type BodyResult, endOf, type RunEnd } from "./run-end.ts";
import type { RunFacts, RunOptions } from "./run-options.ts";
import { StepOperation } from "./step.ts";
import { type Clock, Timers } from "./timers.ts";
import { macrotaskTurns, type Turns } from "./turns.ts";

type Phase = "replaying" | "live" | "ended" | "stopped";

/** The engine. `start` once; everything else is for operations and for the driver of the instance. */
export class Run implements SaveListener {
  readonly facts: RunFacts;
  readonly history: History;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly stepPolicy: StepPolicy;
  readonly gate: Gate<StepOperation>;
  readonly pending: Map<string, Operation> = new Map();
  readonly withdrawn: Set<string> = new Set();
  readonly cancellation: Cancellation = new Cancellation();
  readonly #options: RunOptions;
  readonly #turns: Turns;
  readonly #outbox: Outbox;
  readonly #replayer: Replayer | undefined;
  readonly #warned = new Set<string>();
  /** Held steps that a cancel in the history has ended before they could run. */
  readonly #cancelledSteps = new Set<Operation>();
  #phase: Phase;
  #isFirstTurn = true;
  #isForeign = false;
  #isStartingHeld = false;
  #isPausing = false;
  #turnAt: number;
  #result: BodyResult | undefined;
  #finish: (end: RunEnd) => void = () => {};
  #replayStartedAt = 0;
  #heartbeatAt = Number.NEGATIVE_INFINITY;

  constructor(options: RunOptions) {
    this.#options = options;
    this.facts = options.facts;
    this.history = options.history;
    this.clock = options.clock;
    this.timers = new Timers(options.clock);
    this.stepPolicy = options.stepPolicy;
    this.gate = new Gate(options.concurrentSteps ?? limits.concurrentStepsDefault, (step) => step.enter());
    this.#turnAt = options.facts.startedAt;
    this.#outbox = new Outbox(options.history, options.clock, this, options.facts.startedAt);
    const { replay } = options.history;
    this.#replayer = replay && new Replayer(this, replay);
    this.#phase = replay ? "replaying" : "live";
    this.#turns = (options.makeTurns ?? macrotaskTurns)(
      () => this.#guard(() => this.#beginTurn()),
      () => this.#guard(() => this.#endTurn()),
    );
  }

  /** Begins with the first turn. Resolves when this process has no part in the instance any more; never rejects. */
  start(): Promise<RunEnd> {
    const finished = new Promise<RunEnd>((resolve) => {
      this.#finish = resolve;
    });
    this.#replayStartedAt = this.clock.now();
    if (this.#phase === "live") this.tell({ type: "live", replayed: 0, tookMs: 0 });
    this.#turns.schedule();
    return finished;
  }

  // ---- for calls

  /** The time of the delivery that began this turn. */
  get now(): number {
    return this.#turnAt;
  }

  get isReplaying(): boolean {
    return this.#phase === "replaying";
  }

  get isLive(): boolean {
    return this.#phase === "live";
  }

  get isStopped(): boolean {
    return this.#phase === "stopped";
  }

  get isForeign(): boolean {
    return this.#isForeign;
  }

  get hasEnded(): boolean {
    return this.#result !== undefined;
  }

  /** A durable call. `callSite` is asked only when the call is foreign. @throws ContextError after the end */
  call(operation: Operation, callSite: () => string | undefined): void {
    if (this.#result) {
      throw new ContextError(
        `${operation.kind} ${JSON.stringify(operation.name)} was called after the workflow had ended (missing await?)`,
      );
    }
    // The promise of a stopped run never settles.
    if (this.#phase === "stopped") return;
    this.#options.probe?.("call", operation.id);
    const cancelled = this.cancellation.collect();
    if (cancelled) {
      operation.settle("error", cancelled);
      return;
    }
    this.pending.set(operation.id, operation);
    if (!this.#turns.isInside) this.#noteForeign(operation, callSite);
    if (this.#phase === "replaying") this.#replayer?.note(operation.id);
    else if (operation.isForeign && this.history.isSparse && this.#replayer) this.#askFirst(operation);
    else operation.start();
  }

  /** The caller no longer waits for it. */
  withdraw(operation: Operation, reason: string): void {
    if (operation.isSettled || this.#phase === "stopped") return;
    operation.withdraw(reason);
    this.pending.delete(operation.id);
    if (this.#phase === "replaying") this.withdrawn.add(operation.id);
  }

  /** An operation has its outcome: it becomes an entry. */
  complete(operation: Operation, outcome: "value" | "error", text: string | undefined, value: unknown): void {
    if (this.#phase !== "live" || this.#result) return;
    if (text !== undefined && text.length > limits.valueBytesWarn) this.#warnSize(operation.name, text.length);
    const { id, kind, source } = operation;
    const isForeign = this.#isForeign;
    this.#outbox.add({ id, kind, src: source.json, outcome, payload: text, value, operation, isForeign });
  }

  attemptOf(id: string): Promise<number> | undefined {
    return this.#isStartingHeld ? this.history.attemptOf(id) : undefined;
  }

  announceAttempt(id: string, attempt: number, error: string): void {
    this.history.announceAttempt(id, attempt, error);
  }

  /** A step says that it is alive. */
  heartbeat(): void {
    const now = this.clock.now();
    if (now - this.#heartbeatAt < limits.stepHeartbeatIntervalMs) return;
    this.#heartbeatAt = now;
    this.history.heartbeat();
  }

  tell(event: EngineEvent): void {
    this.#options.tell?.(event);
  }

  /** Warns once per key. */
  warn(key: string, message: string): void {
    if (this.#warned.has(key)) return;
    this.#warned.add(key);
    this.tell({ type: "warning", message });
  }

  // ---- for the driver of the instance

  /** Cancels the run: an entry of its own, delivered like any other. Asked again, it does nothing. */
  cancel(): void {
    if (!this.cancellation.ask() || this.#phase !== "live" || this.#result) return;
    this.#saveCancel();
  }

  /** No new bodies start; when the running ones are done and saved, the run stops as paused. */
  pause(): void {
    this.#isPausing = true;
    this.gate.close();
    this.#turns.schedule();
  }

  /** Drops the run: its code goes no further and nothing is written. */
  stop(end: RunEnd): void {
    if (this.#phase === "stopped") return;
    this.#phase = "stopped";
    this.timers.clear();
    this.#abandonBodies("the run was stopped");
    this.#finish(end);
  }

  // ---- for the history

  saved(entry: OutgoingEntry): void {
    const outgoing = entry as Outgoing;
    this.#outbox.saved(outgoing);
    if (this.#options.tell) this.#tellSaved(outgoing);
    if (this.#outbox.isReady || this.#result || this.#isPausing) this.#turns.schedule();
  }

  refused(_entry: OutgoingEntry, error: Error): void {
    if (isRuntaraError(error, "FENCED")) this.stop({ is: "fenced", error: error as FencedError });
    else this.stop({ is: "stopped", error });
  }

  // ---- for the replay

  scheduleTurn(): void {
    this.#turns.schedule();
  }

  diverge(error: NonDeterminismError): void {
    if (this.#phase === "stopped") return;
    this.tell({ type: "diverged", report: error.report });
    this.stop({ is: "diverged", error });
  }

  goLive(): void {
    if (this.#phase !== "replaying") return;
    const replayer = this.#replayer as Replayer;
    this.#phase = "live";
    this.#outbox.continueAfter(replayer.seqMax);
    this.withdrawn.clear();
    this.tell({ type: "live", replayed: replayer.count, tookMs: this.clock.now() - this.#replayStartedAt });
    if (this.#result) {
      this.#settleEnd();
      return;
    }
    if (this.cancellation.isAsked && !this.cancellation.isDelivered) this.#saveCancel();
    this.#startHeld();
    if (this.#isPausing) this.#turns.schedule();
  }

  // ---- turns

  #beginTurn(): void {
    if (this.#phase === "stopped") return;
    if (this.#isFirstTurn) {
      this.#isFirstTurn = false;
      this.#callBody();
    } else if (this.#phase === "replaying") {
      const next = this.#replayer?.take();
      if (next) this.#deliverStored(next);
    } else if (!this.#result) {
      const next = this.#outbox.take();
      if (next) this.#deliver(next);
    }
  }

  #endTurn(): void {
    if (this.#phase === "stopped") return;
    if (this.#phase === "replaying") this.#replayer?.advance();
    else if (this.#result) this.#settleEnd();
    else if (this.#outbox.isReady) this.#turns.schedule();
    else if (this.#isPausing && this.gate.inside.size === 0 && this.#outbox.unsaved === 0) this.stop({ is: "paused" });
  }

  #callBody(): void {
    const context = new RunContext(this, rootScope(this.facts.run));
    const { body, input } = this.#options;
    const end = (outcome: "value" | "error", value: unknown): void => {
      this.#result = { outcome, value };
      // When it ended in a foreign turn, nothing else would look.
      this.#turns.schedule();
    };
    let result: unknown;
    try {
      result = frames.run({ context, step: undefined }, body, input, context);
    } catch (error) {
      end("error", error);
      return;
    }
    Promise.resolve(result).then(
      (value) => end("value", value),
      (error: unknown) => end("error", error),
    );
  }

  #deliver(entry: Outgoing): void {
    this.#noteDelivery(entry.seq, entry.at, entry.id);
    if (entry.id === cancelId) {
      this.#onCancel();
      return;
    }
    const { operation } = entry;
    if (!operation) return;
    this.pending.delete(operation.id);
    if (entry.outcome === "error" && isRuntaraError(entry.value, "CANCELLED")) this.cancellation.settle();
    operation.settle(entry.outcome, entry.value);
  }

  #deliverStored({ id, envelope, value }: ReplayedEntry): void {
    this.#noteDelivery(envelope.seq, envelope.at, id);
    if (id === cancelId) {
      this.#onCancel();
      return;
    }
    const operation = this.pending.get(id);
    this.withdrawn.delete(id);
    if (!operation) return;
    this.pending.delete(id);
    if (envelope.outcome === "error" && isRuntaraError(value, "CANCELLED")) this.cancellation.settle();
    operation.settle(envelope.outcome, value);
  }

  #noteDelivery(seq: number, at: number, id: string): void {
    this.#options.probe?.("deliver", id);
    this.#turnAt = at;
    this.#outbox.noteDelivery(seq, at, id);
  }

  // ---- the end

  #settleEnd(): void {
    if (this.#phase !== "ended") {
      this.#phase = "ended";
      this.timers.clear();
      this.#abandonBodies("the workflow has ended without waiting for this step");
    }
    // Saves that are under way would meet an instance that is over.
    if (this.#outbox.unsaved > 0) return;
    this.#phase = "stopped";
    this.#finish(endOf(this.#result as BodyResult, this.facts.workflow, this.cancellation.isDelivered));
  }

  #abandonBodies(reason: string): void {
    const names: string[] = [];
    for (const step of [...this.gate.inside]) {
      names.push(step.name);
      step.abandon(new CancelledError(`step ${JSON.stringify(step.name)}: ${reason}`));
    }
    this.gate.close();
    if (names.length > 0 && this.#result) this.tell({ type: "abandoned", names });
  }

  // ---- entries

  #tellSaved(entry: Outgoing): void {
    const { id, kind, seq, outcome, text, operation } = entry;
    if (kind === "start") return;
    this.tell({ type: "saved", id, kind, name: operation?.name ?? id, seq, outcome, bytes: byteLength(text) });
  }

  #startHeld(): void {
    this.#isStartingHeld = true;
    for (const operation of [...this.pending.values()]) {
      if (this.#cancelledSteps.has(operation) && operation instanceof StepOperation) {
        operation.cancel(new CancelledError("the instance was cancelled"));
      } else {
        operation.start();
      }
    }
    this.#cancelledSteps.clear();
    this.#isStartingHeld = false;
  }

  // ---- cancel

  #saveCancel(): void {
    this.#outbox.add({
      id: cancelId,
      kind: "cancel",
      src: undefined,
      outcome: "value",
      payload: undefined,
      value: undefined,
      operation: undefined,
      isForeign: this.#isForeign,
    });
  }

  #onCancel(): void {
    const error = new CancelledError("the instance was cancelled");
    let rejected = 0;
    for (const operation of [...this.pending.values()]) {
      if (operation.isWait) {
        rejected++;
        this.withdraw(operation, error.message);
      } else if (this.#phase === "replaying") {
        this.#cancelledSteps.add(operation);
      } else if (operation instanceof StepOperation) {
        operation.cancel(error);
      }
    }
    this.cancellation.deliver(error, rejected);
  }

  // ---- foreign turns

  #noteForeign(operation: Operation, callSite: () => string | undefined): void {
    operation.isForeign = true;
    this.#isForeign = true;
    this.warn(
      "foreign",
      `workflow ${JSON.stringify(this.facts.workflow)}: ${operation.kind} ${JSON.stringify(operation.name)} (${callSite() ?? "?"}) was called after ` +
        "the code awaited something that is not durable (fetch, a timer, a file …). After a crash its order may differ: put that into a step.",
    );
  }

  /** A foreign call of a resumed run may come after the replay and still have an entry. */
  #askFirst(operation: Operation): void {
    this.history.find(operation.id).then(
      (found) => {
        if (this.#phase !== "live" || operation.isSettled) return;
        if (found?.seq === undefined) operation.start();
        else this.#guard(() => this.#queueFound(operation, found));
      },
      () => {},
    );
  }

  #queueFound(operation: Operation, found: StoredEntry): void {
    const envelope = readEnvelope(found.text);
    const { seq, at, kind, outcome } = envelope;
    const value = outcomeOf(envelope);
    this.#outbox.addSaved({ id: found.id, text: found.text, seq, at, kind, outcome, operation, value });
    this.#turns.schedule();
  }

  #warnSize(name: string, chars: number): void {
    const mebibytes = (chars / (1 << 20)).toFixed(1);
    this.warn(
      `size ${name}`,
      `step ${JSON.stringify(name)} returned ${mebibytes} MiB; every resume reads it again. Store it elsewhere and return a reference.`,
    );
  }

  /** The engine must not take the process down, nor go on as if nothing had happened. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.stop({ is: "stopped", error });
    }
  }
}
