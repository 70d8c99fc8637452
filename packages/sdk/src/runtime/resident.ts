import { FatalError, FencedError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { InstanceSession, InstanceSignals, PendingSignal, ReleasedWork } from "../ports/source.ts";
import type { EngineEvent, RunControl, RunEnd, RunListener, Standing } from "../run/control.ts";
import { Run } from "../run/run.ts";
import { stepPolicyOf, type WorkflowDefinition } from "../workflow.ts";
import { conclude } from "./conclusion.ts";
import type { ListedHistoryParts } from "./listed-history.ts";
import { type Loaded, type LoadRequest, loadInstance, loadNext } from "./load.ts";
import { logEvent, type Note, noteOf } from "./notes.ts";
import { payloadReader } from "./payloads.ts";
import { type Asker, isClosed, isLost } from "./persistence.ts";
import { errorText, readableText } from "./reports.ts";
import type { GoneWhy, Resident, ResidentPhase, RunHistory } from "./runtime.ts";
import type { Addressee } from "./signal-hub.ts";
import type { Surroundings } from "./surroundings.ts";

/**
 * One instance in this process, from its claim until it has ended, is put away, or belongs to another process.
 *
 * loading → running → suspending → running | gone; running → ending → running (the next run) | gone; any → gone.
 */
export class ResidentInstance implements Resident, RunListener, Addressee, Asker {
  readonly session: InstanceSession;
  readonly definition: WorkflowDefinition;
  readonly isDetailed: boolean;
  readonly #shared: Surroundings;
  readonly #notes = new Set<Promise<void>>();
  /** Signals that its runs have consumed here, the last of each name. */
  readonly #consumed = new Map<string, number>();
  #phase: ResidentPhase = { is: "loading" };
  /** The last that was told and is not acknowledged. */
  #signal: PendingSignal | undefined;
  #endActivity: (() => void) | undefined;
  #onSaved: (() => void) | undefined;
  #runNumber: number;
  #isStopping = false;
  #lastEnd: RunEnd | undefined;
  #release: Pick<ReleasedWork, "handBack" | "delayMs" | "reason"> | undefined;

  constructor(shared: Surroundings, definition: WorkflowDefinition, session: InstanceSession) {
    this.#shared = shared;
    this.definition = definition;
    this.session = session;
    this.isDetailed = shared.parts.onEvent !== undefined;
    this.#signal = session.work.facts.signal;
    this.#runNumber = session.work.facts.run;
    this.#endActivity = shared.parts.activity.begin();
  }

  get instanceId(): string {
    return this.session.work.instanceId;
  }

  get epoch(): number {
    return this.session.work.facts.epoch;
  }

  get phase(): ResidentPhase {
    return this.#phase;
  }

  get isGone(): boolean {
    return this.#phase.is === "gone";
  }

  get idleSinceMs(): number | undefined {
    return this.#shared.idle.since(this);
  }

  /** What the source has to be told now that it is gone; undefined: it knows. */
  get release(): ReleasedWork | undefined {
    return this.#release && { instanceId: this.instanceId, epoch: this.epoch, ...this.#release };
  }

  /** Loads it and runs it. */
  start(): void {
    this.#begin(loadInstance(this.#loadRequest()));
  }

  // ---- what the run tells

  wants(names: readonly string[]): void {
    this.#shared.hub.want(this, names);
  }

  idle(): void {
    if (this.#phase.is !== "running") return;
    if (this.#canSuspend) this.#shared.idle.add(this);
    this.#setActive(false);
    this.#shared.onQuiet();
  }

  busy(): void {
    if (this.#phase.is !== "running") return;
    this.#shared.idle.remove(this);
    this.#setActive(true);
  }

  event(event: EngineEvent): void {
    const { parts } = this.#shared;
    parts.onEvent?.(this.instanceId, event);
    logEvent(parts.logger, this.#about, event);
    const note = noteOf(event);
    if (!note || this.isGone) return;
    const noted = this.#note(note).catch((error: unknown) => {
      if (!isLost(error) && !isClosed(error)) parts.logger.warn(this.#about, `a note was refused: ${errorText(error)}`);
    });
    this.#notes.add(noted);
    void noted.then(() => this.#notes.delete(noted));
  }

  async #note({ subtype, text }: Note): Promise<void> {
    const { wrapper, persistence } = this.#shared;
    const { tenantId, instanceId } = this.session.work;
    const payload = await wrapper.wrapText(text, { tenantId, instanceId, id: `!event:${subtype}` });
    if (payload) await persistence.repeat(this, () => this.session.note(subtype, payload));
  }

  // ---- what the source tells

  onSignals({ fenced, signal, queued }: InstanceSignals): void {
    if (fenced) {
      this.fence("it was taken over, or has ended");
      return;
    }
    if (signal !== undefined) this.#onSignal(signal);
    if (queued.length > 0 && this.#phase.is === "running") this.#phase.run.arrived(queued);
  }

  /** It belongs to another process, or is over: nothing is written any more. */
  fence(why: string, cause?: unknown): void {
    const message = `instance ${this.instanceId} does not belong to this process any more: ${why}`;
    const error = cause instanceof FencedError ? cause : new FencedError(message, { cause });
    this.#drop({ is: "fenced", error }, "fenced", { handBack: false, delayMs: 0, reason: "" });
  }

  // ---- suspension

  /** Idle for a while: it is put away unless it goes on by itself soon. */
  suspendIfFar(): void {
    if (this.#phase.is !== "running") return;
    const standing = this.#phase.run.standing();
    const { suspendAfterMs } = this.#shared.parts.settings;
    const restMs = (standing?.untilMs ?? Number.POSITIVE_INFINITY) - this.#shared.parts.source.clock.now();
    if (standing !== undefined && restMs > suspendAfterMs) this.suspendNow();
  }

  suspendNow(): boolean {
    if (this.#phase.is !== "running" || !this.#canSuspend) return false;
    const { run, history } = this.#phase;
    const standing = run.standing();
    if (standing === undefined || standing.names.length > limits.awaitedNamesMax) {
      this.#shared.idle.remove(this);
      return false;
    }
    if (!history.isIdle) {
      // Messages are on their way; its time comes again.
      this.#shared.idle.add(this);
      return false;
    }
    run.freeze();
    this.#move({ is: "suspending", run, history });
    this.#suspend(run, standing).catch((error: unknown) => this.#onCallError(error));
    return true;
  }

  async #suspend(run: RunControl, { untilMs, names, recordedSignal }: Standing): Promise<void> {
    const { persistence, hub } = this.#shared;
    const until = untilMs === undefined ? undefined : Math.ceil(untilMs);
    const suspension = { untilMs: until, names, recordedSignal, afterSignalId: 0 };
    const answer = await persistence.repeat(this, () => this.session.suspendUntil(suspension));
    if (this.#phase.is !== "suspending") return;
    if (answer.suspended) {
      this.#drop({ is: "suspended" }, "suspended");
      return;
    }
    const { history } = this.#phase;
    this.#move({ is: "running", run, history });
    hub.want(this, names);
    run.thaw();
    this.#shared.onStayed(this);
    if (answer.signal) this.#onSignal(answer.signal);
    if (answer.queued.length > 0) run.arrived(answer.queued);
  }

  get #canSuspend(): boolean {
    return this.session.serves.suspendUntil && Number.isFinite(this.#shared.parts.settings.suspendAfterMs);
  }

  // ---- closing

  /** The runtime closes: what is idle is put away, what has no running body is handed back; with `force` the bodies are dropped. */
  close(force: boolean): void {
    const phase = this.#phase;
    if (phase.is === "loading") {
      this.#drop({ is: "stopped", error: undefined }, "released", handBack(0));
      return;
    }
    if (phase.is !== "running" || this.#isStopping) return;
    const { run, history } = phase;
    if (!force && (run.bodies.length > 0 || !history.isIdle)) return;
    if (this.suspendNow()) return;
    this.#isStopping = true;
    // Stopped before its bodies are told: what an aborted body comes to is no outcome.
    run.stop({ is: "stopped", error: undefined });
  }

  /** As if the process had been killed. */
  vanish(): void {
    this.#drop({ is: "stopped", error: undefined }, "vanished");
  }

  // ---- from run to run

  #begin(loading: Promise<Loaded>): void {
    loading.then(
      (loaded) => {
        if (this.isGone) return;
        if (loaded.is === "run") this.#run(loaded);
        else this.#onEnd(loaded.end);
      },
      (error: unknown) => this.#onCallError(error),
    );
  }

  #run({ history, facts, input, inbox }: Extract<Loaded, { readonly is: "run" }>): void {
    const { parts, rounds, gate, wrapper } = this.#shared;
    const { settings, clock, logger, hooks } = parts;
    const run: RunControl = new Run({
      facts,
      body: this.definition.body as (input: unknown, context: never) => unknown,
      input,
      inbox,
      consumed: this.#consumed,
      stepPolicy: stepPolicyOf(this.definition),
      history,
      clock,
      gate,
      logger,
      drainMs: settings.drainMs,
      readPayload: payloadReader(wrapper, facts.tenantId, facts.instanceId),
      outside: this.#shared.outside(this),
      listener: this,
      guard: settings.guard,
      strictTurns: settings.strictTurns,
      makeTurns: rounds.makeTurns,
      hooks,
    });
    this.#move({ is: "running", run, history });
    // A closing runtime has to look at it.
    this.#shared.onQuiet();
    void run.start().then((end) => this.#onEnd(end));
    // Of an earlier run, too: it is not acknowledged before the instance ends.
    if (this.#signal) this.#obey(this.#signal);
  }

  #onEnd(end: RunEnd): void {
    if (this.isGone) return;
    this.#finish(end).catch((error: unknown) => this.#onCallError(error));
  }

  async #finish(end: RunEnd): Promise<void> {
    this.#lastEnd = end;
    if (end.is === "fenced") {
      this.fence(end.error.message, end.error);
      return;
    }
    if (end.is === "stopped" && !this.#isStopping) {
      await this.#fault(end.error);
      return;
    }
    const history = this.#phase.is === "running" ? this.#phase.history : undefined;
    this.#move({ is: "ending", end });
    if (history) await this.#saved(history);
    if (this.isGone) return;
    if (end.is === "stopped") this.#leave("released", handBack(0));
    else if (end.is === "continued") this.#begin(loadNext(this.#loadRequest(), end, ++this.#runNumber));
    else await this.#conclude(end);
  }

  async #conclude(end: RunEnd): Promise<void> {
    const { wrapper, persistence, parts } = this.#shared;
    const { isPlain } = parts.sealer;
    await Promise.all(this.#notes);
    const { session } = this;
    const about = { session, workflow: this.definition.name, wrapper, isPlain, persistence, asker: this };
    const holds = await conclude(about, end);
    if (this.isGone) return;
    if (holds) this.#leave("ended");
    else this.#leave("released", handBack(0));
  }

  /** The run was given up for a reason that is none of the workflow's. What the server refuses for good fails the instance; with anything
   *  else the next worker may have more luck. */
  async #fault(error: unknown): Promise<void> {
    if (error instanceof FatalError) {
      const end: RunEnd = { is: "threw", error };
      this.#lastEnd = end;
      this.#move({ is: "ending", end });
      await this.#conclude(end);
    } else this.#onCallError(error);
  }

  #onCallError(error: unknown): void {
    if (this.isGone) return;
    if (isLost(error)) {
      this.fence(error.message, error);
    } else if (isClosed(error)) {
      this.vanish();
    } else {
      this.#shared.parts.logger.error({ ...this.#about, error: errorText(error) }, "an instance can't go on here");
      const { isPlain } = this.#shared.parts.sealer;
      const text = readableText(errorText(error).slice(0, limits.noteTextCharsMax), isPlain);
      const reason = `can't go on here: ${text}`;
      this.#drop({ is: "stopped", error }, "released", handBack(limits.faultDelayMs, reason));
    }
  }

  /** Resolves when all that was given to the history is saved, or the instance is gone. */
  #saved(history: RunHistory): Promise<void> {
    if (history.isIdle) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onSaved = resolve;
    });
  }

  // ---- signals to the instance

  #onSignal(signal: PendingSignal): void {
    if (signal.type === this.#signal?.type) return;
    this.#signal = signal;
    this.#shared.hub.seen(this, signal.type);
    this.#obey(signal);
  }

  #obey({ type, payload }: PendingSignal): void {
    if (type === "resume") {
      this.#acknowledgeResume().catch((error: unknown) => this.#onCallError(error));
    } else if (this.#phase.is === "running") {
      if (type === "cancel") this.#phase.run.cancel(payload.byteLength === 0 ? undefined : utf8.decode(payload));
      else this.#phase.run.pause();
    }
  }

  /** It runs: nothing else is to be done. */
  async #acknowledgeResume(): Promise<void> {
    await this.#shared.persistence.repeat(this, () => this.session.acknowledge("resume"));
    if (this.#signal?.type !== "resume") return;
    this.#signal = undefined;
    this.#shared.hub.seen(this, undefined);
  }

  // ---- phases

  /** The one setter. */
  #move(next: ResidentPhase): void {
    const { hub, idle } = this.#shared;
    const wasRunning = this.#phase.is === "running";
    this.#phase = next;
    if (next.is === "running") {
      hub.enter(this);
      hub.seen(this, this.#signal?.type);
    } else if (wasRunning) {
      hub.leave(this);
      idle.remove(this);
    }
    this.#setActive(next.is !== "gone");
  }

  #leave(why: GoneWhy, release?: Pick<ReleasedWork, "handBack" | "delayMs" | "reason">): void {
    this.#release = release;
    this.#move({ is: "gone", why });
    this.#onSaved?.();
    this.#shared.parts.onGone?.(this.instanceId, why, this.#lastEnd);
    this.#shared.onGone(this);
  }

  /** Whatever it is doing, it does no more. */
  #drop(end: RunEnd, why: GoneWhy, release?: Pick<ReleasedWork, "handBack" | "delayMs" | "reason">): void {
    const phase = this.#phase;
    if (phase.is === "gone") return;
    this.#lastEnd = end;
    this.#leave(why, release);
    if (phase.is !== "running" && phase.is !== "suspending") return;
    phase.history.close();
    phase.run.stop(end);
  }

  #setActive(isActive: boolean): void {
    if (isActive === (this.#endActivity !== undefined)) return;
    this.#endActivity?.();
    this.#endActivity = isActive ? this.#shared.parts.activity.begin() : undefined;
  }

  #loadRequest(): LoadRequest {
    const { parts, rounds, wrapper, persistence } = this.#shared;
    const history: ListedHistoryParts = {
      session: this.session,
      asker: this,
      rounds,
      persistence,
      sealer: parts.sealer,
      wrapper,
      onSignal: (signal) => this.#onSignal(signal),
      onBroken: (error) => this.#onBroken(error),
      onSaved: () => {
        this.#onSaved?.();
        this.#shared.onQuiet();
      },
    };
    return { definition: this.definition, parts: history, sparse: parts.sparse };
  }

  #onBroken(error: Error): void {
    if (error instanceof FencedError) this.fence(error.message, error);
    else if (this.#phase.is === "running") this.#phase.run.stop({ is: "stopped", error });
    else this.#onCallError(error);
  }

  get #about(): { readonly instanceId: string; readonly workflow: string } {
    return { instanceId: this.instanceId, workflow: this.definition.name };
  }
}

function handBack(delayMs: number, reason = ""): Pick<ReleasedWork, "handBack" | "delayMs" | "reason"> {
  return { handBack: true, delayMs, reason };
}

const utf8 = new TextDecoder();
