import type { Logger } from "@runtara/server-kit";

/** Shortest time between two entries of one kind, in ms. */
const quietMs = 1_000;

/**
 * Log entries that a client can cause as often as it likes: of each kind at most one a second is written, with the number of those
 * that were left out before it.
 */
export class RepeatedLog {
  readonly #logger: Logger;
  readonly #kinds = new Map<string, { writtenAtMs: number; leftOut: number }>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** `message` is the kind and must be a constant. */
  write(level: "error" | "warn", details: object, message: string): void {
    const nowMs = performance.now();
    const last = this.#kinds.get(message);
    if (last !== undefined && nowMs - last.writtenAtMs < quietMs) {
      last.leftOut += 1;
      return;
    }
    this.#kinds.set(message, { writtenAtMs: nowMs, leftOut: 0 });
    this.#logger[level](
      last === undefined || last.leftOut === 0 ? details : { ...details, leftOut: last.leftOut },
      message,
    );
  }
}
