import type { Store } from "@runtara/store";
import type { RuntimeOptions } from "../api/runtime.ts";
import type { AnyWorkflow } from "../api/workflow.ts";
import type { Duration } from "../durations.ts";
import type { Clock } from "../ports/clock.ts";

/** What {@link open} takes. */
export interface OpenOptions extends RuntimeOptions {
  /** `sqlite:PATH`, a bare path, `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, or an open store, which `close` leaves open.
   *  Default: `RUNTARA_DATABASE_URL`, else `sqlite:.runtara/runtara.db`. File, folders and tables are made where they are missing.
   *  PostgreSQL needs the package `pg` beside this one. */
  store?: string | Store;
  /** The workflows whose instances this process runs, new ones and unfinished ones. `start` adds the one it is given. */
  workflows?: readonly AnyWorkflow[];
  /** Who holds the instances of this process, in the store and in logs. Must be another in each process. Default: host, pid and a random part. */
  workerId?: string;
  /** How long the work of a process that died waits until another takes it over. 1 s to 5 min; default 5 s. */
  lease?: Duration;
  /** The clock that everything goes by. Default: the machine's. With one of your own no thread stands in for a busy event loop. */
  clock?: Clock;
}
