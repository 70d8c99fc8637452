import type { Transition } from "../../model.ts";
import type { InstanceRow } from "../instance-rows.ts";
import type { Context } from "./context.ts";

export type ApplyTransitions = (row: InstanceRow, transitions: readonly Transition[]) => void;

/** Carries out the first transition that fits the row, if any. */
export function prepareTransitions({ database }: Context): ApplyTransitions {
  const change = database.prepare(
    `UPDATE instances SET status = ?,
       output = CASE ? WHEN 1 THEN ? ELSE output END,
       error = CASE ? WHEN 1 THEN ? ELSE error END,
       finished_at = CASE ? WHEN 1 THEN ? ELSE finished_at END,
       sleep_until = NULL
     WHERE instance_key = ?`,
  );
  const forgetSleeps = database.prepare("DELETE FROM sleeps WHERE instance_key = ?");

  return (row, transitions) => {
    const fitting = transitions.find(
      ({ from, whenPending }) =>
        from.includes(row.status) && (whenPending === undefined || whenPending === row.pendingSignal),
    );
    if (fitting === undefined) return;
    const { output, error, finishedAtMs } = fitting.set ?? {};
    change.run(
      fitting.to,
      output === undefined ? 0 : 1,
      output ?? null,
      error === undefined ? 0 : 1,
      error ?? null,
      finishedAtMs === undefined ? 0 : 1,
      finishedAtMs ?? null,
      row.key,
    );
    row.status = fitting.to;
    if (fitting.ends) forgetSleeps.run(row.key);
  };
}
