import { limits } from "../limits.ts";
import type { Operation } from "../operations/index.ts";
import type { Changes } from "./changes.ts";
import type { CustomSignalFacts, SignalFacts } from "./facts.ts";
import {
  decideAcknowledgeSignal,
  decideAppendEvent,
  decideBeginSleep,
  decideClaim,
  decideControlInstance,
  decideDue,
  decideEndSleep,
  decidePollSignals,
  decidePublish,
  decideRecordRetry,
  decideRegisterInstance,
  decideRelease,
  decideSaveBatch,
  decideSaveCheckpoint,
  decideSendCustomSignal,
  decideSendSignal,
  decideStartInstance,
  decideSuspendUntil,
  decideTouch,
  extendedLease,
} from "./index.ts";
import type { InstanceRow } from "./row.ts";

interface Waiting {
  readonly signalId: number;
  readonly name: string;
  readonly payload: Uint8Array | null;
  readonly createdAtMs: number;
}

/** What has happened to one operation: its answer, and what was written. */
export interface Step {
  readonly result: unknown;
  readonly changes: Changes | undefined;
}

/** The least engine there can be: one instance in plain maps, every rule asked of decide/. */
export class OneInstance {
  row: InstanceRow | undefined;
  pendingPayload: Uint8Array | null = null;
  readonly checkpoints: Map<string, Uint8Array> = new Map();
  readonly retries: Map<string, { readonly checkpointId: string; readonly nextAtMs: number | null }> = new Map();
  readonly slots: Map<string, Waiting> = new Map();
  readonly queue: Waiting[] = [];
  readonly messageIds: Map<string, number> = new Map();
  readonly published: Map<string, Uint8Array> = new Map();
  readonly leases: Map<string, number> = new Map();
  readonly lost: Set<string> = new Set();
  sleeps: Map<string, { epoch: number; finished: boolean; wakeAtMs: number; state: Uint8Array | undefined }> =
    new Map();
  events = 0;
  #lastSignalId = 0;
  #sequence = 0;

  run(operation: Operation): Step {
    const step = this.#decide(operation);
    if (step.changes !== undefined) this.#write(step.changes);
    return step;
  }

  #decide(operation: Operation): Step {
    const row = this.row === undefined ? undefined : Object.freeze({ ...this.row });
    switch (operation.kind) {
      case "registerInstance":
        return decideRegisterInstance(operation, row, {
          ...this.#signalFacts(),
          checkpointExists: this.checkpoints.has(operation.checkpointId ?? ""),
          ...this.#beginning(),
        });
      case "startInstance":
        return decideStartInstance(operation, row, { input: null, parent: undefined });
      case "saveCheckpoint":
        return decideSaveCheckpoint(operation, row, {
          ...this.#customFacts(operation.checkpointId),
          stored: this.checkpoints.get(operation.checkpointId),
        });
      case "saveBatch":
        return decideSaveBatch(operation, row, {
          ...this.#signalFacts(),
          ...this.#publishFacts(),
          stored: operation.entries.map(({ checkpointId }) => this.checkpoints.get(checkpointId)),
          waiting: [
            ...this.queue.map(({ signalId }) => ({ signalId, queued: true })),
            ...Array.from(this.slots.values(), ({ signalId }) => ({ signalId, queued: false })),
          ].filter(({ signalId }) => operation.entries.some((entry) => entry.consumesSignalId === signalId)),
        });
      case "publish":
        return decidePublish(operation, row, this.#publishFacts());
      case "recordRetry":
        return decideRecordRetry(operation, row, { checkpointExists: this.checkpoints.has(operation.checkpointId) });
      case "appendEvent":
        return decideAppendEvent(operation, row);
      case "acknowledgeSignal":
        return decideAcknowledgeSignal(operation, row);
      case "sendSignal":
        return decideSendSignal(operation, row);
      case "controlInstance":
        return decideControlInstance(operation, row);
      case "pollSignals":
        return decidePollSignals(operation, row, this.#customFacts(operation.checkpointId));
      case "sendCustomSignal":
        return decideSendCustomSignal(operation, row, {
          signalId: ++this.#lastSignalId,
          duplicateOf: this.messageIds.get(operation.messageId ?? ""),
        });
      default:
        return this.#decideTimed(operation, row);
    }
  }

  #decideTimed(operation: Operation, row: InstanceRow | undefined): Step {
    const nothing = { result: undefined, changes: undefined };
    switch (operation.kind) {
      case "suspendUntil":
        return decideSuspendUntil(operation, row, {
          ...this.#signalFacts(),
          queued: this.#waitingFor(operation.names, operation.afterSignalId),
          nextRetryAtMs: this.#nextRetryAtMs(operation.nowMs),
        });
      case "beginSleep": {
        const ordinal = this.#lastOrdinal(operation.checkpointId);
        const latest = this.sleeps.get(`${operation.checkpointId} ${ordinal}`);
        return decideBeginSleep(operation, row, {
          latest: latest === undefined ? undefined : { ordinal, ...latest },
          earlier: this.sleeps.get(`${operation.checkpointId} ${ordinal + 1}`),
        });
      }
      case "endSleep":
        return decideEndSleep(operation, row, {
          record: this.sleeps.get(`${operation.checkpointId} ${operation.ordinal}`),
        });
      case "touchInstances":
        return { result: undefined, changes: operation.seen.flatMap((seen) => decideTouch(seen, row) ?? [])[0] };
      case "claimWork": {
        if (row === undefined) return nothing;
        const { leaseMs, nowMs, workerId } = operation;
        const holderLeaseUntilMs = this.leases.get(row.holder ?? "");
        const facts = {
          ...this.#signalFacts(),
          ...this.#beginning(),
          holderLeaseUntilMs,
          sequence: this.#sequence + 1,
        };
        const step = decideClaim(operation, row, facts);
        if (step.changes !== undefined) this.#sequence += 1;
        this.leases.set(workerId, extendedLease(this.leases.get(workerId), nowMs, leaseMs));
        return step;
      }
      case "releaseWork":
        return {
          result: undefined,
          changes: operation.work.flatMap((work) => decideRelease(operation, work, row) ?? [])[0],
        };
      case "fireDue": {
        if (row === undefined) return nothing;
        const leaseUntilMs = this.leases.get(row.holder ?? "");
        const isDue = row.dueAtMs !== null && row.dueAtMs <= operation.nowMs;
        const isAbandoned = row.holder !== null && (leaseUntilMs ?? 0) + limits.leaseGraceMs <= operation.nowMs;
        if (!isDue && !isAbandoned) return nothing;
        return decideDue(operation, row, { holderLeaseUntilMs: leaseUntilMs, launched: false });
      }
      default:
        throw new TypeError(`'${operation.kind}' is no operation on one instance`);
    }
  }

