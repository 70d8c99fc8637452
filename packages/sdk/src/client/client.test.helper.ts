// What a client must do over any operator; run over core's services here and over the wire in worker/.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import * as v from "valibot";
import { z } from "zod";
import type { Schedule } from "../api/client.ts";
import { aesGcm } from "../codec/aes-gcm.ts";
import {
  CancelledError,
  ConfigError,
  ConnectionError,
  ContextError,
  InstanceFailedError,
  NotFoundError,
  StartConflictError,
  ValidationError,
  WaitTimeoutError,
} from "../errors.ts";
import type { Operator } from "../ports/operator.ts";
import type { ClaimedWork, InstanceSession, Report, WorkSource } from "../ports/source.ts";
import { SourceError } from "../ports/source-error.ts";
import { writeEnvelope } from "../run/envelope.ts";
import { createSealer } from "../values/sealer.ts";
import { createWrapper } from "../values/wrapper.ts";
import { ref, workflow } from "../workflow.ts";
import { createClient } from "./client.ts";

/** A worker's and an operator's side of one tenant, "t". */
export interface Sides {
  readonly source: WorkSource;
  readonly operator: Operator;
}

const order = workflow(
  "order",
  {
    version: "2",
    input: z.object({ id: z.string(), total: z.number().default(1), at: z.date().optional() }),
    signals: { approved: v.object({ by: v.string() }) },
    published: { progress: z.number() },
  },
  async (input) => ({ id: input.id, paid: new Date(0) }),
);
const loose = workflow("loose", async (items: readonly unknown[] | undefined) => items?.length ?? 0);

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (state: Uint8Array | null | undefined): string | undefined =>
  state ? new TextDecoder().decode(state) : undefined;

/** Takes what is to be done, as a worker of these workflows. */
class Hands {
  readonly #source: WorkSource;
  #received = 0;
  constructor(source: WorkSource) {
    this.#source = source;
  }

  async take(): Promise<InstanceSession & { readonly work: ClaimedWork }> {
    const offers = [
      { name: "order", versions: ["2"] },
      { name: "loose", versions: [] },
    ];
    const { answer } = this.#source.claim({ offers, capacity: 1, received: this.#received, waitMs: 30_000 });
    const { sequence, work } = await answer;
    this.#received = sequence;
    const [first] = work;
    assert.ok(first, "the claim gave nothing");
    return this.#source.session(first);
  }

  async end(report: Report): Promise<void> {
    await (await this.take()).report(report);
  }
}

const save = (session: InstanceSession, batch: Parameters<InstanceSession["save"]>[0]): Promise<unknown> =>
  new Promise((resolve, reject) => {
    session.save(batch, (error, answer) => (error ? reject(error) : resolve(answer)));
  });

