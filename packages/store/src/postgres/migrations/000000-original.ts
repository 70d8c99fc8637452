import type { Migration } from "../../migrate.ts";

// The tables of runtara-core 1.4.1 with their names, types and defaults, for a database that has none (spec 8.2). Left out: what 1.4.1 itself
// no longer uses, and three indexes of checkpoints that no statement of ours needs. Two more differences make a checkpoint a third cheaper:
// - The key of checkpoints begins with the instance, so that it serves listings, and no index on the number alone is needed.
// - checkpoints and instance_events, the tables that grow most, don't refer to instances by foreign keys, whose check of each new row locks
//   the instance once more. Whoever writes to them has locked the instance's row; what a deleted instance leaves there a trigger removes.
export const original: Migration = {
  version: 0,
  name: "original",
  statements: [
    "CREATE TYPE instance_status AS ENUM ('pending', 'running', 'suspended', 'completed', 'failed', 'cancelled')",
    `CREATE TYPE instance_event_type AS ENUM
       ('started', 'progress', 'completed', 'failed', 'suspended', 'heartbeat', 'custom')`,
    "CREATE TYPE signal_type AS ENUM ('cancel', 'pause', 'resume')",
    `CREATE TABLE instances (
       instance_id TEXT PRIMARY KEY CHECK (length(instance_id) > 0),
       tenant_id TEXT NOT NULL,
       definition_version INTEGER NOT NULL DEFAULT 1,
       status instance_status NOT NULL DEFAULT 'pending',
       checkpoint_id TEXT,
       attempt INTEGER NOT NULL DEFAULT 1,
       max_attempts INTEGER NOT NULL DEFAULT 3,
       created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
       started_at TIMESTAMPTZ,
       finished_at TIMESTAMPTZ,
       sleep_until TIMESTAMPTZ,
       output BYTEA,
       error TEXT,
       stderr TEXT,
       input BYTEA,
       memory_peak_bytes BIGINT,
       cpu_usage_usec BIGINT,
       CHECK (attempt >= 1 AND attempt <= max_attempts)
     )`,
    "CREATE INDEX idx_instances_tenant ON instances (tenant_id)",
    "CREATE INDEX idx_instances_status ON instances (status)",
    "CREATE INDEX idx_instances_created ON instances (created_at)",
    `CREATE INDEX idx_instances_sleep_until ON instances (sleep_until)
       WHERE sleep_until IS NOT NULL AND status = 'suspended'`,
    `CREATE TABLE checkpoints (
       id BIGSERIAL,
       instance_id TEXT NOT NULL,
       checkpoint_id TEXT NOT NULL,
       state BYTEA NOT NULL,
       created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
       is_retry_attempt BOOLEAN NOT NULL DEFAULT false,
       attempt_number INTEGER,
       error_message TEXT,
       CONSTRAINT checkpoints_in_order PRIMARY KEY (instance_id, id),
       UNIQUE (instance_id, checkpoint_id)
     )`,
    `CREATE TABLE instance_events (
       id BIGSERIAL PRIMARY KEY,
       instance_id TEXT NOT NULL,
       event_type instance_event_type NOT NULL,
       checkpoint_id TEXT,
       payload BYTEA,
       created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
       subtype TEXT
     )`,
    "CREATE INDEX idx_instance_events_created ON instance_events (created_at)",
    `CREATE INDEX idx_instance_events_subtype ON instance_events (instance_id, subtype) WHERE subtype IS NOT NULL`,
    `CREATE TABLE pending_signals (
       instance_id TEXT PRIMARY KEY REFERENCES instances ON DELETE CASCADE,
       signal_type signal_type NOT NULL,
       payload BYTEA,
       created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
       acknowledged_at TIMESTAMPTZ
     )`,
    `CREATE TABLE pending_checkpoint_signals (
       id BIGSERIAL PRIMARY KEY,
       instance_id TEXT NOT NULL REFERENCES instances ON DELETE CASCADE,
       checkpoint_id TEXT NOT NULL,
       payload BYTEA,
       created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
       UNIQUE (instance_id, checkpoint_id)
     )`,
    // As with ON DELETE CASCADE: in the owner's name, in the schema of the tables, in the transaction that deletes.
    `CREATE FUNCTION remove_history_of_instances() RETURNS trigger LANGUAGE plpgsql
     SECURITY DEFINER SET search_path FROM CURRENT AS $$
     BEGIN
       DELETE FROM checkpoints AS c USING removed AS r WHERE c.instance_id = r.instance_id;
       DELETE FROM instance_events AS e USING removed AS r WHERE e.instance_id = r.instance_id;
       RETURN NULL;
     END $$`,
    `CREATE TRIGGER remove_history AFTER DELETE ON instances REFERENCING OLD TABLE AS removed
     FOR EACH STATEMENT EXECUTE FUNCTION remove_history_of_instances()`,
  ],
};
