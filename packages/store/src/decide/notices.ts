import { limits } from "../limits.ts";
import type { Notice } from "../store.ts";
import type { Changes, NoticeKind } from "./changes.ts";
import type { InstanceRow } from "./row.ts";

/** What to tell listeners once `changes` of the instance are committed. */
export function noticesOf(changes: Changes, instanceId: string): readonly Notice[] {
  return changes.notices?.flatMap((kind) => noticesOfKind(kind, changes, instanceId)) ?? [];
}

function noticesOfKind(kind: NoticeKind, { atMs, leaseUntilMs, row }: Changes, instanceId: string): readonly Notice[] {
  switch (kind) {
    case "work":
      return workNotices(row, row?.readyAtMs ?? undefined);
    case "lease":
      return [...workNotices(row, leaseUntilMs), ...graceNotices(leaseUntilMs)];
    case "signal":
      return [{ topic: "signal", instanceId }];
    case "due":
      return dueNotices(row, atMs);
    case "status":
    case "history":
      return [{ topic: "instance", instanceId, ended: false }];
    case "ended":
      return [{ topic: "instance", instanceId, ended: true }];
  }
}

function workNotices(row: InstanceRow | undefined, readyAtMs: number | undefined): readonly Notice[] {
  if (row === undefined || row.workflow === null || readyAtMs === undefined) return [];
  return [{ topic: "work", tenantId: row.tenantId, workflow: row.workflow, readyAtMs }];
}

/** A while after a lease has ended fireDue takes back what nobody has claimed. */
function graceNotices(leaseUntilMs: number | undefined): readonly Notice[] {
  return leaseUntilMs === undefined ? [] : [{ topic: "due", atMs: leaseUntilMs + limits.leaseGraceMs }];
}

/** Open effects of an end are due now. */
function dueNotices(row: InstanceRow | undefined, atMs: number): readonly Notice[] {
  if (row?.unsettled === true) return [{ topic: "due", atMs }];
  return row === undefined || row.dueAtMs === null ? [] : [{ topic: "due", atMs: row.dueAtMs }];
}
