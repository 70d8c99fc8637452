import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { PostgresServer, testDatabase } from "../../testing/postgres-server.ts";
import { until } from "../postgres.test.helper.ts";
import { ask, codeOf, InsertLoad, loadTable, TestConnections } from "./connections.test.helper.ts";
import { CuttingProxy } from "./cutting-proxy.test.helper.ts";

/** Ends the session and waits until it has ended. */
async function terminate(test: TestConnections, process: unknown): Promise<void> {
  await ask(test.connections.several, "SELECT pg_terminate_backend($1::int)", [Number(process)]);
  const stillThere = "SELECT 1 FROM pg_stat_activity WHERE pid = $1::int";
  const isGone = async () => (await ask(test.connections.several, stillThere, [Number(process)])).length === 0;
  await until(`process ${process} of the server has ended`, isGone);
}

test("a session terminated before any statement of a transaction: nothing is changed, and the next use works", async () => {
  await using database = await testDatabase();
  await using test = await TestConnections.to(database);
  await ask(test.lane, "CREATE TABLE t (id INT)");
  const statements = 4;
  for (let at = 0; at <= statements; at++) {
    const work = test.lane.transaction(async (transaction) => {
      const [[process] = []] = await ask(transaction, "SELECT pg_backend_pid()");
      for (let id = 0; id < statements; id++) {
        if (id === at) await terminate(test, process);
        await ask(transaction, "INSERT INTO t VALUES ($1)", [id]);
      }
      if (at === statements) await terminate(test, process);
    });
    const code = await codeOf(work);
    // Before COMMIT it may be noticed in time or not; then nobody can know.
    assert.ok(code === "UNAVAILABLE" || (at === statements && code === "UNKNOWN_OUTCOME"), `${code} at ${at}`);
    assert.deepEqual(await ask(test.lane, "SELECT count(*) FROM t"), [[0]]);
  }
  assert.equal(test.connections.stats().lost, statements + 1);
});

test("a session terminated while idle is not noticed by anybody", async () => {
  await using database = await testDatabase();
  await using test = await TestConnections.to(database);
  for (let round = 0; round < 3; round++) {
    const [[process] = []] = await ask(test.lane, "SELECT pg_backend_pid()");
    await terminate(test, process);
    await until("the loss has been noticed", () => test.connections.stats().lost > round);
    assert.deepEqual(await ask(test.lane, "SELECT 1"), [[1]]);
  }
});

test("a statement that ends its own session: unknown where it may have written, carried out again where it only reads", async () => {
  await using database = await testDatabase();
  await using test = await TestConnections.to(database);
  const suicide = "SELECT pg_terminate_backend(pg_backend_pid())";
  assert.equal(await codeOf(ask(test.lane, suicide)), "UNKNOWN_OUTCOME");
  assert.equal(await codeOf(ask(test.connections.readers, suicide)), "UNAVAILABLE");
  assert.equal(test.connections.stats().lost, 3);
  await ask(test.lane, "CREATE SEQUENCE tries");
  const onlyFirst = "SELECT CASE WHEN nextval('tries') = 1 THEN pg_terminate_backend(pg_backend_pid()) END";
  assert.deepEqual(await ask(test.connections.readers, onlyFirst), [[null]]);
});

async function throughProxy(
  work: (test: TestConnections, proxy: CuttingProxy) => Promise<void>,
  options = "",
): Promise<void> {
  await using server = await PostgresServer.start();
  await using database = await testDatabase(server);
  await using proxy = await CuttingProxy.to(`${server.folder}/.s.PGSQL.5432`);
  const url = `postgres://postgres@127.0.0.1:${proxy.port}/${database.name}${options}`;
  await using test = await TestConnections.to(url, { answerGraceMs: 100 });
  await ask(test.lane, "CREATE TABLE t (id INT)");
  await work(test, proxy);
}

test("an answer that never comes: UNKNOWN_OUTCOME for what has been committed, and it is not carried out again", async () => {
  await throughProxy(async (test, proxy) => {
    proxy.cutAfter = (sent) => sent.includes("INSERT");
    assert.equal(await codeOf(ask(test.lane, "INSERT INTO t VALUES (1)")), "UNKNOWN_OUTCOME");
    proxy.cutAfter = (sent) => sent.includes("COMMIT");
    const work = test.lane.transaction((transaction) => ask(transaction, "INSERT INTO t VALUES (2)"));
    assert.equal(await codeOf(work), "UNKNOWN_OUTCOME");
    proxy.cutAfter = () => false;
    assert.deepEqual(await test.rows("SELECT id FROM t ORDER BY id"), [[1], [2]]);
  });
});

