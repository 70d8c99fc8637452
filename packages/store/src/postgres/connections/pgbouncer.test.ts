import assert from "node:assert/strict";
import { test } from "node:test";
import { PgBouncer } from "../../testing/pgbouncer.ts";
import { PostgresServer, testDatabase } from "../../testing/postgres-server.ts";
import { prepareSchema } from "../migrations/index.ts";
import { ask, InsertLoad, loadTable, TestConnections } from "./connections.test.helper.ts";

const ignored = {
  ignore_startup_parameters: "statement_timeout,lock_timeout,idle_in_transaction_session_timeout,options",
};

/** `work` gets a function that opens connections through PgBouncer with the given options of the URL. */
async function behindPgBouncer(
  settings: Record<string, string>,
  work: (open: (options?: string) => Promise<TestConnections>) => Promise<void>,
): Promise<void> {
  await using server = await PostgresServer.shared();
  await using database = await testDatabase(server);
  await using bouncer = await PgBouncer.before(server.folder, { default_pool_size: "2", ...settings });
  await work((options = "") => TestConnections.to(`${bouncer.url(database.name)}${options}`));
}

/** Far more clients than connections to the server, so that a client's statements go to several of them. */
async function carriesLoad(test: TestConnections): Promise<void> {
  await ask(test.connections.several, loadTable);
  const load = new InsertLoad(test.connections, 8);
  await load.acknowledges(500);
  await load.stop();
  assert.deepEqual([load.otherErrors, load.unknown.size, load.refused.size], [[], 0, 0]);
  const stored = await test.rows("SELECT count(*)::int FROM load");
  assert.deepEqual(stored, [[2 * load.acknowledged.size]]);
}

test("PgBouncer that refuses time limits is found out at the first connection; its database is made ready and takes load", async () => {
  await behindPgBouncer({}, async (open) => {
    await using test = await open();
    assert.equal(test.connections.direct, false);
    await prepareSchema(test.connections);
    assert.deepEqual(await test.rows("SELECT count(*) FROM instances"), [[0]]);
    await carriesLoad(test);
  });
});

test("PgBouncer that passes over time limits is found out by the number of the process", async () => {
  await behindPgBouncer(ignored, async (open) => {
    await using test = await open();
    assert.equal(test.connections.direct, false);
    await carriesLoad(test);
  });
});

test("names that PgBouncer does not keep are given up without an error, although the URL insists on them", async () => {
  await behindPgBouncer(ignored, async (open) => {
    await using test = await open("&prepare=true");
    const prepared = "SELECT count(*)::int FROM pg_prepared_statements";
    assert.deepEqual(await ask(test.lane, prepared), [[1]]);
    // More sessions than connections to the server: two of them give one connection the same name, which it refuses.
    const { lanes, several, readers } = test.connections;
    const sessions = [...lanes, several, readers];
    assert.ok(sessions.length > 2);
    await Promise.all(sessions.map((session) => ask(session, "SELECT 'the same name'")));
    await carriesLoad(test);
    for (let round = 0; round < 4; round++) await ask(test.lane, "SELECT 'nameless'");
    const nameless = "SELECT count(*)::int FROM pg_prepared_statements WHERE name LIKE '%nameless%'";
    for (let round = 0; round < 4; round++) assert.deepEqual(await ask(test.lane, nameless), [[0]]);
  });
});

test("with prepare=false nothing is prepared and nothing listens, also without a pooler", async () => {
  await using database = await testDatabase();
  await using test = await TestConnections.to(`${database.url}&prepare=false`);
  assert.equal(test.connections.direct, false);
  const stop = test.connections.listen("news", {
    notified: () => assert.fail("nothing listens"),
    resumed: () => assert.fail("nothing listens"),
  });
  await ask(test.lane, "SELECT pg_notify('news', 'x')");
  assert.deepEqual(await ask(test.lane, "SELECT count(*) FROM pg_prepared_statements"), [[0]]);
  stop();
});

test("without a pooler statements are prepared once for each connection", async () => {
  await using database = await testDatabase();
  await using test = await TestConnections.to(database);
  assert.equal(test.connections.direct, true);
  for (let round = 0; round < 3; round++) await ask(test.lane, "SELECT 1");
  const prepared = "SELECT name FROM pg_prepared_statements WHERE name = 'SELECT 1'";
  assert.deepEqual(await ask(test.lane, prepared), [["SELECT 1"]]);
});

test("PgBouncer that goes away under load and comes back: nothing acknowledged is lost", async () => {
  await using server = await PostgresServer.shared();
  await using database = await testDatabase(server);
  let bouncer = await PgBouncer.before(server.folder);
  const { folder } = bouncer;
  await using test = await TestConnections.to(bouncer.url(database.name));
  await ask(test.connections.several, loadTable);
  const load = new InsertLoad(test.connections);
  await load.acknowledges(100);
  await bouncer[Symbol.asyncDispose]();
  bouncer = await PgBouncer.before(server.folder, {}, folder);
  await load.acknowledges(100);
  await load.stop();
  await bouncer[Symbol.asyncDispose]();
  assert.deepEqual(load.otherErrors, []);
  await using direct = await TestConnections.to(database);
  const stored = await direct.rows("SELECT array_agg(DISTINCT value) FROM load");
  const values = new Set(stored[0]?.[0] as number[]);
  for (const value of load.acknowledged) assert.ok(values.has(value));
  for (const value of load.refused) assert.ok(!values.has(value));
});
