// What a workflow program means: native promises on a virtual clock, in memory, with no history, no replay and nothing of the engine. A process
// never dies here, so whatever the engine comes to through crashes has to be the same.

import { CancelledError, ContextError } from "../errors.ts";
import { type Actor, describe, type Signal, type Stage } from "./stage.ts";
import { bodyOf, type StoryChild, type StoryContext, type StoryStep, type StoryWait } from "./stories.ts";

type Settle = (outcome: "value" | "error", value: unknown) => void;

/** A call that has no answer yet. */
interface Call {
  readonly isWait: boolean;
  readonly settle: Settle;
  /** Undefined: it can't be told to stop. */
  abort: ((reason: Error) => void) | undefined;
  promise: Promise<unknown>;
}
interface SignalCall extends Call {
  readonly names: readonly string[];
  readonly give: (name: string, value: unknown) => unknown;
}
interface Undo {
  readonly run: (s: StoryStep) => Promise<unknown>;
}
interface RetryOptions {
  readonly retry?: { readonly attempts: number; readonly backoff: number };
  readonly compensate?: (result: string | undefined, s: StoryStep) => Promise<unknown>;
}

class Continued {
  readonly input: unknown;
  constructor(input: unknown) {
    this.input = input;
  }
}

/** One run of one instance. */
export class Life implements StoryContext {
  readonly #stage: Stage;
  readonly #actor: Actor;
  readonly #input: unknown;
  readonly #pending = new Set<Call>();
  readonly #waits: SignalCall[] = [];
  readonly #inbox: Signal[];
  /** Taken out of the store, and not delivered yet. */
  readonly #underWay: Signal[] = [];
  readonly #undos: Undo[] = [];
  readonly #watchers: ((reason?: string) => void)[] = [];
  #queue: { readonly at: number; readonly deliver: () => void }[] = [];
  #turnAt: number;
  #isScheduled = false;
  #isFirst = true;
  #isOwed = false;
  #isCancelled = false;
  #isClosed = false;
  #result: { readonly outcome: "value" | "error"; readonly value: unknown } | undefined;

  constructor(stage: Stage, actor: Actor, input: unknown, inbox: Signal[]) {
    this.#stage = stage;
    this.#actor = actor;
    this.#input = input;
    this.#inbox = inbox;
    this.#turnAt = stage.clock.now();
  }

  get instanceId(): string {
    return this.#actor.id;
  }

  now(): number {
    return this.#turnAt;
  }

