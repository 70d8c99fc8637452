import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import pg from "pg";
import type { QueryInstances } from "../operations/index.ts";
import { administer, type TestDatabase, testDatabase } from "../testing/postgres-server.ts";
import type { Connections, Parameter, Statement } from "./connections/port.ts";
import * as factStatements from "./facts/statements.ts";
import { loadStatement } from "./hot/load.ts";
import { pollStatement } from "./hot/poll.ts";
import { readInstanceStatement, readStartedStatement } from "./hot/read-instance.ts";
import { saveNewStatement } from "./hot/save-new-statement.ts";
import { saveStatement } from "./hot/save-statement.ts";
import { openPostgresStore } from "./index.ts";
import { queryInstances } from "./listings/instances.ts";
import { locationOf } from "./postgres.test.helper.ts";
import { lockStatement, pendingStatement } from "./rows/lock.ts";
import * as writeStatements from "./rows/write-statements.ts";
import * as claimStatements from "./several/claim-statements.ts";
import { abandonedStatement, dueStatement, nextStatement } from "./several/due.ts";
import { forgetStatement, lostStatement } from "./several/lease.ts";
import { stateStatement } from "./several/read-signals.ts";
import * as removeStatements from "./several/remove-old-statements.ts";
import * as scheduleStatements from "./several/schedule-statements.ts";
import { chooseStatement, factsStatement } from "./several/settle.ts";
import { touchStatement } from "./several/touch.ts";

const rows = 100_000;

/** As PostgreSQL chooses freely: without the lanes' setting against sequential scans. */
const settings = "-c plan_cache_mode=force_generic_plan -c jit=off";

const statements: readonly Statement[] = [
  saveNewStatement,
  saveStatement,
  loadStatement,
  pollStatement,
  readInstanceStatement,
  readStartedStatement,
  lockStatement,
  pendingStatement,
  stateStatement,
  dueStatement,
  abandonedStatement,
  nextStatement,
  touchStatement,
  lostStatement,
  forgetStatement,
  chooseStatement,
  factsStatement,
  ...Object.values(claimStatements),
  ...Object.values(scheduleStatements),
  ...Object.values(removeStatements),
  ...Object.values(factStatements),
  ...Object.values(writeStatements),
];

const workflow = "w7";
const byWorkflow = /Index Scan using instances_by_workflow /;
const byStatus = /Scan (using|on) (instances_by_status|idx_instances_status) /;

const queries: readonly [name: string, filter: Partial<QueryInstances>, index: RegExp][] = [
  ["a tenant that has nothing", { tenantId: "u" }, /Index Scan using (instances_by_tenant|idx_instances_tenant) /],
  ["a workflow", { workflow }, byWorkflow],
  ["a workflow that nothing has", { workflow: "none" }, byWorkflow],
  ["a workflow, a status and a time range", { workflow, statuses: ["running"], createdAfterMs: 1 }, byWorkflow],
  ["a status that nothing has", { statuses: ["failed", "cancelled"] }, byStatus],
  ["a tag that nothing has", { tags: { a: "b" } }, /Scan on instances_by_tag /],
];

/** What a query asks. */
async function asked(
  filter: Partial<QueryInstances>,
): Promise<{ readonly statement: Statement; readonly values: Parameter[] }> {
  const operation = { kind: "queryInstances", tenantId: "t", statuses: [], tags: {}, limit: 50, ...filter } as const;
  const { promise, resolve } = Promise.withResolvers<{ statement: Statement; values: Parameter[] }>();
  const query = async (statement: Statement, values: readonly Parameter[]) => {
    resolve({ statement, values: [...values] });
    return { rows: [] };
  };
  await queryInstances({ readers: { query } } as unknown as Connections, operation);
  return promise;
}

