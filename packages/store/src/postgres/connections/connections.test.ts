import assert from "node:assert/strict";
import { test } from "node:test";
import { StoreError } from "@runtara/store";
import fc from "fast-check";
import { testDatabase } from "../../testing/postgres-server.ts";
import { until } from "../postgres.test.helper.ts";
import { boolArray, int4Array, int8Array, textArray } from "./binary-arrays.ts";
import { ask, codeOf, TestConnections } from "./connections.test.helper.ts";

test("columns become values as the port says", async () => {
  await using database = await testDatabase();
  await using test = await TestConnections.to(database);
  const text = `SELECT true, 1::int2, -5::int4, 9007199254740991::int8, 1.5::float8, '\\x00ff'::bytea, NULL::text,
    ARRAY['a,b', NULL, '"'], ARRAY[1, NULL]::int8[], ARRAY[true, false], '{"a":[1]}'::jsonb, 12.50::numeric`;
  const bytes = Buffer.from([0, 255]);
  assert.deepEqual(await test.rows(text), [
    [true, 1, -5, 2 ** 53 - 1, 1.5, bytes, null, ["a,b", null, '"'], [1, null], [true, false], { a: [1] }, "12.50"],
  ]);
});

test("binary arrays arrive as they were, whatever their values", async () => {
  await using database = await testDatabase();
  await using test = await TestConnections.to(database);
  const texts = fc.array(fc.option(fc.string({ unit: "binary" }).map((text) => text.replaceAll("\0", ""))));
  const values = fc.tuple(
    texts,
    fc.array(fc.option(fc.integer())),
    fc.array(fc.option(fc.maxSafeInteger())),
    fc.array(fc.option(fc.boolean())),
  );
  const property = fc.asyncProperty(values, async ([a, b, c, d]) => {
    const sent = [textArray(a), int4Array(b), int8Array(c), boolArray(d)];
    const rows = await ask(test.lane, "SELECT $1::text[], $2::int4[], $3::int8[], $4::bool[]", sent);
    assert.deepEqual(rows, [[a, b, c, d]]);
  });
  await fc.assert(property, { numRuns: 200 });
});

test("what the server reports becomes a StoreError with its code and cause", async () => {
  await using database = await testDatabase();
  await using test = await TestConnections.to(`${database.url}&statement_timeout_ms=200`, { lockTimeoutMs: 50 });
  const { lane, connections } = test;
  await ask(lane, "CREATE TABLE t (id INT PRIMARY KEY, long TEXT UNIQUE)");
  await ask(lane, "INSERT INTO t VALUES (1, 'x')");
  assert.equal(await codeOf(ask(lane, "INSERT INTO t VALUES (1, 'y')")), "CONSTRAINT_FAILED");
  assert.equal(await codeOf(ask(lane, "SELECT $1::text", ["a\0b"])), "CONSTRAINT_FAILED");
  assert.equal(await codeOf(ask(lane, "SELECT pg_sleep(5)")), "TIMED_OUT");
  assert.equal(await codeOf(ask(lane, "SELECT nonsense")), "INTERNAL");
  const incompressible = "SELECT string_agg(md5(n::text), '') FROM generate_series(1, 200) n";
  assert.equal(await codeOf(ask(lane, `INSERT INTO t VALUES (2, (${incompressible}))`)), "VALUE_TOO_LONG");
  await lane.transaction(async (transaction) => {
    await ask(transaction, "SELECT id FROM t FOR UPDATE");
    assert.equal(await codeOf(ask(connections.several, "SELECT id FROM t FOR UPDATE")), "BUSY");
  });
  await assert.rejects(ask(lane, "SELECT nonsense"), (error) => {
    assert.ok(error instanceof StoreError && error.cause instanceof Error);
    return !error.message.includes("\n");
  });
});

test("statements of a transaction and its COMMIT are sent without waiting for one another", async () => {
  await using database = await testDatabase();
  await using test = await TestConnections.to(database);
  await ask(test.lane, "CREATE TABLE t (id INT PRIMARY KEY)");
  await test.lane.transaction(async (transaction) => {
    for (let id = 0; id < 100; id++) void ask(transaction, "INSERT INTO t VALUES ($1)", [id]);
  });
  assert.deepEqual(await test.rows("SELECT count(*) FROM t"), [[100]]);
});

test("a statement that nobody waited for still fails its transaction, with its own error", async () => {
  await using database = await testDatabase();
  await using test = await TestConnections.to(database);
  await ask(test.lane, "CREATE TABLE t (id INT PRIMARY KEY)");
  const work = test.lane.transaction(async (transaction) => {
    for (const id of [1, 2, 1, 3]) ask(transaction, "INSERT INTO t VALUES ($1)", [id]).catch(() => undefined);
  });
  await assert.rejects(work, /duplicate key/);
  assert.deepEqual(await test.rows("SELECT count(*) FROM t"), [[0]]);
});

