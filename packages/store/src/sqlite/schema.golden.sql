CREATE TABLE checkpoint_ids (
  instance_key INTEGER NOT NULL REFERENCES instances ON DELETE CASCADE,
  checkpoint_id TEXT NOT NULL,
  id INTEGER NOT NULL,
  PRIMARY KEY (instance_key, checkpoint_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoint_index_state (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  indexed_up_to INTEGER NOT NULL
, last_id INTEGER NOT NULL DEFAULT 0) STRICT;

CREATE TABLE checkpoints (
  id INTEGER PRIMARY KEY,
  instance_key INTEGER NOT NULL,
  checkpoint_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  state BLOB NOT NULL
) STRICT;

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

CREATE TABLE instance_inputs (
  instance_key INTEGER PRIMARY KEY REFERENCES instances ON DELETE CASCADE,
  input BLOB NOT NULL
) STRICT;

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
, reason TEXT, reason_text TEXT, exit_code INTEGER, seed BLOB, run INTEGER NOT NULL DEFAULT 1, last_message INTEGER NOT NULL DEFAULT 0, workflow TEXT, version TEXT, tags TEXT, timeout_ms INTEGER, used_ms INTEGER NOT NULL DEFAULT 0, ready_at INTEGER, waiting_for TEXT, recorded_signal TEXT CHECK (recorded_signal IN ('cancel', 'pause', 'resume')), due_at INTEGER, holder TEXT, claim_sequence INTEGER, parent_id TEXT, result_signal TEXT, detached INTEGER NOT NULL DEFAULT 0, child_count INTEGER NOT NULL DEFAULT 0, unsettled INTEGER NOT NULL DEFAULT 0, queued_signal_count INTEGER NOT NULL DEFAULT 0 CHECK (queued_signal_count >= 0), pause_acknowledged INTEGER NOT NULL DEFAULT 0, changes INTEGER NOT NULL DEFAULT 0, failure BLOB, stderr TEXT, memory_peak_bytes INTEGER, cpu_usage_usec INTEGER) STRICT;

CREATE TABLE lost_work (
  worker_id TEXT NOT NULL,
  instance_key INTEGER NOT NULL REFERENCES instances ON DELETE CASCADE,
  PRIMARY KEY (worker_id, instance_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE pending_checkpoint_signals (
  instance_key INTEGER NOT NULL REFERENCES instances ON DELETE CASCADE,
  checkpoint_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  payload BLOB, signal_id INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (instance_key, checkpoint_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE pending_signals (
  instance_key INTEGER PRIMARY KEY REFERENCES instances ON DELETE CASCADE,
  signal_type TEXT NOT NULL CHECK (signal_type IN ('cancel', 'pause', 'resume')),
  payload BLOB,
  created_at INTEGER NOT NULL,
  acknowledged_at INTEGER
) STRICT;

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

CREATE TABLE retry_attempts (
  instance_key INTEGER NOT NULL REFERENCES instances ON DELETE CASCADE,
  checkpoint_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  error_message TEXT,
  created_at INTEGER NOT NULL, position INTEGER NOT NULL DEFAULT 0, next_at INTEGER,
  PRIMARY KEY (instance_key, checkpoint_id, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE runtara_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT;

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

CREATE TABLE sqlite_sequence(name,seq);

CREATE TABLE workers (
  worker_id TEXT PRIMARY KEY,
  lease_until INTEGER NOT NULL,
  -- The sequence of its last answer with work.
  claims INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE workflow_schedules (
  tenant_id TEXT NOT NULL CHECK (tenant_id <> ''),
  schedule_id TEXT NOT NULL CHECK (schedule_id <> ''),
  workflow TEXT NOT NULL,
  cron TEXT NOT NULL,
  timezone TEXT NOT NULL,
  overlap TEXT NOT NULL CHECK (overlap IN ('skip', 'queue', 'all')),
  catch_up TEXT NOT NULL CHECK (catch_up IN ('none', 'last', 'all')),
  inactive INTEGER NOT NULL CHECK (inactive IN (0, 1)),
  next_fire INTEGER,
  lease_until INTEGER,
  last_instance_id TEXT,
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  input BLOB,
  PRIMARY KEY (tenant_id, schedule_id)
) STRICT;

CREATE INDEX instance_events_in_order ON instance_events (instance_key, id, created_at);

CREATE UNIQUE INDEX instance_signals_by_message ON instance_signals (instance_key, message_id) WHERE message_id IS NOT NULL;

CREATE INDEX instance_signals_in_order ON instance_signals (instance_key, signal_id);

CREATE INDEX instance_signals_waiting ON instance_signals (instance_key, name, signal_id) WHERE kind = 'queued' AND delivered_at IS NULL;

CREATE INDEX instances_by_due ON instances (due_at) WHERE due_at IS NOT NULL;

CREATE INDEX instances_by_end ON instances (finished_at, instance_id) WHERE finished_at IS NOT NULL;

CREATE INDEX instances_by_holder ON instances (holder) WHERE holder IS NOT NULL;

CREATE INDEX instances_by_parent ON instances (parent_id) WHERE parent_id IS NOT NULL;

CREATE INDEX instances_by_ready ON instances (tenant_id, workflow, ifnull(version, ''), ready_at) WHERE ready_at IS NOT NULL;

CREATE INDEX instances_by_status ON instances (status, created_at);

CREATE INDEX instances_by_tenant ON instances (tenant_id, created_at);

CREATE INDEX instances_by_workflow ON instances (tenant_id, workflow, created_at) WHERE workflow IS NOT NULL;

CREATE INDEX instances_unsettled ON instances (instance_key) WHERE unsettled = 1;

CREATE INDEX lost_work_by_instance ON lost_work (instance_key);

CREATE INDEX retry_attempts_in_order ON retry_attempts (instance_key, position);

CREATE INDEX workers_by_lease ON workers (lease_until);

CREATE INDEX workflow_schedules_by_time ON workflow_schedules (next_fire) WHERE next_fire IS NOT NULL;
