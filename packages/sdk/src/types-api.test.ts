// Workflows, contexts and clients as users write them, with zod, valibot and arktype: `tsc -b` is the test, also of the lines that are marked as
// errors to be expected; the run shows that the values behind them exist.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as arktype from "arktype";
import type pg from "pg";
import * as v from "valibot";
import { z } from "zod";
import * as functions from "./functions.ts";
import {
  type Child,
  type Client,
  type Context,
  continueAsNew,
  emit,
  type Handle,
  type InputOf,
  log,
  type OutputOf,
  onCancel,
  type PgClientLike,
  type PgPoolLike,
  type PublishedOf,
  patched,
  publish,
  ref,
  type SignalsOf,
  type SqliteLike,
  scope,
  sendSignal,
  sleep,
  spawn,
  step,
  transaction,
  type,
  uuid,
  type Wait,
  waitFor,
  waitForAny,
  workflow,
} from "./index.ts";
import { RunContext } from "./run/context.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only for `true`. */
const isTrue = <T extends true>(value: T = true as T): T => value;

const buy = workflow(
  "buy",
  {
    version: "3",
    accepts: ["2"],
    input: z.object({ id: z.string(), total: z.number().default(5) }),
    signals: {
      approved: v.object({ by: v.string(), at: v.optional(v.date()) }),
      paid: arktype.type({ amount: "number" }),
    },
    published: { progress: z.number(), label: type<string>() },
    step: { retry: { attempts: 3 }, timeout: "30s" },
  },
  async (input, ctx) => {
    isTrue<Equal<typeof input, { id: string; total: number }>>();
    const receipt = await ctx.step("charge", () => ({ no: input.total }), { compensate: (r) => r?.no });
    isTrue<Equal<typeof receipt, { no: number }>>();
    const ok = await ctx.waitFor("approved", { timeout: "3d" });
    isTrue<Equal<typeof ok, { by: string; at?: Date | undefined } | undefined>>();
    const paid = await ctx.waitFor("paid");
    isTrue<Equal<typeof paid, { amount: number }>>();
    // @ts-expect-error a name that is not declared
    void ctx.waitFor("refused");
    const either = await ctx.waitForAny(["approved", "paid"], { timeout: 5 });
    if (either?.name === "paid") isTrue<Equal<typeof either.value, { amount: number }>>();
    // @ts-expect-error a name that is not declared
    void ctx.waitForAny(["approved", "refused"]);
    ctx.publish("progress", 1);
    // @ts-expect-error a value of another type
    ctx.publish("progress", "one");
    // @ts-expect-error a key that is not declared
    ctx.publish("speed", 1);
    if (ok === undefined) return ctx.continueAsNew(input);
    return { receipt, by: ok.by };
  },
);
const byArktype = workflow("by-arktype", { input: arktype.type({ "n?": "number" }) }, async ({ n }) => n ?? 0);
const byValibot = workflow("by-valibot", { input: v.optional(v.number(), 3) }, async (n) => [n]);
const loose = workflow("loose", async (n: number, ctx) => {
  const a = await waitFor<string>("a", { timeout: 5 });
  const b = await ctx.waitFor<Date>("b");
  const c = await waitForAny(["x", "y"]);
  isTrue<Equal<typeof c, { readonly name: "x" | "y"; readonly value: unknown } | undefined>>();
  await Promise.race([sleep("5s"), step("s", async () => n)]);
  using wait = sleep("t", "1h");
  isTrue<Equal<typeof wait, Wait<void>>>();
  wait.cancel();
  onCancel((reason) => log.info(`cancelled ${reason}`));
  publish("k", { a });
  emit("e");
  if (await patched("p")) await sendSignal("other", "n", 1);
  const child = spawn(buy, { id: uuid() }, { detached: true });
  isTrue<Equal<typeof child, Child<typeof buy>>>();
  const end = await child.result();
  isTrue<Equal<typeof end, { receipt: { no: number }; by: string }>>();
  // @ts-expect-error no input for a workflow that wants one
  spawn(buy);
  spawn(byValibot);
  const inner = await scope("in", async (inside) => inside.step("q", () => new Set([1])));
  isTrue<Equal<typeof inner, Set<number>>>();
  return n > 3 ? continueAsNew(n - 1) : ([b, c?.name, inner] as const);
});
/** Returns what a step returns, without a type of its own in between. */
const passing = workflow("passing", () => step("s", async () => ({ at: new Date() })));
/** Never ends: only continuations. */
const endless = workflow("endless", async (n: number) => continueAsNew(n + 1));

