import { noticesOf } from "../../decide/index.ts";
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
    ...written.flatMap(({ instanceId, changes }) => noticesOf(changes, { instanceId })),
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
      return noticesOf({ ...changes, notices: notices.filter((kind) => kind !== "history") }, { instanceId });
    }),
    ...others,
  ];
}

/** One notice per topic and subject: the earliest time, ended if one says so. */
export function merged(notices: readonly Notice[]): readonly Notice[] {
  if (notices.length < 2) return notices;
  const kept = new Map<string, Notice>();
  for (const notice of notices) {
    const key = keyOf(notice);
    const before = kept.get(key);
    kept.set(key, before === undefined ? notice : joined(before, notice));
  }
  return [...kept.values()];
}

function keyOf(notice: Notice): string {
  switch (notice.topic) {
    case "work":
      return `work\0${notice.tenantId}\0${notice.workflow}`;
    case "signal":
    case "instance":
      return `${notice.topic}\0${notice.instanceId}`;
    default:
      return notice.topic;
  }
}

function joined(a: Notice, b: Notice): Notice {
  if (a.topic === "work" && b.topic === "work") return a.readyAtMs <= b.readyAtMs ? a : b;
  if (a.topic === "due" && b.topic === "due") return a.atMs <= b.atMs ? a : b;
  if (a.topic === "instance" && b.topic === "instance") return a.ended ? a : b;
  return b;
}
