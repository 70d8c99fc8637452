import type { Transaction } from "../connections/port.ts";
import { boolArray, byteaArray, int4Array, int8Array, textArray } from "../parameters.ts";
import { send } from "../send.ts";
import { type InstanceChanges, writeRows } from "./write-rows.ts";
import { writeSignals } from "./write-signals.ts";
import * as statements from "./write-statements.ts";

/** One entry of a list of changes with its instance and the server's time. */
type Entry<T> = T & { readonly instanceId: string; readonly atMs: number };

/**
 * The one writer of changes: one statement per table for all instances. They leave one behind the other without waiting; COMMIT fails if
 * one of them does.
 */
export function writeChanges(transaction: Transaction, all: readonly InstanceChanges[]): void {
  writeRows(transaction, all);
  writeHistory(transaction, all);
  writeSignals(transaction, all);
  writePublished(transaction, all);
  writeSleeps(transaction, all);
  writeLosses(transaction, all);
}

function entries<T extends object>(
  all: readonly InstanceChanges[],
  pick: (changes: InstanceChanges["changes"]) => readonly T[] | undefined,
): readonly Entry<T>[] {
  return all.flatMap(({ instanceId, changes }) =>
    (pick(changes) ?? []).map((entry) => ({ ...entry, instanceId, atMs: changes.atMs })),
  );
}

const instanceIds = (list: readonly { readonly instanceId: string }[]): Buffer =>
  textArray(list.map(({ instanceId }) => instanceId));

const times = (list: readonly { readonly atMs: number }[]): Buffer => int8Array(list.map(({ atMs }) => atMs));

function writeHistory(transaction: Transaction, all: readonly InstanceChanges[]): void {
  const checkpoints = entries(all, (changes) => changes.checkpoints);
  if (checkpoints.length > 0) {
    send(transaction, statements.insertCheckpoints, [
      instanceIds(checkpoints),
      textArray(checkpoints.map(({ checkpointId }) => checkpointId)),
      byteaArray(checkpoints.map(({ state }) => state)),
      times(checkpoints),
    ]);
  }
  const events = entries(all, (changes) => changes.events);
  if (events.length > 0) {
    send(transaction, statements.insertEvents, [
      instanceIds(events),
      textArray(events.map(({ type }) => type)),
      textArray(events.map(({ subtype }) => subtype)),
      textArray(events.map(({ checkpointId }) => checkpointId)),
      byteaArray(events.map(({ payload }) => payload)),
      int8Array(events.map(({ createdAtMs }) => createdAtMs)),
      int8Array(events.map(({ receivedAtMs }) => receivedAtMs)),
    ]);
  }
  const retries = entries(all, ({ retry }) => (retry === undefined ? undefined : [retry]));
  if (retries.length > 0) {
    send(transaction, statements.putRetries, [
      instanceIds(retries),
      textArray(retries.map(({ checkpointId }) => checkpointId)),
      int8Array(retries.map(({ attempt }) => attempt)),
      textArray(retries.map(({ error }) => error)),
      times(retries),
      int8Array(retries.map(({ nextAtMs }) => nextAtMs)),
    ]);
  }
}

function writePublished(transaction: Transaction, all: readonly InstanceChanges[]): void {
  const published = entries(all, (changes) =>
    changes.published?.map((value) => ({ ...value, version: changes.row?.changes ?? 0 })),
  );
  if (published.length === 0) return;
  send(transaction, statements.putPublished, [
    instanceIds(published),
    textArray(published.map(({ key }) => key)),
    byteaArray(published.map(({ value }) => value)),
    times(published),
    int8Array(published.map(({ version }) => version)),
  ]);
}

function writeSleeps(transaction: Transaction, all: readonly InstanceChanges[]): void {
  const forgotten = all.filter(({ changes }) => changes.sleepsForgotten === true);
  if (forgotten.length > 0) send(transaction, statements.forgetSleeps, [instanceIds(forgotten)]);
  const sleeps = entries(all, ({ sleepPut }) => (sleepPut === undefined ? undefined : [sleepPut]));
  const columns = (list: typeof sleeps): Buffer[] => [
    instanceIds(list),
    textArray(list.map(({ checkpointId }) => checkpointId)),
    int4Array(list.map(({ ordinal }) => ordinal)),
    int8Array(list.map(({ epoch }) => epoch)),
    boolArray(list.map(({ finished }) => finished)),
    int8Array(list.map(({ wakeAtMs }) => wakeAtMs)),
  ];
  const puts = sleeps.filter(({ state }) => state !== undefined);
  if (puts.length > 0) {
    send(transaction, statements.putSleeps, [
      ...columns(puts),
      times(puts),
      byteaArray(puts.map(({ state }) => state)),
    ]);
  }
  const moves = sleeps.filter(({ state }) => state === undefined);
  if (moves.length > 0) send(transaction, statements.moveSleeps, columns(moves));
}

function writeLosses(transaction: Transaction, all: readonly InstanceChanges[]): void {
  const forgotten = all.flatMap(({ instanceId, changes: { lossForgottenBy } }) =>
    lossForgottenBy === undefined ? [] : [{ instanceId, workerId: lossForgottenBy }],
  );
  const lost = all.flatMap(({ instanceId, changes: { lostBy } }) =>
    lostBy === undefined ? [] : [{ instanceId, workerId: lostBy }],
  );
  const values = (list: typeof lost): [Buffer, Buffer] => [
    textArray(list.map(({ workerId }) => workerId)),
    instanceIds(list),
  ];
  if (forgotten.length > 0) send(transaction, statements.forgetLosses, values(forgotten));
  if (lost.length > 0) send(transaction, statements.noteLosses, values(lost));
}
