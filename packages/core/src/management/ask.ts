import { type OperationKind, type OperationOf, type ResultOf, type Store, StoreError } from "@runtara/store";
import { CoreError } from "../core-error.ts";
import { invalidText } from "../validation.ts";

/**
 * Runs one operation; a failure of the store becomes a `CoreError` that says so. PostgreSQL cannot even look for a text with U+0000, so one is
 * refused for every engine.
 */
export async function ask<K extends OperationKind>(store: Store, operation: OperationOf<K>): Promise<ResultOf[K]> {
  for (const [name, value] of Object.entries(operation)) {
    if (typeof value === "string") refuse(invalidText(fieldOf(name), value));
  }
  try {
    return await store.run(operation);
  } catch (cause) {
    throw cause instanceof StoreError ? CoreError.database(cause) : cause;
  }
}

function fieldOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** @throws CoreError `invalid`, if it is one */
export function refuse(invalid: CoreError | undefined): void {
  if (invalid !== undefined) throw invalid;
}
