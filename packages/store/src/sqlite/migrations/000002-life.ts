import type { Migration } from "./migration.ts";

// What workers, queues of signals, published values and timers need. Lists of names and tags are JSON texts.
export const life: Migration = {
  version: 2,
  name: "life",
  sql: `
ALTER TABLE instances ADD COLUMN reason TEXT;
ALTER TABLE instances ADD COLUMN reason_text TEXT;
ALTER TABLE instances ADD COLUMN exit_code INTEGER;
ALTER TABLE instances ADD COLUMN seed BLOB;
ALTER TABLE instances ADD COLUMN run INTEGER NOT NULL DEFAULT 1;
ALTER TABLE instances ADD COLUMN last_message INTEGER NOT NULL DEFAULT 0;
ALTER TABLE instances ADD COLUMN workflow TEXT;
ALTER TABLE instances ADD COLUMN version TEXT;
ALTER TABLE instances ADD COLUMN tags TEXT;
ALTER TABLE instances ADD COLUMN timeout_ms INTEGER;
ALTER TABLE instances ADD COLUMN used_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE instances ADD COLUMN ready_at INTEGER;
ALTER TABLE instances ADD COLUMN waiting_for TEXT;
ALTER TABLE instances ADD COLUMN recorded_signal TEXT CHECK (recorded_signal IN ('cancel', 'pause', 'resume'));
ALTER TABLE instances ADD COLUMN due_at INTEGER;
ALTER TABLE instances ADD COLUMN holder TEXT;
ALTER TABLE instances ADD COLUMN claim_sequence INTEGER;
ALTER TABLE instances ADD COLUMN parent_id TEXT;
ALTER TABLE instances ADD COLUMN result_signal TEXT;
ALTER TABLE instances ADD COLUMN detached INTEGER NOT NULL DEFAULT 0;
ALTER TABLE instances ADD COLUMN child_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE instances ADD COLUMN unsettled INTEGER NOT NULL DEFAULT 0;
-- Waiting rows of instance_signals of the kind 'queued'; custom_signal_count has those of pending_checkpoint_signals.
ALTER TABLE instances ADD COLUMN queued_signal_count INTEGER NOT NULL DEFAULT 0 CHECK (queued_signal_count >= 0);
-- The last acknowledged signal of the present registration is a pause.
ALTER TABLE instances ADD COLUMN pause_acknowledged INTEGER NOT NULL DEFAULT 0;
-- Grows with every change that a reader of the instance's details can see.
ALTER TABLE instances ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE instances ADD COLUMN failure BLOB;
-- Of adopted instances; written by an environment.
ALTER TABLE instances ADD COLUMN stderr TEXT;
ALTER TABLE instances ADD COLUMN memory_peak_bytes INTEGER;
ALTER TABLE instances ADD COLUMN cpu_usage_usec INTEGER;
CREATE INDEX instances_by_ready ON instances (tenant_id, workflow, ifnull(version, ''), ready_at) WHERE ready_at IS NOT NULL;
CREATE INDEX instances_by_workflow ON instances (tenant_id, workflow, created_at) WHERE workflow IS NOT NULL;
CREATE INDEX instances_by_due ON instances (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX instances_by_holder ON instances (holder) WHERE holder IS NOT NULL;
CREATE INDEX instances_by_parent ON instances (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX instances_by_end ON instances (finished_at, instance_id) WHERE finished_at IS NOT NULL;
CREATE INDEX instances_unsettled ON instances (instance_key) WHERE unsettled = 1;

-- Apart from the instances, so that a change of their small columns does not write a large input again.
CREATE TABLE instance_inputs (
  instance_key INTEGER PRIMARY KEY REFERENCES instances ON DELETE CASCADE,
  input BLOB NOT NULL
) STRICT;

-- The highest id of the log that has been given away, where the log does not show it: retry records take their place from the same
-- numbers, and removed checkpoints give theirs to nobody else.
ALTER TABLE checkpoint_index_state ADD COLUMN last_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE retry_attempts ADD COLUMN position INTEGER NOT NULL DEFAULT 0;
ALTER TABLE retry_attempts ADD COLUMN next_at INTEGER;
UPDATE retry_attempts SET position = n.position
  FROM (
    SELECT instance_key AS k, checkpoint_id AS c, attempt AS a,
      (SELECT coalesce(max(id), 0) FROM checkpoints) + row_number() OVER (ORDER BY created_at, attempt) AS position
    FROM retry_attempts
  ) AS n WHERE instance_key = n.k AND checkpoint_id = n.c AND attempt = n.a;
UPDATE checkpoint_index_state SET last_id = (SELECT coalesce(max(position), 0) FROM retry_attempts);
CREATE INDEX retry_attempts_in_order ON retry_attempts (instance_key, position);
-- With the time, so that a listing by time sorts entries of the index and reads the events of its page alone.
CREATE INDEX instance_events_in_order ON instance_events (instance_key, id, created_at);

-- All signals to an instance, as history, and its queue: the kind 'queued' without delivered_at. Ids are never used again.
CREATE TABLE instance_signals (
  signal_id INTEGER PRIMARY KEY AUTOINCREMENT,
  instance_key INTEGER NOT NULL REFERENCES instances ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('cancel', 'pause', 'resume', 'slot', 'queued')),
  name TEXT,
  message_id TEXT,
  payload BLOB,
  created_at INTEGER NOT NULL,
  delivered_at INTEGER
) STRICT;
CREATE INDEX instance_signals_in_order ON instance_signals (instance_key, signal_id);
CREATE INDEX instance_signals_waiting ON instance_signals (instance_key, name, signal_id) WHERE kind = 'queued' AND delivered_at IS NULL;
CREATE UNIQUE INDEX instance_signals_by_message ON instance_signals (instance_key, message_id) WHERE message_id IS NOT NULL;
INSERT INTO instance_signals (instance_key, kind, payload, created_at, delivered_at)
  SELECT instance_key, signal_type, payload, created_at, acknowledged_at FROM pending_signals ORDER BY created_at;
ALTER TABLE pending_checkpoint_signals ADD COLUMN signal_id INTEGER NOT NULL DEFAULT 0;
INSERT INTO instance_signals (instance_key, kind, name, payload, created_at)
  SELECT instance_key, 'slot', checkpoint_id, payload, created_at FROM pending_checkpoint_signals ORDER BY created_at;
UPDATE pending_checkpoint_signals SET signal_id = s.signal_id FROM instance_signals AS s
  WHERE s.kind = 'slot' AND s.instance_key = pending_checkpoint_signals.instance_key AND s.name = pending_checkpoint_signals.checkpoint_id;

CREATE TABLE published_values (
  id INTEGER PRIMARY KEY,
  instance_key INTEGER NOT NULL REFERENCES instances ON DELETE CASCADE,
  key TEXT NOT NULL,
  -- The instance's column changes at the time.
  version INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  value BLOB NOT NULL,
  UNIQUE (instance_key, key)
) STRICT;

CREATE TABLE workers (
  worker_id TEXT PRIMARY KEY,
  lease_until INTEGER NOT NULL,
  -- The sequence of its last answer with work.
  claims INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX workers_by_lease ON workers (lease_until);
CREATE TABLE lost_work (
  worker_id TEXT NOT NULL,
  instance_key INTEGER NOT NULL REFERENCES instances ON DELETE CASCADE,
  PRIMARY KEY (worker_id, instance_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX lost_work_by_instance ON lost_work (instance_key);
`,
};
