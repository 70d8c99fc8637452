import { DatabaseSync } from "node:sqlite";
import { administer } from "@runtara/store/testing/postgres";
import type { RecordedCall, SetupOperation } from "./conversation.ts";

/** Puts what a recording presupposes into our tables, over a connection of its own while the server runs. */
export interface StoreSetup {
  /** Before the call is sent; true where the schema refused something. */
  prepare(call: RecordedCall): Promise<boolean>;
  close(): void;
}

/** Our PostgreSQL tables are the original's and more: its own statements do. */
export class PostgresSetup implements StoreSetup {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** The recorded server has taken them all, so has ours. */
  async prepare({ setup_sql = [] }: RecordedCall): Promise<boolean> {
    for (const statement of setup_sql) await administer(this.#url, statement);
    return false;
  }

  close(): void {}
}

export class SqliteSetup implements StoreSetup {
  readonly #database: DatabaseSync;

  constructor(path: string) {
    this.#database = new DatabaseSync(path, { timeout: 5_000 });
  }

  close(): void {
    this.#database.close();
  }

  async prepare({ setup = [] }: RecordedCall): Promise<boolean> {
    return setup.filter((operation) => this.#isRefused(operation)).length > 0;
  }

  #isRefused(operation: SetupOperation): boolean {
    try {
      this.#apply(operation);
      return false;
    } catch (error) {
      if (String(error).includes("CHECK constraint failed")) return true;
      throw error;
    }
  }

  #apply(operation: SetupOperation): void {
    switch (operation.op) {
      case "insert_instance":
        this.#run(
          `INSERT INTO instances (instance_id, tenant_id, status, created_at, checkpoint_id, started_at, finished_at, sleep_until,
             output, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          operation.instance_id,
          operation.tenant_id,
          operation.status,
          operation.created_at,
          operation.checkpoint_id ?? null,
          operation.started_at ?? null,
          operation.finished_at ?? null,
          operation.sleep_until ?? null,
          bytes(operation.output),
          operation.error ?? null,
        );
        return;
      case "insert_checkpoint": {
        const key = this.#key(operation.instance_id);
        this.#run(insertCheckpoint, key, operation.checkpoint_id, bytes(operation.state));
        this.#run(`${keepPointer} WHERE instance_key = ?`, key);
        return;
      }
      case "put_signal": {
        const key = this.#key(operation.instance_id);
        this.#run("UPDATE instances SET pending_signal = ? WHERE instance_key = ?", operation.signal_type, key);
        this.#run(
          "INSERT OR REPLACE INTO pending_signals (instance_key, signal_type, payload, created_at) VALUES (?, ?, ?, 1)",
          key,
          operation.signal_type,
          bytes(operation.payload),
        );
        return;
      }
      case "put_custom_signal": {
        const key = this.#key(operation.instance_id);
        this.#run(
          "INSERT OR REPLACE INTO pending_checkpoint_signals (instance_key, checkpoint_id, payload, created_at) VALUES (?, ?, ?, 1)",
          key,
          operation.checkpoint_id,
          bytes(operation.payload),
        );
        this.#run(
          `UPDATE instances SET custom_signal_count =
             (SELECT count(*) FROM pending_checkpoint_signals WHERE instance_key = ?1) WHERE instance_key = ?1`,
          key,
        );
        return;
      }
      case "sql":
        this.#database.exec(ourSql(operation.text));
    }
  }

  #key(instanceId: string): number {
    const found = this.#database.prepare("SELECT instance_key FROM instances WHERE instance_id = ?").get(instanceId);
    return Number(found?.instance_key);
  }

  #run(sql: string, ...values: (string | number | Uint8Array | null)[]): void {
    this.#database.prepare(sql).run(...values);
  }
}

// In the original's tables a row of checkpoints does not move the pointer of its instance; in ours the last row of the log would.
const keepPointer = `UPDATE instances SET counted_up_to = (SELECT max(id) FROM checkpoints), checkpoint_id = coalesce(
  (SELECT checkpoint_id FROM checkpoints AS c WHERE c.instance_key = instances.instance_key AND c.id > counted_up_to
     AND c.id < (SELECT max(id) FROM checkpoints) ORDER BY c.id DESC LIMIT 1), checkpoint_id)`;
const nextRow =
  "(SELECT max(indexed_up_to, (SELECT coalesce(max(id), 0) FROM checkpoints)) + 1 FROM checkpoint_index_state)";
const insertCheckpoint = `INSERT INTO checkpoints (id, instance_key, checkpoint_id, created_at, state) VALUES (${nextRow}, ?, ?, 1, ?)`;

/** The two statements on the original's tables that the recording needs, on ours. */
function ourSql(text: string): string {
  if (text.startsWith("UPDATE instances SET started_at='2026-01-01T00:00:00.001999")) {
    return "UPDATE instances SET started_at = 1767225600001, finished_at = -1 WHERE instance_id = 'st-micro'";
  }
  if (text.includes("'over', zeroblob(67108864)")) {
    return `INSERT INTO checkpoints (id, instance_key, checkpoint_id, created_at, state)
      SELECT ${nextRow}, instance_key, 'over', 1, zeroblob(67108864) FROM instances WHERE instance_id = 'big';
      ${keepPointer} WHERE instance_id = 'big'`;
  }
  throw new Error(`no counterpart for ${text}`);
}

function bytes(text: string | null | undefined): Uint8Array | null {
  if (text === null || text === undefined) return null;
  return text.startsWith("hex:") ? Buffer.from(text.slice(4), "hex") : Buffer.from(text.slice("utf8:".length));
}
