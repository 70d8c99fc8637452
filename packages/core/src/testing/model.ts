import type { Operation, PendingSignal, StartFacts } from "@runtara/store";
import { ModelInstance } from "./model-instance.ts";

/** What the model knows how to do: every operation that changes an instance, and the reads that show it all. */
export type ModelledOperation = Exclude<
  Operation,
  {
    readonly kind:
      | "touchInstances"
      | "listInstances"
      | "queryInstances"
      | "listCheckpoints"
      | "listEvents"
      | "listHistory"
      | "readChanges"
      | "checkHealth"
      | "removeOld"
      | "putSchedule"
      | "deleteSchedule"
      | "listSchedules"
      | "claimSchedules"
      | "moveSchedule";
  }
>;
type Of<K extends ModelledOperation["kind"]> = Extract<ModelledOperation, { readonly kind: K }>;

const leaseGraceMs = 30_000;

/**
 * What the product promises, written down a second time and as plainly as possible: no batches, no store, no table. It knows nothing of what
 * the engines share, so a fault there shows as a difference. Answers have the members that are promised and no others.
 */
export class Model {
  readonly #instances = new Map<string, ModelInstance>();
  readonly #workers = new Map<string, { leaseUntilMs: number; sequence: number; readonly lost: Set<string> }>();
  #lastSignalId = 0;

  run(operation: ModelledOperation): object {
    switch (operation.kind) {
      case "registerInstance":
        return this.#register(operation);
      case "startInstance":
        return this.#start(operation);
      case "claimWork":
        return this.#claim(operation);
      case "renewLease":
        return this.#renew(operation);
      case "releaseWork":
        return this.#release(operation);
      case "readSignals":
        return { instances: operation.interests.flatMap((interest) => this.#arrived(interest)) };
      case "fireDue":
        return this.#fireDue(operation);
      case "settleEnded":
        return this.#settle(operation.nowMs);
      default:
        return this.#one(operation);
    }
  }

  /** Everything that concerns one instance that must be there. */
  #one(
    operation: Exclude<Extract<ModelledOperation, { instanceId: string }>, Of<"registerInstance" | "startInstance">>,
  ): object {
    const i = this.#instances.get(operation.instanceId);
    const isUnknown = i === undefined || ("tenantId" in operation && operation.tenantId !== i.tenantId);
    if (operation.kind === "endSleep") {
      i?.endSleep(operation);
      return { outcome: "ended" };
    }
    if (operation.kind === "beginSleep") return isUnknown ? { outcome: "unrecorded" } : i.beginSleep(operation);
    if (isUnknown) return { outcome: "unknownInstance" };
    if ("epoch" in operation && operation.epoch !== undefined && operation.epoch !== i.epoch)
      return { outcome: "fenced", epoch: i.epoch };
    switch (operation.kind) {
      case "readInstance":
        return i.shown();
      case "saveCheckpoint":
        return i.save(operation);
      case "saveBatch":
        return i.saveBatch(operation);
      case "publish":
        return i.publish(operation);
      case "loadCheckpoint":
        return i.load(operation.checkpointId);
      case "listOwnCheckpoints":
        return i.own(operation.prefix);
      case "recordRetry":
        return i.recordRetry(operation);
      case "appendEvent":
        return i.happened(operation);
      case "suspendUntil":
        return i.suspendUntil(operation);
      case "pollSignals":
        return { outcome: "polled", ...i.signalsFor(operation.checkpointId) };
      case "acknowledgeSignal":
        return i.acknowledge(operation.signal, operation.nowMs);
      case "sendSignal":
        return i.sent(operation.signal, operation.payload, operation.nowMs);
      case "controlInstance":
        return this.#control(i, operation);
      case "sendCustomSignal":
        this.#lastSignalId += 1;
        return i.named(operation, this.#lastSignalId);
      case "readPublished":
        return i.readPublished(operation.key);
    }
  }

  #register({ instanceId, tenantId, checkTenant, checkpointId, seed, nowMs }: Of<"registerInstance">): object {
    const known = this.#instances.get(instanceId);
    if (checkpointId !== undefined && known?.load(checkpointId).outcome !== "found")
      return { outcome: "checkpointMissing" };
    if (known !== undefined && checkTenant && known.tenantId !== tenantId) return { outcome: "otherTenant" };
    if (known?.isFinal) return { outcome: "refused", status: known.status };
    const i = known ?? new ModelInstance({ instanceId, tenantId, createdAtMs: nowMs });
    this.#instances.set(instanceId, i);
    this.#lose(i);
    const facts = i.begin(seed, nowMs, null);
    return { outcome: "registered", created: known === undefined, facts };
  }

  #start(operation: Of<"startInstance">): object {
    const {
      instanceId,
      tenantId,
      workflow = null,
      version = null,
      input,
      tags,
      startAtMs,
      timeoutMs,
      parent,
      nowMs,
    } = operation;
    const parentInstance = parent && this.#instances.get(parent.instanceId);
    if (parent !== undefined) {
      if (parentInstance === undefined) return { outcome: "parentUnknown" };
      if (parentInstance.epoch !== parent.epoch) return { outcome: "fenced", epoch: parentInstance.epoch };
      if (parentInstance.status !== "running") return { outcome: "parentRefused", status: parentInstance.status };
    }
    // A child belongs to its parent's tenant.
    if (parentInstance !== undefined && parentInstance.tenantId !== tenantId)
      return { outcome: "conflict", differs: ["tenant"] };
    const known = this.#instances.get(instanceId);
    if (known !== undefined) {
      const differs = [
        ...(known.tenantId === tenantId ? [] : ["tenant"]),
        ...(known.workflow === workflow ? [] : ["workflow"]),
        ...(known.version === version ? [] : ["version"]),
        ...(sameBytes(known.input, input ?? null) ? [] : ["input"]),
        ...(parent === undefined || known.parentId === parent.instanceId ? [] : ["parent"]),
      ];
      return differs.length > 0 ? { outcome: "conflict", differs } : { outcome: "attached", status: known.status };
    }
    const i = new ModelInstance({ instanceId, tenantId, createdAtMs: nowMs });
    Object.assign(i, {
      workflow,
      version,
      input: input ?? null,
      tags,
      timeoutMs: timeoutMs ?? null,
      seed: operation.seed,
    });
    i.readyAtMs = startAtMs ?? (workflow === null ? null : nowMs);
    if (parent !== undefined) {
      i.parentId = parent.instanceId;
      i.resultSignal = parent.resultSignal ?? null;
      i.detached = parent.detached;
      if (!parent.detached && parentInstance !== undefined) parentInstance.hasChildren = true;
    }
    this.#instances.set(instanceId, i);
    return { outcome: "created", status: "pending" };
  }

