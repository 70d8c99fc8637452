// The table in the user's database that says which transactions of steps have been carried out, and what they gave. A row and the writes of its
// transaction are committed together or not at all.

import { readValue, storeValue } from "../values/index.ts";

/** Of which step the transaction is. */
export interface LedgerPlace {
  readonly tenantId: string;
  readonly instanceId: string;
  readonly checkpointId: string;
  /** The step's idempotency key: one per tenant, instance, run and checkpoint id. */
  readonly key: string;
}

/** What is kept of a result: stored text, null for undefined. */
export type LedgerResult = string | null;

/** The result of a row. */
export function readResult(result: unknown): unknown {
  return typeof result === "string" ? readValue(result) : undefined;
}

/** @throws UnstorableValueError, ValueTooLargeError: nothing has been committed then */
export function writeResult(value: unknown, name: string): LedgerResult {
  if (value === undefined) return null;
  return storeValue(value, { root: "result", describe: () => `transaction ${JSON.stringify(name)} returned` });
}
