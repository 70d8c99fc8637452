import { FaultThrottle } from "@runtara/protocol";
import type { Logger } from "@runtara/server-kit";

/** Shortest time between two entries of one kind, in ms. */
const quietMs = 1_000;

/**
 * Log entries that a client can cause as often as it likes: of each kind at most one a second is written, with the number of those
 * that it stands for.
 */
export class RepeatedLog {
  readonly #logger: Logger;
  readonly #throttle = new FaultThrottle<object>(quietMs);

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** `message` is the kind and must be a constant. */
  write(level: "error" | "warn", details: object, message: string): void {
    const count = this.#throttle.take(message, details, performance.now());
    if (count > 0) this.#logger[level](count === 1 ? details : { ...details, count }, message);
  }
}
