import { StoreError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Operation } from "../operations/index.ts";
import type { Notice } from "../store.ts";
import type { Outcome } from "./engine.ts";
import { bytesOf } from "./operation-bytes.ts";

/** `Done` of any operation; the outcome that it is called with belongs to its own. */
export type AnyDone = (error: StoreError | undefined, result: unknown) => void;

/** How many of the operations, from the first on, make one transaction. */
export function batchSize(operations: readonly Operation[]): number {
  const max = Math.min(operations.length, limits.batchOperationsMax);
  let bytes = 0;
  for (let size = 0; size < max; size += 1) {
    const operation = operations[size];
    if (operation !== undefined) bytes += bytesOf(operation);
    if (bytes > limits.batchBytesMax) return Math.max(size, 1);
  }
  return max;
}

/** A callback that throws must not keep the others from hearing that their write is durable. */
export function callSafely(done: AnyDone | undefined, { error, result }: Outcome): void {
  try {
    done?.(error, result);
  } catch (thrown) {
    process.nextTick(() => {
      throw thrown;
    });
  }
}

export function closedError(): StoreError {
  return new StoreError("CLOSED", "the store has been closed");
}

export function overloadedError(): StoreError {
  return new StoreError("OVERLOADED", `more than ${limits.queuedOperationsMax} operations wait; try again later`);
}

/** Who is told of commits. */
export class Listeners {
  /** Replaced as a whole when somebody comes or goes, so that those who are being told stay as they are. */
  #listeners: readonly { readonly tell: (notice: Notice) => void }[] = [];

  get size(): number {
    return this.#listeners.length;
  }

  add(tell: (notice: Notice) => void): () => void {
    const entry = { tell };
    this.#listeners = [...this.#listeners, entry];
    return () => {
      this.#listeners = this.#listeners.filter((one) => one !== entry);
    };
  }

  tell(notices: readonly Notice[]): void {
    if (this.#listeners.length === 0) return;
    for (const notice of notices) for (const { tell } of this.#listeners) tell(notice);
  }

  clear(): void {
    this.#listeners = [];
  }
}
