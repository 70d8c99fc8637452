// What the tests of this folder and of migrations share.
import { StoreError, type StoreErrorCode } from "../../errors.ts";
import type { TestDatabase } from "../../testing/postgres-server.ts";
import { locationOf } from "../postgres.test.helper.ts";
import { openConnections } from "./index.ts";
import type { LinkOptions } from "./link.ts";
import type { Connections, Parameter, Row, Sessions, Transaction } from "./port.ts";

export class TestConnections implements AsyncDisposable {
  readonly connections: Connections;

  constructor(connections: Connections) {
    this.connections = connections;
  }

  static async to(database: TestDatabase | string, options?: Partial<LinkOptions>): Promise<TestConnections> {
    const url = typeof database === "string" ? database : database.url;
    return new TestConnections(await openConnections(locationOf(url), options));
  }

  get lane(): Sessions {
    const lane = this.connections.lanes[0];
    if (lane === undefined) throw new Error("there is no lane");
    return lane;
  }

  rows(text: string, values: readonly Parameter[] = []): Promise<readonly Row[]> {
    return ask(this.connections.readers, text, values);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.connections.close();
  }
}

/** One statement; its text is its name, as far as names go. */
export async function ask(
  on: Sessions | Transaction,
  text: string,
  values: readonly Parameter[] = [],
): Promise<readonly Row[]> {
  return (await on.query({ name: text.slice(0, 63), text }, values)).rows;
}

/** The code of the StoreError that `work` is rejected with; "ok" if it is not. */
export async function codeOf(work: Promise<unknown>): Promise<StoreErrorCode | "ok"> {
  try {
    await work;
    return "ok";
  } catch (error) {
    if (error instanceof StoreError) return error.code;
    throw error;
  }
}

/** Inserts numbers over all lanes until it is stopped, and notes what it was told about each. */
export class InsertLoad {
  readonly acknowledged: Set<number> = new Set();
  readonly refused: Set<number> = new Set();
  readonly unknown: Set<number> = new Set();
  readonly otherErrors: unknown[] = [];
  readonly #running: Promise<void>[];
  #next = 0;
  #stopped = false;
  #onProgress: (() => void) | undefined;

  constructor(connections: Connections, clientsPerLane = 4) {
    this.#running = connections.lanes.flatMap((lane) =>
      Array.from({ length: clientsPerLane }, (_, index) => this.#client(lane, index % 2 === 0)),
    );
  }

  /** Resolves when `count` more inserts have been acknowledged. */
  async acknowledges(count: number): Promise<void> {
    const goal = this.acknowledged.size + count;
    while (this.acknowledged.size < goal) {
      await new Promise<void>((resolve) => {
        this.#onProgress = resolve;
      });
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  async #client(lane: Sessions, inTransactions: boolean): Promise<void> {
    while (!this.#stopped) {
      const value = this.#next++;
      try {
        if (inTransactions) await insertTwiceIn(lane, value);
        else await ask(lane, "INSERT INTO load (value, half) VALUES ($1, 0), ($1, 1)", [value]);
        this.acknowledged.add(value);
      } catch (error) {
        this.#note(value, error);
      }
      this.#onProgress?.();
    }
  }

  #note(value: number, error: unknown): void {
    const code = error instanceof StoreError ? error.code : undefined;
    if (code === "UNKNOWN_OUTCOME") this.unknown.add(value);
    else if (code === "UNAVAILABLE") this.refused.add(value);
    else this.otherErrors.push(error);
  }
}

export const loadTable = "CREATE TABLE load (value INT, half INT, PRIMARY KEY (value, half))";

async function insertTwiceIn(lane: Sessions, value: number): Promise<void> {
  await lane.transaction(async (transaction) => {
    await ask(transaction, "INSERT INTO load (value, half) VALUES ($1, 0)", [value]);
    void ask(transaction, "INSERT INTO load (value, half) VALUES ($1, 1)", [value]).catch(() => undefined);
  });
}
