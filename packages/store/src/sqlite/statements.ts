import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";

export type Value = SQLInputValue;

/**
 * A statement whose rows are arrays in the order of the columns: cheaper than an object each. Prepared at its first execution, because most
 * processes use few of all statements, and preparing them all would be a good part of opening the database.
 */
export class Statement {
  readonly #connection: Connection;
  readonly #sql: string;
  #statement: StatementSync | undefined;

  constructor(connection: Connection, sql: string) {
    this.#connection = connection;
    this.#sql = sql;
  }

  /** The first row. The caller names the columns' types. */
  get<Row extends readonly unknown[]>(...values: Value[]): Row | undefined {
    return this.#counted().get(...values) as unknown as Row | undefined;
  }

  all<Row extends readonly unknown[]>(...values: Value[]): Row[] {
    return this.#counted().all(...values) as unknown as Row[];
  }

  /** How many rows it has changed. */
  run(...values: Value[]): number {
    return Number(this.#counted().run(...values).changes);
  }

  /** The key of the row that it has inserted. */
  insert(...values: Value[]): number {
    return Number(this.#counted().run(...values).lastInsertRowid);
  }

  #counted(): StatementSync {
    this.#connection.statements += 1;
    this.#statement ??= this.#prepare();
    return this.#statement;
  }

  #prepare(): StatementSync {
    const statement = this.#connection.database.prepare(this.#sql);
    statement.setReturnArrays(true);
    return statement;
  }
}

/** One connection, its statements, and the count of their executions. */
export class Connection {
  readonly database: DatabaseSync;
  statements = 0;

  constructor(database: DatabaseSync) {
    this.database = database;
  }

  prepare(sql: string): Statement {
    return new Statement(this, sql);
  }
}
