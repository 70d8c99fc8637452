import type { InstanceRow } from "../decide/row.ts";
import type { ScheduleRow } from "../decide/schedules.ts";
import { Listeners } from "../engines/listeners.ts";
import { copyOfRecord, type InstanceRecord } from "./records.ts";

export interface WorkerRecord {
  leaseUntilMs: number;
  /** Sequence of the last answer with work. */
  sequence: number;
}

/** Everything that the stores on it share. One thread, so a row needs no lock: a decision and its writes have no pause between. */
export class MemoryDatabase {
  readonly instances: Map<string, InstanceRecord> = new Map<string, InstanceRecord>();
  readonly workers: Map<string, WorkerRecord> = new Map<string, WorkerRecord>();
  /** Worker to the instances that were taken from it. */
  readonly lost: Map<string, Set<string>> = new Map<string, Set<string>>();
  /** By tenant and id (schedules.ts). */
  readonly schedules: Map<string, ScheduleRow> = new Map<string, ScheduleRow>();
  readonly listeners: Listeners = new Listeners();
  /** Ids of the rows that a time or an end makes interesting, so that nobody goes through all. */
  readonly ready: Set<string> = new Set();
  readonly due: Set<string> = new Set();
  readonly unsettled: Set<string> = new Set();
  readonly held: Map<string, Set<string>> = new Map<string, Set<string>>();
  readonly children: Map<string, Set<string>> = new Map<string, Set<string>>();
  #last = 0;

  /** Numbers of signals and of places in listings: each is given once, in the order of writing. */
  next(): number {
    this.#last += 1;
    return this.#last;
  }

  noteLoss(workerId: string, instanceId: string): void {
    member(this.lost, workerId).add(instanceId);
  }

  forgetLoss(workerId: string, instanceId: string): void {
    leave(this.lost, workerId, instanceId);
  }

  insert(record: InstanceRecord): void {
    const { instanceId, parentId } = record.row;
    this.instances.set(instanceId, record);
    if (parentId !== null) member(this.children, parentId).add(instanceId);
    this.#index(record.row);
  }

  /** The row as it is from now on. */
  replace(record: InstanceRecord, row: InstanceRow): void {
    this.#unindex(record.row);
    record.row = row;
    this.#index(row);
  }

  remove(record: InstanceRecord): void {
    const { instanceId, parentId } = record.row;
    this.instances.delete(instanceId);
    this.#unindex(record.row);
    if (parentId !== null) leave(this.children, parentId, instanceId);
    for (const workerId of [...this.lost.keys()]) this.forgetLoss(workerId, instanceId);
  }

  records(ids: Iterable<string>): InstanceRecord[] {
    const found: InstanceRecord[] = [];
    for (const id of ids) {
      const record = this.instances.get(id);
      if (record !== undefined) found.push(record);
    }
    return found;
  }

  /** Another database with the same content. Nobody watches it yet. */
  copy(): MemoryDatabase {
    const copy = new MemoryDatabase();
    copy.#last = this.#last;
    for (const record of this.instances.values()) copy.insert(copyOfRecord(record));
    for (const [id, worker] of this.workers) copy.workers.set(id, { ...worker });
    for (const [id, lost] of this.lost) copy.lost.set(id, new Set(lost));
    for (const [key, row] of this.schedules) copy.schedules.set(key, row);
    return copy;
  }

  #index({ instanceId, readyAtMs, dueAtMs, unsettled, holder }: InstanceRow): void {
    if (readyAtMs !== null) this.ready.add(instanceId);
    if (dueAtMs !== null) this.due.add(instanceId);
    if (unsettled) this.unsettled.add(instanceId);
    if (holder !== null) member(this.held, holder).add(instanceId);
  }

  #unindex({ instanceId, holder }: InstanceRow): void {
    this.ready.delete(instanceId);
    this.due.delete(instanceId);
    this.unsettled.delete(instanceId);
    if (holder !== null) leave(this.held, holder, instanceId);
  }
}

function member(sets: Map<string, Set<string>>, key: string): Set<string> {
  const known = sets.get(key);
  if (known !== undefined) return known;
  const set = new Set<string>();
  sets.set(key, set);
  return set;
}

function leave(sets: Map<string, Set<string>>, key: string, id: string): void {
  const set = sets.get(key);
  set?.delete(id);
  if (set?.size === 0) sets.delete(key);
}
