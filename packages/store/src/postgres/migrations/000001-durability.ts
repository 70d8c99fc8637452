import type { Migration } from "../../migrate.ts";

// Everything is added beside the original's tables, so that its environment goes on working on the same database: columns are nullable or
// have a default. Columns …_ms are milliseconds since the Unix epoch. None of the columns that a checkpoint changes is in an index (HOT).
const instanceColumns = [
  // Grows with each registration.
  "epoch BIGINT NOT NULL DEFAULT 0",
  "seed BYTEA",
  "first_started_ms BIGINT",
  "last_seen_ms BIGINT",
  // NULL = not counted yet: a row of the original.
  "checkpoint_count BIGINT",
  "run INTEGER NOT NULL DEFAULT 1",
  "last_message BIGINT NOT NULL DEFAULT 0",
  "reason TEXT",
  "reason_text TEXT",
  "exit_code INTEGER",
  "failure BYTEA",
  "workflow TEXT",
  "version TEXT",
  "tags JSONB",
  "timeout_ms BIGINT",
  "used_ms BIGINT NOT NULL DEFAULT 0",
  "ready_ms BIGINT",
  "waiting_for TEXT[]",
  "recorded_signal TEXT",
  "due_ms BIGINT",
  "holder TEXT",
  "claim_sequence BIGINT",
  "parent_id TEXT",
  "result_signal TEXT",
  "detached BOOLEAN",
  "child_count INTEGER NOT NULL DEFAULT 0",
  "unsettled BOOLEAN NOT NULL DEFAULT false",
  "queued_signals INTEGER NOT NULL DEFAULT 0",
  "changes BIGINT NOT NULL DEFAULT 0",
];

const indexes = [
  // Listings order ids byte by byte, whatever the database's collation.
  'instances_newest ON instances (created_at DESC, instance_id COLLATE "C" DESC)',
  'instances_by_tenant ON instances (tenant_id, created_at DESC, instance_id COLLATE "C" DESC)',
  'instances_by_status ON instances (status, created_at DESC, instance_id COLLATE "C" DESC)',
  "instances_ready ON instances (tenant_id, workflow, coalesce(version, ''), ready_ms) WHERE ready_ms IS NOT NULL",
  "instances_by_holder ON instances (holder) WHERE holder IS NOT NULL",
  "instances_due ON instances (due_ms) WHERE due_ms IS NOT NULL",
  "instances_by_parent ON instances (parent_id) WHERE parent_id IS NOT NULL",
  'instances_unsettled ON instances (finished_at, instance_id COLLATE "C") WHERE unsettled',
  // Some ends that the original wrote have no time.
  `instances_by_end ON instances ((coalesce(finished_at, created_at)), instance_id COLLATE "C")
     WHERE status IN ('completed', 'failed', 'cancelled')`,
  `instances_by_workflow ON instances (tenant_id, workflow, created_at DESC, instance_id COLLATE "C" DESC)
     WHERE workflow IS NOT NULL`,
  "instances_by_tag ON instances USING gin (tags jsonb_path_ops) WHERE tags IS NOT NULL",
  // Is there already as the key of a table that we have created.
  "checkpoints_in_order ON checkpoints (instance_id, id)",
  "events_in_order ON instance_events (instance_id, id)",
  "events_newest ON instance_events (instance_id, created_at DESC, id DESC)",
];

const tables = [
  `retry_attempts (
     instance_id TEXT NOT NULL REFERENCES instances ON DELETE CASCADE,
     checkpoint_id TEXT NOT NULL,
     attempt BIGINT NOT NULL,
     -- Its place among the checkpoints.
     position BIGINT NOT NULL DEFAULT nextval('checkpoints_id_seq'),
     error_message TEXT,
     created_ms BIGINT NOT NULL,
     next_ms BIGINT,
     PRIMARY KEY (instance_id, checkpoint_id, attempt)
   )`,
  // The history of signals, and the queue. Ids are of one series with those of pending_checkpoint_signals.
  `instance_signals (
     signal_id BIGINT PRIMARY KEY,
     instance_id TEXT NOT NULL REFERENCES instances ON DELETE CASCADE,
     kind TEXT NOT NULL CHECK (kind IN ('cancel', 'pause', 'resume', 'slot', 'queued')),
     name TEXT,
     message_id TEXT,
     payload BYTEA,
     created_ms BIGINT NOT NULL,
     delivered_ms BIGINT
   )`,
  `published_values (
     instance_id TEXT NOT NULL REFERENCES instances ON DELETE CASCADE,
     key TEXT NOT NULL,
     value BYTEA NOT NULL,
     updated_ms BIGINT NOT NULL,
     version BIGINT NOT NULL,
     PRIMARY KEY (instance_id, key)
   )`,
  `sleeps (
     instance_id TEXT NOT NULL REFERENCES instances ON DELETE CASCADE,
     checkpoint_id TEXT NOT NULL,
     ordinal INTEGER NOT NULL,
     epoch BIGINT NOT NULL,
     finished BOOLEAN NOT NULL,
     wake_ms BIGINT NOT NULL,
     created_ms BIGINT NOT NULL,
     state BYTEA NOT NULL,
     PRIMARY KEY (instance_id, checkpoint_id, ordinal)
   )`,
  `workers (
     worker_id TEXT PRIMARY KEY,
     lease_until_ms BIGINT NOT NULL,
     claims BIGINT NOT NULL DEFAULT 0
   )`,
  `lost_work (
     worker_id TEXT NOT NULL,
     instance_id TEXT NOT NULL,
     PRIMARY KEY (worker_id, instance_id)
   )`,
];

const indexesOfTables = [
  "retry_attempts_in_order ON retry_attempts (instance_id, position)",
  "signals_in_order ON instance_signals (instance_id, signal_id)",
  `signals_waiting ON instance_signals (instance_id, name, signal_id) WHERE kind = 'queued' AND delivered_ms IS NULL`,
  "published_in_order ON published_values (instance_id, version)",
  "workers_by_lease ON workers (lease_until_ms)",
];

export const durability: Migration = {
  version: 1,
  name: "durability",
  statements: [
    `ALTER TABLE instances ${instanceColumns.map((column) => `ADD COLUMN IF NOT EXISTS ${column}`).join(", ")}`,
    "ALTER TABLE instance_events ADD COLUMN IF NOT EXISTS received_ms BIGINT",
    // Room in each page for new versions of its rows.
    "ALTER TABLE instances SET (fillfactor = 80)",
    ...tables.map((table) => `CREATE TABLE IF NOT EXISTS ${table}`),
    `CREATE UNIQUE INDEX IF NOT EXISTS signals_by_message ON instance_signals (instance_id, message_id)
       WHERE message_id IS NOT NULL`,
    ...[...indexes, ...indexesOfTables].map((index) => `CREATE INDEX IF NOT EXISTS ${index}`),
  ],
};
