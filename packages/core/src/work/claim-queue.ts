import type { Notice, Store } from "@runtara/store";
import type { Answer } from "../answer.ts";
import { limits } from "../limits.ts";
import type { Clock } from "../timers/clock.ts";
import { LongPoll, type OpenPoll } from "../timers/long-poll.ts";
import { ClaimGroup, type Waiter } from "./claim-group.ts";
import type { ClaimRequest, ClaimResponse } from "./requests.ts";

export interface ClaimQueueOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly runningMax: number;
}

/**
 * The open claims of this process: one per connection, gathered in groups of equal offers. A notice wakes the groups that offer its
 * workflow; notices are listened to before the first claim, so nothing is missed.
 */
export class ClaimQueue {
  readonly #options: ClaimQueueOptions;
  readonly #groups = new Map<string, ClaimGroup>();
  readonly #byWorkflow = new Map<string, Set<ClaimGroup>>();
  readonly #ofConnection = new Map<object, Waiter>();
  readonly #ofWorker = new Map<string, Set<Waiter>>();
  readonly #unwatch: () => void;
  #isDraining = false;

  constructor(options: ClaimQueueOptions) {
    this.#options = options;
    this.#unwatch = options.store.watch((notice) => this.#noticed(notice));
  }

  /** Number of claims that are held open. */
  get open(): number {
    return this.#ofConnection.size;
  }

  /** `request` is valid. */
  claim(connection: object, request: ClaimRequest, answer: Answer<ClaimResponse>): OpenPoll {
    const poll = new LongPoll<ClaimResponse>({
      clock: this.#options.clock,
      waitMs: request.waitMs,
      empty: () => ({ sequence: request.received, work: [], leaseUntilMs: 0 }),
      answer,
      onOver: () => this.#isOver(connection, waiter),
    });
    const waiter: Waiter = { request, groupKey: groupKeyOf(request), poll, heardAtMs: this.#options.clock.now() };
    if (this.#isDraining) {
      poll.end();
      return poll;
    }
    const earlier = this.#ofConnection.get(connection);
    this.#ofConnection.set(connection, waiter);
    join(this.#ofWorker, request.workerId, waiter);
    this.#groupOf(waiter).add(waiter);
    earlier?.poll.end();
    return poll;
  }

  /** The worker has renewed its lease. */
  renewed(workerId: string): void {
    for (const waiter of this.#ofWorker.get(workerId) ?? []) {
      waiter.heardAtMs = this.#options.clock.now();
      this.#groups.get(waiter.groupKey)?.reconsider();
    }
  }

  forget(connection: object): void {
    this.#ofConnection.get(connection)?.poll.abandon();
  }

  drain(): void {
    this.#isDraining = true;
    for (const { poll } of this.#ofConnection.values()) poll.end();
  }

  async close(): Promise<void> {
    this.drain();
    this.#unwatch();
    await Promise.all([...this.#groups.values()].map((group) => group.stop()));
  }

  #noticed(notice: Notice): void {
    const { clock, runningMax } = this.#options;
    if (notice.topic === "work") this.#readyAt(notice.tenantId, notice.workflow, notice.readyAtMs);
    else if (notice.topic === "anything") this.#allReadyAt(Number.NEGATIVE_INFINITY);
    // An instance that runs no longer makes room for another one.
    else if (notice.topic === "instance" && runningMax > 0) this.#allReadyAt(clock.now() + limits.heldBackMs);
  }

  #allReadyAt(atMs: number): void {
    for (const group of this.#groups.values()) group.readyAt(atMs);
  }

  #readyAt(tenantId: string, workflow: string, atMs: number): void {
    for (const group of this.#byWorkflow.get(workflowKey(tenantId, workflow)) ?? []) group.readyAt(atMs);
  }

  #groupOf({ groupKey, request }: Waiter): ClaimGroup {
    const existing = this.#groups.get(groupKey);
    if (existing !== undefined) return existing;
    const group = new ClaimGroup(this.#options);
    this.#groups.set(groupKey, group);
    for (const { name } of request.offers) join(this.#byWorkflow, workflowKey(request.tenantId, name), group);
    return group;
  }

  #isOver(connection: object, waiter: Waiter): void {
    if (this.#ofConnection.get(connection) === waiter) this.#ofConnection.delete(connection);
    leave(this.#ofWorker, waiter.request.workerId, waiter);
    const group = this.#groups.get(waiter.groupKey);
    group?.remove(waiter);
    if (group?.isEmpty) this.#dropGroup(group, waiter);
  }

  #dropGroup(group: ClaimGroup, { groupKey, request: { tenantId, offers } }: Waiter): void {
    this.#groups.delete(groupKey);
    for (const { name } of offers) leave(this.#byWorkflow, workflowKey(tenantId, name), group);
    void group.stop();
  }
}

function join<Member>(sets: Map<string, Set<Member>>, key: string, member: Member): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([member]));
  else set.add(member);
}

function leave<Member>(sets: Map<string, Set<Member>>, key: string, member: Member): void {
  const set = sets.get(key);
  set?.delete(member);
  if (set?.size === 0) sets.delete(key);
}

function workflowKey(tenantId: string, workflow: string): string {
  return JSON.stringify([tenantId, workflow]);
}

/** Equal for claims that would find the same. */
function groupKeyOf({ tenantId, offers }: ClaimRequest): string {
  const sorted = offers.map(({ name, versions }) => [name, ...versions.toSorted()]).toSorted(byText);
  return JSON.stringify([tenantId, sorted]);
}

function byText(a: readonly string[], b: readonly string[]): number {
  const [left, right] = [JSON.stringify(a), JSON.stringify(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}