const inferred = [
  isTrue<Equal<InputOf<typeof buy>, { id: string; total?: number | undefined }>>(),
  isTrue<Equal<OutputOf<typeof buy>, { receipt: { no: number }; by: string }>>(),
  isTrue<Equal<keyof SignalsOf<typeof buy>, "approved" | "paid">>(),
  isTrue<Equal<keyof PublishedOf<typeof buy>, "progress" | "label">>(),
  isTrue<Equal<InputOf<typeof byArktype>, { n?: number }>>(),
  isTrue<Equal<OutputOf<typeof byArktype>, number>>(),
  isTrue<Equal<InputOf<typeof byValibot>, number | undefined>>(),
  isTrue<Equal<OutputOf<typeof byValibot>, number[]>>(),
  isTrue<Equal<InputOf<typeof loose>, number>>(),
  isTrue<Equal<OutputOf<typeof loose>, readonly [Date, "x" | "y" | undefined, Set<number>]>>(),
  isTrue<Equal<OutputOf<typeof passing>, { at: Date }>>(),
  isTrue<Equal<OutputOf<typeof endless>, never>>(),
];

/** The facts that a context has beside the functions. */
type Facts = "instanceId" | "tenantId" | "run" | "signal" | "replaying";
const sameFunctions = isTrue<Equal<Exclude<keyof Context, Facts>, keyof typeof functions>>();

/** Never called: only compiled. */
export async function asClient(client: Client): Promise<void> {
  const handle = await client.start(ref<typeof buy>("buy"), { id: "7" }, { id: "order-7", tags: { shop: "a" } });
  isTrue<Equal<typeof handle, Handle<typeof buy>>>();
  await handle.signal("approved", { by: "me" });
  // @ts-expect-error a payload of another type
  await handle.signal("approved", 5);
  // @ts-expect-error a name that is not declared
  await handle.signal("refused", {});
  const result = await handle.result({ timeout: "1m" });
  isTrue<Equal<typeof result, { receipt: { no: number }; by: string }>>();
  const done = await handle.published("progress");
  isTrue<Equal<typeof done, number | undefined>>();
  // @ts-expect-error a key that is not declared
  await handle.published("speed");
  // @ts-expect-error no input
  await client.start(buy);
  // @ts-expect-error an input of another type
  await client.start(loose, "3");
  // @ts-expect-error a name of another workflow
  ref<typeof buy>("by");
  const n = await client.run(byArktype, {});
  isTrue<Equal<typeof n, number>>();
  await client.start(byValibot);
  const free = client.get(loose, "x");
  await free.signal("anything", { at: 1 });
  const anything = await free.published("anything");
  isTrue<Equal<typeof anything, unknown>>();
  for await (const row of client.list({ status: ["failed"], tags: { shop: "a" } })) row.createdAt.getTime();
  // @ts-expect-error a status that does not exist
  client.list({ status: "done" });
  await client.schedules.put({ id: "nightly", workflow: "loose", input: 3, cron: "0 3 * * *" });
  for await (const entry of handle.history()) if (entry.kind === "step") entry.seq.toFixed();
}

/** Never called: only compiled. */
export async function inTransactions(
  pgPool: pg.Pool,
  pool: PgPoolLike<PgClientLike & { extra: 1 }>,
  file: SqliteLike & { path: string },
): Promise<void> {
  const rows = await transaction(pgPool, "p", async (tx) => {
    isTrue<Equal<typeof tx, pg.PoolClient>>();
    const result = await tx.query<{ n: number }>("SELECT 1 AS n");
    return result.rows;
  });
  isTrue<Equal<typeof rows, { n: number }[]>>();
  const one = await transaction(pool, "t", async (tx) => tx.extra);
  isTrue<Equal<typeof one, 1>>();
  const path = await transaction(file, "u", (tx) => tx.path, { retry: false });
  isTrue<Equal<typeof path, string>>();
  // @ts-expect-error on SQLite the function must be done when it returns
  await transaction(file, "v", async (tx) => tx.path);
  // @ts-expect-error a result that can't be stored
  await transaction(pool, "w", async () => ({ go: () => 1 }));
}

/** Never called: only compiled. */
export function refused(): void {
  // @ts-expect-error an output that can't be stored, beside a continuation
  workflow("a", async (n: number) => (n > 0 ? continueAsNew(n) : { go: () => 1 }));
  // @ts-expect-error signals must be schemas
  workflow("b", { signals: { x: 5 } }, async () => 1);
  // @ts-expect-error an input that the schema does not give
  workflow("c", { input: z.object({ n: z.number() }) }, async ({ m }) => m);
}

test("a context offers the free functions, and nothing else beside the facts", () => {
  assert.ok(sameFunctions && inferred.every(Boolean));
  for (const name of Object.keys(functions)) {
    assert.ok(name in RunContext.prototype, `ctx.${name}`);
  }
});

test("what users define is there", () => {
  const defined = [buy, byArktype, byValibot, loose, passing, endless];
  assert.deepEqual(
    defined.map(({ name }) => name),
    ["buy", "by-arktype", "by-valibot", "loose", "passing", "endless"],
  );
  assert.equal(buy.version, "3");
});
