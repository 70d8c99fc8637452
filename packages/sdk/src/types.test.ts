// What compiles and what does not: `tsc -b` is the test of the lines marked @ts-expect-error; the run only shows that it is no stub.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import {
  type InputOf,
  type OutputOf,
  ref,
  type StepFn,
  type Storable,
  sleep,
  step,
  type,
  type Wait,
  type Workflow,
  workflow,
} from "./index.ts";

class Money {
  readonly cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
  plus(other: Money): Money {
    return new Money(this.cents + other.cents);
  }
}
class Socket {
  readonly port = 1;
  close(): void {}
}
declare module "./index.ts" {
  interface StorableClasses {
    money: Money;
  }
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only for `true`. */
const isTrue = <T extends true>(value: T = true as T): T => value;

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
interface Tree {
  readonly value: Date;
  readonly children: Tree[];
}
type Shape = { kind: "circle"; radius: number } | { kind: "square"; side: bigint };
interface Order {
  readonly id: string;
  readonly total: number;
}

const storable = [
  isTrue<Equal<Storable<string | undefined>, unknown>>(),
  isTrue<Equal<Storable<void>, unknown>>(),
  isTrue<Equal<Storable<Json>, unknown>>(),
  isTrue<Equal<Storable<Tree>, unknown>>(),
  isTrue<Equal<Storable<Shape[]>, unknown>>(),
  isTrue<Equal<Storable<Map<string, Set<URL>>>, unknown>>(),
  isTrue<Equal<Storable<{ a?: Uint8Array; b: readonly [1, Error] }>, unknown>>(),
  isTrue<Equal<Storable<Money>, unknown>>(),
  isTrue<Equal<Storable<unknown>, unknown>>(),
  isTrue<
    Equal<Storable<() => void> extends unknown ? (unknown extends Storable<() => void> ? true : false) : never, false>
  >(),
];

const order = workflow("order", async (input: Order) => {
  const receipt = await step("charge", async () => ({ receipt: input.id, at: new Date() }));
  await sleep("cooling-off", "24h");
  return receipt;
});
const parsed = workflow(
  "parsed",
  { input: z.object({ id: z.string(), total: z.coerce.number().default(5) }) },
  async (input, ctx) => {
    isTrue<Equal<typeof input, { id: string; total: number }>>();
    return [ctx.instanceId, input.total] as const;
  },
);
const typed = workflow("typed", { input: type<Order>() }, async (input) => input.total);

const inferred = [
  isTrue<Equal<InputOf<typeof order>, Order>>(),
  isTrue<Equal<OutputOf<typeof order>, { receipt: string; at: Date }>>(),
  isTrue<Equal<InputOf<typeof parsed>["id"], string>>(),
  isTrue<Equal<OutputOf<typeof parsed>, readonly [string, number]>>(),
  isTrue<Equal<InputOf<typeof typed>, Order>>(),
  isTrue<Equal<typeof order, Workflow<"order", Order, { receipt: string; at: Date }>>>(),
  isTrue<Equal<ReturnType<typeof sleep>, Wait<void>>>(),
];

/** A generic helper passes its StepFn on. */
function twice<T>(name: string, fn: StepFn<T>): Promise<T[]> {
  return Promise.all([step(name, fn), step(name, fn)]);
}

/** Never called: only compiled. */
export async function expectedErrors(): Promise<void> {
  const text: string = await step("a", () => "x");
  const both: number[] = await twice("b", () => 1);
  await step("c", () => new Money(5));
  await step("d", () => JSON.parse(text) as unknown);
  // @ts-expect-error a function can't be stored
  await step("e", () => ({ go: () => both }));
  // @ts-expect-error nor can a class with methods that is not registered
  await step("f", () => new Socket());
  // @ts-expect-error nor a symbol, deep inside
  await step("g", () => [{ a: { b: Symbol("x") } }]);
  // @ts-expect-error nor a promise in a result (missing await)
  await step("h", () => ({ pending: Promise.resolve(1) }));
  // @ts-expect-error nor an optional function
  await step("i", (): { callback?: () => void } => ({}));
  // @ts-expect-error nor a weak map
  await step("j", () => new WeakMap());
  // @ts-expect-error nor a map of functions
  await step("k", () => new Map([["k", () => 1]]));
  // @ts-expect-error a helper checks, too
  await twice("l", () => ({ go: () => 1 }));
  // @ts-expect-error an output that can't be stored
  workflow("m", async () => ({ socket: new Socket() }));
  // @ts-expect-error a name of another workflow
  ref<typeof order>("other");
  // @ts-expect-error a duration without a unit that exists
  await sleep("5 minutes");
  // @ts-expect-error a workflow function must be async
  workflow("n", () => 5);
}

test("types are as documented, and the values behind them exist", async () => {
  assert.ok([...storable, ...inferred].every(Boolean));
  assert.deepEqual(
    [order.name, ref<typeof order>("order").name, parsed.name, typed.name],
    ["order", "order", "parsed", "typed"],
  );
  assert.equal(typeof expectedErrors, "function");
  await assert.rejects(async () => twice("x", () => 1), /outside a workflow/);
});
