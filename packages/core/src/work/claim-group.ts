import type { ClaimWorkResult, Store, StoreError } from "@runtara/store";
import { CoreError } from "../core-error.ts";
import { limits } from "../limits.ts";
import type { Clock } from "../timers/clock.ts";
import type { LongPoll } from "../timers/long-poll.ts";
import { type NextRun, Recurring } from "../timers/recurring.ts";
import type { ClaimRequest, ClaimResponse } from "./requests.ts";

/** A claim that is held open. */
export interface Waiter {
  readonly request: ClaimRequest;
  /** Equal for claims of one group. */
  readonly groupKey: string;
  readonly poll: LongPoll<ClaimResponse>;
  /** When the worker was heard last: by this claim or by a renewal. */
  heardAtMs: number;
}

export interface ClaimGroupOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly runningMax: number;
}

/**
 * The open claims of one tenant with equal offers. What one of them does not find, none of the others would: so one claim at a time goes to
 * the store, for the one that has waited longest, and after an empty answer all of them rest until a notice comes, or the next ready
 * time. A new one asks once by itself, because the store may have unconfirmed work of its worker.
 */
export class ClaimGroup {
  readonly #options: ClaimGroupOptions;
  readonly #task: Recurring;
  /** In the order of their arrival. */
  readonly #waiters = new Set<Waiter>();
  readonly #fresh = new Set<Waiter>();
  /** From when on there may be work. */
  #readyAtMs = Number.POSITIVE_INFINITY;

  constructor(options: ClaimGroupOptions) {
    this.#options = options;
    this.#task = new Recurring({ clock: options.clock, run: () => this.#serve() });
  }

  get isEmpty(): boolean {
    return this.#waiters.size === 0;
  }

  add(waiter: Waiter): void {
    this.#waiters.add(waiter);
    this.#fresh.add(waiter);
    this.#task.wake();
  }

  remove(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    this.#fresh.delete(waiter);
  }

  /** There may be work from this time on. */
  readyAt(atMs: number): void {
    this.#readyAtMs = Math.min(this.#readyAtMs, atMs);
    this.#task.at(atMs);
  }

  /** A waiter's worker was heard. */
  reconsider(): void {
    this.#task.at(this.#nextRunMs());
  }

  /** No further claims; one that is under way is answered. */
  stop(): Promise<void> {
    return this.#task.stop();
  }

  async #serve(): Promise<NextRun> {
    const waiter = this.#next();
    if (waiter !== undefined) await this.#claim(waiter);
    return { atMs: this.#nextRunMs() };
  }

  /** The oldest one if there may be work for it, else the oldest that has not asked yet. */
  #next(): Waiter | undefined {
    const nowMs = this.#options.clock.now();
    if (this.#readyAtMs <= nowMs) for (const waiter of this.#waiters) if (canTake(waiter, nowMs)) return waiter;
    for (const waiter of this.#fresh) if (waiter.poll.isWaiting) return waiter;
    return undefined;
  }

  #nextRunMs(): number {
    if (this.#fresh.size > 0) return Number.NEGATIVE_INFINITY;
    const nowMs = this.#options.clock.now();
    for (const waiter of this.#waiters) if (canTake(waiter, nowMs)) return this.#readyAtMs;
    return Number.POSITIVE_INFINITY;
  }

  async #claim(waiter: Waiter): Promise<void> {
    const { store, clock, runningMax } = this.#options;
    const { request, poll } = waiter;
    const { workerId, tenantId, offers, received } = request;
    this.#fresh.delete(waiter);
    const readyAtMs = this.#readyAtMs;
    // Notices during the claim set it again.
    this.#readyAtMs = Number.POSITIVE_INFINITY;
    poll.busy = true;
    let result: ClaimWorkResult;
    try {
      result = await store.run({
        kind: "claimWork",
        workerId,
        tenantId,
        offers,
        capacity: capacityOf(request),
        received,
        leaseMs: leaseLeftMs(waiter, clock.now()),
        runningMax,
        bytesMax: limits.claimAnswerBytesMax,
        nowMs: clock.now(),
      });
    } catch (error) {
      this.#readyAtMs = Math.min(this.#readyAtMs, readyAtMs);
      poll.fail(CoreError.database(error as StoreError));
      throw error;
    }
    this.#readyAtMs = Math.min(this.#readyAtMs, this.#nextReadyMs(request, result));
    if (result.work.length > 0) poll.respond(result);
    else poll.busy = false;
  }

  /** When the next claim of this group may find something, as far as this answer tells. */
  #nextReadyMs(request: ClaimRequest, { work, nextReadyAtMs = Number.POSITIVE_INFINITY }: ClaimWorkResult): number {
    // There may be more than was given: the capacity or the bytes of one answer are bounded.
    if (work.length > 0 || request.capacity === 0) return Number.NEGATIVE_INFINITY;
    const nowMs = this.#options.clock.now();
    // Ready and yet not given: others have it in hand, or as many run as may run.
    if (nextReadyAtMs <= nowMs) return nowMs + limits.heldBackMs;
    return Math.min(nextReadyAtMs, nowMs + limits.claimLookMs);
  }
}

/**
 * A worker that has had work and lets its lease run out is probably dead, though its connection and its claim seem open for a while. It must
 * neither be given anything nor have its lease prolonged by a claim that is made for it here.
 */
function canTake(waiter: Waiter, nowMs: number): boolean {
  const { request, poll } = waiter;
  return request.capacity > 0 && poll.isWaiting && leaseLeftMs(waiter, nowMs) >= leaseMsOf(request) / 4;
}

/** The lease that the worker has asked for, counted from when it was heard. Before its first work it need not renew one. */
function leaseLeftMs({ request, heardAtMs }: Waiter, nowMs: number): number {
  const leaseMs = leaseMsOf(request);
  return request.received === 0 ? leaseMs : Math.max(heardAtMs + leaseMs - nowMs, 1);
}

function leaseMsOf({ leaseMs }: ClaimRequest): number {
  return leaseMs === 0 ? limits.leaseMs : leaseMs;
}

function capacityOf({ capacity }: ClaimRequest): number {
  return Math.min(capacity, limits.claimedMax);
}
