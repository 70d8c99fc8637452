// One run of one instance. What must never break:
// - Results settle one a turn, in one recorded order: a replay makes the same calls in the same places.
// - Nothing new runs while stored entries are left to deliver.
// - A result is delivered only after it, and all before it, are durable.
// - Once stopped, a run writes nothing and its code goes no further.

import type { Logger } from "../api/runtime.ts";
import { CancelledError, ContextError, type FencedError, isRuntaraError, type NonDeterminismError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Clock } from "../ports/clock.ts";
import type { QueuedSignal } from "../ports/source.ts";
import { byteLength } from "../values/index.ts";
import { Cancellation, cancelledError, cancelReason } from "./cancel.ts";
import { RunContext } from "./context.ts";
import type { Continuation } from "./continuation.ts";
import type { EngineEvent, RunControl, RunEnd, RunHooks, RunOptions, Standing } from "./control.ts";
import { type Delivery, deliveryOf, storedDelivery } from "./delivery.ts";
import { Door } from "./door.ts";
import { Ending } from "./ending.ts";
import type { EntryKind, OutgoingEntry } from "./entries.ts";
import { ForeignCalls, foundEntry } from "./foreign-calls.ts";
import { frames } from "./frame.ts";
import type { Announced, ChildCall, History, SaveListener } from "./history.ts";
import type { Compensation, InboxPart, OperationLike, RunFacts, RunHost } from "./host.ts";
import { Inbox } from "./inbox.ts";
import { rootScope, type Scope } from "./keys.ts";
import { Messages } from "./messages.ts";
import { type NewEntry, Outbox, type Outgoing } from "./outbox.ts";
import { isForInbox, type ReplayedEntry, Replayer, type ReplayHost } from "./replayer.ts";
import { Rest } from "./rest.ts";
import type { StepPolicy } from "./retry.ts";
import { type BodyResult, nextPayload } from "./run-end.ts";
import { type Body, runBody } from "./saga.ts";
import { cancelIdOf, nextIdOf } from "./system-ids.ts";
import { Timers } from "./timers.ts";
import type { Turns } from "./turns.ts";

type Phase = "replaying" | "live" | "ended" | "stopped";

/** The engine. `start` once; the rest is {@link RunHost} for operations and {@link RunControl} for the runtime. */
export class Run implements RunControl, RunHost, SaveListener, ReplayHost {
  readonly facts: RunFacts;
  readonly history: History;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly timers: Timers;
  readonly gate: Door;
  readonly stepPolicy: StepPolicy;
  readonly rootScope: Scope;
  readonly inbox: InboxPart;
  readonly drainMs: number;
  readonly isDetailed: boolean;
  readonly isGuarded: boolean;
  readonly hooks: RunHooks | undefined;
  readonly pending: Map<string, OperationLike> = new Map();
  readonly withdrawn: Set<string> = new Set();
  readonly compensations: Compensation[] = [];
  readonly patches: Map<string, Promise<boolean>> = new Map();
  readonly #options: RunOptions;
  readonly #turns: Turns;
  readonly #outbox: Outbox;
  readonly #messages: Messages;
  /** Gone once the run is live. */
  #replayer: Replayer | undefined;
  readonly #cancellation = new Cancellation();
  readonly #warned = new Set<string>();
  readonly #foreign: ForeignCalls;
  readonly #rest: Rest;
  readonly #ending: Ending;
  /** Held bodies that were told to stop before they could run. */
  readonly #cancelledBodies = new Map<OperationLike, CancelledError>();
  /** What asked to go on while the run was frozen. */
  #thawing: (() => void)[] = [];
  #phase: Phase;
  #isFirstTurn = true;
  #isStartingHeld = false;
  #isPausing = false;
  #isFrozen = false;
  #turnAt: number;
  #result: BodyResult | undefined;
  #end: RunEnd | undefined;
  #finish: (end: RunEnd) => void = () => {};
  #replayStartedAt = 0;
  #heartbeatAt = Number.NEGATIVE_INFINITY;

