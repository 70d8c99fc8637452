import type { BeginSleep, BeginSleepResult, EndSleep, EndSleepResult } from "../../operations.ts";
import { prepareArrays } from "../statements.ts";
import type { Context } from "./context.ts";

type Latest = [ordinal: number, finished: number, wakeAtMs: number];

export function prepareBeginSleep({ database, rows }: Context): (operation: BeginSleep) => BeginSleepResult {
  // The last ordinal of this id that this registration has slept.
  const selectLatest = prepareArrays(
    database,
    `SELECT ordinal, finished, wake_at FROM sleeps WHERE instance_key = ? AND checkpoint_id = ? AND epoch = ?
     ORDER BY ordinal DESC LIMIT 1`,
  );
  const adopt = prepareArrays(
    database,
    `UPDATE sleeps SET epoch = ?, finished = 0 WHERE instance_key = ? AND checkpoint_id = ? AND ordinal = ? RETURNING wake_at`,
  );
  const insert = database.prepare(
    `INSERT INTO sleeps (instance_key, checkpoint_id, ordinal, epoch, finished, created_at, wake_at, state)
     VALUES (?, ?, ?, ?, 0, ?, ?, ?)`,
  );
  return ({ instanceId, checkpointId, state, durationMs, allowedIn, nowMs }) => {
    const row = rows.get(instanceId);
    if (row === undefined || !allowedIn.includes(row.status)) return { outcome: "unrecorded" };
    rows.touch(row, nowMs);
    const latest = selectLatest.get(row.key, checkpointId, row.epoch) as unknown as Latest | undefined;
    if (latest !== undefined && latest[1] === 0) {
      return { outcome: "sleeping", ordinal: latest[0], wakeAtMs: latest[2], continued: true };
    }
    const ordinal = (latest?.[0] ?? 0) + 1;
    const adopted = adopt.get(row.epoch, row.key, checkpointId, ordinal) as unknown as [number] | undefined;
    if (adopted !== undefined) return { outcome: "sleeping", ordinal, wakeAtMs: adopted[0], continued: true };
    const wakeAtMs = nowMs + durationMs;
    insert.run(row.key, checkpointId, ordinal, row.epoch, nowMs, wakeAtMs, state);
    return { outcome: "sleeping", ordinal, wakeAtMs, continued: false };
  };
}

export function prepareEndSleep({ database, rows }: Context): (operation: EndSleep) => EndSleepResult {
  const finish = database.prepare(
    "UPDATE sleeps SET finished = 1 WHERE instance_key = ? AND checkpoint_id = ? AND ordinal = ? AND epoch = ?",
  );
  return ({ instanceId, checkpointId, ordinal }) => {
    const row = rows.get(instanceId);
    if (row !== undefined) finish.run(row.key, checkpointId, ordinal, row.epoch);
    return { outcome: "ended" };
  };
}