  begin(): void {
    this.#schedule();
    if (this.#actor.cancel) this.cancel(this.#actor.cancel.reason);
  }

  cancel(reason: string | undefined): void {
    if (!this.#isClosed) this.#complete(() => this.#onCancel(reason));
  }

  /** Takes what is waited for, the first of each name, after the time that this takes. */
  offer(): void {
    const seen = new Set<string>();
    const { asked, signals } = this.#actor;
    for (const signal of [...signals]) {
      if (seen.has(signal.name)) continue;
      seen.add(signal.name);
      if (!this.#wants(signal.name)) continue;
      if (asked.has(signal.key)) {
        if (asked.has(`${signal.key} here`)) this.#take(signal);
        continue;
      }
      asked.add(signal.key);
      this.#stage.later(signal.key, () => {
        asked.add(`${signal.key} here`);
        this.#actor.life?.offer();
      });
    }
  }

  // ---- turns

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#stage.turns++;
    setImmediate(() => {
      if (this.#isFirst) {
        this.#isFirst = false;
        this.#callBody();
        return;
      }
      const next = this.#result ? undefined : this.#queue.shift();
      if (!next) return;
      this.#turnAt = next.at;
      next.deliver();
    });
    setImmediate(() => {
      this.#isScheduled = false;
      this.#stage.turns--;
      if (this.#result) this.#finish();
      else {
        this.offer();
        if (this.#queue.length > 0) this.#schedule();
      }
    });
  }

  #complete(deliver: () => void): void {
    if (this.#result || this.#actor.life !== this) return;
    if (this.#queue.length > 0) this.#stage.isAmbiguous = true;
    this.#queue.push({ at: this.#stage.clock.now(), deliver });
    this.#schedule();
  }

  #callBody(): void {
    const body = bodyOf(this.#actor.plot, this.#stage);
    this.#runBody(() => body(this.#input, this)).then(
      (value) => this.#setResult("value", value),
      (error: unknown) => this.#setResult("error", error),
    );
  }

  #setResult(outcome: "value" | "error", value: unknown): void {
    this.#result = { outcome, value };
    this.#schedule();
  }

  #finish(): void {
    const { outcome, value } = this.#result as { outcome: string; value: unknown };
    if (this.#queue.length > 0) this.#stage.isAmbiguous = true;
    if (value instanceof Continued) {
      const next = new Life(this.#stage, this.#actor, value.input, this.#inbox);
      this.#actor.life = next;
      next.begin();
    } else if (outcome === "value") {
      this.#stage.finish(this.#actor, "completed", value);
    } else if (this.#isCancelled && (value as Error).name === "CancelledError") {
      this.#stage.finish(this.#actor, "cancelled", undefined);
    } else {
      this.#stage.finish(this.#actor, "failed", value);
    }
  }

  // ---- calls

  #call(isWait: boolean, begin: (call: Call) => void, mustBeOpen = true): Call {
    if (mustBeOpen) this.#checkOpen();
    let settle: Settle = () => {};
    const promise = new Promise<unknown>((resolve, reject) => {
      settle = (outcome, value) => {
        this.#pending.delete(call);
        if (outcome === "value") resolve(value);
        else reject(value);
      };
    });
    promise.catch(() => {});
    const call: Call = { isWait, settle: (outcome, value) => settle(outcome, value), abort: undefined, promise };
    if (this.#isOwed) {
      this.#isOwed = false;
      settle("error", cancelled());
    } else {
      this.#pending.add(call);
      begin(call);
    }
    return call;
  }

  #checkOpen(): void {
    if (this.#isClosed || this.#result) throw new ContextError("too late");
  }

  step(name: string, fn: (s: StoryStep) => Promise<string>, options?: RetryOptions): Promise<string> {
    const call = this.#step(fn, options?.retry, true);
    const promise = call.promise as Promise<string>;
    const undo = options?.compensate;
    if (undo && this.#pending.has(call)) {
      let result: string | undefined;
      promise.then(
        (value) => {
          result = value;
        },
        () => {},
      );
      this.#undos.push({ run: (s) => undo(result, s) });
    }
    void name;
    return promise;
  }

  #step(fn: (s: StoryStep) => Promise<unknown>, retry: RetryOptions["retry"], mustBeOpen: boolean): Call {
    return this.#call(
      false,
      (call) => {
        const end = (outcome: "value" | "error", value: unknown): void => {
          call.abort = () => {};
          this.#complete(() => {
            if (outcome === "error" && (value as Error).name === "CancelledError") this.#isOwed = false;
            call.settle(outcome, value);
          });
        };
        const attempt = (number: number): void => {
          const controller = new AbortController();
          call.abort = (reason) => controller.abort(reason);
          fn({ attempt: number, signal: controller.signal, checkpointId: "" }).then(
            (value) => end("value", value),
            (error: Error) => {
              if (controller.signal.aborted) end("error", cancelled());
              else if (number >= (retry?.attempts ?? 1) || error.name === "FatalError") end("error", error);
              else again(number + 1);
            },
          );
        };
        const again = (number: number): void => {
          const disarm = this.#stage.clock.after(retry?.backoff ?? 0, () => attempt(number));
          call.abort = () => {
            disarm();
            end("error", cancelled());
          };
        };
        attempt(1);
      },
      mustBeOpen,
    );
  }

  sleep(_name: string, ms: number): StoryWait<void> {
    return this.#waitOf(this.#sleep(ms, true));
  }

  #sleep(ms: number, mustBeOpen: boolean): Call {
    return this.#call(
      true,
      (call) =>
        this.#arm(call, ms, () => this.#complete(() => this.#pending.has(call) && call.settle("value", undefined))),
      mustBeOpen,
    );
  }

  #arm(call: Call, ms: number, fire: () => void): void {
    const dueInMs = Math.max(0, this.#turnAt + ms - this.#stage.clock.now());
    this.#stage.clock.after(dueInMs, () => {
      if (this.#pending.has(call)) fire();
    });
  }

  waitFor(signal: string, options?: { timeout?: number }): StoryWait<unknown> {
    return this.#waitOf(this.#wait([signal], options?.timeout, (_, value) => value));
  }

  waitForAny(signals: readonly string[], options?: { timeout?: number }): StoryWait<never> {
    return this.#waitOf(this.#wait(signals, options?.timeout, (name, value) => ({ name, value }))) as StoryWait<never>;
  }

  #wait(names: readonly string[], timeout: number | undefined, give: (name: string, value: unknown) => unknown): Call {
    return this.#call(true, (made) => {
      const index = this.#inbox.findIndex(({ name }) => names.includes(name));
      const wait: SignalCall = Object.assign(made, { names, give });
      if (index >= 0) {
        const [found] = this.#inbox.splice(index, 1) as [Signal];
        this.#hand(wait, found);
        return;
      }
      this.#waits.push(wait);
      if (timeout !== undefined) {
        this.#arm(made, timeout, () =>
          this.#complete(() => this.#pending.has(made) && made.settle("value", undefined)),
        );
      }
    });
  }

  #waitOf<T>(call: Call): StoryWait<T> {
    const cancel = (): void => {
      if (this.#pending.has(call)) call.settle("error", new CancelledError("disarmed"));
    };
    return Object.assign(call.promise as Promise<T>, { cancel });
  }

  async scope<T>(_name: string, fn: (context: StoryContext) => Promise<T>): Promise<T> {
    this.#checkOpen();
    return fn(this);
  }

  spawn(workflow: { readonly name: string }, _input: unknown, options: { id: string; detached: boolean }): StoryChild {
    const { id, detached } = options;
    const stage = this.#stage;
    const spawned = this.#call(false, (call) => {
      // It goes on whatever happens to its parent.
      call.abort = () => {};
      stage.later(`spawn ${id}`, () => {
        if (this.#isOver()) return;
        stage.start(id, workflow.name, { actor: this.#actor, detached });
        this.#complete(() => call.settle("value", undefined));
      });
    });
    const started = spawned.promise as Promise<void>;
    const outside = (key: string, act: (child: Actor) => void): Promise<unknown> =>
      this.#call(false, (call) => {
        started.then(
          () =>
            stage.later(key, () => {
              if (this.#isOver()) return;
              const child = stage.actors.get(id);
              if (child) act(child);
              this.#complete(() => call.settle("value", undefined));
            }),
          (error) => this.#complete(() => call.settle("error", error)),
        );
      }).promise;
    return {
      started,
      result: () => {
        const wait = this.#wait([`end ${id}`], undefined, (_, value) => value);
        // Never began: then that is how it ended.
        started.catch((error: unknown) => wait.settle("error", error));
        return this.#waitOf(wait);
      },
      signal: async (name, payload) => {
        await outside(`send ${id}`, (child) => stage.signal(child, name, "value", payload));
      },
      cancel: async () => {
        await outside(`cancel ${id}`, (child) => stage.cancel(child, undefined));
      },
    };
  }

  /** What was asked of others has not come to it in time. A real one may have been quicker. */
  #isOver(): boolean {
    const isOver = this.#actor.life !== this || this.#result !== undefined;
    if (isOver && this.#stage.isTimeless) this.#stage.isAmbiguous = true;
    return isOver;
  }

  publish(key: string, value: unknown): void {
    this.#tell(`published ${key} ${JSON.stringify(value)}`);
  }

  emit(subtype: string, payload?: unknown): void {
    this.#tell(`event ${subtype} ${JSON.stringify(payload)} @${this.#turnAt}`);
  }

  #tell(message: string): void {
    this.#checkOpen();
    this.#actor.messages.push(message);
  }

  compensate(_name: string, fn: (s: StoryStep) => Promise<unknown>): void {
    this.#checkOpen();
    this.#undos.push({ run: fn });
  }

  onCancel(fn: (reason?: string) => void): void {
    this.#checkOpen();
    if (this.#isCancelled) fn(this.#actor.cancel?.reason);
    else this.#watchers.push(fn);
  }

  continueAsNew(input: unknown): unknown {
    this.#checkOpen();
    return new Continued(input);
  }

  // ---- signals

  /** A wait of this name that nothing on its way will end. */
  #wants(name: string): boolean {
    if (this.#result || this.#underWay.some((signal) => signal.name === name)) return false;
    const waits = this.#armed();
    for (const signal of this.#underWay) {
      const index = waits.findLastIndex(({ names }) => names.includes(signal.name));
      if (index >= 0) waits.splice(index, 1);
    }
    return waits.some(({ names }) => names.includes(name));
  }

  #armed(): SignalCall[] {
    return this.#waits.filter((wait) => this.#pending.has(wait));
  }

  #take(signal: Signal): void {
    this.#underWay.push(signal);
    this.#actor.signals.splice(this.#actor.signals.indexOf(signal), 1);
    this.#complete(() => {
      this.#underWay.splice(this.#underWay.indexOf(signal), 1);
      const wait = this.#armed().findLast(({ names }) => names.includes(signal.name));
      if (wait) this.#hand(wait, signal);
      else this.#inbox.push(signal);
    });
  }

  #hand(wait: SignalCall, { name, outcome, value }: Signal): void {
    wait.settle(outcome, outcome === "value" ? wait.give(name, value) : value);
  }

  // ---- cancel and compensation

  #onCancel(reason: string | undefined): void {
    if (this.#isClosed) return;
    this.#isCancelled = true;
    const waits = [...this.#pending].filter(({ isWait }) => isWait);
    for (const wait of waits) wait.settle("error", cancelled());
    this.#stopBodies();
    this.#isOwed = waits.length === 0;
    for (const watcher of this.#watchers.splice(0)) watcher(reason);
  }

  /** A call that can't be stopped ends as it likes, or, if its process dies, as stopped. */
  #stopBodies(): void {
    for (const call of [...this.#pending]) {
      if (call.isWait) continue;
      if (!call.abort) this.#stage.isAmbiguous = true;
      call.abort?.(cancelled());
    }
  }

  async #runBody(body: () => Promise<unknown>): Promise<unknown> {
    try {
      return await body();
    } catch (error) {
      if (this.#undos.length === 0) throw error;
      this.#isClosed = true;
      this.#isOwed = false;
      await this.#endBodies();
      const errors: unknown[] = [];
      for (const { run } of this.#undos.reverse()) {
        try {
          await this.#step(run, undefined, false).promise;
        } catch (failure) {
          errors.push(failure);
          const payload = { error: describe(failure) };
          this.#actor.messages.push(`event compensation_failed ${JSON.stringify(payload)} @${this.#turnAt}`);
        }
      }
      if (errors.length === 0) throw error;
      throw Object.assign(new Error("", { cause: error }), { name: "CompensationError", errors });
    }
  }

  async #endBodies(): Promise<void> {
    const bodies = [...this.#pending].filter(({ isWait }) => !isWait);
    if (bodies.length === 0) return;
    this.#stopBodies();
    const drain = this.#sleep(this.#stage.drainMs, false);
    await Promise.race([drain.promise, Promise.allSettled(bodies.map(({ promise }) => promise))]);
    this.#pending.delete(drain);
  }
}

function cancelled(): CancelledError {
  return new CancelledError("the instance was cancelled");
}
