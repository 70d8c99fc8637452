import { DatabaseSync } from "node:sqlite";
import pg from "pg";

/** Somebody who looks at a core's database in one transaction, and sees it as it was at the first look until they let go. */
export interface LongReader extends AsyncDisposable {
  /** Instances with this status whose ids begin so. */
  count(prefix: string, status: "running" | "completed"): Promise<number>;
}

export async function readSqlite(path: string): Promise<LongReader> {
  const database = new DatabaseSync(path, { readOnly: true });
  database.exec("BEGIN");
  const statement = database.prepare("SELECT count(*) AS n FROM instances WHERE status = ? AND instance_id LIKE ?");
  return {
    count: async (prefix, status) => Number(statement.get(status, `${prefix}-%`)?.n),
    [Symbol.asyncDispose]: async () => database.close(),
  };
}

export async function readPostgres(url: string): Promise<LongReader> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  const sql = "SELECT count(*) AS n FROM instances WHERE status::text = $1 AND instance_id LIKE $2";
  return {
    async count(prefix, status) {
      const { rows } = await client.query<{ n: string }>(sql, [status, `${prefix}-%`]);
      return Number(rows[0]?.n);
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}
