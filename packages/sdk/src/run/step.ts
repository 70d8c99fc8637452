import { CancelledError, StepTimeoutError } from "../errors.ts";
import type { ValueOrigin } from "../values/index.ts";
import { storeValue } from "../values/index.ts";
import type { EngineEvent } from "./events.ts";
import type { Frame } from "./frame.ts";
import { frames } from "./frame.ts";
import type { Gate } from "./gate.ts";
import { Operation } from "./operation.ts";
import { nextAttemptIn, type StepPolicy } from "./retry.ts";
import type { RunFacts } from "./run-options.ts";
import type { Source } from "./source.ts";
import { Attempt, type StepContext } from "./step-context.ts";
import { storeError } from "./store-error.ts";
import type { Clock, Timers } from "./timers.ts";

/** What a step needs of its run. */
export interface StepHost {
  readonly facts: RunFacts;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly gate: Gate<StepOperation>;
  /** False once the run has ended or was stopped: nothing is written any more. */
  readonly isLive: boolean;
  complete(operation: Operation, outcome: "value" | "error", text: string | undefined, value: unknown): void;
  /** The attempt an earlier process announced last, for steps of a resumed run; undefined: begin with 1, without asking. */
  attemptOf(id: string): Promise<number> | undefined;
  announceAttempt(id: string, attempt: number, error: string): void;
  heartbeat(): void;
  tell(event: EngineEvent): void;
}

/** A step: its body is run until it succeeds or its attempts are used up, and the outcome becomes an entry. */
export class StepOperation extends Operation {
  readonly host: StepHost;
  readonly isWait = false;
  readonly #body: (context: StepContext) => unknown;
  readonly #policy: StepPolicy;
  readonly #frame: Frame;
  readonly #calledAt: number;
  #attempts = 0;
  #current: Attempt | undefined;
  #disarm: (() => void) | undefined;
  #isOver = false;

  constructor(
    host: StepHost,
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
    const earlier = this.#policy.attempts > 1 ? this.host.attemptOf(this.id) : undefined;
    if (!earlier) {
      this.host.gate.queue(this);
      return;
    }
    // Announced attempts were perhaps never made: the one announced last is made now.
    earlier.then(
      (attempt) => {
        this.#attempts = attempt - 1;
        this.host.gate.queue(this);
      },
      () => {},
    );
  }

  /** One attempt; called by the gate. */
  enter(): void {
    if (this.#isOver || !this.host.isLive) {
      this.host.gate.leave(this);
      return;
    }
    const attempt = new Attempt(this, ++this.#attempts);
    this.#current = attempt;
    if (this.#policy.timeoutMs > 0) this.#armTimeout(attempt);
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

  /** The instance was cancelled: a running body is told, one that waits for its next attempt ends here. */
  cancel(reason: CancelledError): void {
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
      this.#fail(new CancelledError(`step ${JSON.stringify(this.name)}: the instance was cancelled`, { cause: error }));
      return;
    }
    let delayMs: number | undefined;
    try {
      const elapsedMs = this.host.clock.now() - this.#calledAt;
      delayMs = nextAttemptIn(this.#policy, error, this.#attempts, elapsedMs, Math.random());
    } catch (optionError) {
      // retry.when threw: what it threw is the failure now.
      this.#fail(optionError);
      return;
    }
    if (delayMs === undefined) this.#fail(error);
    else this.#retryIn(delayMs, error);
  }

  #retryIn(delayMs: number, error: unknown): void {
    const { id, name, host } = this;
    host.announceAttempt(id, this.#attempts + 1, String(error));
    host.tell({ type: "attemptFailed", id, name, attempt: this.#attempts, error, nextInMs: delayMs });
    host.timers.set(host.clock.now() + delayMs, () => {
      if (!this.#isOver) host.gate.queue(this);
    });
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
