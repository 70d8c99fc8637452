// Random workflow programs of everything a workflow can do. They run on the engine and on the interpreter, which knows nothing of it.

import { FatalError } from "../errors.ts";
import { pick, type Rng } from "./rng.ts";

/** What programs need of a context; RunContext has it, and the interpreter's. */
export interface StoryContext {
  step(name: string, fn: (s: StoryStep) => Promise<string>, options?: object): Promise<string>;
  sleep(name: string, ms: number): StoryWait<void>;
  waitFor(signal: string, options?: { timeout?: number }): StoryWait<unknown>;
  waitForAny(
    signals: readonly string[],
    options?: { timeout?: number },
  ): StoryWait<{ name: string; value: unknown } | undefined>;
  scope<T>(name: string, fn: (context: StoryContext) => Promise<T>): Promise<T>;
  spawn(workflow: { readonly name: string }, input: unknown, options: { id: string; detached: boolean }): StoryChild;
  publish(key: string, value: unknown): void;
  emit(subtype: string, payload?: unknown): void;
  compensate(name: string, fn: (s: StoryStep) => Promise<unknown>, options?: object): void;
  onCancel(fn: (reason?: string) => void): void;
  continueAsNew(input: unknown): unknown;
  now(): number;
  readonly instanceId: string;
}
export interface StoryStep {
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly checkpointId: string;
}
export interface StoryWait<T> extends Promise<T> {
  cancel(): void;
}
export interface StoryChild {
  readonly started: Promise<void>;
  result(): StoryWait<unknown>;
  signal(name: string, payload: unknown): Promise<void>;
  cancel(): Promise<void>;
}

/** The world outside the workflow. */
export interface Surroundings {
  /** Results don't hold the times at which they came. */
  readonly isTimeless: boolean;
  /** Work that ends so long after it was first asked for, whoever asks again. Rejects when it is told to stop. */
  work(key: string, ms: number, s: StoryStep): Promise<void>;
  /** An effect that can be seen from outside, with the last value. */
  undone(key: string, value: string): void;
}

export type Node = { readonly hops: number } & (
  | {
      readonly is: "step";
      readonly name: string;
      readonly ms: readonly number[];
      readonly failures: number;
      readonly backoff: number;
      readonly undo: "none" | "works" | "fails";
    }
  | { readonly is: "sleep"; readonly name: string; readonly ms: number; readonly disarm: boolean }
  | { readonly is: "wait"; readonly names: readonly string[]; readonly timeout: number | undefined }
  | { readonly is: "seq" | "all" | "race" | "settled" | "finally" | "catch"; readonly children: readonly Node[] }
  | { readonly is: "scope"; readonly name: string; readonly child: Node }
  | { readonly is: "spawn"; readonly workflow: string; readonly detached: boolean; readonly acts: readonly ChildAct[] }
  | { readonly is: "publish"; readonly key: string }
  | { readonly is: "compensate"; readonly ms: number }
  | { readonly is: "watch" }
  | { readonly is: "throw" }
);
type ChildAct = "started" | "signal" | "cancel" | "result";

/** A workflow of a story: its tree, and how often it continues as new. */
export interface Plot {
  readonly root: Node;
  readonly rounds: number;
}

export interface Story {
  /** By workflow name; "main" is started from outside. */
  readonly plots: Readonly<Record<string, Plot>>;
  readonly signals: readonly { readonly atMs: number; readonly name: string; readonly value: string }[];
  readonly cancelAtMs: number | undefined;
}

const names = ["x", "y", "z"];
const signalNames = ["a", "b"];

/** Times are drawn from so wide a range that two things hardly ever happen in the same millisecond. */
export function randomStory(rng: Rng, msMax = 1_000_000): Story {
  const ms = (): number => 1 + Math.floor(rng() * msMax);
  return {
    plots: {
      main: { root: randomTree(rng, ms, 4, ["child", "leaf"]), rounds: rng() < 0.15 ? 2 : 1 },
      child: { root: randomTree(rng, ms, 2, ["leaf"]), rounds: rng() < 0.1 ? 2 : 1 },
      leaf: { root: randomTree(rng, ms, 1, []), rounds: 1 },
    },
    signals: Array.from({ length: Math.floor(rng() * 6) }, (_, index) => ({
      atMs: Math.floor(rng() * 4 * msMax),
      name: pick(rng, signalNames),
      value: `s${index}`,
    })),
    cancelAtMs: rng() < 0.35 ? Math.floor(rng() * 4 * msMax) : undefined,
  };
}

