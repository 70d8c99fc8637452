// The stage on which the interpreter plays a story: instances, what passes between them, and time.

import { CancelledError } from "../errors.ts";
import { Life } from "./interpreter.ts";
import { macrotask, SimulatedClock } from "./simulated-clock.ts";
import type { Plot, Story, StoryStep, Surroundings } from "./stories.ts";

/** What can be seen of a story from outside. */
export interface Outcome {
  /** By instance id. */
  readonly ends: ReadonlyMap<string, string>;
  readonly messages: ReadonlyMap<string, readonly string[]>;
  readonly undone: ReadonlyMap<string, string>;
}

export interface Signal {
  readonly key: string;
  readonly name: string;
  readonly outcome: "value" | "error";
  readonly value: unknown;
}

/** One instance, through all its runs. */
export class Actor {
  readonly id: string;
  readonly plot: Plot;
  readonly parent: { readonly actor: Actor; readonly detached: boolean } | undefined;
  readonly signals: Signal[] = [];
  /** Signals that were asked for, and `KEY here` once they have come. */
  readonly asked: Set<string> = new Set();
  readonly messages: string[] = [];
  signalCount = 0;
  cancel: { readonly reason: string | undefined } | undefined;
  end: string | undefined;
  life: Life | undefined;
  hasBegun = false;

  constructor(id: string, plot: Plot, parent: Actor["parent"]) {
    this.id = id;
    this.plot = plot;
    this.parent = parent;
  }
}

/** Sees what happens at nearly the same time. */
class StageClock extends SimulatedClock {
  readonly #due = new Set<{ readonly at: number }>();
  readonly #onTie: () => void;
  readonly #gapMs: number | undefined;

  constructor(onTie: () => void, gapMs: number | undefined) {
    super();
    this.#onTie = onTie;
    this.#gapMs = gapMs;
  }

  override after(delayMs: number, callback: () => void): () => void {
    const gapMs = this.#gapMs;
    if (gapMs === undefined) return super.after(delayMs, callback);
    const event = { at: this.now() + delayMs };
    this.#due.add(event);
    const disarm = super.after(delayMs, () => {
      this.#due.delete(event);
      for (const { at } of this.#due) if (at - event.at <= gapMs) this.#onTie();
      callback();
    });
    return () => {
      this.#due.delete(event);
      disarm();
    };
  }
}

/** A whole story. */
export class Stage implements Surroundings {
  readonly isTimeless: boolean;
  readonly clock: StageClock;
  readonly actors: Map<string, Actor> = new Map();
  readonly ended: Map<string, string> = new Map();
  readonly story: Story;
  readonly delayMs: (key: string) => number;
  readonly drainMs: number;
  readonly #beganAt: number;
  readonly #undone = new Map<string, string>();
  /** Two things happened at once, so that more than one order is right. */
  isAmbiguous = false;
  turns = 0;

  /** `gapMs`: things that happen within this time, and neither because of the other, may come in any order. */
  constructor(story: Story, delayMs: (key: string) => number, drainMs: number, gapMs?: number) {
    this.isTimeless = gapMs !== undefined;
    this.clock = new StageClock(() => {
      this.isAmbiguous = true;
    }, gapMs);
    this.#beganAt = this.clock.now();
    this.story = story;
    this.delayMs = delayMs;
    this.drainMs = drainMs;
  }

  /** How long it has taken until nothing could happen any more. */
  get passedMs(): number {
    return this.clock.now() - this.#beganAt;
  }

  async play(): Promise<Outcome> {
    const main = this.start("main", "main", undefined);
    for (const { atMs, name, value } of this.story.signals) {
      this.clock.after(atMs, () => this.signal(main, name, "value", value));
    }
    const { cancelAtMs } = this.story;
    if (cancelAtMs !== undefined) this.clock.after(cancelAtMs, () => this.cancel(main, "why"));
    do {
      do await macrotask();
      while (this.turns > 0);
    } while (this.clock.step());
    const messages = new Map([...this.actors].map(([id, actor]) => [id, actor.messages] as const));
    return { ends: this.ended, messages, undone: this.#undone };
  }

  work(_key: string, ms: number, s: StoryStep): Promise<void> {
    return new Promise((resolve, reject) => {
      this.clock.after(ms, resolve);
      s.signal.addEventListener("abort", () => reject(s.signal.reason));
    });
  }

  undone(key: string, value: string): void {
    this.#undone.set(key, value);
  }

  later(key: string, action: () => void): void {
    this.clock.after(this.delayMs(key), action);
  }

  start(id: string, workflow: string, parent: Actor["parent"]): Actor {
    const known = this.actors.get(id);
    if (known) return known;
    const actor = new Actor(id, this.story.plots[workflow] as Plot, parent);
    this.actors.set(id, actor);
    this.later(`start ${id}`, () => {
      if (actor.end !== undefined) return;
      actor.hasBegun = true;
      actor.life = new Life(this, actor, parent ? 1 : undefined, []);
      actor.life.begin();
    });
    return actor;
  }

  signal(actor: Actor, name: string, outcome: "value" | "error", value: unknown): void {
    if (actor.end !== undefined) return;
    actor.signals.push({ key: `fetch ${actor.id} ${++actor.signalCount}`, name, outcome, value });
    actor.life?.offer();
  }

  cancel(actor: Actor, reason: string | undefined): void {
    if (actor.end !== undefined || actor.cancel) return;
    actor.cancel = { reason };
    if (!actor.hasBegun) this.finish(actor, "cancelled", undefined);
    else actor.life?.cancel(reason);
  }

  finish(actor: Actor, end: string, value: unknown): void {
    actor.end = end;
    actor.life = undefined;
    this.ended.set(actor.id, end === "failed" ? `failed ${describe(value)}` : `${end} ${String(value)}`);
    for (const child of this.actors.values()) {
      if (child.parent?.actor !== actor || child.parent.detached) continue;
      this.later(`orphan ${child.id}`, () => this.cancel(child, undefined));
    }
    const { parent } = actor;
    if (!parent) return;
    this.later(`end ${actor.id}`, () => {
      const failed = Object.assign(new Error("child failed", { cause: value }), { name: "InstanceFailedError" });
      if (end === "completed") this.signal(parent.actor, `end ${actor.id}`, "value", value);
      else if (end === "failed") this.signal(parent.actor, `end ${actor.id}`, "error", failed);
      else this.signal(parent.actor, `end ${actor.id}`, "error", new CancelledError("the child was cancelled"));
    });
  }
}

/** How both sides word what was thrown. */
export function describe(error: unknown): string {
  const { name, message, errors, cause } = error as Error & { errors?: unknown[] };
  if (name === "CompensationError") return `${name} (${errors?.map(describe).join()}) after ${describe(cause)}`;
  return name === "Error" || name === "FatalError" ? `${name} ${message}` : name;
}