  #signalFacts(): SignalFacts {
    return { signalPayload: this.pendingPayload };
  }

  #customFacts(checkpointId: string | undefined): CustomSignalFacts {
    return {
      signalPayload: this.pendingPayload,
      slot: checkpointId === undefined ? undefined : this.slots.get(checkpointId),
      queued: this.queue.find(({ name }) => name === checkpointId),
    };
  }

  #publishFacts(): { readonly publishedKeys: number; readonly knownKeys: readonly string[] } {
    return { publishedKeys: this.published.size, knownKeys: [...this.published.keys()] };
  }

  #beginning(): { readonly retryCount: number; readonly input: null } {
    return { retryCount: this.retries.size, input: null };
  }

  #waitingFor(
    names: readonly string[],
    after: number,
  ): { signalId: number; name: string; payload: Uint8Array; createdAtMs: number }[] {
    return [...this.queue, ...this.slots.values()]
      .filter(({ name, signalId }) => names.includes(name) && signalId > after)
      .map((signal) => ({ ...signal, payload: signal.payload ?? new Uint8Array(0) }))
      .toSorted((some, others) => some.signalId - others.signalId);
  }

  #nextRetryAtMs(nowMs: number): number | undefined {
    const times = Array.from(this.retries.values(), ({ checkpointId, nextAtMs }) =>
      nextAtMs !== null && nextAtMs > nowMs && !this.checkpoints.has(checkpointId)
        ? nextAtMs
        : Number.POSITIVE_INFINITY,
    );
    const least = Math.min(...times);
    return least === Number.POSITIVE_INFINITY ? undefined : least;
  }

  #lastOrdinal(checkpointId: string): number {
    let ordinal = 0;
    while (this.sleeps.get(`${checkpointId} ${ordinal + 1}`)?.epoch === this.row?.epoch && this.row !== undefined)
      ordinal += 1;
    return ordinal;
  }

  #write(changes: Changes): void {
    if (changes.row !== undefined) this.row = changes.row;
    for (const { checkpointId, state } of changes.checkpoints ?? []) this.checkpoints.set(checkpointId, state);
    this.events += changes.events?.length ?? 0;
    if (typeof changes.pending === "object") this.pendingPayload = changes.pending.payload;
    for (const { key, value } of changes.published ?? []) this.published.set(key, value);
    if (changes.retry !== undefined)
      this.retries.set(`${changes.retry.checkpointId} ${changes.retry.attempt}`, changes.retry);
    if (changes.sleepsForgotten === true) this.sleeps = new Map();
    if (changes.sleepPut !== undefined)
      this.sleeps.set(`${changes.sleepPut.checkpointId} ${changes.sleepPut.ordinal}`, changes.sleepPut);
    if (changes.lossForgottenBy !== undefined) this.lost.delete(changes.lossForgottenBy);
    if (changes.lostBy !== undefined) this.lost.add(changes.lostBy);
    this.#writeSignals(changes);
  }

  #writeSignals({ atMs, queuePut, signalsTaken = [], slotPut }: Changes): void {
    const taken = new Set(signalsTaken.map(({ signalId }) => signalId));
    for (const [name, { signalId }] of this.slots) if (taken.has(signalId)) this.slots.delete(name);
    this.queue.splice(0, this.queue.length, ...this.queue.filter(({ signalId }) => !taken.has(signalId)));
    if (slotPut !== undefined) this.slots.set(slotPut.name, { ...slotPut, createdAtMs: atMs });
    if (queuePut === undefined) return;
    this.queue.push({ ...queuePut, createdAtMs: atMs });
    if (queuePut.messageId !== null) this.messageIds.set(queuePut.messageId, queuePut.signalId);
  }
}
