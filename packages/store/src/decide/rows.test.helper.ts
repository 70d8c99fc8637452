import type { StatusReason } from "../model.ts";
import { newRow } from "./new-row.ts";
import type { InstanceRow } from "./row.ts";

export const seed: Uint8Array = new Uint8Array(16).fill(7);

/** Rows that no decision may write to. All are claimable (workflow `order`) and were created at 1,000 ms. */
export function row(over: Partial<InstanceRow> = {}): InstanceRow {
  return Object.freeze({
    ...newRow({ instanceId: "i", tenantId: "t", seed, createdAtMs: 1_000, workflow: "order", version: "v1" }),
    readyAtMs: 1_000,
    ...over,
  });
}

/** Runs since 2,000 ms in its third life, held by nobody. */
export function running(over: Partial<InstanceRow> = {}): InstanceRow {
  return row({
    status: "running",
    epoch: 3,
    firstStartedAtMs: 1_500,
    startedAtMs: 2_000,
    lastSeenAtMs: 2_000,
    readyAtMs: null,
    ...over,
  });
}

export function suspended(reason: StatusReason | null, over: Partial<InstanceRow> = {}): InstanceRow {
  return running({ status: "suspended", reason, usedMs: 500, ...over });
}

export function ended(over: Partial<InstanceRow> = {}): InstanceRow {
  return running({ status: "completed", reason: "reported", finishedAtMs: 3_000, ...over });
}

/** Without a workflow: no worker can claim it. */
export const unclaimable: Partial<InstanceRow> = { workflow: null, version: null };

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
