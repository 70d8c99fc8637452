// Random workflows in which every result carries the place in the program that it belongs to.

import assert from "node:assert/strict";
import type { RunContext } from "../run/context.ts";
import { pick, type Rng } from "./rng.ts";

export type Node = { readonly hops: number } & (
  | { readonly is: "step"; readonly name: string; readonly key: string | undefined; readonly fails: boolean }
  | { readonly is: "sleep"; readonly name: string; readonly ms: number; readonly disarm: boolean }
  | { readonly is: "seq" | "all" | "race" | "settled" | "finally"; readonly children: readonly Node[] }
  | { readonly is: "scope"; readonly name: string; readonly child: Node }
  | { readonly is: "wait"; readonly signals: readonly string[]; readonly timeout: number | undefined }
  | { readonly is: "message" }
  | { readonly is: "patched"; readonly id: string; readonly child: Node }
);

/** What a program may be made of, beside steps, sleeps and what joins them. */
export interface Ingredients {
  readonly signals?: boolean;
  readonly messages?: boolean;
  readonly patches?: boolean;
}

/** What a program tells the test about. */
export interface Observer {
  /** A step body runs. */
  body(id: string): void;
  /** How long this body takes, 0 for one that is synchronous. */
  latency(): number;
  wait(ms: number): Promise<void>;
  /** A wait was given this. */
  received(payload: unknown): void;
  /** A message goes out. */
  told(message: string): void;
  /** A result went to another place of the program. */
  swapped(message: string): void;
}

const names = ["x", "y", "z"];
export const signalNames: readonly string[] = ["a", "b"];

/** A random tree of calls. */
export function randomProgram(rng: Rng, ingredients: Ingredients = {}): Node {
  let budget = 16;
  const make = (depth: number): Node => {
    budget--;
    const hops = rng() < 0.5 ? 0 : Math.floor(rng() * 5);
    if (depth <= 0 || budget <= 0 || rng() < 0.4) return leaf(rng, hops, ingredients);
    const children = (): Node[] => Array.from({ length: 2 + Math.floor(rng() * 2) }, () => make(depth - 1));
    const kind = rng();
    if (kind < 0.3) return { is: "seq", hops, children: children() };
    if (kind < 0.55) return { is: "all", hops, children: children() };
    if (kind < 0.75) return { is: "race", hops, children: children() };
    if (kind < 0.82) return { is: "settled", hops, children: children() };
    if (kind < 0.88) return { is: "finally", hops, children: [make(depth - 1), stepNode(rng, 0)] };
    if (kind < 0.94 && ingredients.patches)
      return { is: "patched", hops, id: pick(rng, names), child: make(depth - 1) };
    return { is: "scope", hops, name: pick(rng, names), child: make(depth - 1) };
  };
  return { is: "seq", hops: 0, children: [make(4), make(4), make(3)] };
}

function leaf(rng: Rng, hops: number, { signals, messages }: Ingredients): Node {
  const kind = rng();
  if (signals && kind < 0.2) return waitNode(rng, hops);
  if (messages && kind < 0.3) return { is: "message", hops };
  if (kind < 0.45) {
    return { is: "sleep", hops, name: pick(rng, names), ms: Math.floor(rng() * 60), disarm: rng() < 0.15 };
  }
  return stepNode(rng, hops, rng() < 0.15, rng() < 0.2 ? pick(rng, ["a", "b"]) : undefined);
}

function stepNode(rng: Rng, hops: number, fails = false, key: string | undefined = undefined): Node {
  return { is: "step", hops, name: pick(rng, names), key, fails };
}

function waitNode(rng: Rng, hops: number): Node {
  const signals = rng() < 0.25 ? signalNames : [pick(rng, signalNames)];
  return { is: "wait", hops, signals, timeout: rng() < 0.8 ? Math.floor(rng() * 80) : undefined };
}

/** Runs a program; its text result depends on every delivered result and on their order. */
export async function execute(context: RunContext, node: Node, observer: Observer, path = "P"): Promise<string> {
  for (let hop = 0; hop < node.hops; hop++) await Promise.resolve();
  const child = (index: number): Promise<string> => {
    assert.ok("children" in node);
    return execute(context, node.children[index] as Node, observer, `${path}.${index}`);
  };
  switch (node.is) {
    case "step":
      return executeStep(context, node, observer, path);
    case "wait":
      return executeWait(context, node, observer);
    case "sleep": {
      const wait = context.sleep(node.name, node.ms);
      if (node.disarm) wait.cancel();
      return wait.then(
        () => `slept ${context.now() % 100_000}`,
        (error: Error) => error.name,
      );
    }
    case "message":
      context.emit("program", path);
      observer.told(path);
      return "told";
    case "patched":
      return (await context.patched(node.id)) ? execute(context, node.child, observer, `${path}.p`) : "unpatched";
    case "seq": {
      const results: string[] = [];
      for (let index = 0; index < node.children.length; index++) results.push(await child(index));
      return `(${results.join()} ${context.random()})`;
    }
    case "all":
      return `[${(await Promise.all(node.children.map((_, index) => child(index)))).join()}]`;
    case "race":
      return `<${await Promise.race(node.children.map(async (_, index) => `${index}${await child(index)}`))}>`;
    case "settled":
      return `{${(await Promise.allSettled(node.children.map((_, index) => child(index)))).map((result) => result.status).join()}}`;
    case "finally":
      try {
        return await child(0);
      } finally {
        await child(1);
      }
    case "scope":
      return context.scope(node.name, (inner) => execute(inner as RunContext, node.child, observer, `${path}.s`));
  }
}

async function executeWait(context: RunContext, node: Node & { is: "wait" }, observer: Observer): Promise<string> {
  const options = node.timeout === undefined ? undefined : { timeout: node.timeout };
  const [only = ""] = node.signals;
  if (node.signals.length === 1) {
    const payload = await (options ? context.waitFor(only, options) : context.waitFor(only));
    if (payload !== undefined) observer.received(payload);
    return `got ${String(payload)}`;
  }
  const signal = await context.waitForAny(node.signals, options);
  if (signal !== undefined) observer.received(signal.value);
  return `got ${signal?.name} ${String(signal?.value)}`;
}

async function executeStep(
  context: RunContext,
  node: Node & { is: "step" },
  observer: Observer,
  path: string,
): Promise<string> {
  const options = node.key === undefined ? {} : { key: node.key };
  try {
    const result = await context.step(node.name, (s) => stepBody(s.checkpointId, node.fails, observer, path), options);
    if (result !== path) observer.swapped(`${path} was given ${result}`);
    return result;
  } catch (error) {
    const { name, message } = error as Error;
    if (name === "CancelledError" || name === "ContextError") throw error;
    if (message !== path) observer.swapped(`${path} was given the error ${message}`);
    return `caught ${message}`;
  }
}

function stepBody(id: string, fails: boolean, observer: Observer, path: string): string | Promise<string> {
  observer.body(id);
  const outcome = (): string => {
    if (fails) throw new Error(path);
    return path;
  };
  const ms = observer.latency();
  return ms === 0 ? outcome() : observer.wait(ms).then(outcome);
}
