import { type OperationKind, type OperationOf, type ResultOf, type Store, StoreError } from "@runtara/store";
import { CoreError } from "../core-error.ts";

/** Runs one operation; a failure of the store becomes a `CoreError` that says so. */
export async function ask<K extends OperationKind>(store: Store, operation: OperationOf<K>): Promise<ResultOf[K]> {
  try {
    return await store.run(operation);
  } catch (cause) {
    throw cause instanceof StoreError ? CoreError.database(cause) : cause;
  }
}

/** @throws CoreError `invalid`, if it is one */
export function refuse(invalid: CoreError | undefined): void {
  if (invalid !== undefined) throw invalid;
}
