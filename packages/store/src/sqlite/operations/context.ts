import type { DatabaseSync } from "node:sqlite";
import type { CheckpointIndex } from "../checkpoint-index.ts";
import type { InstanceRows } from "../instance-rows.ts";

/** What the operations work on. They run inside the transaction of their batch. */
export interface Context {
  readonly database: DatabaseSync;
  readonly rows: InstanceRows;
  readonly checkpoints: CheckpointIndex;
}

export const unknownInstance: { readonly outcome: "unknownInstance" } = { outcome: "unknownInstance" };
export const emptyBytes: Uint8Array = new Uint8Array(0);
