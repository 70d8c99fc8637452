import type { ReleaseWork } from "../operations/work.ts";
import type { Changes } from "./changes.ts";
import { Draft } from "./draft.ts";
import type { InstanceRow } from "./row.ts";

type Released = ReleaseWork["work"][number];

const encoder = new TextEncoder();

/** Judges one row of a ReleaseWork. Also whom another registration took it from need not be told any more. */
export function decideRelease(
  operation: ReleaseWork,
  work: Released,
  row: InstanceRow | undefined,
): Changes | undefined {
  if (row === undefined) return undefined;
  const draft = new Draft(row, operation.nowMs);
  draft.add({ lossForgottenBy: operation.workerId });
  if (row.holder === operation.workerId && row.epoch === work.epoch) letGo(work, draft);
  return draft.done();
}

function letGo({ delayMs, reason }: Released, draft: Draft): void {
  const words = reason === "" ? null : reason;
  draft.happen("release", { byHolder: true, delayMs, text: words });
  draft.row.holder = null;
  if (words === null) return;
  const { atMs } = draft.changes;
  draft.write({
    type: "custom",
    subtype: "released",
    checkpointId: null,
    payload: encoder.encode(words),
    createdAtMs: atMs,
    receivedAtMs: atMs,
  });
}
