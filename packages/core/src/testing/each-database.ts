import { describe } from "node:test";
import type { Store } from "@runtara/store";
import { countedStore } from "../timers/testing/counted-store.ts";
import { engines } from "./engines.ts";

/** A store on an empty database, whose operations `settled` waits for. */
export interface TestDatabase {
  readonly store: Store;
  /** Closes the store and takes the database away. */
  close(): Promise<void>;
}

/** Declares `body`'s tests once for each engine; each opens a database of its own. `engine`: its name. */
export function onEachDatabase(body: (open: () => Promise<TestDatabase>, engine: string) => void): void {
  for (const engine of engines) {
    void describe(engine.name, () =>
      body(async () => {
        const database = await engine.create();
        const store = countedStore(await database.open());
        return {
          store,
          async close() {
            await store.close();
            await database.dispose();
          },
        };
      }, engine.name),
    );
  }
}
