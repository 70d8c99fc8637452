import type { Notice } from "../store.ts";

/** One notice for each topic and subject: the earliest time, ended if one says so. */
export function merged(notices: readonly Notice[]): readonly Notice[] {
  if (notices.length < 2) return notices;
  const kept = new Map<string, Notice>();
  for (const notice of notices) {
    const subject = subjectOf(notice);
    const earlier = kept.get(subject);
    kept.set(subject, earlier === undefined ? notice : together(earlier, notice));
  }
  return [...kept.values()];
}

/** Topic and what it is about. No text has U+0000, so it parts them. */
export function subjectOf(notice: Notice): string {
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

/** Two notices about one subject as one. */
export function together(first: Notice, second: Notice): Notice {
  if (first.topic === "work" && second.topic === "work") return first.readyAtMs <= second.readyAtMs ? first : second;
  if (first.topic === "due" && second.topic === "due") return first.atMs <= second.atMs ? first : second;
  if (first.topic === "schedule" && second.topic === "schedule") return first.atMs <= second.atMs ? first : second;
  if (first.topic === "instance" && second.topic === "instance") return first.ended ? first : second;
  return first;
}
