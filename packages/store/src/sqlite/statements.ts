import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";

export type Value = SQLInputValue;

/** A prepared statement whose rows are arrays in the order of the columns: cheaper than an object each. */
export class Statement {
  readonly #statement: StatementSync;
  readonly #counter: { statements: number };

  constructor(statement: StatementSync, counter: { statements: number }) {
    statement.setReturnArrays(true);
    this.#statement = statement;
    this.#counter = counter;
  }

  /** The first row. The caller names the columns' types. */
  get<Row extends readonly unknown[]>(...values: Value[]): Row | undefined {
    this.#counter.statements += 1;
    return this.#statement.get(...values) as unknown as Row | undefined;
  }

  all<Row extends readonly unknown[]>(...values: Value[]): Row[] {
    this.#counter.statements += 1;
    return this.#statement.all(...values) as unknown as Row[];
  }

  /** How many rows it has changed. */
  run(...values: Value[]): number {
    this.#counter.statements += 1;
    return Number(this.#statement.run(...values).changes);
  }

  /** The key of the row that it has inserted. */
  insert(...values: Value[]): number {
    this.#counter.statements += 1;
    return Number(this.#statement.run(...values).lastInsertRowid);
  }
}

/** One connection: prepares statements and counts their executions. */
export class Connection {
  readonly database: DatabaseSync;
  statements = 0;

  constructor(database: DatabaseSync) {
    this.database = database;
  }

  prepare(sql: string): Statement {
    return new Statement(this.database.prepare(sql), this);
  }
}
