import type { Notice } from "../store.ts";

/** Who watches a database. Notices of one flush are merged: one per topic and subject, the earliest time, ended if any says so. */
export class Subscribers {
  readonly #listeners = new Set<{ readonly tell: (notice: Notice) => void }>();

  watch(tell: (notice: Notice) => void): () => void {
    const entry = { tell };
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  tell(notices: readonly Notice[]): void {
    if (this.#listeners.size === 0) return;
    for (const notice of merged(notices)) for (const { tell } of [...this.#listeners]) tell(notice);
  }
}

export function merged(notices: readonly Notice[]): Notice[] {
  const bySubject = new Map<string, Notice>();
  for (const notice of notices) {
    const subject = subjectOf(notice);
    const earlier = bySubject.get(subject);
    bySubject.set(subject, earlier === undefined ? notice : together(earlier, notice));
  }
  return [...bySubject.values()];
}

function subjectOf(notice: Notice): string {
  switch (notice.topic) {
    case "work":
      return JSON.stringify([notice.topic, notice.tenantId, notice.workflow]);
    case "signal":
    case "instance":
      return JSON.stringify([notice.topic, notice.instanceId]);
    default:
      return notice.topic;
  }
}

function together(first: Notice, second: Notice): Notice {
  if (first.topic === "work" && second.topic === "work")
    return { ...first, readyAtMs: Math.min(first.readyAtMs, second.readyAtMs) };
  if (first.topic === "due" && second.topic === "due") return { ...first, atMs: Math.min(first.atMs, second.atMs) };
  if (first.topic === "instance" && second.topic === "instance")
    return { ...first, ended: first.ended || second.ended };
  return first;
}
