import { type Done, type OperationKind, type OperationOf, type ResultOf, type Store, StoreError } from "@runtara/store";

/** What becomes of an operation: carried out now, refused, or carried out when the promise resolves. */
export type Disturbance = (kind: OperationKind) => StoreError | Promise<unknown> | undefined;

/** A real store whose operations a test may refuse or hold back, on their way in and on their way out. */
export function disturbedStore(
  store: Store,
  onTheWayIn: Disturbance,
  onTheWayOut: () => Promise<unknown> | undefined = () => undefined,
): Store {
  function submit<K extends OperationKind>(operation: OperationOf<K>, done: Done<ResultOf[K]>): void {
    const answer: Done<ResultOf[K]> = (...outcome) => {
      const held = onTheWayOut();
      if (held === undefined) done(...outcome);
      else void held.then(() => done(...outcome));
    };
    const disturbance = onTheWayIn(operation.kind);
    if (disturbance instanceof StoreError) queueMicrotask(() => answer(disturbance, undefined));
    else if (disturbance === undefined) store.submit<K>(operation, answer);
    else {
      void disturbance.then(() => {
        store.submit<K>(operation, answer);
        store.flush();
      });
    }
  }
  return {
    submit,
    run: (operation) =>
      new Promise((resolve, reject) => {
        submit(operation, (error, result) => (error === undefined ? resolve(result) : reject(error)));
      }),
    watch: (listener) =>
      store.watch((notice) => {
        const held = onTheWayOut();
        if (held === undefined) listener(notice);
        else void held.then(() => listener(notice));
      }),
    flush: () => store.flush(),
    stats: () => store.stats(),
    close: () => store.close(),
  };
}
