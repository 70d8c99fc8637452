import { isDeepStrictEqual } from "node:util";
import {
  kinds,
  type Operation,
  type OperationOf,
  type OwnCheckpoint,
  type OwnRetry,
  type ResultOf,
  type Store,
  StoreError,
} from "@runtara/store";
import { type AnswerNames, answerNames, canonical, renamed } from "./answer-names.ts";
import type { RandomOperations } from "./random-operations.ts";
import { plain } from "./values.ts";

/** The first answer in which a store is unlike the first one, and how it came to it. */
export interface Difference {
  /** Index among the stores; the first one (0) only if it failed by itself. */
  readonly store: number;
  readonly operation: Operation;
  readonly expected: unknown;
  readonly actual: unknown;
  /** What was carried out before about the same instances, oldest first; of everything if the operation names none. */
  readonly before: readonly Operation[];
}

export interface CompareOptions {
  /** How many operations. Default: all of a list, 1,000 of a source. */
  readonly count?: number;
  /** So many operations at most are submitted at once where their order does not matter. Default 1. */
  readonly together?: number;
  /** For going on with a comparison of the same stores: what they called things so far (`answerNames`). Default: nothing yet. */
  readonly names?: readonly AnswerNames[];
}

/**
 * Sends the same operations to every store and compares the answers with those of the first. Cursors and ids of signals are an engine's own
 * affair: they are compared by what they lead to. Undefined = no difference.
 */
export async function compareStores(
  stores: readonly Store[],
  operations: RandomOperations | readonly Operation[],
  options: CompareOptions = {},
): Promise<Difference | undefined> {
  const source = "next" in operations ? operations : listed(operations);
  const count = options.count ?? ("next" in operations ? 1_000 : operations.length);
  const names = options.names ?? answerNames(stores.length);
  const done: Operation[] = [];
  let next = count > 0 ? source.next() : undefined;
  while (next !== undefined && done.length < count) {
    const group = [next];
    next = undefined;
    while (done.length + group.length < count && next === undefined) {
      const candidate = source.next();
      if (group.length < (options.together ?? 1) && group.every(isByItself) && isByItself(candidate))
        group.push(candidate);
      else next = candidate;
    }
    const answers = await Promise.all(stores.map((store, index) => answersOf(store, group, names[index])));
    for (const [index, operation] of group.entries()) {
      const difference = firstDifference(operation, answers, index, names);
      if (difference !== undefined) return { ...difference, before: about(operation, done) };
      done.push(operation);
      source.learn(operation, answers[0]?.[index]);
    }
  }
  return undefined;
}

/** One line for each operation that led to the difference. */
export function describeDifference({ store, operation, expected, actual, before }: Difference): string {
  const lines = before.slice(-40).map((one) => `  ${shown(one)}`);
  return [
    `store ${store} answers differently:`,
    ...lines,
    `→ ${shown(operation)}`,
    `expected ${shown(expected)}`,
    `actual   ${shown(actual)}`,
  ].join("\n");
}

function firstDifference(
  operation: Operation,
  answers: readonly (readonly unknown[])[],
  index: number,
  names: readonly AnswerNames[],
): Omit<Difference, "before"> | undefined {
  const first = answers[0]?.[index];
  if (isBroken(first)) return { store: 0, operation, expected: "an answer", actual: first };
  const expected = canonical(operation, first);
  for (const [store, own] of names.entries()) {
    if (store === 0) continue;
    const actual = renamed(expected, canonical(operation, answers[store]?.[index]), own);
    if (!isDeepStrictEqual(actual, expected)) return { store, operation, expected, actual };
  }
  return undefined;
}

async function answersOf(
  store: Store,
  group: readonly Operation[],
  names: AnswerNames | undefined,
): Promise<unknown[]> {
  const answers = group.map((operation) =>
    answerOf(store, names === undefined ? operation : translated(operation, names)),
  );
  store.flush();
  return Promise.all(answers);
}

