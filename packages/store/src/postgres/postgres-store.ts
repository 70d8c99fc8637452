import { type AnyDone, answer, isRefused, promised } from "../engines/callbacks.ts";
import type { Operation, OperationKind, OperationOf, ResultOf } from "../operations/index.ts";
import type { Done, Notice, Store, StoreStats } from "../store.ts";
import { storeErrorFrom } from "./connections/errors.ts";
import type { Connections } from "./connections/port.ts";
import { Lane } from "./lane.ts";
import type { Committed } from "./notices/committed.ts";
import { NoticeHub } from "./notices/hub.ts";
import { repeated } from "./repeated.ts";
import { carryOutSeveral, isOfSeveral } from "./several/index.ts";
import type { Submitted } from "./submitted.ts";

/**
 * The store on a PostgreSQL database that it may share with other processes. Operations of single instances are dealt out to lanes by their
 * instance; those of several instances, and listings, are carried out one by one beside them.
 */
export class PostgresStore implements Store {
  readonly #connections: Connections;
  readonly #lanes: readonly Lane[];
  readonly #hub: NoticeHub;
  readonly #alone = new Set<Promise<void>>();
  #gathered: Submitted[] = [];
  #scheduled: NodeJS.Immediate | undefined;
  #closing: Promise<void> | undefined;
  #operations = 0;
  #transactions = 0;
  #failures = 0;

  /** The store closes the connections with itself. */
  constructor(connections: Connections) {
    this.#connections = connections;
    this.#hub = new NoticeHub(connections);
    this.#lanes = connections.lanes.map((session) => new Lane(session, (committed) => this.#committed(committed)));
  }

  submit<K extends OperationKind>(operation: OperationOf<K>, done: Done<ResultOf[K]>): void {
    const anyDone = done as AnyDone;
    if (isRefused(anyDone, this.#closing !== undefined, this.#queued)) return;
    this.#operations += 1;
    this.#gathered.push({ operation, done: this.#counted(anyDone) });
    this.#scheduled ??= setImmediate(() => this.flush());
  }

  flush(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    const gathered = this.#gathered;
    this.#gathered = [];
    for (const submitted of gathered) {
      const { operation } = submitted;
      if (isOfSeveral(operation)) this.#runAlone(submitted, operation);
      else this.#laneOf(operation)?.add(submitted);
    }
    for (const lane of this.#lanes) lane.flush();
  }

  run<K extends OperationKind>(operation: OperationOf<K>): Promise<ResultOf[K]> {
    return promised(this, operation);
  }

  watch(listener: (notice: Notice) => void): () => void {
    return this.#closing === undefined ? this.#hub.watch(listener) : () => {};
  }

  stats(): StoreStats {
    const { statements, ...connections } = this.#connections.stats();
    return {
      operations: this.#operations,
      transactions: this.#transactions,
      statements,
      queued: this.#queued,
      failures: this.#failures,
      engine: { ...connections },
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.flush();
    await Promise.all([...this.#lanes.map((lane) => lane.drained()), ...this.#alone]);
    await this.#hub.close();
    await this.#connections.close();
  }

  get #queued(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.waiting, this.#gathered.length + this.#alone.size);
  }

  #counted(done: AnyDone): AnyDone {
    return (error, result) => {
      if (error !== undefined) this.#failures += 1;
      done(error, result);
    };
  }

  #committed(committed: Committed): void {
    this.#transactions += 1;
    this.#hub.committed(committed);
  }

  #laneOf(operation: Operation): Lane | undefined {
    const instanceId = "instanceId" in operation ? operation.instanceId : "";
    return this.#lanes[hash(instanceId) % this.#lanes.length];
  }

  #runAlone(submitted: Submitted, operation: Parameters<typeof carryOutSeveral>[1]): void {
    const running = repeated(() => carryOutSeveral(this.#connections, operation))
      .then(
        ({ result, written, notices = [] }) => {
          answer(submitted.done, { error: undefined, result });
          if (written.length + notices.length > 0) this.#committed({ saved: [], written, notices });
        },
        (error: unknown) => answer(submitted.done, { error: storeErrorFrom(error), result: undefined }),
      )
      .finally(() => this.#alone.delete(running));
    this.#alone.add(running);
  }
}

/** FNV-1a over the characters. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value >>> 0;
}