function randomTree(rng: Rng, ms: () => number, depth: number, workflows: readonly string[]): Node {
  let budget = 14;
  const children = (below: number): Node[] => Array.from({ length: 2 + Math.floor(rng() * 2) }, () => make(below - 1));
  const inner = (hops: number, below: number): Node => {
    const kind = rng();
    if (kind < 0.3) return { is: "seq", hops, children: children(below) };
    if (kind < 0.55) return { is: "all", hops, children: children(below) };
    if (kind < 0.75) return { is: "race", hops, children: children(below) };
    if (kind < 0.81) return { is: "settled", hops, children: children(below) };
    if (kind < 0.88) return { is: "finally", hops, children: [make(below - 1), make(0)] };
    if (kind < 0.94) return { is: "catch", hops, children: [make(below - 1), make(0)] };
    return { is: "scope", hops, name: pick(rng, names), child: make(below - 1) };
  };
  const make = (below: number): Node => {
    budget--;
    const hops = rng() < 0.5 ? 0 : Math.floor(rng() * 5);
    if (below > 0 && budget > 0 && rng() < 0.5) return inner(hops, below);
    return randomLeaf(rng, ms, hops, workflows);
  };
  return { is: "seq", hops: 0, children: [make(depth), make(depth), make(depth - 1)] };
}

function randomLeaf(rng: Rng, ms: () => number, hops: number, workflows: readonly string[]): Node {
  const kind = rng();
  if (kind < 0.36) {
    const undo = rng() < 0.7 ? "none" : rng() < 0.8 ? "works" : "fails";
    const failures = rng() < 0.7 ? 0 : 1 + Math.floor(rng() * 2);
    return { is: "step", hops, name: pick(rng, names), ms: [ms(), ms()], failures, backoff: ms(), undo };
  }
  if (kind < 0.5) return { is: "sleep", hops, name: pick(rng, names), ms: ms(), disarm: rng() < 0.15 };
  if (kind < 0.7) {
    const any = rng() < 0.25 ? signalNames : [pick(rng, signalNames)];
    return { is: "wait", hops, names: any, timeout: rng() < 0.8 ? ms() : undefined };
  }
  if (kind < 0.82 && workflows.length > 0) {
    const acts: ChildAct[] = ["result"];
    if (rng() < 0.3) acts.unshift("cancel");
    if (rng() < 0.5) acts.unshift("signal");
    if (rng() < 0.3) acts.unshift("started");
    return { is: "spawn", hops, workflow: pick(rng, workflows), detached: rng() < 0.2, acts };
  }
  if (kind < 0.9) return { is: "publish", hops, key: pick(rng, names) };
  if (kind < 0.94) return { is: "compensate", hops, ms: ms() };
  if (kind < 0.97) return { is: "watch", hops };
  return { is: "throw", hops };
}

/** A workflow function. Its result depends on every result in it, on their order and on the times. */
export function bodyOf(plot: Plot, around: Surroundings) {
  return async (input: unknown, context: StoryContext): Promise<unknown> => {
    const round = typeof input === "number" ? input : 1;
    const teller = new Teller(around, around.isTimeless ? undefined : context.now());
    const text = await teller.tell(context, plot.root, `${context.instanceId}/${round}/P`);
    return round < plot.rounds ? context.continueAsNew(round + 1) : text;
  };
}

class Teller {
  readonly #around: Surroundings;
  readonly #begin: number | undefined;

  constructor(around: Surroundings, begin: number | undefined) {
    this.#around = around;
    this.#begin = begin;
  }