  constructor(options: RunOptions) {
    this.#options = options;
    const { facts, history, clock, listener } = options;
    this.facts = facts;
    this.history = history;
    this.clock = clock;
    this.logger = options.logger;
    this.timers = new Timers(clock);
    this.stepPolicy = options.stepPolicy;
    this.rootScope = rootScope(facts.run);
    this.inbox = new Inbox(this, options.inbox, options.consumed);
    this.#foreign = new ForeignCalls(facts.workflow, options.strictTurns, (key, message) => this.warn(key, message));
    this.#rest = new Rest(listener, this.inbox);
    this.gate = new Door(options.gate, () => this.#rest.wake());
    this.#ending = new Ending(this.inbox);
    this.drainMs = options.drainMs;
    this.isDetailed = listener.isDetailed;
    this.isGuarded = options.guard;
    this.hooks = options.hooks;
    this.#turnAt = facts.startedAt;
    this.#outbox = new Outbox(history, clock, this, facts.startedAt);
    this.#messages = new Messages(history);
    const { replay } = history;
    this.#replayer = replay && new Replayer(this, replay);
    this.#phase = replay ? "replaying" : "live";
    this.#turns = options.makeTurns(
      () => {
        try {
          this.#beginTurn();
        } catch (error) {
          this.fail(error);
        }
      },
      () => {
        try {
          this.#endTurn();
        } catch (error) {
          this.fail(error);
        }
      },
    );
  }

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

  get now(): number {
    return this.#turnAt;
  }

  get isReplaying(): boolean {
    return this.#phase === "replaying";
  }

  get isLive(): boolean {
    return this.#phase === "live";
  }

  get isInTurn(): boolean {
    return this.#turns.isInside;
  }

  get isForeign(): boolean {
    return this.#foreign.isSeen;
  }

  get hasEnded(): boolean {
    return this.#result !== undefined;
  }

