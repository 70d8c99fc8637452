import { noticesOf } from "../../decide/index.ts";
import { merged } from "../../engines/notices.ts";
import type { Operation } from "../../operations/index.ts";
import type { Notice } from "../../store.ts";
import type { InstanceChanges } from "../rows/write-rows.ts";

/** What a transaction has written. */
export interface Committed {
  /** Saves that went without decisions: they change an instance's history and nothing that another process waits for. */
  readonly saved: readonly Operation[];
  readonly written: readonly InstanceChanges[];
  /** What else listeners are to be told. */
  readonly notices?: readonly Notice[];
}

/** Notices for this process: each once. */
export function localNotices({ saved, written, notices: others = [] }: Committed): readonly Notice[] {
  return merged([
    ...written.flatMap(({ instanceId, changes }) => noticesOf(changes, instanceId)),
    ...others,
    ...saved.flatMap((operation): readonly Notice[] =>
      "instanceId" in operation ? [{ topic: "instance", instanceId: operation.instanceId, ended: false }] : [],
    ),
  ]);
}

/** Notices for other processes: of instances only changes of status. */
export function remoteNotices({ written, notices: others = [] }: Committed): readonly Notice[] {
  return [
    ...written.flatMap(({ instanceId, changes }) => {
      const { notices = [] } = changes;
      return noticesOf({ ...changes, notices: notices.filter((kind) => kind !== "history") }, instanceId);
    }),
    ...others,
  ];
}
