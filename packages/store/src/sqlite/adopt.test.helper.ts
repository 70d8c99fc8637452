import { DatabaseSync } from "node:sqlite";

// The tables of the original's last schema as spec 8.2 lists their columns, written down by us. `npm run test:interop` takes over a file
// that the original itself has made.
const child = "instance_id TEXT NOT NULL REFERENCES instances (instance_id) ON DELETE CASCADE";
const stamped = "created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP";
const tables: Readonly<Record<string, readonly string[]>> = {
  _sqlx_migrations: ["version INTEGER PRIMARY KEY"],
  instances: [
    "instance_id TEXT PRIMARY KEY",
    "tenant_id TEXT NOT NULL",
    "definition_version INTEGER NOT NULL DEFAULT 1",
    "status TEXT NOT NULL DEFAULT 'pending'",
    "checkpoint_id TEXT",
    "attempt INTEGER NOT NULL DEFAULT 1",
    "max_attempts INTEGER NOT NULL DEFAULT 3",
    stamped,
    "started_at TEXT",
    "finished_at TEXT",
    "sleep_until TEXT",
    "output BLOB",
    "error TEXT",
    "stderr TEXT",
    "input BLOB",
    "memory_peak_bytes INTEGER",
    "cpu_usage_usec INTEGER",
  ],
  checkpoints: [
    "id INTEGER PRIMARY KEY AUTOINCREMENT",
    child,
    "checkpoint_id TEXT NOT NULL",
    "state BLOB NOT NULL",
    stamped,
    "UNIQUE (instance_id, checkpoint_id)",
  ],
  instance_events: [
    "id INTEGER PRIMARY KEY AUTOINCREMENT",
    child,
    "event_type TEXT NOT NULL",
    "checkpoint_id TEXT",
    "payload BLOB",
    "subtype TEXT",
    stamped,
  ],
  pending_signals: [
    child.replace("NOT NULL", "PRIMARY KEY"),
    "signal_type TEXT NOT NULL",
    "payload BLOB",
    stamped,
    "acknowledged_at TEXT",
  ],
  pending_custom_signals: [
    child,
    "checkpoint_id TEXT NOT NULL",
    "payload BLOB",
    stamped,
    "PRIMARY KEY (instance_id, checkpoint_id)",
  ],
};

/** On columns and on an expression, with names that ours have too and with others: all have to make room. */
const indexes = [
  "instances_by_tenant ON instances (tenant_id)",
  "by_status ON instances (status)",
  "sleepers ON instances (sleep_until) WHERE sleep_until IS NOT NULL AND status = 'suspended'",
  "newest_first ON checkpoints (instance_id, created_at DESC)",
  "instance_events_by_instance ON instance_events (instance_id)",
  "subtypes ON instance_events (instance_id, subtype) WHERE subtype IS NOT NULL",
];

interface OriginalTime {
  readonly text: string;
  readonly ms: number;
}
/** When every row was made: seconds as the original's SQLite writes them by itself, nanoseconds as it writes a bound value. */
export const madeAt: OriginalTime = { text: "2026-01-02 03:04:05", ms: Date.UTC(2026, 0, 2, 3, 4, 5) };
export const startedAt: OriginalTime = {
  text: "2026-01-02T03:04:05.033732472+00:00",
  /** The nearest one. */
  ms: Date.UTC(2026, 0, 2, 3, 4, 5, 34),
};

/** The instances that it has. Each runs, and has the checkpoints `a` ("hello") and `b::retry::2` (00 ff) and the event `started`. */
export const originalInstances = ["one", "two", "three"] as const;

/** Writes a file as the original core 1.4.1 leaves it behind. */
export function writeOriginal(path: string): void {
  const database = new DatabaseSync(path);
  for (const [name, parts] of Object.entries(tables)) database.exec(`CREATE TABLE ${name} (${parts.join(", ")})`);
  for (const index of indexes) database.exec(`CREATE INDEX ${index}`);
  for (const id of originalInstances) {
    database.exec(`
      INSERT INTO instances (instance_id, tenant_id, status, checkpoint_id, created_at, started_at)
        VALUES ('${id}', 'tenant-1', 'running', 'b::retry::2', '${madeAt.text}', '${startedAt.text}');
      INSERT INTO instance_events (instance_id, event_type, created_at) VALUES ('${id}', 'started', '${madeAt.text}');
      INSERT INTO checkpoints (instance_id, checkpoint_id, state, created_at)
        VALUES ('${id}', 'a', x'68656c6c6f', '${madeAt.text}'), ('${id}', 'b::retry::2', x'00ff', '${madeAt.text}')`);
  }
  database.close();
}
