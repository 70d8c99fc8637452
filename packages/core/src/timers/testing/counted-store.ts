import type { Done, OperationKind, OperationOf, ResultOf, Store } from "@runtara/store";

let underWay = 0;

/** Operations of counted stores that have not been answered. */
export function operationsUnderWay(): number {
  return underWay;
}

/** The same store; `settled` waits until it has answered, which those with I/O do when they can. */
export function countedStore(store: Store): Store {
  return {
    submit<K extends OperationKind>(operation: OperationOf<K>, done: Done<ResultOf[K]>): void {
      underWay += 1;
      store.submit<K>(operation, (...outcome) => {
        underWay -= 1;
        done(...outcome);
      });
    },
    async run(operation) {
      underWay += 1;
      try {
        return await store.run(operation);
      } finally {
        underWay -= 1;
      }
    },
    watch: (listener) => store.watch(listener),
    flush: () => store.flush(),
    stats: () => store.stats(),
    close: () => store.close(),
  };
}
