import type { InstanceRow } from "../decide/row.ts";
import { newColumns, newValues } from "./row-columns.ts";
import type { Connection, Statement, Value } from "./statements.ts";

/** What a registration that nobody has started writes; everything else has its default then. */
const usualColumns: ReadonlySet<string> = new Set([
  "instance_id",
  "tenant_id",
  "created_at",
  "status",
  "epoch",
  "seed",
  "first_started_at",
  "started_at",
  "last_seen_at",
  "due_at",
  "changes",
  "counted_up_to",
]);

/** Inserts new rows whole, so that each index is touched once. Values cost as much as an index, so the usual row goes without its defaults. */
export class RowInsert {
  readonly #whole: Statement;
  readonly #usual: Statement;
  /** Of each column its default; undefined for those of a usual row. */
  readonly #defaults: readonly (Value | undefined)[];

  constructor(connection: Connection) {
    this.#whole = connection.prepare(insertSql(newColumns));
    this.#usual = connection.prepare(insertSql(newColumns.filter((column) => usualColumns.has(column))));
    const defaultOf = defaultsOf(connection);
    this.#defaults = newColumns.map((column) => (usualColumns.has(column) ? undefined : defaultOf(column)));
  }

  /** Gives the key of the row. */
  insert(row: InstanceRow, tags: Readonly<Record<string, string>>, countedUpTo: number): number {
    const values = newValues(row, tags, countedUpTo);
    const isUsual = values.every((value, index) => {
      const usual = this.#defaults[index];
      return usual === undefined || usual === value;
    });
    if (!isUsual) return this.#whole.insert(...values);
    return this.#usual.insert(...values.filter((_, index) => this.#defaults[index] === undefined));
  }
}

function insertSql(columns: readonly string[]): string {
  return `INSERT INTO instances (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;
}

/** As the table itself says them: NULL or a whole number. */
function defaultsOf(connection: Connection): (column: string) => Value {
  const rows = connection.prepare("SELECT name, dflt_value FROM pragma_table_info('instances')");
  const texts = new Map(rows.all<[string, string | null]>());
  return (column) => {
    const text = texts.get(column) ?? null;
    return text === null ? null : Number(text);
  };
}
