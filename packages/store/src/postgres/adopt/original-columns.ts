/** What core 1.4.1 has in its tables and we rely on (spec 8.2). Its environment's tables and columns it does not use any more are not looked at. */
export const originalColumns: Readonly<Record<string, readonly string[]>> = {
  instances: [
    "instance_id",
    "tenant_id",
    "definition_version",
    "status",
    "checkpoint_id",
    "attempt",
    "max_attempts",
    "created_at",
    "started_at",
    "finished_at",
    "sleep_until",
    "output",
    "error",
    "stderr",
    "input",
    "memory_peak_bytes",
    "cpu_usage_usec",
  ],
  checkpoints: [
    "id",
    "instance_id",
    "checkpoint_id",
    "state",
    "created_at",
    "is_retry_attempt",
    "attempt_number",
    "error_message",
  ],
  instance_events: ["id", "instance_id", "event_type", "checkpoint_id", "payload", "created_at", "subtype"],
  pending_signals: ["instance_id", "signal_type", "payload", "created_at", "acknowledged_at"],
  pending_checkpoint_signals: ["id", "instance_id", "checkpoint_id", "payload", "created_at"],
};

/** The first table, or column as `table.column`, that `found` lacks. */
export function firstMissing(found: ReadonlyMap<string, ReadonlySet<string>>): string | undefined {
  for (const [table, columns] of Object.entries(originalColumns)) {
    const present = found.get(table);
    if (present === undefined) return `table '${table}'`;
    const column = columns.find((name) => !present.has(name));
    if (column !== undefined) return `column '${table}.${column}'`;
  }
  return undefined;
}
