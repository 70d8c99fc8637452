import { type Changes, noticesOf } from "../decide/index.ts";
import { subjectOf, together } from "../engines/notices.ts";
import type { Notice } from "../store.ts";

/** What the transaction under way will have to tell. One notice for each subject: the earliest time, `ended` if any says so. */
export class NoticeBox {
  /** While nobody listens nothing is kept. */
  isOpen = false;
  /** Instances that have changed, and whether they have ended: nearly all that there is to tell. */
  readonly #changed = new Map<string, boolean>();
  readonly #signalled = new Set<string>();
  readonly #others = new Map<string, Notice>();

  note(changes: Changes, instanceId: string): void {
    if (!this.isOpen || changes.notices === undefined) return;
    for (const notice of noticesOf(changes, instanceId)) this.add(notice);
  }

  add(notice: Notice): void {
    if (!this.isOpen) return;
    if (notice.topic === "instance") {
      if (notice.ended) this.#changed.set(notice.instanceId, true);
      else this.changed(notice.instanceId);
    } else if (notice.topic === "signal") {
      this.#signalled.add(notice.instanceId);
    } else {
      const subject = subjectOf(notice);
      const earlier = this.#others.get(subject);
      this.#others.set(subject, earlier === undefined ? notice : together(earlier, notice));
    }
  }

  /** As `add`, of an instance that has changed and has not ended. */
  changed(instanceId: string): void {
    if (this.isOpen && !this.#changed.has(instanceId)) this.#changed.set(instanceId, false);
  }

  /** What has gathered; the box is empty then. */
  take(): readonly Notice[] {
    if (this.#changed.size + this.#signalled.size + this.#others.size === 0) return [];
    const notices = [...this.#others.values()];
    for (const [instanceId, ended] of this.#changed) notices.push({ topic: "instance", instanceId, ended });
    for (const instanceId of this.#signalled) notices.push({ topic: "signal", instanceId });
    this.#changed.clear();
    this.#signalled.clear();
    this.#others.clear();
    return notices;
  }
}
