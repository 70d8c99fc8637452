import type { StepContext } from "../../api/step.ts";
import { CancelledError, StepTimeoutError } from "../../errors.ts";
import type { ValueOrigin } from "../../values/index.ts";
import { storeValue } from "../../values/index.ts";
import { thrownText } from "../../values/thrown-text.ts";
import type { Frame } from "../frame.ts";
import { frames } from "../frame.ts";
import type { Announced } from "../history.ts";
import type { GateItem, RunHost } from "../host.ts";
import { Operation } from "../operation.ts";
import { nextAttemptIn, type StepPolicy } from "../retry.ts";
import type { Source } from "../source.ts";
import { Attempt } from "../step-context.ts";
import { storeError } from "../store-error.ts";

/** A step: its body is run until it succeeds or its attempts are used up, and the outcome becomes an entry. */
export class StepOperation extends Operation implements GateItem {
  readonly host: RunHost;
  readonly isWait = false;
  #body: (context: StepContext) => unknown;
  readonly #policy: StepPolicy;
  readonly #frame: Frame;
  readonly #calledAt: number;
  #attempts = 0;
  #current: Attempt | undefined;
  /** Of the time-out, or of the wait for the next attempt. */
  #disarm: (() => void) | undefined;
  #isOver = false;

  constructor(
    host: RunHost,
    call: { id: string; name: string; source: Source; frame: Frame; calledAt: number },
    body: (context: StepContext) => unknown,
    policy: StepPolicy,
  ) {
    super(call.id, "step", call.name, call.source);
    this.host = host;
    this.#body = body;
    this.#policy = policy;
    this.#frame = call.frame;
    this.#calledAt = call.calledAt;
  }

  start(): void {
    const { host, id, name } = this;
    const { hooks } = host;
    if (hooks?.body) {
      // A step of the SDK's own (`charge!undo`, `approved!send`) has a name of its own here, too.
      const role = /![a-z]+(?=(~\d+)?$)/.exec(id)?.[0] ?? "";
      this.#body = hooks.body({ instanceId: host.facts.instanceId, id, name: name + role }, this.#body);
    }
    const announced = host.retryOf(id);
    if (announced === undefined) {
      host.gate.queue(this);
    } else if (announced instanceof Promise) {
      host.busyWith(announced).then(
        (known) => this.#continueAt(known),
        () => {},
      );
    } else {
      this.#continueAt(announced);
    }
  }

  /** Announced attempts were perhaps never made: the one announced last is made, at its time. */
  #continueAt(announced: Announced | undefined): void {
    if (this.#isOver) return;
    this.#attempts = (announced?.attempt ?? 1) - 1;
    this.#enterAt(announced?.nextAtMs ?? 0);
  }

  #enterAt(dueAt: number): void {
    const { gate, timers, clock } = this.host;
    if (dueAt <= clock.now()) {
      gate.queue(this);
      return;
    }
    this.#disarm = timers.set(dueAt, () => {
      this.#disarm = undefined;
      gate.queue(this);
    });
  }

  /** One attempt; called by the gate. */
  enter(): void {
    if (!this.host.gate.enters(this)) return;
    if (this.#isOver || !this.host.isLive) {
      this.host.gate.leave(this);
      // Perhaps nothing but its place in the line kept the run from resting.
      this.host.scheduleTurn();
      return;
    }
    const attempt = new Attempt(this, ++this.#attempts);
    this.#current = attempt;
    if (this.#policy.timeoutMs > 0) this.#armTimeout(attempt);
    if (this.host.isDetailed) this.host.tell({ type: "began", id: this.id, name: this.name, attempt: this.#attempts });
    let result: unknown;
    try {
      result = frames.run(this.#frame, this.#body, attempt);
    } catch (error) {
      this.#onError(attempt, error);
      return;
    }
    if (isThenable(result)) {
      result.then(
        (value) => this.#onValue(attempt, value),
        (error: unknown) => this.#onError(attempt, error),
      );
    } else {
      this.#onValue(attempt, result);
    }
  }

  /** Its effect is not needed any more: a running body is told, what waits for its next attempt ends here. */
  override cancel(reason: CancelledError): void {
    if (this.#current) this.#current.abort(reason);
    else if (!this.#isOver) this.#fail(reason);
  }

  /** The run goes on, or ends, without this step. */
  abandon(reason: Error): void {
    this.#current?.abort(reason);
  }

  #onValue(attempt: Attempt, value: unknown): void {
    if (!this.#leave(attempt)) return;
    let text: string | undefined;
    try {
      text = value === undefined ? undefined : storeValue(value, this.#origin());
    } catch (error) {
      // Not tried again: the effect has happened.
      this.#fail(error);
      return;
    }
    this.#isOver = true;
    this.host.complete(this, "value", text, value);
  }

  #onError(attempt: Attempt, error: unknown): void {
    if (!this.#leave(attempt)) return;
    if (attempt.isEndedByCancel(error)) {
      this.#failAsCancelled(error);
      return;
    }
    let delayMs: number | undefined;
    try {
      const elapsedMs = this.host.clock.now() - this.#calledAt;
      const random = this.host.hooks?.jitter?.() ?? Math.random();
      delayMs = nextAttemptIn(this.#policy, error, this.#attempts, elapsedMs, random);
    } catch (optionError) {
      // retry.when threw: what it threw is the failure now.
      this.#fail(optionError);
      return;
    }
    if (delayMs === undefined) this.#fail(error);
    // Nobody needs another attempt; its effect could come after that of its compensation.
    else if (attempt.isToldToStop) this.#failAsCancelled(error);
    else this.#retryIn(delayMs, error);
  }

  #failAsCancelled(cause: unknown): void {
    this.#fail(new CancelledError(`step ${JSON.stringify(this.name)} was told to stop`, { cause }));
  }

  #retryIn(delayMs: number, error: unknown): void {
    const { id, name, host } = this;
    const nextAtMs = host.clock.now() + delayMs;
    host.tell({ type: "attemptFailed", id, name, attempt: this.#attempts, error, nextInMs: delayMs });
    // Before the wait, so that count and time survive the process.
    host.recordRetry(id, this.#attempts + 1, nextAtMs, thrownText(error)).then(
      () => {
        if (!this.#isOver && host.isLive) this.#enterAt(nextAtMs);
      },
      () => {},
    );
  }

  /** The attempt is over. False when that is known already: a late answer after a time-out, a run that has stopped. */
  #leave(attempt: Attempt): boolean {
    if (this.#current !== attempt) return false;
    this.#current = undefined;
    this.#disarm?.();
    this.#disarm = undefined;
    this.host.gate.leave(this);
    return this.host.isLive;
  }

  /** Ends in the stored form of the error, which is also what the workflow gets. */
  #fail(error: unknown): void {
    this.#isOver = true;
    this.#disarm?.();
    this.#disarm = undefined;
    const stored = storeError(error, () => `step ${JSON.stringify(this.name)} (${this.source.text})`);
    this.host.complete(this, "error", stored.text, stored.error);
  }

  #armTimeout(attempt: Attempt): void {
    const { timeoutMs } = this.#policy;
    this.#disarm = this.host.timers.set(this.host.clock.now() + timeoutMs, () => {
      const error = new StepTimeoutError(
        `step ${JSON.stringify(this.name)}: attempt ${attempt.attempt} took longer than ${timeoutMs} ms`,
      );
      attempt.abort(error);
      this.#onError(attempt, error);
    });
  }

  #origin(): ValueOrigin {
    return { root: "result", describe: () => `step ${JSON.stringify(this.name)} (${this.source.text}) returned` };
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