/** A failure is an answer, too: its code. */
async function answerOf(store: Store, operation: Operation): Promise<unknown> {
  try {
    return plain(await wholeAnswer(store, operation));
  } catch (error) {
    return error instanceof StoreError ? { failed: error.code, message: error.message } : { failed: "INTERNAL", error };
  }
}

/** Where an engine may answer in as many parts as it likes, all of them as one. */
function wholeAnswer(store: Store, operation: Operation): Promise<ResultOf[keyof ResultOf]> {
  if (operation.kind === "listOwnCheckpoints") return ownListing(store, operation);
  return operation.kind === "removeOld" ? removal(store, operation) : store.run(operation);
}

/** A slice also ends with its time, which depends on the machine. */
async function removal(store: Store, operation: OperationOf<"removeOld">): Promise<ResultOf["removeOld"]> {
  let { instances, events, checkpoints, more } = await store.run(operation);
  while (more) {
    const next = await store.run(operation);
    instances += next.instances;
    events += next.events;
    checkpoints += next.checkpoints;
    more = next.more;
  }
  return { outcome: "removed", instances, events, checkpoints, more };
}

/** All pages as one: how many rows a page takes beside its bytes of states is up to the engine. */
async function ownListing(
  store: Store,
  operation: OperationOf<"listOwnCheckpoints">,
): Promise<ResultOf["listOwnCheckpoints"]> {
  let page = await store.run(operation);
  const checkpoints: OwnCheckpoint[] = [];
  const retries: OwnRetry[] = [];
  while (page.outcome === "page") {
    checkpoints.push(...page.checkpoints);
    retries.push(...page.retries);
    const { nextCursor: cursor } = page;
    if (cursor === undefined) return { outcome: "page", checkpoints, retries, nextCursor: undefined };
    page = await store.run({ ...operation, cursor });
  }
  return page;
}

function isBroken(answer: unknown): boolean {
  return typeof answer === "object" && answer !== null && "failed" in answer && answer.failed === "INTERNAL";
}

/** The operation in the words of one store: its own cursors and ids. */
function translated(operation: Operation, { cursors, signals }: AnswerNames): Operation {
  const id = (signalId: number): number => signals.get(signalId) ?? signalId;
  if ("cursor" in operation && operation.cursor !== undefined)
    return { ...operation, cursor: cursors.get(operation.cursor) ?? operation.cursor };
  switch (operation.kind) {
    case "saveBatch": {
      const entries = operation.entries.map(({ consumesSignalId, ...entry }) =>
        consumesSignalId === undefined ? entry : { ...entry, consumesSignalId: id(consumesSignalId) },
      );
      return { ...operation, entries };
    }
    case "suspendUntil":
      return { ...operation, afterSignalId: id(operation.afterSignalId) };
    case "readSignals": {
      const interests = operation.interests.map((one) => ({ ...one, afterSignalId: id(one.afterSignalId) }));
      return { ...operation, interests };
    }
    default:
      return operation;
  }
}

/** It is one call about one instance, so its place among those of other instances does not matter. */
function isByItself(operation: Operation): boolean {
  return kinds[operation.kind].instance && !("parent" in operation) && operation.kind !== "listOwnCheckpoints";
}

function about(operation: Operation, done: readonly Operation[]): Operation[] {
  if (!("instanceId" in operation)) return [...done];
  const id = JSON.stringify(operation.instanceId);
  return done.filter((one) => !("instanceId" in one) || JSON.stringify(one).includes(id));
}

function listed(operations: readonly Operation[]): RandomOperations {
  const left = operations[Symbol.iterator]();
  return {
    next() {
      const { done, value } = left.next();
      if (done === true) throw new RangeError("there are no more operations");
      return value;
    },
    learn() {},
  };
}

function shown(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    member instanceof Uint8Array ? new TextDecoder().decode(member) : member,
  );
}
