import { type Notice, type Operation, storeLimits } from "@runtara/store";
import { Heap } from "./heap.ts";

/**
 * When something becomes due by what the store holds: suspended instances, retries, later starts, time-outs, schedules. Gathered from what
 * is written, so that the clock can jump from one to the next. The end of a lease is none: the kit's worker lives, or its work is taken over.
 */
export class DueTimes {
  readonly #times = new Heap<number>((a, b) => a < b);
  readonly #leaseEnds = new Set<number>();

  /** The earliest behind `nowMs`; those before are forgotten. */
  next(nowMs: number): number | undefined {
    while ((this.#times.peek() ?? Number.POSITIVE_INFINITY) <= nowMs) this.#times.pop();
    for (const endMs of this.#leaseEnds) if (endMs + storeLimits.leaseGraceMs < nowMs) this.#leaseEnds.delete(endMs);
    return this.#times.peek();
  }

  /** An operation has been carried out with this result. */
  observe(operation: Operation, result: unknown): void {
    switch (operation.kind) {
      case "suspendUntil":
        this.#add(operation.untilMs);
        break;
      case "recordRetry":
        this.#add(operation.nextAtMs);
        break;
      case "startInstance":
        this.#add(operation.startAtMs);
        break;
      case "beginSleep":
        this.#add((result as { wakeAtMs?: number }).wakeAtMs);
        break;
      case "releaseWork":
        for (const { handBack, delayMs } of operation.work) if (handBack) this.#add(operation.nowMs + delayMs);
        break;
      case "moveSchedule":
        this.#add(operation.nextFireMs);
        this.#add(operation.leaseUntilMs);
        break;
      case "claimSchedules":
        this.#add((result as { nextMs?: number }).nextMs);
        break;
      case "claimWork":
      case "renewLease":
        this.#leaseEnds.add((result as { leaseUntilMs: number }).leaseUntilMs);
        break;
      default:
    }
  }

  /** Something was committed. Ready times are known from the operations; the notices tell of time-outs and schedules. */
  notice(notice: Notice): void {
    if (notice.topic === "schedule") this.#add(notice.atMs);
    else if (notice.topic === "due" && !this.#leaseEnds.has(notice.atMs - storeLimits.leaseGraceMs)) {
      this.#add(notice.atMs);
    }
  }

  #add(atMs: number | undefined | null): void {
    if (atMs !== undefined && atMs !== null) this.#times.push(atMs);
  }
}
