// Random workflows in which every result carries the place in the program that it belongs to.

import assert from "node:assert/strict";
import type { RunContext } from "../run/context.ts";
import { pick, type Rng } from "./rng.ts";

type Node = { readonly hops: number } & (
  | { readonly is: "step"; readonly name: string; readonly key: string | undefined; readonly fails: boolean }
  | { readonly is: "sleep"; readonly name: string; readonly ms: number; readonly disarm: boolean }
  | { readonly is: "seq" | "all" | "race" | "settled" | "finally"; readonly children: readonly Node[] }
  | { readonly is: "scope"; readonly name: string; readonly child: Node }
);

/** What a program tells the test about. */
export interface Observer {
  /** A step body runs. */
  body(id: string): void;
  /** How long this body takes, 0 for one that is synchronous. */
  latency(): number;
  wait(ms: number): Promise<void>;
  /** A result went to another place of the program. */
  swapped(message: string): void;
}

const names = ["x", "y", "z"];

/** A random tree of calls. */
export function randomProgram(rng: Rng): Node {
  let budget = 16;
  const children = (depth: number): Node[] => Array.from({ length: 2 + Math.floor(rng() * 2) }, () => make(depth - 1));
  const make = (depth: number): Node => {
    budget--;
    const hops = rng() < 0.5 ? 0 : Math.floor(rng() * 5);
    const kind = rng();
    if (depth <= 0 || budget <= 0 || kind < 0.4) {
      return {
        is: "step",
        hops,
        name: pick(rng, names),
        key: rng() < 0.2 ? pick(rng, ["a", "b"]) : undefined,
        fails: rng() < 0.15,
      };
    }
    if (kind < 0.52)
      return { is: "sleep", hops, name: pick(rng, names), ms: Math.floor(rng() * 60), disarm: rng() < 0.15 };
    if (kind < 0.64) return { is: "seq", hops, children: children(depth) };
    if (kind < 0.78) return { is: "all", hops, children: children(depth) };
    if (kind < 0.88) return { is: "race", hops, children: children(depth) };
    if (kind < 0.92) return { is: "settled", hops, children: children(depth) };
    if (kind < 0.95)
      return {
        is: "finally",
        hops,
        children: [make(depth - 1), { is: "step", hops: 0, name: pick(rng, names), key: undefined, fails: false }],
      };
    return { is: "scope", hops, name: pick(rng, names), child: make(depth - 1) };
  };
  return { is: "seq", hops: 0, children: [make(4), make(4), make(3)] };
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
    case "sleep": {
      const wait = context.sleep(node.name, node.ms);
      if (node.disarm) wait.cancel();
      return wait.then(
        () => `slept ${context.now() % 100_000}`,
        (error: Error) => error.name,
      );
    }
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
