import { StoreError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { OperationKind, OperationOf, ResultOf } from "../operations/index.ts";
import type { Done, Store } from "../store.ts";

/** `Done` of any operation; the outcome that it is called with belongs to its own. */
export type AnyDone = (error: StoreError | undefined, result: unknown) => void;

/** With what an operation is answered. */
export interface Outcome {
  readonly error: StoreError | undefined;
  readonly result: unknown;
}

/** `Store.run` of every engine. */
export function promised<K extends OperationKind>(
  store: Pick<Store, "submit">,
  operation: OperationOf<K>,
): Promise<ResultOf[K]> {
  return new Promise((resolve, reject) => {
    const done: Done<ResultOf[K]> = (error, result) => {
      if (error === undefined) resolve(result);
      else reject(error);
    };
    store.submit<K>(operation, done);
  });
}

/** Whether the store takes no operation now; then this one is told so, after this turn. `waiting`: how many it has taken that wait. */
export function isRefused(done: AnyDone, isClosed: boolean, waiting: number): boolean {
  if (!isClosed && waiting < limits.queuedOperationsMax) return false;
  const refusal = isClosed
    ? new StoreError("CLOSED", "the store has been closed: open it again")
    : new StoreError("OVERLOADED", `more than ${limits.queuedOperationsMax} operations wait: try again later`);
  setImmediate(() => done(refusal, undefined));
  return true;
}

/** A callback that throws must not keep the others from hearing that their write is durable. */
export function answer(done: AnyDone | undefined, { error, result }: Outcome): void {
  try {
    done?.(error, result);
  } catch (thrown) {
    process.nextTick(() => {
      throw thrown;
    });
  }
}