  call(operation: OperationLike, callSite: () => string | undefined): void {
    if (this.#result) throw this.#afterEnd(`${operation.kind} ${JSON.stringify(operation.name)}`);
    // The promise of a stopped run never settles.
    if (this.#phase === "stopped") return;
    if (!this.#turns.isInside) {
      this.#rest.wake();
      this.#foreign.note(operation, callSite);
    }
    this.#options.probe?.("call", operation.id);
    const cancelled = this.#cancellation.collect();
    if (cancelled) {
      operation.settle("error", cancelled);
      return;
    }
    this.pending.set(operation.id, operation);
    if (this.#phase === "replaying") this.#hold(operation);
    else if (this.#isFrozen) this.#thawing.push(() => operation.isSettled || this.#startLive(operation));
    else this.#startLive(operation);
  }

  withdraw(operation: OperationLike, reason: string): void {
    if (operation.isSettled || this.#phase === "stopped") return;
    operation.withdraw(reason);
    this.pending.delete(operation.id);
    if (this.#phase === "replaying") this.withdrawn.add(operation.id);
  }

  complete(operation: OperationLike, outcome: "value" | "error", text: string | undefined, value: unknown): void {
    if (this.#phase !== "live" || this.#result) return;
    if (text !== undefined && text.length > limits.valueBytesWarn) this.#warnSize(operation.name, text.length);
    this.#add({
      id: operation.id,
      kind: operation.kind,
      src: operation.source.json,
      outcome,
      payload: text,
      value,
      operation,
      isForeign: this.#foreign.isSeen,
      out: this.#messages.count,
    });
  }

  record(entry: Parameters<RunHost["record"]>[0]): void {
    if (this.#phase !== "live" || this.#result) return;
    const { id, kind, outcome, text, value, consumesSignalId } = entry;
    this.#addSystem(id, kind, outcome, text, value, { consumesSignalId });
  }

  expect(id: string): void {
    if (this.#phase === "replaying") this.#replayer?.note(id);
  }

  retryOf(id: string): Announced | undefined | Promise<Announced | undefined> {
    return this.#isStartingHeld ? this.history.retryOf(id) : undefined;
  }

  recordRetry(id: string, attempt: number, nextAtMs: number, error: string): Promise<void> {
    return this.busyWith(this.history.recordRetry({ checkpointId: id, attempt, nextAtMs, error }));
  }

  startChild(child: ChildCall): Promise<void> {
    return this.busyWith(this.history.startChild(child));
  }

  sendSignal(instanceId: string, name: string, text: string | undefined, messageId: string): Promise<void> {
    return this.busyWith(this.#options.outside.sendSignal(instanceId, name, text, messageId));
  }

  cancelInstance(instanceId: string): Promise<void> {
    return this.busyWith(this.#options.outside.cancelInstance(instanceId));
  }

  busyWith<T>(work: Promise<T>): Promise<T> {
    return this.#rest.askedFor(work, () => {
      if (this.#phase !== "stopped") this.#turns.schedule();
    });
  }

  publish(key: string, text: string): void {
    this.#send({ kind: "published", key, text });
  }

  emit(subtype: string, text: string): void {
    this.#send({ kind: "event", subtype, text, at: this.#turnAt });
  }

  heartbeat(): void {
    const now = this.clock.now();
    if (now - this.#heartbeatAt < limits.stepHeartbeatIntervalMs) return;
    this.#heartbeatAt = now;
    this.history.heartbeat();
  }

  tell(event: EngineEvent): void {
    this.#options.listener.event(event);
  }

  warn(key: string, message: string): void {
    if (this.#warned.has(key)) return;
    this.#warned.add(key);
    this.tell({ type: "warning", message });
  }

  readPayload(name: string, payload: Uint8Array, child?: string): unknown {
    return this.#options.readPayload(name, payload, child);
  }

  get cancelSignal(): AbortSignal {
    return this.#cancellation.signal;
  }

  onCancel(callback: (reason: string | undefined) => void): void {
    this.#cancellation.onDelivery(callback);
  }

  addCompensation(compensation: Compensation): void {
    this.compensations.push(compensation);
  }

  beginCompensating(): void {
    this.#cancellation.ignore();
  }

  cancelBodies(reason: CancelledError): void {
    for (const operation of [...this.pending.values()]) {
      if (operation.isWait) continue;
      if (this.#phase !== "replaying") operation.cancel(reason);
      // What has no body has nothing to stop; it starts when the run is live.
      else if (operation.kind === "step") this.#cancelledBodies.set(operation, reason);
    }
  }

  continuation(input: unknown): Continuation {
    return this.#ending.continuation(input);
  }

  // ---- for the runtime

  cancel(reason: string | undefined): void {
    if (!this.#cancellation.ask(reason) || this.#phase !== "live" || this.#result) return;
    if (this.#isFrozen) this.#thawing.push(() => this.#saveCancel());
    else this.#saveCancel();
  }

  pause(): void {
    this.#isPausing = true;
    this.gate.close();
    this.#turns.schedule();
  }

  arrived(signals: readonly QueuedSignal[]): void {
    if (this.#phase !== "live" || this.#result) return;
    if (this.#isFrozen) this.#thawing.push(() => this.inbox.arrived(signals));
    else this.inbox.arrived(signals);
    this.#rest.tellWanted();
  }

  standing(): Standing | undefined {
    if (!this.#isStill()) return undefined;
    return {
      untilMs: this.timers.nextDueAt,
      names: this.inbox.wanted,
      recordedSignal: this.#cancellation.isRecorded ? "cancel" : undefined,
      armed: this.pending.size,
    };
  }

  freeze(): void {
    if (this.#isFrozen || !this.#isStill()) throw new Error("only an idle run can be frozen");
    this.#isFrozen = true;
    this.timers.freeze();
    this.#messages.hold();
  }

  thaw(): void {
    if (!this.#isFrozen) return;
    this.#isFrozen = false;
    this.#rest.forget();
    this.timers.thaw();
    this.#messages.release();
    const thawing = this.#thawing;
    this.#thawing = [];
    for (const go of thawing) if (this.#phase === "live") go();
    this.#turns.schedule();
  }

  stop(end: RunEnd): void {
    if (this.#phase === "stopped") return;
    this.#phase = "stopped";
    this.timers.clear();
    this.#abandonBodies("the run was stopped");
    this.pending.clear();
    this.#finish(end);
  }

  get bodies(): readonly string[] {
    return [...this.gate.inside].map(({ name }) => name);
  }

  // ---- for the history

  saved(entry: OutgoingEntry): void {
    const outgoing = entry as Outgoing;
    this.#outbox.saved(outgoing);
    if (this.isDetailed) this.#tellSaved(outgoing);
    if (this.#outbox.isReady || this.#result || this.#isPausing) this.#turns.schedule();
  }

  refused(_entry: OutgoingEntry, error: Error): void {
    if (isRuntaraError(error, "FENCED")) this.stop({ is: "fenced", error: error as FencedError });
    else this.stop({ is: "stopped", error });
  }

  scheduleTurn(): void {
    this.#turns.schedule();
  }

  // ---- for the replay

  diverge(error: NonDeterminismError): void {
    if (this.#phase === "stopped") return;
    this.tell({ type: "diverged", report: error.report });
    this.stop({ is: "diverged", error });
  }

  /** The engine must not take the process down, nor go on as if nothing had happened. */
  fail(error: unknown): void {
    this.stop({ is: "stopped", error });
  }

  passed(entry: ReplayedEntry): void {
    this.#ending.pass(storedDelivery(entry));
  }

  answered(operation: OperationLike): void {
    this.pending.delete(operation.id);
  }

  goLive(): void {
    if (this.#phase !== "replaying") return;
    const { seqMax, count: replayed } = this.#replayer as Replayer;
    this.#phase = "live";
    this.#replayer = undefined;
    this.history.replay?.free();
    this.#outbox.continueAfter(seqMax);
    if (seqMax >= limits.entriesHint) this.#hintContinuation();
    this.withdrawn.clear();
    this.tell({ type: "live", replayed, tookMs: this.clock.now() - this.#replayStartedAt });
    this.#messages.release();
    if (this.#result) {
      this.#settleEnd();
      return;
    }
    if (this.#cancellation.isAwaited && !this.#cancellation.isIgnored) this.#saveCancel();
    this.#startHeld();
    this.#turns.schedule();
  }

  // ---- turns

  #beginTurn(): void {
    if (this.#phase === "stopped" || this.#isFrozen) return;
    if (this.#isFirstTurn) {
      this.#isFirstTurn = false;
      this.#callBody();
    } else if (this.#phase === "replaying") {
      const next = this.#replayer?.take();
      if (next) {
        this.withdrawn.delete(next.id);
        this.#deliver(storedDelivery(next));
      }
    } else if (!this.#result) {
      const next = this.#outbox.take();
      if (next) this.#deliver(deliveryOf(next));
    }
  }

  #endTurn(): void {
    if (this.#phase === "stopped" || this.#isFrozen) return;
    if (this.#phase === "replaying") {
      this.#replayer?.advance();
    } else if (this.#result) {
      this.#settleEnd();
    } else {
      this.#rest.tellWanted();
      if (this.#outbox.isReady) this.#turns.schedule();
      else this.#standStill();
    }
  }

  /** The code stands still and there is nothing to deliver. */
  #standStill(): void {
    if (this.#isPausing) {
      const isDone = this.gate.inside.size === 0 && this.#outbox.unsaved === 0 && !this.#rest.isAsking;
      if (isDone) this.stop({ is: "paused" });
    } else if (this.#isStill()) {
      this.#rest.rest();
    }
  }

  /** Nothing moves but time and signals. */
  #isStill(): boolean {
    return (
      this.#outbox.isEmpty &&
      this.gate.isEmpty &&
      !this.#rest.isAsking &&
      this.pending.size > 0 &&
      this.#phase === "live" &&
      !this.#result &&
      !this.#isPausing &&
      !this.#turns.isInside
    );
  }

  #callBody(): void {
    const context = new RunContext(this, this.rootScope);
    const { body, input } = this.#options;
    const end = (outcome: "value" | "error", value: unknown): void => {
      this.#result = { outcome, value };
      // When it ended in a foreign turn, nothing else would look.
      this.#turns.schedule();
    };
    const result = frames.run({ context, step: undefined }, runBody, this, body as Body, input, context);
    result.then(
      (value) => end("value", value),
      (error: unknown) => end("error", error),
    );
  }

  #deliver({ id, seq, at, kind, outcome, value }: Delivery): void {
    this.#options.probe?.("deliver", id);
    this.#turnAt = at;
    // As the replay counts: patches come and go between versions of the code.
    if (kind !== "patch") this.#outbox.noteDelivery(seq, at, id);
    const operation = this.pending.get(id);
    if (operation) {
      this.pending.delete(id);
      if (outcome === "error" && isRuntaraError(value, "CANCELLED")) this.#cancellation.settle();
      operation.settle(outcome, value);
    } else if (isForInbox(id, kind)) {
      this.inbox.deliver(id, outcome, value);
    } else if (kind === "cancel") {
      this.#onCancel(cancelReason(value));
    }
  }

  // ---- the end

  #settleEnd(): void {
    if (this.#phase !== "ended") this.#finishBody(this.#result as BodyResult);
    // Saves that are under way would meet an instance that is over.
    if (this.#outbox.unsaved > 0) return;
    this.#phase = "stopped";
    this.pending.clear();
    this.#finish(this.#end as RunEnd);
  }

  #finishBody(result: BodyResult): void {
    this.timers.clear();
    this.#abandonBodies("the workflow has ended without waiting for this step");
    for (const entry of this.#outbox.undelivered()) this.#ending.pass(deliveryOf(entry));
    const { workflow, run } = this.facts;
    const end = this.#ending.endOf(result, workflow, this.#cancellation.isDelivered, this.#outbox.timeOfNext());
    this.#phase = "ended";
    this.#end = end;
    if (end.is !== "continued" || this.#ending.isRecorded) return;
    const more = { beginsRun: run + 1, at: end.at };
    this.#addSystem(nextIdOf(run), "next", "value", nextPayload(end, workflow), undefined, more);
  }

  #abandonBodies(reason: string): void {
    const bodies = this.gate.end();
    for (const body of bodies) {
      body.abandon(new CancelledError(`step ${JSON.stringify(body.name)}: ${reason}`));
    }
    if (bodies.length > 0 && this.#result) this.tell({ type: "abandoned", names: bodies.map(({ name }) => name) });
  }

  // ---- entries

  #add(entry: NewEntry): void {
    this.#rest.wake();
    this.#outbox.add(entry);
    if (this.#outbox.lastSeq === limits.entriesHint) this.#hintContinuation();
  }

  #addSystem(
    id: string,
    kind: EntryKind,
    outcome: "value" | "error",
    payload: string | undefined,
    value: unknown,
    more: Pick<NewEntry, "consumesSignalId" | "beginsRun" | "at">,
  ): void {
    const [isForeign, out] = [this.#foreign.isSeen, this.#messages.count];
    this.#add({
      id,
      kind,
      src: undefined,
      outcome,
      payload,
      value,
      operation: undefined,
      isForeign,
      out,
      ...more,
    });
  }

  #send(content: Parameters<Messages["add"]>[0]): void {
    if (this.#result) throw this.#afterEnd(content.kind === "published" ? "publish" : "emit");
    if (this.#phase !== "stopped") this.#messages.add(content);
  }

  #afterEnd(what: string): ContextError {
    return new ContextError(`${what} was called after the workflow had ended (missing await?)`);
  }

  #tellSaved({ id, head, outcome, payload, operation }: Outgoing): void {
    const { kind, seq } = head;
    const bytes = payload === undefined ? 0 : byteLength(payload);
    this.tell({ type: "saved", id, kind, name: operation?.name ?? id, seq, outcome, bytes });
  }

  // ---- calls

  #hold(operation: OperationLike): void {
    const replayer = this.#replayer as Replayer;
    if (operation.kind === "patch") replayer.patch(operation);
    // A wait for a signal has no entry of its own; the inbox says which it expects.
    else if (operation.kind === "signal") replayer.looksAgain();
    else replayer.note(operation.id);
  }

  #startLive(operation: OperationLike): void {
    if (operation.isForeign && this.history.isSparse && this.history.replay) this.#askFirst(operation);
    else operation.start();
  }

  #startHeld(): void {
    this.#isStartingHeld = true;
    for (const operation of [...this.pending.values()]) {
      const cancelled = this.#cancelledBodies.get(operation);
      if (cancelled) operation.cancel(cancelled);
      else operation.start();
    }
    this.#cancelledBodies.clear();
    this.#isStartingHeld = false;
  }

  // ---- cancel

  #saveCancel(): void {
    const { reason } = this.#cancellation;
    const payload = reason === undefined ? undefined : JSON.stringify({ reason });
    const value = reason === undefined ? undefined : { reason };
    this.#addSystem(cancelIdOf(this.facts.run), "cancel", "value", payload, value, {});
  }

  #onCancel(reason: string | undefined): void {
    const error = cancelledError(reason);
    if (this.#cancellation.isIgnored) {
      this.#cancellation.deliver(error, reason, 1);
      return;
    }
    let rejected = 0;
    for (const operation of [...this.pending.values()]) {
      if (!operation.isWait) continue;
      rejected++;
      this.withdraw(operation, error.message);
    }
    this.cancelBodies(error);
    this.#cancellation.deliver(error, reason, rejected);
  }

  /** A foreign call of a resumed run may come after the replay and still have an entry. */
  #askFirst(operation: OperationLike): void {
    this.busyWith(this.history.find(operation.id)).then(
      (found) => {
        if (this.#phase !== "live" || operation.isSettled) return;
        if (found?.seq === undefined) {
          operation.start();
          return;
        }
        try {
          this.#outbox.addSaved(foundEntry(found, operation));
        } catch (error) {
          this.fail(error);
        }
        this.#turns.schedule();
      },
      () => {},
    );
  }

  #hintContinuation(): void {
    this.warn(
      "entries",
      `workflow ${JSON.stringify(this.facts.workflow)}, instance ${this.facts.instanceId}: this run has ${limits.entriesHint} entries, and every resume reads them all. ` +
        "`return continueAsNew(input)` begins a new run of the same instance with an empty history.",
    );
  }

  #warnSize(name: string, chars: number): void {
    const mebibytes = (chars / (1 << 20)).toFixed(1);
    this.warn(
      `size ${name}`,
      `step ${JSON.stringify(name)} returned ${mebibytes} MiB; every resume reads it again. Store it elsewhere and return a reference.`,
    );
  }
}
