import type { Done, OperationKind, OperationOf, ResultOf, Store, StoreError } from "@runtara/store";

/** What a tap may do with an operation before it reaches the store: let it pass, keep it until `pass` is called, or fail it. */
export type Tap = (
  operation: OperationOf<OperationKind>,
  pass: () => void,
  fail: (error: StoreError) => void,
) => "pass" | "keep";

/** A store whose operations a test counts and, where it wants, holds back or fails. */
export class TappedStore implements Store {
  readonly inner: Store;
  readonly counts: Map<string, number> = new Map();
  tap: Tap = () => "pass";

  constructor(inner: Store) {
    this.inner = inner;
  }

  submit<K extends OperationKind>(operation: OperationOf<K>, done: Done<ResultOf[K]>): void {
    this.counts.set(operation.kind, (this.counts.get(operation.kind) ?? 0) + 1);
    const pass = (): void => this.inner.submit(operation, done);
    const fail = (error: StoreError): void => done(error, undefined);
    if (this.tap(operation, pass, fail) === "pass") pass();
  }

  flush(): void {
    this.inner.flush();
  }

  run<K extends OperationKind>(operation: OperationOf<K>): Promise<ResultOf[K]> {
    return new Promise((resolve, reject) => {
      this.submit(operation, (error, result) => {
        if (error === undefined) resolve(result);
        else reject(error);
      });
    });
  }

  watch(listener: Parameters<Store["watch"]>[0]): () => void {
    return this.inner.watch(listener);
  }

  stats(): ReturnType<Store["stats"]> {
    return this.inner.stats();
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  /** Counts since the last call, of the kinds that there were. */
  takeCounts(): Readonly<Record<string, number>> {
    const counts = Object.fromEntries(this.counts);
    this.counts.clear();
    return counts;
  }
}
