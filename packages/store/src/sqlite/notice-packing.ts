import type { Notice } from "../store.ts";

/** Notices on their way from a thread: nearly all are instances that have changed, for which a text suffices. */
export interface PackedNotices {
  readonly changed: readonly string[];
  readonly signalled: readonly string[];
  readonly others: readonly Notice[];
}

export function packNotices(notices: readonly Notice[]): PackedNotices | undefined {
  if (notices.length === 0) return undefined;
  const changed: string[] = [];
  const signalled: string[] = [];
  const others: Notice[] = [];
  for (const notice of notices) {
    if (notice.topic === "instance" && !notice.ended) changed.push(notice.instanceId);
    else if (notice.topic === "signal") signalled.push(notice.instanceId);
    else others.push(notice);
  }
  return { changed, signalled, others };
}

export function unpackNotices(packed: PackedNotices | undefined): readonly Notice[] {
  if (packed === undefined) return [];
  const notices = [...packed.others];
  for (const instanceId of packed.changed) notices.push({ topic: "instance", instanceId, ended: false });
  for (const instanceId of packed.signalled) notices.push({ topic: "signal", instanceId });
  return notices;
}