  async tell(context: StoryContext, node: Node, path: string): Promise<string> {
    for (let hop = 0; hop < node.hops; hop++) await Promise.resolve();
    switch (node.is) {
      case "step":
        return this.#step(context, node, path);
      case "sleep": {
        const wait = context.sleep(node.name, node.ms);
        if (node.disarm) wait.cancel();
        return wait.then(
          () => `slept@${this.#at(context)}`,
          (error: Error) => (node.disarm ? "disarmed" : Promise.reject(error)),
        );
      }
      case "wait":
        return this.#wait(context, node);
      case "scope":
        return context.scope(node.name, (inner) => this.tell(inner, node.child, `${path}.s`));
      case "spawn":
        return this.#spawn(context, node, path);
      case "publish":
        context.publish(node.key, path);
        context.emit(`told-${node.key}`, this.#at(context));
        return "p";
      case "compensate":
        context.compensate(`undo-${path.length}`, async (s) => {
          await this.#around.work(`${path}!undo#${s.attempt}`, node.ms, s);
          this.#around.undone(path, "own");
        });
        return "c";
      case "watch":
        context.onCancel((reason) => context.emit("heard", `${path} ${reason}`));
        return "w";
      case "throw":
        throw new Error(`thrown ${path}`);
      default:
        return this.#several(context, node, path);
    }
  }

  #at(context: StoryContext): number {
    return this.#begin === undefined ? 0 : context.now() - this.#begin;
  }

  async #several(context: StoryContext, node: Node & { children: readonly Node[] }, path: string): Promise<string> {
    const { children } = node;
    const child = (index: number): Promise<string> => this.tell(context, children[index] as Node, `${path}.${index}`);
    switch (node.is) {
      case "all":
        return `[${(await Promise.all(children.map((_, index) => child(index)))).join()}]`;
      case "race":
        return `<${await Promise.race(children.map(async (_, index) => `${index}${await child(index)}`))}>`;
      case "settled":
        return `{${(await Promise.allSettled(children.map((_, index) => child(index)))).map((end) => end.status).join()}}`;
      case "finally":
        try {
          return await child(0);
        } finally {
          await child(1);
        }
      case "catch":
        try {
          return await child(0);
        } catch (error) {
          return `${(error as Error).name} then ${await child(1)}`;
        }
      default: {
        const results: string[] = [];
        for (let index = 0; index < children.length; index++) results.push(await child(index));
        return `(${results.join()}@${this.#at(context)})`;
      }
    }
  }

  async #step(context: StoryContext, node: Node & { is: "step" }, path: string): Promise<string> {
    const around = this.#around;
    const undo = async (result: string | undefined, s: StoryStep): Promise<void> => {
      await around.work(`${path}!undo#${s.attempt}`, node.backoff, s);
      if (node.undo === "fails") throw new FatalError(`can't undo ${path}`);
      around.undone(path, String(result));
    };
    const result = await context.step(
      node.name,
      async (s) => {
        await around.work(`${path}#${s.attempt}`, node.ms[s.attempt - 1] ?? 1, s);
        if (s.attempt <= node.failures) throw new Error(path);
        return path;
      },
      {
        retry: { attempts: 2, backoff: node.backoff, factor: 1, maxBackoff: "10d", jitter: 0 },
        ...(node.undo === "none" ? {} : { compensate: undo }),
      },
    );
    if (result !== path) throw new Error(`${path} was given ${result}`);
    return path.slice(path.indexOf("P"));
  }

  async #wait(context: StoryContext, node: Node & { is: "wait" }): Promise<string> {
    const options = node.timeout === undefined ? undefined : { timeout: node.timeout };
    const [first = "", ...more] = node.names;
    const taken =
      more.length > 0 ? await context.waitForAny(node.names, options) : await context.waitFor(first, options);
    return `${JSON.stringify(taken) ?? "timeout"}@${this.#at(context)}`;
  }

  async #spawn(context: StoryContext, node: Node & { is: "spawn" }, path: string): Promise<string> {
    const id = path.replaceAll("/", "-");
    const child = context.spawn({ name: node.workflow }, 1, { id, detached: node.detached });
    let text = "";
    for (const act of node.acts) {
      if (act === "started") await child.started;
      if (act === "signal") await child.signal(pickName(path), path);
      if (act === "cancel") await child.cancel();
      if (act !== "result") continue;
      text = await child.result().then(
        (value) => String(value),
        (error: Error & { cause?: Error }) => {
          if (error.name === "CancelledError" && !error.message.includes("child")) throw error;
          const { name, message } = error.cause ?? new Error("nothing");
          return `${error.name} of ${name === "Error" ? message : name}`;
        },
      );
    }
    return `child ${text}@${this.#at(context)}`;
  }
}

/** Which signal a parent sends: some, but always the same. */
function pickName(path: string): string {
  return signalNames[path.length % signalNames.length] as string;
}
