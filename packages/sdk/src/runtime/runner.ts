import { limits } from "../limits.ts";
import type { ClaimedWork, ReleasedWork } from "../ports/source.ts";
import type { WorkflowDefinition } from "../workflow.ts";
import { Claims } from "./claims.ts";
import { Closing } from "./closing.ts";
import { Lease } from "./lease.ts";
import { Offers } from "./offers.ts";
import { Pool } from "./pool.ts";
import { Releases } from "./releases.ts";
import { ResidentInstance } from "./resident.ts";
import type { Runner, RuntimeParts } from "./runtime.ts";
import { createSurroundings, type Surroundings } from "./surroundings.ts";

/** A runtime over a source of work: claims instances of what it serves, runs them, and puts them away. */
export function createRunner(parts: RuntimeParts): Runner {
  return new WorkRunner(parts);
}

class WorkRunner implements Runner {
  readonly #parts: RuntimeParts;
  readonly #offers = new Offers();
  readonly #shared: Surroundings;
  readonly #pool: Pool<ResidentInstance>;
  readonly #claims: Claims;
  readonly #lease: Lease;
  readonly #releases: Releases;
  readonly #unsubscribe: () => void;
  #closing: Closing | undefined;
  #closed: Promise<void> | undefined;
  #hasVanished = false;

  constructor(parts: RuntimeParts) {
    this.#parts = parts;
    const { source, settings, logger } = parts;
    this.#shared = createSurroundings(parts, {
      onQuiet: () => this.#onQuiet(),
      onStayed: (resident) => this.#pool.stayed(resident),
      onGone: (resident) => this.#onGone(resident),
    });
    const { rounds, persistence, hub } = this.#shared;
    this.#releases = new Releases(source, persistence, logger);
    this.#pool = new Pool<ResidentInstance>({
      membersMax: settings.instancesMax,
      endedMax: limits.endedInstancesMax,
      evictableMax: limits.evictableMax,
      idle: () => this.#shared.idle.all(),
      admit: (work) => this.#admit(work),
      handBack: (work) => this.#handBack(work, 0, ""),
    });
    this.#claims = new Claims({
      source,
      rounds,
      persistence,
      offers: () => this.#offers.all(),
      capacity: () => this.#pool.capacity,
      onWork: (work) => this.#onWork(work),
    });
    this.#lease = new Lease(source, settings.leaseMs, persistence, (lost) => this.#onLost(lost));
    this.#unsubscribe = source.onReconnected(() => {
      this.#claims.beginAnew();
      hub.beginAnew();
    });
  }

  get residents(): number {
    return this.#pool.size;
  }

  serve(definitions: readonly WorkflowDefinition[]): void {
    const added = definitions.map((definition) => this.#offers.add(definition));
    if (added.includes(true)) this.#claims.offersChanged();
  }

  close(drainMs: number): Promise<void> {
    this.#closed ??= this.#hasVanished ? Promise.resolve() : this.#close(drainMs);
    return this.#closed;
  }

  vanish(): void {
    this.#hasVanished = true;
    this.#unsubscribe();
    this.#claims.vanish();
    this.#lease.vanish();
    this.#shared.vanish();
    this.#releases.vanish();
    this.#pool.takeWaiting();
    for (const resident of this.#pool.all()) resident.vanish();
  }

  async #close(drainMs: number): Promise<void> {
    const { clock } = this.#parts.source;
    this.#shared.closeGate();
    await within(limits.closingMs, clock, this.#claims.end());
    this.#handBack(this.#pool.takeWaiting(), 0, "");
    const closing = new Closing(clock, () => this.#pool.all());
    this.#closing = closing;
    await closing.run(drainMs);
    this.#shared.idle.close();
    this.#shared.hub.close(false);
    this.#unsubscribe();
    await within(limits.closingMs, clock, this.#releases.settled());
    this.#releases.vanish();
    await this.#lease.close();
  }

  #onWork(work: readonly ClaimedWork[]): void {
    this.#lease.hold();
    if (this.#closed) this.#handBack(work, 0, "");
    else this.#pool.take(work);
  }

  #admit(work: ClaimedWork): ResidentInstance | undefined {
    const definition = this.#offers.find(work.facts);
    if (definition === undefined) {
      const { instanceId, facts } = work;
      this.#parts.logger.error({ instanceId, workflow: facts.workflow }, "work came that was not asked for");
      this.#handBack([work], limits.faultDelayMs, "this worker does not serve the workflow");
      return undefined;
    }
    const resident = new ResidentInstance(this.#shared, definition, this.#parts.source.session(work));
    resident.start();
    return resident;
  }

  #handBack(work: readonly ClaimedWork[], delayMs: number, reason: string): void {
    for (const { instanceId, facts } of work) {
      this.#releases.add({ instanceId, epoch: facts.epoch, handBack: true, delayMs, reason });
    }
  }

  #onLost(instanceIds: readonly string[]): void {
    const unknown: ReleasedWork[] = [];
    for (const instanceId of instanceIds) {
      const resident = this.#pool.get(instanceId);
      if (resident) resident.fence("its lease had ended, or an operator has ended it");
      else unknown.push({ instanceId, epoch: 0, handBack: false, delayMs: 0, reason: "" });
    }
    // Named until they are released.
    for (const work of unknown) this.#releases.add(work);
  }

  /** Somebody has become idle, so there may be room. */
  #onQuiet(): void {
    if (this.#closing) this.#closing.look();
    else if (this.#pool.size >= this.#parts.settings.instancesMax) this.#claims.update();
  }

  #onGone(resident: ResidentInstance): void {
    const { release } = resident;
    if (release) this.#releases.add(release);
    this.#pool.remove(resident);
    if (this.#hasVanished) return;
    if (this.#closing) this.#closing.look();
    else this.#claims.update();
  }
}

/** Waits for it, but not for ever. */
function within(
  waitMs: number,
  clock: { after(delayMs: number, action: () => void): () => void },
  work: Promise<void>,
): Promise<void> {
  return new Promise((resolve) => {
    const takeBack = clock.after(waitMs, resolve);
    void work.finally(() => {
      takeBack();
      resolve();
    });
  });
}
