// Stories on the whole runtime: workers on a store in memory that die in the middle of a commit, under a clock that jumps.

import type { Done, OperationKind, OperationOf, ResultOf, Store } from "@runtara/store";
import { openMemoryStore } from "@runtara/store/memory";
import type { Client } from "../api/client.ts";
import type { AnyWorkflow } from "../api/workflow.ts";
import { isRuntaraError } from "../errors.ts";
import { openClient } from "../kit/client.ts";
import { type Process, startProcess } from "../kit/process.ts";
import type { Clock } from "../ports/clock.ts";
import { ref, workflow } from "../workflow.ts";
import type { Rng } from "./rng.ts";
import { macrotask, SimulatedClock } from "./simulated-clock.ts";
import { describe, type Outcome } from "./stage.ts";
import { bodyOf, type Story, type StoryContext, type StoryStep, type Surroundings } from "./stories.ts";

/** Events that workflows of stories emit, or that stand for what they did. */
const isOfStory = /^(told-|heard$|compensation_failed$)/;
const silence = (): void => {};
const logger = { debug: silence, info: silence, warn: silence, error: silence };

/** What a process dies at, now and then. */
const commits: ReadonlySet<OperationKind> = new Set<OperationKind>([
  "saveBatch",
  "suspendUntil",
  "recordRetry",
  "startInstance",
  "appendEvent",
  "acknowledgeSignal",
]);

type Fate = "lives" | "dies before" | "dies after";

/** A process's view of the store and of the clock, until it dies. */
class Mortal implements Store {
  readonly workerId: string;
  readonly clock: Clock;
  readonly held = new Map<string, number>();
  isDead = false;
  readonly #store: Store;
  readonly #fate: () => Fate;
  readonly #onDeath: () => void;
  /** Operations that were begun or answered. */
  moves = 0;

  constructor(workerId: string, store: Store, clock: Clock, fate: () => Fate, onDeath: () => void) {
    this.workerId = workerId;
    this.#store = store;
    this.#fate = fate;
    this.#onDeath = onDeath;
    this.clock = {
      now: () => clock.now(),
      after: (delayMs, action) =>
        clock.after(delayMs, () => {
          if (!this.isDead) action();
        }),
    };
  }

  submit<K extends OperationKind>(operation: OperationOf<K>, done: Done<ResultOf[K]>): void {
    if (this.isDead) return;
    this.moves++;
    const fate = commits.has(operation.kind as OperationKind) ? this.#fate() : "lives";
    if (fate === "dies before") {
      this.#die();
      return;
    }
    this.#store.submit(operation, (...outcome) => {
      this.moves++;
      if (operation.kind === "claimWork" && outcome[0] === undefined) {
        const { work } = outcome[1] as ResultOf["claimWork"];
        for (const { instanceId, facts } of work) this.held.set(instanceId, facts.epoch);
      }
      if (!this.isDead) done(...outcome);
    });
    if (fate === "dies after") this.#die();
  }

  flush(): void {
    if (!this.isDead) this.#store.flush();
  }

  run<K extends OperationKind>(operation: OperationOf<K>): Promise<ResultOf[K]> {
    return new Promise((resolve, reject) => {
      this.submit<K>(operation, (error, result) => (error ? reject(error) : resolve(result as ResultOf[K])));
    });
  }

  watch(listener: Parameters<Store["watch"]>[0]): () => void {
    return this.#store.watch((notice) => {
      if (!this.isDead) listener(notice);
    });
  }

  stats(): ReturnType<Store["stats"]> {
    return this.#store.stats();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #die(): void {
    this.isDead = true;
    // The stack of the dead is still below.
    setImmediate(this.#onDeath);
  }
}

/** One story on one store. */
export class Playhouse implements Surroundings {
  readonly isTimeless = true;
  readonly clock: SimulatedClock = new SimulatedClock();
  readonly #store = openMemoryStore();
  readonly #story: Story;
  readonly #workflows: readonly AnyWorkflow[];
  readonly #rng: Rng;
  readonly #crashes: number;
  readonly #due = new Map<string, number>();
  readonly #undone = new Map<string, string>();
  #mortal: Mortal | undefined;
  #client: Mortal | undefined;
  #moves = 0;
  #process: Process | undefined;
  deaths = 0;

