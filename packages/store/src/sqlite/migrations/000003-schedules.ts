import type { Migration } from "./migration.ts";

export const schedules: Migration = {
  version: 3,
  name: "schedules",
  sql: `
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
CREATE INDEX workflow_schedules_by_time ON workflow_schedules (next_fire) WHERE next_fire IS NOT NULL;
`,
};
