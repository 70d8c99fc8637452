import type { Store } from "@runtara/store";
import type { Answer } from "../answer.ts";
import { type Deadline, DeadlineQueue } from "../deadline-queue.ts";
import { limits } from "../limits.ts";
import { caller, type OwnCall } from "../refusals.ts";
import { isStorableId } from "../validation.ts";

export interface SleepRequest extends OwnCall {
  readonly checkpointId: string;
  readonly state: Uint8Array;
  /** Any number up to 2^64 - 1; clamped. */
  readonly durationMs: number;
}

/** A sleep under way. Giving it up keeps its record: whoever asks for it again gets the remaining time. */
export interface OpenSleep {
  abandon(): void;
}

/**
 * Durable sleep (spec 6.4). The end of a sleep is recorded before the wait begins. A later registration that asks for the same id at
 * the same ordinal waits for what remains, or not at all. Whatever cannot be recorded (unknown or finished instance, a process that has
 * lost its instance) just waits.
 */
export class SleepService {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #deadlines: DeadlineQueue;

  constructor(store: Store, now: () => number, deadlines: DeadlineQueue = new DeadlineQueue()) {
    this.#store = store;
    this.#now = now;
    this.#deadlines = deadlines;
  }

  /** Number of sleeps under way. */
  get open(): number {
    return this.#deadlines.size;
  }

  /** Answers when the time has passed on the monotonic clock, never earlier. */
  sleep(request: SleepRequest, answer: Answer<void>): OpenSleep {
    const { checkpointId, state } = request;
    const durationMs = clampDuration(request.durationMs);
    const sleep = new Sleep(this.#deadlines, answer);
    if (!isStorableId(checkpointId) || !isStorableId(request.instanceId)) {
      sleep.begin(durationMs);
      return sleep;
    }
    const nowMs = this.#now();
    this.#store.submit(
      { kind: "beginSleep", ...caller(request), checkpointId, state, durationMs, nowMs },
      (error, result) => {
        // A sleep whose record fails is still a sleep; the failure is the store's to report with the next write.
        if (error !== undefined || result.outcome === "unrecorded") return sleep.begin(durationMs);
        const { ordinal, wakeAtMs } = result;
        // A sleep that begins now takes its whole duration, however long the commit took; a continued one ends when it was due.
        const remainingMs = result.continued
          ? Math.min(Math.max(wakeAtMs - this.#now(), 0), limits.sleepMsMax)
          : durationMs;
        sleep.begin(remainingMs, (done) => {
          this.#store.submit({ kind: "endSleep", ...caller(request), checkpointId, ordinal }, done);
        });
      },
    );
    return sleep;
  }

  /** Gives up every wait; records stay, no answer is sent. */
  close(): void {
    this.#deadlines.clear();
  }
}

class Sleep implements OpenSleep {
  readonly #deadlines: DeadlineQueue;
  readonly #answer: Answer<void>;
  #deadline: Deadline | undefined;
  #abandoned = false;

  constructor(deadlines: DeadlineQueue, answer: Answer<void>) {
    this.#deadlines = deadlines;
    this.#answer = answer;
  }

  begin(remainingMs: number, noteEnd: (done: () => void) => void = (done) => done()): void {
    if (this.#abandoned) return;
    const answer = () => this.#answer(undefined, undefined);
    this.#deadline = this.#deadlines.after(remainingMs, () => noteEnd(answer));
  }

  abandon(): void {
    this.#abandoned = true;
    this.#deadline?.cancel();
  }
}

function clampDuration(durationMs: number): number {
  return Number.isFinite(durationMs) ? Math.min(Math.max(durationMs, 0), limits.sleepMsMax) : limits.sleepMsMax;
}
