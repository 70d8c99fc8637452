import type { AnyWorkflow } from "@runtara/sdk";
import { type EngineEvent, type Logger, type Process, type RunHooks, startProcess } from "@runtara/sdk/testing";
import type { Disk } from "./disk.ts";
import { DyingStore, type DyingStoreOptions } from "./dying-store.ts";
import { limits } from "./limits.ts";
import type { ClockFace, SkippingClock } from "./skipping-clock.ts";

export interface LifeOptions extends Omit<DyingStoreOptions, "disk"> {
  readonly disk: Disk;
  readonly clock: SkippingClock;
  readonly tenantId: string;
  readonly number: number;
  readonly logger: Logger;
  readonly hooks: RunHooks;
  readonly onEvent: (instanceId: string, event: EngineEvent) => void;
}

/** One process, from its start to its death: a runtime on its own view of the disk and of the clock. */
export class Life {
  readonly number: number;
  readonly store: DyingStore;
  readonly #disk: Disk;
  readonly #clock: SkippingClock;
  readonly #faces: readonly ClockFace[];
  readonly #process: Process;
  #active = 0;
  /** How often something has begun; it tells that the runtime moves. */
  begun = 0;

  constructor(options: LifeOptions) {
    const { disk, clock, tenantId, number, logger, hooks, onEvent } = options;
    this.number = number;
    this.#disk = disk;
    this.#clock = clock;
    this.store = new DyingStore(options);
    const [workflow, housekeeping] = [clock.face("workflow"), clock.face("housekeeping")];
    this.#faces = [workflow, housekeeping];
    this.#process = startProcess({
      store: this.store,
      tenantId,
      workerId: this.#workerId,
      clock: workflow,
      housekeeping,
      activity: { begin: () => this.#begin() },
      logger,
      leaseMs: limits.leaseMs,
      suspendAfterMs: limits.suspendAfterMs,
      guard: true,
      strictTurns: true,
      hooks,
      onEvent,
    });
  }

  get residents(): number {
    return this.#process.residents;
  }

  /** Bodies, saves, loads and turns that are under way. */
  get isBusy(): boolean {
    return this.#active > 0 || this.store.underWay > 0;
  }

  serve(workflows: readonly AnyWorkflow[]): void {
    this.#process.serve(workflows);
  }

  /** Dead: nothing that it had begun has any effect, and what it ran may be claimed at once, as if its lease had ended. */
  async bury(): Promise<void> {
    for (const face of this.#faces) face.kill();
    this.#process.vanish();
    this.#active = 0;
    const work = this.#disk.heldBy(this.#workerId).map((held) => ({ ...held, handBack: true, delayMs: 0, reason: "" }));
    if (work.length === 0) return;
    await this.#disk.run({ kind: "releaseWork", workerId: this.#workerId, work, nowMs: this.#clock.now() });
  }

  /** Dead as well: time does not move any more, so nothing can come to an end. */
  close(): void {
    this.store.kill(() => false);
    for (const face of this.#faces) face.kill();
    this.#process.vanish();
  }

  get #workerId(): string {
    return `test-${this.number}`;
  }

  #begin(): () => void {
    this.#active += 1;
    this.begun += 1;
    let isOver = this.store.isDead;
    return () => {
      if (isOver || this.store.isDead) return;
      isOver = true;
      this.#active -= 1;
    };
  }
}
