import type { Migration } from "./migration.ts";

// Times are milliseconds since the Unix epoch. Children refer to instances by a small integer: an index entry of a checkpoint is
// then a few bytes, whatever the length of the instance's id.
export const instances: Migration = {
  version: 1,
  name: "instances",
  sql: `
CREATE TABLE instances (
  instance_key INTEGER PRIMARY KEY,
  instance_id TEXT NOT NULL UNIQUE CHECK (instance_id <> ''),
  tenant_id TEXT NOT NULL CHECK (tenant_id <> ''),
  status TEXT NOT NULL DEFAULT 'pending'
    CHECK (status IN ('pending', 'running', 'suspended', 'completed', 'failed', 'cancelled')),
  -- Grows with each registration.
  epoch INTEGER NOT NULL DEFAULT 0,
  -- The last newly saved checkpoint, and how many there are; together with last_seen_at as of the row counted_up_to of the log. Later
  -- rows of the log count on top (checkpoint-index.ts).
  checkpoint_id TEXT,
  checkpoint_count INTEGER NOT NULL DEFAULT 0,
  counted_up_to INTEGER NOT NULL DEFAULT 0,
  -- Type of the unacknowledged row of pending_signals, and how many rows pending_checkpoint_signals has: the checkpoint path looks
  -- into those tables only where there is something to find.
  pending_signal TEXT CHECK (pending_signal IN ('cancel', 'pause', 'resume')),
  custom_signal_count INTEGER NOT NULL DEFAULT 0 CHECK (custom_signal_count >= 0),
  created_at INTEGER NOT NULL,
  first_started_at INTEGER,
  started_at INTEGER,
  finished_at INTEGER,
  sleep_until INTEGER,
  last_seen_at INTEGER,
  error TEXT,
  output BLOB
) STRICT;
CREATE INDEX instances_by_tenant ON instances (tenant_id, created_at);
CREATE INDEX instances_by_status ON instances (status, created_at);

-- A log, appended in the order of ids, and the index over it up to the row indexed_up_to. Rows are found through both together
-- (checkpoint-index.ts). Before rows are deleted the index must be complete, so that no id is ever given twice.
CREATE TABLE checkpoints (
  id INTEGER PRIMARY KEY,
  instance_key INTEGER NOT NULL,
  checkpoint_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  state BLOB NOT NULL
) STRICT;
CREATE TABLE checkpoint_ids (
  instance_key INTEGER NOT NULL REFERENCES instances ON DELETE CASCADE,
  checkpoint_id TEXT NOT NULL,
  id INTEGER NOT NULL,
  PRIMARY KEY (instance_key, checkpoint_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoint_index_state (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  indexed_up_to INTEGER NOT NULL
) STRICT;
INSERT INTO checkpoint_index_state VALUES (1, 0);

CREATE TABLE retry_attempts (
  instance_key INTEGER NOT NULL REFERENCES instances ON DELETE CASCADE,
  checkpoint_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  error_message TEXT,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (instance_key, checkpoint_id, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE instance_events (
  id INTEGER PRIMARY KEY,
  instance_key INTEGER NOT NULL REFERENCES instances ON DELETE CASCADE,
  event_type TEXT NOT NULL
    CHECK (event_type IN ('started', 'heartbeat', 'completed', 'failed', 'suspended', 'custom')),
  subtype TEXT,
  checkpoint_id TEXT,
  -- The client's clock, and ours.
  created_at INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  payload BLOB
) STRICT;

CREATE TABLE pending_signals (
  instance_key INTEGER PRIMARY KEY REFERENCES instances ON DELETE CASCADE,
  signal_type TEXT NOT NULL CHECK (signal_type IN ('cancel', 'pause', 'resume')),
  payload BLOB,
  created_at INTEGER NOT NULL,
  acknowledged_at INTEGER
) STRICT;

CREATE TABLE pending_checkpoint_signals (
  instance_key INTEGER NOT NULL REFERENCES instances ON DELETE CASCADE,
  checkpoint_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  payload BLOB,
  PRIMARY KEY (instance_key, checkpoint_id)
) STRICT, WITHOUT ROWID;

-- A durable sleep: the ordinal of its id within a registration, the last registration (epoch) that slept it, and its end.
CREATE TABLE sleeps (
  id INTEGER PRIMARY KEY,
  instance_key INTEGER NOT NULL REFERENCES instances ON DELETE CASCADE,
  checkpoint_id TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  finished INTEGER NOT NULL CHECK (finished IN (0, 1)),
  created_at INTEGER NOT NULL,
  wake_at INTEGER NOT NULL,
  state BLOB NOT NULL,
  UNIQUE (instance_key, checkpoint_id, ordinal)
) STRICT;
`,
};
