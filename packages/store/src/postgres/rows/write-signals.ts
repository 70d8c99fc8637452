import type { Changes } from "../../decide/changes.ts";
import type { Transaction } from "../connections/port.ts";
import { byteaArray, int8Array, textArray } from "../parameters.ts";
import { send } from "../send.ts";
import type { InstanceChanges } from "./write-rows.ts";
import * as statements from "./write-statements.ts";

type PendingPut = Exclude<Changes["pending"], "acknowledged" | undefined>;

/** Whole-instance signals, slots, the queue, and the history of all of them. */
export function writeSignals(transaction: Transaction, all: readonly InstanceChanges[]): void {
  writePending(transaction, all);
  writeNamed(transaction, all);
  writeTaken(transaction, all);
}

function writePending(transaction: Transaction, all: readonly InstanceChanges[]): void {
  const acknowledged = all.filter(({ changes }) => changes.pending === "acknowledged");
  if (acknowledged.length > 0) {
    send(transaction, statements.acknowledgePending, [
      textArray(acknowledged.map(({ instanceId }) => instanceId)),
      int8Array(acknowledged.map(({ changes }) => changes.atMs)),
    ]);
  }
  const puts = all.flatMap(({ instanceId, changes: { pending, atMs } }) =>
    pending === undefined || pending === "acknowledged"
      ? []
      : [{ instanceId, atMs, ...(pending satisfies PendingPut) }],
  );
  if (puts.length > 0) {
    send(transaction, statements.putPending, [
      textArray(puts.map(({ instanceId }) => instanceId)),
      textArray(puts.map(({ type }) => type)),
      byteaArray(puts.map(({ payload }) => payload)),
      int8Array(puts.map(({ atMs }) => atMs)),
    ]);
  }
}

function writeNamed(transaction: Transaction, all: readonly InstanceChanges[]): void {
  const signals = all.flatMap(({ instanceId, changes: { slotPut, queuePut, atMs } }) => [
    ...(slotPut === undefined ? [] : [{ ...slotPut, messageId: null, kind: "slot", instanceId, atMs }]),
    ...(queuePut === undefined ? [] : [{ ...queuePut, kind: "queued", instanceId, atMs }]),
  ]);
  if (signals.length === 0) return;
  const columns = (list: typeof signals): [Buffer, Buffer, Buffer, Buffer, Buffer] => [
    int8Array(list.map(({ signalId }) => signalId)),
    textArray(list.map(({ instanceId }) => instanceId)),
    textArray(list.map(({ name }) => name)),
    byteaArray(list.map(({ payload }) => payload)),
    int8Array(list.map(({ atMs }) => atMs)),
  ];
  send(transaction, statements.insertSignals, [
    ...columns(signals),
    textArray(signals.map(({ kind }) => kind)),
    textArray(signals.map(({ messageId }) => messageId)),
  ]);
  const slots = signals.filter(({ kind }) => kind === "slot");
  if (slots.length > 0) send(transaction, statements.putSlots, columns(slots));
}

function writeTaken(transaction: Transaction, all: readonly InstanceChanges[]): void {
  const taken = all.flatMap(({ changes }) =>
    (changes.signalsTaken ?? []).map((signal) => ({ ...signal, atMs: changes.atMs })),
  );
  if (taken.length === 0) return;
  send(transaction, statements.deliverSignals, [
    int8Array(taken.map(({ signalId }) => signalId)),
    int8Array(taken.map(({ atMs }) => atMs)),
  ]);
  const slots = taken.filter(({ queued }) => !queued);
  if (slots.length > 0) {
    send(transaction, statements.removeSlots, [int8Array(slots.map(({ signalId }) => signalId))]);
  }
}