test("an error in the work rolls back and is told as it is; one that only follows from another is not", async () => {
  await using database = await testDatabase();
  await using test = await TestConnections.to(database);
  await ask(test.lane, "CREATE TABLE t (id INT PRIMARY KEY)");
  const own = new Error("no more");
  const first = test.lane.transaction(async (transaction) => {
    await ask(transaction, "INSERT INTO t VALUES (1)");
    throw own;
  });
  await assert.rejects(first, (error) => error === own);
  const second = test.lane.transaction(async (transaction) => {
    ask(transaction, "SELECT 1 / 0").catch(() => undefined);
    await ask(transaction, "INSERT INTO t VALUES (2)");
  });
  await assert.rejects(second, /division by zero/);
  assert.deepEqual(await test.rows("SELECT count(*) FROM t"), [[0]]);
});

test("no more connections are opened than allowed; uses wait for their turn", async () => {
  await using database = await testDatabase();
  await using test = await TestConnections.to(`${database.url}&pool=6`);
  const { connections } = test;
  const all = [...connections.lanes, connections.several, connections.time, connections.slow, connections.readers];
  assert.equal(
    all.reduce((sum, { size }) => sum + size, 1),
    6,
  );
  const stop = connections.listen("quiet", { notified: () => undefined, resumed: () => undefined });
  const uses = all.flatMap((sessions) => Array.from({ length: 20 }, () => ask(sessions, "SELECT pg_sleep(0.001)")));
  assert.ok(connections.stats().waiting > 0);
  await Promise.all(uses);
  const seen = await test.rows("SELECT count(*)::int FROM pg_stat_activity WHERE datname = $1", [database.name]);
  assert.ok(Number(seen[0]?.[0]) <= 6, `${seen[0]?.[0]} connections`);
  stop();
});

test("connections that nobody uses are closed, and opened again for the next use", async () => {
  await using database = await testDatabase();
  await using test = await TestConnections.to(database, { idleConnectionMs: 20 });
  await ask(test.lane, "SELECT 1");
  await until("all connections are closed", () => test.connections.stats().open === 0);
  assert.deepEqual(await ask(test.lane, "SELECT 1"), [[1]]);
  assert.equal(test.connections.stats().lost, 0);
});

test("closing lets what has begun come to its end and refuses what waits or comes later", async () => {
  await using database = await testDatabase();
  await using test = await TestConnections.to(database);
  await ask(test.lane, "SELECT 1");
  const begun = ask(test.lane, "SELECT pg_sleep(0.1)");
  const waiting = codeOf(ask(test.lane, "SELECT 1"));
  assert.deepEqual([test.connections.stats().busy, test.connections.stats().waiting], [1, 1]);
  await Promise.all([test.connections.close(), test.connections.close()]);
  assert.equal((await begun).length, 1);
  assert.equal(await waiting, "CLOSED");
  assert.equal(await codeOf(ask(test.lane, "SELECT 1")), "CLOSED");
  assert.equal(test.connections.stats().open, 0);
});

test("notices arrive once they are committed, on one channel, until stopped", async () => {
  await using database = await testDatabase();
  await using test = await TestConnections.to(database);
  const heard: string[] = [];
  const { promise: resumed, resolve: resume } = Promise.withResolvers<void>();
  const { promise: last, resolve: end } = Promise.withResolvers<void>();
  const stop = test.connections.listen("news", {
    resumed: resume,
    notified: (payload) => (payload === "end" ? end() : heard.push(payload)),
  });
  await resumed;
  await ask(test.connections.several, "SELECT pg_notify('other', 'x'), pg_notify('news', 'one')");
  await ask(test.connections.several, "SELECT pg_notify('news', 'end')");
  await last;
  assert.deepEqual(heard, ["one"]);
  stop();
});

test("what never can succeed fails at once: password, database, standby of a name", async () => {
  await using database = await testDatabase();
  const absent = database.url.replace(database.name, "no_such_database");
  const startedMs = Date.now();
  assert.equal(await codeOf(TestConnections.to(absent)), "OPEN_FAILED");
  assert.equal(await codeOf(TestConnections.to(database.url.replace("postgres@", "nobody@"))), "OPEN_FAILED");
  assert.ok(Date.now() - startedMs < 5_000);
  const nowhere = database.url.replace(/host=.*/, "host=%2Fnonexistent");
  assert.equal(await codeOf(TestConnections.to(nowhere, { connectTimeoutMs: 100 })), "UNAVAILABLE");
});
