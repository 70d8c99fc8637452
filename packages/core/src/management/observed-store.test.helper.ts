import type { Notice, Store } from "@runtara/store";
import { openMemoryStore } from "@runtara/store/memory";

/** A memory store that tells what is asked of it. */
export interface ObservedStore {
  readonly store: Store;
  /** Operations run so far. */
  readonly reads: number;
  /** Most of them at once. */
  readonly readsAtOnce: number;
  /** Who listens to notices. */
  readonly listeners: readonly ((notice: Notice) => void)[];
}

export function observedStore(): ObservedStore {
  const engine = openMemoryStore();
  const seen = { reads: 0, readsAtOnce: 0, listeners: [] as ((notice: Notice) => void)[] };
  let underWay = 0;
  const store: Store = {
    submit: (operation, done) => engine.submit(operation, done),
    flush: () => engine.flush(),
    run: async (operation) => {
      seen.reads += 1;
      underWay += 1;
      seen.readsAtOnce = Math.max(seen.readsAtOnce, underWay);
      try {
        return await engine.run(operation);
      } finally {
        underWay -= 1;
      }
    },
    watch: (listener) => {
      seen.listeners.push(listener);
      const stop = engine.watch(listener);
      return () => {
        seen.listeners = seen.listeners.filter((other) => other !== listener);
        stop();
      };
    },
    stats: () => engine.stats(),
    close: () => engine.close(),
  };
  return {
    store,
    get reads() {
      return seen.reads;
    },
    get readsAtOnce() {
      return seen.readsAtOnce;
    },
    get listeners() {
      return seen.listeners;
    },
  };
}
