import { decideClaim, type InstanceRow } from "../../decide/index.ts";
import { limits } from "../../limits.ts";
import type { ClaimWork, ClaimWorkResult } from "../../operations/index.ts";
import type { Connections, Row, Transaction } from "../connections/port.ts";
import { lifeStatement } from "../facts/statements.ts";
import { textArray } from "../parameters.ts";
import { rowColumnCount, rowOf } from "../rows/columns.ts";
import { withPending } from "../rows/lock.ts";
import { writeChanges } from "../rows/write-changes.ts";
import type { InstanceChanges } from "../rows/write-rows.ts";
import { send } from "../send.ts";
import * as statements from "./claim-statements.ts";
import { inTurn } from "./in-turn.ts";
import type { SeveralDone } from "./several.ts";

/** A row that the claim may get: locked. */
interface Found {
  readonly row: InstanceRow;
  readonly inputBytes: number;
  /** Of the holder whose lease has ended. */
  readonly holderLeaseUntilMs: number | undefined;
}

/** Workflows and versions as two columns; the empty version stands for instances that are bound to none. */
interface Offers {
  readonly workflows: Buffer;
  readonly versions: Buffer;
}

export async function claimWork(connections: Connections, operation: ClaimWork): Promise<SeveralDone<ClaimWorkResult>> {
  const offers = offersOf(operation);
  const { claimed, written } = await inTurn(connections, connections.several, (transaction) =>
    claim(transaction, operation, offers),
  );
  const nextReadyAtMs = await readNextReady(connections, operation, offers);
  const result = { ...claimed, nextReadyAtMs };
  // If the worker dies, core takes its work back a while after the end of the lease.
  const graceUntilMs = claimed.leaseUntilMs + limits.leaseGraceMs;
  return { result, written, notices: written.length === 0 ? [] : [{ topic: "due", atMs: graceUntilMs }] };
}

async function claim(transaction: Transaction, operation: ClaimWork, offers: Offers) {
  const { workerId, nowMs, leaseMs, received } = operation;
  const [lease, unconfirmed] = await Promise.all([
    transaction.query(statements.leaseStatement, [workerId, nowMs + leaseMs]),
    transaction.query(statements.unconfirmedStatement, [workerId, received]),
  ]);
  const [leaseUntilMs = 0, claims = 0] = (lease.rows[0] ?? []) as readonly number[];
  const again = unconfirmed.rows.map((row) => ({ row: rowOf(row), inputBytes: 0, holderLeaseUntilMs: undefined }));
  const found = again.length > 0 ? again : await find(transaction, operation, offers);
  const sequence = again.length > 0 ? claims : claims + 1;
  const { work, written } = await begin(transaction, operation, found, sequence);
  const isNew = again.length === 0 && work.length > 0;
  if (isNew) send(transaction, statements.sequenceStatement, [workerId, sequence]);
  writeChanges(transaction, written);
  const claimed = { outcome: "claimed", sequence: isNew ? sequence : claims, work, leaseUntilMs } as const;
  return { claimed, written };
}

/** New work: what is ready, then what nobody holds any more, as far as capacity and bytes of inputs reach. */
async function find(transaction: Transaction, operation: ClaimWork, offers: Offers): Promise<readonly Found[]> {
  const { tenantId, nowMs, bytesMax } = operation;
  const capacity = Math.min(operation.capacity, limits.claimMax);
  if (capacity <= 0) return [];
  const room = await roomOf(transaction, operation, capacity);
  const values = [offers.workflows, offers.versions, tenantId, nowMs];
  const [ready, ended] = await Promise.all([
    room > 0 ? transaction.query(statements.readyStatement, [...values, room]) : { rows: [] },
    transaction.query(statements.endedLeaseStatement, [...values, capacity]),
  ]);
  const found = [...ready.rows, ...ended.rows].slice(0, capacity).map(foundOf);
  let bytes = 0;
  return found.filter(({ inputBytes }, index) => {
    bytes += inputBytes;
    return index === 0 || bytes <= bytesMax;
  });
}

/** How many more may run; those whose lease has ended are running already. */
async function roomOf(transaction: Transaction, { runningMax }: ClaimWork, capacity: number): Promise<number> {
  if (runningMax <= 0) return capacity;
  const [, running] = await Promise.all([
    transaction.query(statements.capacityLockStatement, []),
    transaction.query(statements.runningStatement, []),
  ]);
  return Math.min(capacity, runningMax - ((running.rows[0]?.[0] as number | undefined) ?? 0));
}

function foundOf(row: Row): Found {
  const [inputBytes, leaseUntilMs] = row.slice(rowColumnCount) as [number | null, number | null];
  return { row: rowOf(row), inputBytes: inputBytes ?? 0, holderLeaseUntilMs: leaseUntilMs ?? undefined };
}

async function begin(transaction: Transaction, operation: ClaimWork, found: readonly Found[], sequence: number) {
  const work: ClaimWorkResult["work"][number][] = [];
  const written: InstanceChanges[] = [];
  if (found.length === 0) return { work, written };
  const [rows, life] = await Promise.all([
    withPending(
      transaction,
      found.map(({ row }) => row),
    ),
    transaction.query(lifeStatement, [textArray(found.map(({ row }) => row.instanceId))]),
  ]);
  const facts = new Map(
    life.rows.map((row) => [row[0] as number, row as readonly [number, Uint8Array | null, number]]),
  );
  for (const [index, { row, holderLeaseUntilMs }] of found.entries()) {
    const [, input = null, retryCount = 0] = facts.get(index + 1) ?? [];
    const signalPayload = rows.signalPayload(row.instanceId);
    const decided = decideClaim(operation, row, { holderLeaseUntilMs, sequence, retryCount, input, signalPayload });
    if (decided.result === undefined) continue;
    work.push(decided.result);
    if (decided.changes !== undefined) written.push({ instanceId: row.instanceId, changes: decided.changes });
  }
  return { work, written };
}

/** A hint: what was claimed is answered all the same, and where nothing was found, it is to be looked again at once. */
async function readNextReady(
  connections: Connections,
  { tenantId, nowMs }: ClaimWork,
  offers: Offers,
): Promise<number | undefined> {
  const { workflows, versions } = offers;
  const { rows } = await connections.readers
    .query(statements.nextReadyStatement, [workflows, versions, tenantId, nowMs])
    .catch((): { rows: readonly Row[] } => ({ rows: [[nowMs]] }));
  return (rows[0]?.[0] as number | null | undefined) ?? undefined;
}

function offersOf({ offers }: ClaimWork): Offers {
  const versionsOf = new Map<string, Set<string>>();
  for (const { name, versions } of offers) {
    const known = versionsOf.get(name) ?? new Set([""]);
    for (const version of versions) known.add(version);
    versionsOf.set(name, known);
  }
  const pairs = [...versionsOf].flatMap(([name, versions]) => [...versions].map((version) => [name, version] as const));
  return {
    workflows: textArray(pairs.map(([name]) => name)),
    versions: textArray(pairs.map(([, version]) => version)),
  };
}