test("an answer that never comes before COMMIT is sent: UNAVAILABLE, nothing changed", async () => {
  await throughProxy(async (test, proxy) => {
    proxy.cutAfter = (sent) => sent.includes("INSERT");
    const work = test.lane.transaction((transaction) => ask(transaction, "INSERT INTO t VALUES (2)"));
    assert.equal(await codeOf(work), "UNAVAILABLE");
    proxy.cutAfter = () => false;
    assert.deepEqual(await test.rows("SELECT id FROM t"), []);
  });
});

test("a server or a network that falls silent counts as lost after the time limit and its grace", async () => {
  await throughProxy(async (test, proxy) => {
    proxy.keepsOpen = true;
    proxy.cutAfter = (sent) => sent.includes("INSERT");
    assert.equal(await codeOf(ask(test.lane, "INSERT INTO t VALUES (1)")), "UNKNOWN_OUTCOME");
    proxy.cutAfter = () => false;
    assert.deepEqual(await test.rows("SELECT id FROM t"), [[1]]);
  }, "?statement_timeout_ms=100");
});

test("a server that takes connections and says nothing is given up after the connect time-out", async () => {
  const silent = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const url = `postgres://postgres@127.0.0.1:${(silent.address() as AddressInfo).port}/d`;
  assert.equal(await codeOf(TestConnections.to(url, { connectTimeoutMs: 100 })), "UNAVAILABLE");
  silent.close();
});

/** Everything acknowledged is there, nothing refused is, and never a half. */
async function check(load: InsertLoad, test: TestConnections): Promise<void> {
  await load.stop();
  assert.deepEqual(load.otherErrors, []);
  const rows = await test.rows("SELECT value, count(*)::int FROM load GROUP BY value");
  const stored = new Map(rows as [number, number][]);
  for (const [value, halves] of stored) assert.equal(halves, 2, `half of ${value}`);
  for (const value of load.acknowledged) assert.ok(stored.has(value), `${value} was acknowledged and is lost`);
  for (const value of load.refused) assert.ok(!stored.has(value), `${value} was refused and is there`);
}

test("sessions terminated at any moment under load: nothing acknowledged is lost, nothing refused is stored", async () => {
  await using database = await testDatabase();
  await using test = await TestConnections.to(database);
  await ask(test.lane, loadTable);
  const load = new InsertLoad(test.connections);
  const victims = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = $1 AND pid <> pg_backend_pid() AND application_name = 'runtara' ORDER BY random() LIMIT 2`;
  for (let round = 0; round < 60; round++) {
    await load.acknowledges(5);
    await ask(test.connections.several, victims, [database.name]).catch(() => undefined);
  }
  await load.acknowledges(5);
  await check(load, test);
  assert.ok(test.connections.stats().lost >= 30);
});

test("a server that crashes under load: nothing acknowledged is lost, and the work goes on by itself", async () => {
  await using server = await PostgresServer.start();
  await using database = await testDatabase(server);
  await using test = await TestConnections.to(database);
  await ask(test.lane, loadTable);
  let resumptions = 0;
  const resumed = Promise.withResolvers<void>();
  const stop = test.connections.listen("news", {
    notified: () => undefined,
    resumed: () => {
      resumptions += 1;
      if (resumptions === 2) resumed.resolve();
    },
  });
  const load = new InsertLoad(test.connections);
  for (let round = 0; round < 3; round++) {
    await load.acknowledges(100);
    await server.restart("immediate");
  }
  await load.acknowledges(100);
  await check(load, test);
  await resumed.promise;
  stop();
});

test("in an outage uses fail after the connect time-out, later ones at once, and all work again after it", async () => {
  await using server = await PostgresServer.start();
  await using database = await testDatabase(server);
  await using test = await TestConnections.to(database, { connectTimeoutMs: 200, reconnectDelayMsMax: 100 });
  await ask(test.lane, "CREATE TABLE t (id INT)");
  await server.stop("fast");
  const codes = await Promise.all(Array.from({ length: 50 }, () => codeOf(ask(test.lane, "INSERT INTO t VALUES (1)"))));
  assert.ok(
    codes.slice(1).every((code) => code === "UNAVAILABLE"),
    codes.join(),
  );
  await server.begin();
  const insert = () => codeOf(ask(test.lane, "INSERT INTO t VALUES (2)"));
  await until("the server is used again", async () => (await insert()) === "ok");
  assert.deepEqual(await test.rows("SELECT id FROM t"), [[2]]);
});