  #control(i: ModelInstance, { order, text, nowMs }: Of<"controlInstance">): object {
    if (order === "kill" && !i.isFinal) {
      this.#lose(i);
      i.epoch += 1;
      i.end("cancelled", "killed", nowMs);
      i.reasonText = text ?? null;
    } else if (order !== "kill" && !i.isFinal) {
      const before = `${i.status} ${i.reason}`;
      i.sent(order, text === undefined ? undefined : new TextEncoder().encode(text), nowMs);
      // The operator's words to what they have changed.
      if (`${i.status} ${i.reason}` !== before) i.reasonText = text ?? null;
    }
    return { outcome: "done", status: i.status };
  }

  #worker(workerId: string) {
    const worker = this.#workers.get(workerId) ?? { leaseUntilMs: 0, sequence: 0, lost: new Set<string>() };
    this.#workers.set(workerId, worker);
    return worker;
  }

  /** Somebody else takes it from its holder. */
  #lose(i: ModelInstance): void {
    if (i.holder !== null) this.#worker(i.holder).lost.add(i.instanceId);
    i.holder = null;
  }

  #claim({
    workerId,
    tenantId,
    offers,
    received,
    leaseMs,
    nowMs,
    seed,
  }: Of<"claimWork"> & { seed?: Uint8Array }): object {
    const worker = this.#worker(workerId);
    const answer = (work: [ModelInstance, StartFacts][]) => ({
      outcome: "claimed",
      sequence: worker.sequence,
      leaseUntilMs: worker.leaseUntilMs,
      work: work.map(([{ instanceId, tenantId: tenant }, facts]) => ({ instanceId, tenantId: tenant, facts })),
    });
    const all = [...this.#instances.values()];
    const unconfirmed = all.filter(({ holder, claimSequence }) => holder === workerId && claimSequence > received);
    const leaseOver = ({ holder }: ModelInstance) => holder !== null && this.#worker(holder).leaseUntilMs <= nowMs;
    const offered = all.filter(
      (i) =>
        i.tenantId === tenantId &&
        offers.some(
          ({ name, versions }) => name === i.workflow && (i.version === null || versions.includes(i.version)),
        ),
    );
    const open = offered.filter((i) =>
      i.status === "running" ? leaseOver(i) : !i.isFinal && i.readyAtMs !== null && i.readyAtMs <= nowMs,
    );
    worker.leaseUntilMs = Math.max(worker.leaseUntilMs, nowMs + leaseMs);
    if (unconfirmed.length > 0) return answer(unconfirmed.map((i) => [i, i.facts()]));
    if (open.length === 0) return answer([]);
    worker.sequence += 1;
    return answer(
      open.map((i) => {
        this.#lose(i);
        worker.lost.delete(i.instanceId);
        i.claimSequence = worker.sequence;
        return [i, i.begin(seed ?? null, nowMs, workerId)];
      }),
    );
  }

  #renew({ workerId, leaseMs, nowMs }: Of<"renewLease">): object {
    const worker = this.#worker(workerId);
    worker.leaseUntilMs = Math.max(worker.leaseUntilMs, nowMs + leaseMs);
    return { outcome: "renewed", leaseUntilMs: worker.leaseUntilMs, lost: [...worker.lost].toSorted() };
  }

  #release({ workerId, work, nowMs }: Of<"releaseWork">): object {
    for (const { instanceId, epoch, delayMs, reason } of work) {
      const i = this.#instances.get(instanceId);
      this.#worker(workerId).lost.delete(instanceId);
      if (i === undefined || i.holder !== workerId || i.epoch !== epoch) continue;
      i.holder = null;
      if (i.status !== "running") continue;
      i.suspend("handedBack", nowMs);
      i.reasonText = reason === "" ? null : reason;
      i.readyAtMs = nowMs + delayMs;
    }
    return { outcome: "released" };
  }

  #arrived({ instanceId, epoch, names, afterSignalId, seenSignal }: Of<"readSignals">["interests"][number]): object[] {
    const i = this.#instances.get(instanceId);
    if (i === undefined || i.epoch !== epoch || i.isFinal)
      return [{ instanceId, fenced: true, signal: undefined, queued: [] }];
    const signal: PendingSignal | undefined = i.pending?.type === seenSignal ? undefined : i.pending;
    const queued = i.waitingSignals(names, afterSignalId);
    return signal === undefined && queued.length === 0 ? [] : [{ instanceId, fenced: false, signal, queued }];
  }

  #fireDue({ nowMs, staleAfterMs }: Of<"fireDue">): object {
    const fired = { outcome: "fired", timedOut: [] as string[], lost: [] as string[], abandoned: [] as string[] };
    for (const i of [...this.#instances.values()].toSorted((a, b) => (a.instanceId < b.instanceId ? -1 : 1))) {
      if (i.status !== "running") continue;
      const leaseUntilMs = i.holder === null ? undefined : this.#worker(i.holder).leaseUntilMs;
      if (i.timeoutMs !== null && i.usedMs + nowMs - (i.startedAtMs ?? 0) >= i.timeoutMs) {
        fired.timedOut.push(i.instanceId);
        this.#lose(i);
        i.epoch += 1;
        i.end("failed", "timeout", nowMs);
      } else if (leaseUntilMs !== undefined && leaseUntilMs + leaseGraceMs <= nowMs) {
        fired.abandoned.push(i.instanceId);
        this.#lose(i);
        i.epoch += 1;
        i.suspend("handedBack", nowMs);
        i.readyAtMs = nowMs;
      } else if (leaseUntilMs === undefined && nowMs - (i.lastSeenAtMs ?? 0) >= staleAfterMs) {
        fired.lost.push(i.instanceId);
        if (i.pending?.type === "cancel") i.end("cancelled", "cancelled", nowMs);
        else i.suspend("lost", nowMs);
      }
    }
    return fired;
  }

  /** To the end, and says nothing of the steps on the way. */
  #settle(nowMs: number): object {
    for (;;) {
      const i = [...this.#instances.values()].find(({ isUnsettled }) => isUnsettled);
      if (i === undefined) return { outcome: "settled" };
      i.isUnsettled = false;
      const parent = i.parentId === null ? undefined : this.#instances.get(i.parentId);
      if (parent !== undefined && i.resultSignal !== null) {
        this.#lastSignalId += 1;
        const sent = {
          name: i.resultSignal,
          payload: i.resultBytes(),
          queued: true,
          messageId: `child:${i.instanceId}`,
          nowMs,
        };
        parent.named(sent, this.#lastSignalId);
      }
      for (const child of this.#instances.values()) {
        if (child.parentId === i.instanceId && !child.detached && !child.isFinal)
          child.sent("cancel", undefined, nowMs);
      }
    }
  }
}

function sameBytes(one: Uint8Array | null, other: Uint8Array | null): boolean {
  return one === null || other === null ? one === other : Buffer.compare(one, other) === 0;
}