describe("plans on 100,000 open and 100,000 ended instances and their rows", () => {
  let database: TestDatabase;
  let client: pg.Client;
  before(async () => {
    database = await testDatabase();
    await (await openPostgresStore(locationOf(database.url))).close();
    await fill(database.url);
    client = new pg.Client({ connectionString: database.url, options: settings });
    await client.connect();
  });
  after(async () => {
    await client.end();
    await database[Symbol.asyncDispose]();
  });

  const explained = async (text: string, values?: Parameter[]) => {
    const { rows: lines } = await client.query<{ "QUERY PLAN": string }>(`EXPLAIN ${text}`, values);
    return lines.map((row) => row["QUERY PLAN"]).join("\n");
  };
  /** As for any values. */
  const genericPlan = async ({ name, text }: Statement) => {
    await client.query(`PREPARE "${name}" AS ${text}`);
    const { rows: found } = await client.query<{ count: number }>(
      "SELECT cardinality(parameter_types) AS count FROM pg_prepared_statements WHERE name = $1",
      [name],
    );
    const values = Array.from({ length: found[0]?.count ?? 0 }, () => "NULL").join(", ");
    return explained(`EXECUTE "${name}"${values === "" ? "" : `(${values})`}`);
  };

  for (const statement of statements) {
    test(`${statement.name} scans no table`, async () => {
      const plan = await genericPlan(statement);
      assert.doesNotMatch(plan, /Seq Scan on/, plan);
    });
  }

  for (const [name, filter, index] of queries) {
    test(`a query of instances with ${name} is led by its index`, async () => {
      const { statement, values } = await asked(filter);
      const plan = await explained(statement.text, values);
      assert.match(plan, index, plan);
      assert.doesNotMatch(plan, /Seq Scan on/, plan);
    });
  }

  test("a query of a workflow is led by its index also where the plan is for any values", async () => {
    const plan = await genericPlan((await asked({ workflow, createdAfterMs: 1 })).statement);
    assert.match(plan, byWorkflow, plan);
  });
});

async function fill(url: string): Promise<void> {
  const series = `FROM generate_series(1, ${rows}) AS n`;
  await administer(
    url,
    `INSERT INTO instances (instance_id, tenant_id, status, workflow, ready_ms, due_ms, holder, claim_sequence, checkpoint_count)
       SELECT 'i' || n, 't', (ARRAY['pending', 'running', 'suspended'])[n % 3 + 1]::instance_status, 'w' || n % 100,
         CASE WHEN n % 3 <> 1 THEN n END, CASE WHEN n % 3 = 1 THEN n END, CASE WHEN n % 3 = 1 THEN 'worker' || n % 50 END, 1, 1 ${series};
     INSERT INTO instances (instance_id, tenant_id, status, finished_at, unsettled)
       SELECT 'e' || n, 't', 'completed', CASE WHEN n % 9 > 0 THEN now() - n * interval '1 s' END, n % 100 = 0 ${series};
     INSERT INTO checkpoints (instance_id, checkpoint_id, state) SELECT 'i' || n, 'c', 'state' ${series};
     INSERT INTO checkpoints (instance_id, checkpoint_id, state) SELECT 'e' || n, 'c', 'state' ${series};
     INSERT INTO instance_events (instance_id, event_type, received_ms) SELECT 'e' || n, 'completed', n ${series};
     INSERT INTO pending_signals (instance_id, signal_type) SELECT 'i' || n, 'pause' ${series};
     INSERT INTO pending_checkpoint_signals (instance_id, checkpoint_id) SELECT 'i' || n, 'name' ${series};
     INSERT INTO instance_signals (signal_id, instance_id, kind, name, message_id, created_ms)
       SELECT nextval('pending_checkpoint_signals_id_seq'), 'i' || n, 'queued', 'name', 'm' || n, n ${series};
     INSERT INTO retry_attempts (instance_id, checkpoint_id, attempt, created_ms) SELECT 'i' || n, 'c', 1, n ${series};
     INSERT INTO published_values SELECT 'i' || n, 'key', 'value', n, 1 ${series};
     INSERT INTO sleeps SELECT 'i' || n, 'c', 1, 1, false, n, n, '' ${series};
     INSERT INTO workers (worker_id, lease_until_ms) SELECT 'worker' || n, n ${series};
     INSERT INTO workflow_schedules SELECT 't' || n % 10, 's' || n, 'w', NULL, '* * * * *', 'UTC', 'skip', 'none', false, n, CASE WHEN n % 9 = 0 THEN n END,
         NULL, 1, n, n ${series};
     INSERT INTO lost_work SELECT 'worker' || n, 'i' || n ${series}`,
  );
  await administer(url, "VACUUM ANALYZE");
}
