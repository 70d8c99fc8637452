import type { Changes } from "../decide/changes.ts";
import { retryId } from "../engines/retry-id.ts";
import type { MemoryDatabase } from "./database.ts";
import { emptyRecord, type InstanceRecord, type SignalRecord, sleepId } from "./records.ts";

/** The one writer of decisions: carries out `changes` on the instance, which `changes.row` creates where `insert` says so. */
export function writeChanges(database: MemoryDatabase, instanceId: string, changes: Changes): void {
  const record = writeRow(database, instanceId, changes);
  if (changes.output !== undefined) record.output = copied(changes.output);
  if (changes.error !== undefined) record.error = changes.error;
  if (changes.failure !== undefined) record.failure = copied(changes.failure);
  writeHistory(database, record, changes);
  writeSignals(database, record, changes);
  writeSleeps(record, changes);
  for (const { key, value } of changes.published ?? []) {
    const published = { key, value: value.slice(), updatedAtMs: changes.atMs, version: record.row.changes };
    record.published.set(key, published);
  }
  if (changes.lossForgottenBy !== undefined) database.forgetLoss(changes.lossForgottenBy, instanceId);
  if (changes.lostBy !== undefined) database.noteLoss(changes.lostBy, instanceId);
}

function writeRow(database: MemoryDatabase, instanceId: string, { row, insert }: Changes): InstanceRecord {
  if (row !== undefined && insert !== undefined) {
    const record = emptyRecord({ ...row }, copied(insert.input), { ...insert.tags });
    database.insert(record);
    return record;
  }
  const record = database.instances.get(instanceId);
  if (record === undefined) throw new Error(`changes of the unknown instance '${instanceId}'`);
  if (row !== undefined) database.replace(record, { ...row });
  return record;
}

function writeHistory(database: MemoryDatabase, record: InstanceRecord, changes: Changes): void {
  for (const { checkpointId, state } of changes.checkpoints ?? []) {
    const saved = { checkpointId, state: state.slice(), createdAtMs: changes.atMs, position: database.next() };
    record.checkpoints.set(checkpointId, saved);
  }
  for (const event of changes.events ?? []) {
    const position = database.next();
    record.events.set(position, { ...event, payload: copied(event.payload), position });
  }
  if (changes.retry !== undefined) {
    const id = retryId(changes.retry.checkpointId, changes.retry.attempt);
    record.retries.delete(id);
    record.retries.set(id, { ...changes.retry, createdAtMs: changes.atMs, position: database.next() });
  }
}

function writeSignals(database: MemoryDatabase, record: InstanceRecord, changes: Changes): void {
  const { atMs, pending, slotPut, queuePut } = changes;
  if (pending === "acknowledged") acknowledge(record);
  else if (pending !== undefined) {
    const signalId = database.next();
    const payload = copied(pending.payload);
    record.pending = { signalId, type: pending.type, payload };
    const signal = { signalId, kind: pending.type, name: null, payload, createdAtMs: atMs, delivered: false };
    record.signals.set(signalId, signal);
  }
  if (slotPut !== undefined) {
    const replaced = record.slots.get(slotPut.name);
    if (replaced !== undefined) record.waiting.delete(replaced);
    record.slots.set(slotPut.name, slotPut.signalId);
    keepWaiting(record, { ...slotPut, kind: "slot", createdAtMs: atMs });
  }
  if (queuePut !== undefined) {
    keepWaiting(record, { ...queuePut, kind: "queued", createdAtMs: atMs });
    if (queuePut.messageId !== null) record.messages.set(queuePut.messageId, queuePut.signalId);
  }
  for (const { signalId } of changes.signalsTaken ?? []) take(record, signalId);
}

function keepWaiting(record: InstanceRecord, put: Omit<SignalRecord, "delivered">): void {
  const { signalId, kind, name, createdAtMs } = put;
  const signal = { signalId, kind, name, payload: copied(put.payload), createdAtMs, delivered: false };
  record.signals.set(signalId, signal);
  record.waiting.set(signalId, signal);
}

function take(record: InstanceRecord, signalId: number): void {
  const signal = record.waiting.get(signalId);
  if (signal === undefined) return;
  signal.delivered = true;
  record.waiting.delete(signalId);
  if (signal.name !== null && record.slots.get(signal.name) === signalId) record.slots.delete(signal.name);
}

function acknowledge(record: InstanceRecord): void {
  const signal = record.pending === undefined ? undefined : record.signals.get(record.pending.signalId);
  if (signal !== undefined) signal.delivered = true;
  record.pending = undefined;
}

function writeSleeps(record: InstanceRecord, { sleepPut, sleepsForgotten }: Changes): void {
  if (sleepsForgotten) record.sleeps.clear();
  if (sleepPut === undefined) return;
  const id = sleepId(sleepPut.checkpointId, sleepPut.ordinal);
  const state = sleepPut.state?.slice() ?? record.sleeps.get(id)?.state ?? new Uint8Array();
  record.sleeps.set(id, { ...sleepPut, state });
}

function copied(bytes: Uint8Array | null): Uint8Array | null {
  return bytes === null ? null : bytes.slice();
}