/** The tests, named after the operator. */
export function testClient(name: string, sidesOf: (t: TestContext) => Promise<Sides>): void {
  const setUp = async (t: TestContext, codecs = [] as Parameters<typeof createSealer>[0]) => {
    const { source, operator } = await sidesOf(t);
    const sealer = createSealer(codecs);
    const client = createClient({ operator, tenantId: "t", sealer, clock: source.clock });
    return { client, hands: new Hands(source), source, operator, sealer };
  };

  void test(`${name}: a start is idempotent by id, version and input; what differs is named`, async (t) => {
    const { client, hands } = await setUp(t);
    const handle = await client.start(order, { id: "7", at: new Date(5) }, { id: "o7", tags: { shop: "a" } });
    assert.equal(handle.id, "o7");
    const again = await client.start(order, { id: "7", at: new Date(5) }, { id: "o7" });
    assert.equal(again.id, "o7");
    await assert.rejects(
      client.start(order, { id: "8", at: new Date(6) }, { id: "o7" }),
      (error) =>
        error instanceof StartConflictError &&
        /instance o7 was started with another input: input\.id: "7" was stored, "8" was given; input\.at\.\$rt:Date: /.test(
          error.message,
        ),
    );
    await assert.rejects(
      client.start(loose, [1], { id: "o7" }),
      (error) =>
        error instanceof StartConflictError &&
        /is one of workflow "order", version 2, not of "loose"/.test(error.message),
    );
    const session = await hands.take();
    assert.deepEqual([session.work.facts.workflow, session.work.facts.version], ["order", "2"]);
    assert.equal(text(session.work.facts.input), '{"id":"7","at":{"$rt:Date":"1970-01-01T00:00:00.005Z"}}');
    await session.report({
      is: "completed",
      output: bytes('{"id":"7","paid":{"$rt:Date":"1970-01-01T00:00:00.000Z"}}'),
    });
    assert.deepEqual(await again.result(), { id: "7", paid: new Date(0) });
    const attached = await client.run(order, { id: "7", at: new Date(5) }, { id: "o7" });
    assert.deepEqual(attached, { id: "7", paid: new Date(0) }, "a finished one is attached to, too");
  });

  void test(`${name}: without an id each start is one of its own, sorted by time; no input is undefined`, async (t) => {
    const { client, hands } = await setUp(t);
    const first = await client.start(loose);
    const second = await client.start(loose);
    assert.match(first.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.ok(first.id.slice(0, 13) <= second.id.slice(0, 13) && first.id !== second.id);
    const session = await hands.take();
    assert.equal(session.work.facts.input, null);
    await session.report({ is: "completed", output: undefined });
    assert.equal(await client.get(loose, session.work.instanceId).result(), undefined);
  });

  void test(`${name}: bad input is refused before anything is sent, with the paths`, async (t) => {
    const { client } = await setUp(t);
    await assert.rejects(
      client.start(order, { id: 7 } as never, { id: "bad" }),
      (error) => error instanceof ValidationError && error.issues[0]?.path === "id",
    );
    await assert.rejects(
      client.start(loose, [() => {}], { id: "bad" }),
      /workflow "loose" was started with a value that can't be stored: input\[0\] is a function/,
    );
    await assert.rejects(client.start(loose, [], { id: "" }), ConfigError);
    await assert.rejects(client.start(loose, [], { id: 7 as never }), /the id is 7; it must be text/);
    await assert.rejects(client.start(loose, [], { startAt: 5 as never }), /startAt is 5; it must be a Date/);
    await assert.rejects(client.start(loose, [], { timeout: "soon" as never }), /timeout is "soon"/);
    await assert.rejects(client.start(loose, [], { startAt: new Date(Number.NaN) }), ConfigError);
    await assert.rejects(client.get(loose, "bad").status(), NotFoundError);
    await assert.rejects(client.start("loose" as never, 1 as never), /must be what workflow\(\) or ref\(\) returned/);
    assert.throws(() => client.get(undefined as never, "i"), ConfigError);
    assert.throws(() => client.get(loose, ""), ConfigError);
  });

  void test(`${name}: result gives the output, the workflow's own error, or how it was ended`, async (t) => {
    const { client, hands } = await setUp(t);
    const failed = await client.start(loose, [1], { id: "f" });
    const waiting = failed.result();
    const failure = '{"$rt:Error":{"name":"RangeError","message":"too far","stack":"s"}}';
    await hands.end({ is: "failed", error: "RangeError: too far", failure: bytes(failure) });
    await assert.rejects(waiting, (error) => {
      assert.ok(error instanceof InstanceFailedError && error.cause instanceof RangeError);
      assert.deepEqual(
        [error.message, error.instanceId, error.reason, error.cause.message],
        ["instance f failed: RangeError: too far", "f", "reported", "too far"],
      );
      return true;
    });
    const killed = await client.start(loose, [2], { id: "k" });
    await killed.kill("wrong customer");
    await assert.rejects(
      killed.result(),
      (error) => error instanceof CancelledError && error.message === "instance k was killed: wrong customer",
    );
    await killed.kill();
    await killed.cancel();
    assert.equal((await killed.status()).status, "cancelled");
    await assert.rejects(client.get(loose, "nobody").result(), NotFoundError);
  });

  void test(`${name}: giving up waiting changes nothing`, async (t) => {
    const { client, hands } = await setUp(t);
    const handle = await client.start(loose, [1], { id: "slow" });
    await assert.rejects(
      handle.result({ timeout: 30 }),
      (error) => error instanceof WaitTimeoutError && error.retryable && /not ended within 30/.test(error.message),
    );
    const abort = new AbortController();
    const waiting = handle.result({ signal: abort.signal });
    abort.abort(new Error("enough"));
    await assert.rejects(waiting, /enough/);
    await assert.rejects(handle.result({ signal: abort.signal }), /enough/);
    await hands.end({ is: "completed", output: bytes("1") });
    assert.equal(await handle.result({ timeout: "10s" }), 1);
  });

  void test(`${name}: status, orders and signals`, async (t) => {
    const { client, hands } = await setUp(t);
    const startAt = new Date(Date.now() + 3_600_000);
    const planned = await client.start(order, { id: "1" }, { id: "p", startAt });
    assert.deepEqual(await planned.status(), { status: "pending", version: "2", wakeAt: startAt });
    await planned.pause();
    const paused = await planned.status();
    assert.deepEqual([paused.status, paused.reason], ["suspended", "paused"]);
    await planned.resume();
    await planned.signal("approved", { by: "me" });
    await assert.rejects(planned.signal("approved", { by: 5 } as never), ValidationError);
    await assert.rejects(
      planned.signal("aproved" as never, {} as never),
      (error) =>
        error instanceof ContextError && /declares no "aproved" under signals; it has approved/.test(error.message),
    );
    await assert.rejects(client.get(loose, "p").signal("c!result", 1), /kept for the ends of children/);
    await assert.rejects(client.get(loose, "p").signal("", 1), ContextError);
    await assert.rejects(client.get(loose, "nobody").signal("x", 1), NotFoundError);
    await hands.end({ is: "completed", output: undefined });
    await assert.rejects(planned.signal("approved", { by: "late" }), ContextError);
    const ended = await planned.status();
    assert.ok(ended.status === "completed" && ended.startedAt && ended.finishedAt);
  });

  void test(`${name}: published values, history and changes are read while it runs`, async (t) => {
    const { client, hands } = await setUp(t);
    const handle = await client.start(order, { id: "1" }, { id: "w" });
    const abort = new AbortController();
    const seen: string[] = [];
    let begun: () => void = () => {};
    const hasBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const watching = (async () => {
      for await (const change of handle.watch({ signal: abort.signal })) {
        begun();
        if (change.kind === "state") seen.push(change.state.status);
        if (change.kind === "published") seen.push(`${change.key}=${String(change.value)}`);
        if (change.kind === "entry") seen.push(change.entry.kind);
      }
    })();
    await hasBegun;
    const session = await hands.take();
    assert.equal(await handle.published("progress"), undefined);
    await assert.rejects(handle.published("speed" as never), ContextError);
    const state = writeEnvelope({ seq: 1, at: 5, kind: "step", src: '"a.ts:1:2"' }, "value", '{"$rt:bigint":"3"}');
    const failed = writeEnvelope({ seq: 2, at: 6, kind: "sleep" }, "error", '{"$rt:Error":{"name":"E","message":"m"}}');
    await save(session, {
      entries: [
        { checkpointId: "a~2", state: bytes(state) },
        { checkpointId: "nap", state: bytes(failed) },
        { checkpointId: "raw::x", state: Uint8Array.of(255) },
      ],
      messages: [
        { number: 1, content: { kind: "published", key: "progress", value: bytes("50") } },
        { number: 2, content: { kind: "event", subtype: "note", payload: bytes('{"n":1}'), createdAtMs: 7 } },
      ],
    });
    assert.equal(await handle.published("progress"), 50);
    await handle.cancel("5");
    await session.report({ is: "completed", output: bytes("null") });
    await watching;
    for (const word of ["step", "sleep", "checkpoint", "event", "progress=50", "completed"]) {
      assert.ok(seen.includes(word), `${word} is not among ${seen.join()}`);
    }
    const entries = [];
    for await (const entry of handle.history()) entries.push(entry);
    const [begin] = entries;
    assert.ok(begin?.kind === "begin" && /^[0-9a-f]{32}$/.test(begin.seed));
    assert.deepEqual([begin.workflow, begin.version, begin.run, begin.input], ["order", "2", 1, { id: "1" }]);
    const step = entries.find((entry) => entry.kind === "step");
    assert.ok(step?.kind === "step");
    assert.deepEqual(
      [step.id, step.name, step.seq, step.src, step.outcome, step.value],
      ["a~2", "a", 1, "a.ts:1:2", "value", 3n],
    );
    const nap = entries.find((entry) => entry.kind === "sleep");
    assert.ok(nap?.kind === "sleep" && nap.outcome === "error" && nap.error instanceof Error);
    assert.ok(entries.some((entry) => entry.kind === "checkpoint" && entry.state?.[0] === 255));
    assert.ok(entries.some((entry) => entry.kind === "event" && entry.subtype === "note"));
    const asked = entries.find((entry) => entry.kind === "sent" && entry.name === "cancel");
    assert.equal(asked?.kind === "sent" && asked.payload, "5", "a reason is text");
    abort.abort();
    for await (const change of handle.watch({ signal: abort.signal })) assert.fail(change.kind);
  });

  void test(`${name}: list filters, newest first`, async (t) => {
    const { client } = await setUp(t);
    for (const id of ["l1", "l2", "l3"]) await client.start(loose, [id], { id, tags: { shop: id } });
    await client.start(order, { id: "x" }, { id: "l4" });
    const ids = async (filter?: Parameters<typeof client.list>[0]) => {
      const rows = [];
      for await (const row of client.list(filter)) rows.push(row.id);
      return rows;
    };
    assert.deepEqual((await ids()).sort(), ["l1", "l2", "l3", "l4"]);
    assert.deepEqual(await ids({ tags: { shop: "l2" } }), ["l2"]);
    assert.deepEqual((await ids({ workflow: "loose", status: "pending" })).sort(), ["l1", "l2", "l3"]);
    assert.deepEqual(await ids({ status: ["failed", "completed"] }), []);
    assert.deepEqual(await ids({ createdBefore: new Date(5) }), []);
    await assert.rejects(ids({ createdAfter: new Date(Number.NaN) }), /createdAfter is an invalid Date/);
    for await (const row of client.list({ workflow: "order" })) {
      assert.deepEqual([row.version, row.status, row.createdAt instanceof Date], ["2", "pending", true]);
    }
  });

  void test(`${name}: schedules are put, listed and deleted, with their inputs; what can't be fired is refused`, async (t) => {
    const { client } = await setUp(t, aesGcm({ k: new Uint8Array(32).fill(9) }));
    const { schedules } = client;
    const nightly = { id: "nightly", workflow: "loose", input: [new Date(5)], cron: "0 3 * * *" };
    await schedules.put(nightly);
    await schedules.put(nightly);
    const weekly: Schedule = {
      id: "weekly",
      workflow: "order",
      cron: "0 0 8 * * 1",
      timezone: "Europe/Berlin",
      overlap: "queue",
      catchUp: "last",
      paused: true,
    };
    await schedules.put(weekly);
    const listed = async (): Promise<Schedule[]> => {
      const rows = [];
      for await (const row of schedules.list()) rows.push(row);
      return rows;
    };
    const defaults = { timezone: "UTC", overlap: "skip", catchUp: "none", paused: false } as const;
    assert.deepEqual(await listed(), [{ ...nightly, ...defaults }, weekly]);
    await schedules.put({ ...nightly, cron: "0 4 * * *" });
    await schedules.delete("weekly");
    await schedules.delete("weekly");
    assert.deepEqual(await listed(), [{ ...nightly, ...defaults, cron: "0 4 * * *" }]);
    const refused = (change: object, message: RegExp): Promise<void> =>
      assert.rejects(
        schedules.put({ ...nightly, ...change } as Schedule),
        (error) => error instanceof ConfigError && message.test(error.message),
      );
    await refused({ cron: "whenever" }, /nightly.*whenever/);
    await refused({ cron: 5 }, /cron is 5/);
    await refused({ timezone: "Europe/Atlantis" }, /Europe\/Atlantis/);
    await refused({ overlap: "maybe" }, /overlap is "maybe"; it must be one of skip, queue, all/);
    await refused({ catchUp: "some" }, /catchUp is "some"/);
    await refused({ workflow: "no spaces" }, /workflow name "no spaces"/);
    await refused({ id: "" }, /has no id/);
    assert.equal((await listed()).length, 1);
  });

  void test(`${name}: with a codec nothing readable leaves, and equal starts still attach`, async (t) => {
    const key = new Uint8Array(32).fill(7);
    const codecs = aesGcm({ k1: key });
    const { client, hands, operator, sealer, source } = await setUp(t, codecs);
    const handle = await client.start(loose, ["secret"], { id: "c" });
    await client.start(ref<typeof loose>("loose"), ["secret"], { id: "c" });
    await assert.rejects(
      client.start(loose, ["other"], { id: "c" }),
      /input\[0\]: "secret" was stored, "other" was given/,
    );
    const plain = createClient({
      operator,
      tenantId: "t",
      sealer: createSealer(),
      clock: { now: Date.now, after: () => () => {} },
    });
    await assert.rejects(plain.start(loose, ["secret"], { id: "c" }), StartConflictError);
    const rotated = createSealer(aesGcm({ k2: new Uint8Array(32).fill(8), k1: key }));
    const later = createClient({ operator, tenantId: "t", sealer: rotated, clock: source.clock });
    await later.start(loose, ["secret"], { id: "c" });
    await assert.rejects(later.start(loose, ["other"], { id: "c" }), /input\[0\]: "secret" was stored/);
    const session = await hands.take();
    const stored = text(session.work.facts.input) ?? "";
    assert.ok(stored.startsWith('{"$rt":1,"enc":"aes-256-gcm:k1","data":"') && !stored.includes("secret"));
    const output = await createWrapper(sealer).wrap(["done"], { tenantId: "t", instanceId: "c", id: "!output" }, "x");
    await session.report({ is: "completed", output });
    assert.deepEqual(await handle.result(), ["done"]);
    await assert.rejects(plain.get(loose, "c").result(), /written by the codec "aes-256-gcm:k1", which is not among/);
  });

  void test(`${name}: calls are repeated while the store is away, and not when it refuses`, async (t) => {
    const { operator, source } = await sidesOf(t);
    let failures = 3;
    const flaky = new Proxy(operator, {
      get: (target, member) => {
        const call = Reflect.get(target, member) as (...args: unknown[]) => unknown;
        return (...args: unknown[]) =>
          failures-- > 0
            ? Promise.reject(new SourceError("AWAY", "out for lunch", { retryAfterMs: 1 }))
            : call.apply(target, args);
      },
    });
    let nowMs = 0;
    const clock = {
      now: () => nowMs,
      after: (delayMs: number, action: () => void) => {
        nowMs += delayMs;
        setImmediate(action);
        return () => {};
      },
    };
    const client = createClient({ operator: flaky, tenantId: "t", sealer: createSealer(), clock });
    const handle = await client.start(loose, [1], { id: "a" });
    assert.ok(nowMs > 0 && failures < 0);
    failures = Number.POSITIVE_INFINITY;
    await assert.rejects(
      handle.status(),
      (error) =>
        error instanceof ConnectionError &&
        error.retryable &&
        /status of instance a: out for lunch/.test(error.message),
    );
    assert.ok(nowMs > 29_000, "it tried for half a minute");
    const abort = new AbortController();
    const giveUp = {
      ...clock,
      after: (...[, action]: Parameters<typeof clock.after>) =>
        clock.after(0, () => {
          abort.abort(new Error("enough"));
          action();
        }),
    };
    const impatient = createClient({ operator: flaky, tenantId: "t", sealer: createSealer(), clock: giveUp }).get(
      loose,
      "a",
    );
    await assert.rejects(impatient.result({ signal: abort.signal }), /enough/);
    failures = 0;
    const gone = new Proxy(operator, {
      get: () => () => Promise.reject(new SourceError("CLOSED", "closed")),
    });
    const closed = createClient({ operator: gone, tenantId: "t", sealer: createSealer(), clock: source.clock });
    await assert.rejects(closed.start(loose, [1]), ConnectionError);
  });
}
