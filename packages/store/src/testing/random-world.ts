import { type InstanceStatus, isFinal, type Operation, type StoredSchedule } from "@runtara/store";
import { Random } from "./random.ts";

/** What a caller of a store would remember of its answers; so that random operations are about something that exists. */
export class RandomWorld {
  readonly random: Random;
  /** Even, so that it never equals a planned time. */
  nowMs = 1_000_000;
  readonly #ids: string[];
  readonly #epochs = new Map<string, number>();
  readonly #received = new Map<string, number>();
  readonly #signals = new Map<string, number[]>();
  readonly #continued: Operation[] = [];
  readonly #planned = new Set<number>();
  readonly #revisions = new Map<string, number>();
  #generation = 0;

  constructor(seed: number, instances: number) {
    this.random = new Random(seed);
    this.#ids = Array.from({ length: instances }, (_, n) => `i${n}`);
  }

  /** Time goes on: mostly a little, now and then past leases and planned times. */
  tick(): void {
    const step = this.random.weighted([
      [90, 50],
      [8, 3_000],
      [2, 45_000],
    ]);
    this.nowMs += 2 * (1 + this.random.below(step));
  }

  /** A time ahead that no other operation has planned, so that no two rows are due at once: their order would be open. */
  planned(): number {
    let atMs = this.nowMs + 1 + 2 * this.random.below(4_000);
    while (this.#planned.has(atMs)) atMs += 2;
    this.#planned.add(atMs);
    return atMs;
  }

  id(): string {
    return this.#ids[this.random.below(this.#ids.length)] ?? "";
  }

  /** Mostly the present epoch, sometimes another. */
  epoch(instanceId: string): number {
    const known = this.#epochs.get(instanceId) ?? 1;
    return this.random.weighted([
      [88, known],
      [8, Math.max(0, known - 1)],
      [4, known + 1],
    ]);
  }

  /** For operations of an operator: mostly none, else nearly always the right one. */
  tenant(): { readonly tenantId?: string } {
    return this.random.chance(70) ? {} : { tenantId: this.random.chance(90) ? "t" : "u" };
  }

  /** For operations that may come without. */
  stamp(instanceId: string): { readonly epoch?: number } {
    return this.random.chance(40) ? {} : { epoch: this.epoch(instanceId) };
  }

  /** The sequence of the last answer, or of the one before: its answer was lost. */
  received(workerId: string): number {
    const known = this.#received.get(workerId) ?? 0;
    return this.random.chance(10) ? Math.max(0, known - 1) : known;
  }

  /** The id of a signal of the instance, waiting or gone. */
  signal(instanceId: string): number | undefined {
    const known = this.#signals.get(instanceId) ?? [];
    return known[known.length - 1 - this.random.below(Math.min(4, known.length) || 1)];
  }

  /** Mostly the present one of the schedule, sometimes another. */
  revision({ tenantId, scheduleId }: { readonly tenantId: string; readonly scheduleId: string }): number {
    const known = this.#revisions.get(`${tenantId} ${scheduleId}`) ?? 1;
    return this.random.chance(90) ? known : known + 1;
  }

  /** A listing that has a next page. */
  nextPage(): Operation | undefined {
    return this.#continued.pop();
  }

  /** Remembers what an operation was answered. */
  learn(operation: Operation, answer: unknown): void {
    if (typeof answer !== "object" || answer === null) return;
    if ("instanceId" in operation) this.#learnOfInstance(operation.instanceId, answer);
    if (operation.kind === "claimWork" && "sequence" in answer && "work" in answer) {
      this.#received.set(operation.workerId, Number(answer.sequence));
      for (const { instanceId, facts } of answer.work as { instanceId: string; facts: { epoch: number } }[])
        this.#epochs.set(instanceId, facts.epoch);
    }
    if ("schedules" in answer) {
      for (const { tenantId, scheduleId, revision } of answer.schedules as readonly StoredSchedule[])
        this.#revisions.set(`${tenantId} ${scheduleId}`, revision);
    }
    if ("nextCursor" in answer && typeof answer.nextCursor === "string") {
      const { offset: _, ...listing } = operation as Operation & { offset?: number };
      this.#continued.push({ ...listing, cursor: answer.nextCursor } as Operation);
      if (this.#continued.length > 8) this.#continued.shift();
    }
  }

  #learnOfInstance(instanceId: string, answer: object): void {
    const known = "facts" in answer ? answer.facts : "instance" in answer ? answer.instance : answer;
    if (typeof known === "object" && known !== null) {
      if ("epoch" in known && typeof known.epoch === "number") this.#epochs.set(instanceId, known.epoch);
      if ("status" in known && isFinal(known.status as InstanceStatus)) this.#retire(instanceId);
    }
    if ("signalId" in answer && typeof answer.signalId === "number")
      this.#signals.set(instanceId, [...(this.#signals.get(instanceId) ?? []), answer.signalId]);
  }

  /** Ended instances make room, sooner or later; until then they get late calls. */
  #retire(instanceId: string): void {
    const index = this.#ids.indexOf(instanceId);
    if (index === -1 || !this.random.chance(20)) return;
    this.#generation += 1;
    this.#ids[index] = `i${index}.${this.#generation}`;
  }
}