  /** `crashes`: of 1, how often a process dies at a commit. */
  constructor(story: Story, rng: Rng, crashes: number) {
    this.#story = story;
    this.#rng = rng;
    this.#crashes = crashes;
    this.#workflows = Object.entries(story.plots).map(([name, plot]) => {
      const body = bodyOf(plot, this);
      return workflow(
        name,
        { step: { retry: false } },
        async (input: unknown, context) => body(input, context as unknown as StoryContext) as Promise<string>,
      );
    });
  }

  work(key: string, ms: number, s: StoryStep): Promise<void> {
    return new Promise((resolve, reject) => {
      const dueAt = this.#due.get(key) ?? this.clock.now() + ms;
      this.#due.set(key, dueAt);
      this.clock.after(Math.max(0, dueAt - this.clock.now()), resolve);
      s.signal.addEventListener("abort", () => reject(s.signal.reason));
    });
  }

  undone(key: string, value: string): void {
    this.#undone.set(key, value);
  }

  /** Lets so much time pass, and tells how it ended. */
  async play(forMs: number): Promise<Outcome> {
    this.#begin();
    const view = new Mortal("client", this.#store, this.clock, () => "lives", silence);
    this.#client = view;
    const connection = openClient({ store: view, tenantId: "t", clock: view.clock, onStart: silence });
    const { client } = connection;
    const main = ref("main");
    await Promise.all([client.start(main, undefined, { id: "main" }), this.#settle()]);
    // An instance that has ended takes no signal, and no cancel.
    const late = (error: unknown): void => {
      if (!isRuntaraError(error) || error.code === "CONNECTION") throw error;
    };
    for (const { atMs, name, value } of this.#story.signals) {
      this.clock.after(atMs, () => void client.get(main, "main").signal(name, value).catch(late));
    }
    const { cancelAtMs } = this.#story;
    if (cancelAtMs !== undefined)
      this.clock.after(cancelAtMs, () => void client.get(main, "main").cancel("why").catch(late));
    const end = this.clock.now() + forMs;
    let isOver = false;
    this.clock.after(forMs, () => {
      isOver = true;
    });
    while (!isOver && this.clock.now() <= end && this.clock.step()) await this.#settle();
    const outcome = await this.#outcome(client);
    if (this.#mortal) this.#mortal.isDead = true;
    this.#process?.vanish();
    await connection.close();
    await this.#store.close();
    return outcome;
  }

  #begin(): void {
    const mortal: Mortal = new Mortal(
      `worker-${this.deaths}`,
      this.#store,
      this.clock,
      () => {
        if (this.deaths >= 40 || this.#rng() >= this.#crashes) return "lives";
        return this.#rng() < 0.5 ? "dies before" : "dies after";
      },
      () => this.#replace(mortal),
    );
    this.#mortal = mortal;
    this.#process = startProcess({
      store: mortal,
      tenantId: "t",
      workerId: mortal.workerId,
      clock: mortal.clock,
      housekeeping: mortal.clock,
      activity: {
        begin: () => {
          this.#moves++;
          return () => {
            this.#moves++;
          };
        },
      },
      logger,
      leaseMs: 300_000,
      suspendAfterMs: 5_000,
      guard: false,
      strictTurns: true,
      hooks: { jitter: () => 0 },
    });
    this.#process.serve(this.#workflows);
  }

  /** As if the lease of the dead one had ended at once. */
  #replace(mortal: Mortal): void {
    this.deaths++;
    this.#process?.vanish();
    const work = [...mortal.held].map(([instanceId, epoch]) => ({
      instanceId,
      epoch,
      handBack: true,
      delayMs: 0,
      reason: "",
    }));
    const { workerId } = mortal;
    if (work.length > 0) void this.#store.run({ kind: "releaseWork", workerId, work, nowMs: this.clock.now() });
    this.#begin();
  }

  /** Until nothing has moved for some turns. */
  async #settle(): Promise<void> {
    for (let quiet = 0, moves = 0; quiet < 4; ) {
      await macrotask();
      const now = this.#moves + (this.#mortal?.moves ?? 0) + (this.#client?.moves ?? 0);
      quiet = now === moves ? quiet + 1 : 0;
      moves = now;
    }
  }

  async #outcome(client: Client): Promise<Outcome> {
    const ends = new Map<string, string>();
    const messages = new Map<string, readonly string[]>();
    for await (const { id, status } of client.list()) {
      const handle = client.get(ref("main"), id);
      const events: string[] = [];
      for await (const entry of handle.history()) {
        if (entry.kind !== "event" || !isOfStory.test(entry.subtype ?? "")) continue;
        events.push(eventText(entry.subtype ?? "", entry.payload));
      }
      messages.set(id, events);
      if (status !== "completed" && status !== "failed" && status !== "cancelled") continue;
      const end = await handle.result().then(
        (value) => `completed ${String(value)}`,
        (error: Error) => (error.name === "CancelledError" ? "cancelled undefined" : `failed ${describe(error.cause)}`),
      );
      ends.set(id, end);
    }
    return { ends, messages, undone: this.#undone };
  }
}

export function eventText(subtype: string, payload: unknown): string {
  return subtype === "compensation_failed" ? subtype : `${subtype} ${JSON.stringify(payload)}`;
}
