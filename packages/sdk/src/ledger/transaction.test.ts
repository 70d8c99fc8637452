// transaction() on a real PostgreSQL and on node:sqlite: effects and result are committed together, once, whatever dies in between.

import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import type { Store } from "@runtara/store";
import { openMemoryStore } from "@runtara/store/memory";
import { PostgresServer } from "@runtara/store/testing/postgres";
import pg from "pg";
import { open } from "../embedded/index.ts";
import {
  type AnyWorkflow,
  type InstanceFailedError,
  type PgClientLike,
  type PgPoolLike,
  step,
  transaction,
  type Workflow,
  workflow,
} from "../index.ts";
import { temporaryFolder } from "../testing/processes.ts";

/** A database of one's own, with a table of payments. */
interface Payments {
  /** A workflow that pays in a transaction and adds what was paid so far. `paying` is told at each time the function runs. */
  workflow(paying?: (amount: number) => void): Workflow<"pay", number, unknown>;
  /** All payments, and the number of rows of the ledger. */
  rows(): Promise<{ readonly paid: readonly number[]; readonly ledger: number }>;
}

function onSqlite(t: TestContext): Payments {
  const db = new DatabaseSync(join(temporaryFolder(t), "app.db"));
  t.after(() => db.close());
  db.exec("CREATE TABLE payment (amount INTEGER)");
  const all = (sql: string): unknown[] =>
    db
      .prepare(sql)
      .all()
      .map((row) => Object.values(row)[0]);
  return {
    workflow: (paying = () => {}) =>
      workflow("pay", (amount: number) =>
        transaction(
          db,
          "pay",
          (tx, s) => {
            tx.prepare("INSERT INTO payment VALUES (?)").run(amount);
            paying(amount);
            return { amount, paid: new Date(0), key: s.idempotencyKey.length };
          },
          { retry: { backoff: 1 } },
        ),
      ),
    rows: async () => ({
      paid: all("SELECT amount FROM payment ORDER BY amount") as number[],
      ledger: all("SELECT count(*) FROM runtara_ledger")[0] as number,
    }),
  };
}

let server: Promise<PostgresServer> | undefined;
let databases = 0;

async function pool(t: TestContext): Promise<pg.Pool> {
  server ??= PostgresServer.shared();
  const shared = await server;
  const name = `ledger_${process.pid}_${++databases}`;
  const admin = new pg.Client(shared.url("postgres"));
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  const made = new pg.Pool({ connectionString: shared.url(name), max: 20 });
  t.after(async () => {
    await made.end();
    await admin.query(`DROP DATABASE ${name}`);
    await admin.end();
  });
  return made;
}

async function onPostgres(t: TestContext): Promise<Payments> {
  const db = await pool(t);
  await db.query("CREATE TABLE payment (amount integer)");
  return {
    workflow: (paying = () => {}) =>
      workflow("pay", (amount: number) =>
        transaction(
          db,
          "pay",
          async (tx, s) => {
            await tx.query("INSERT INTO payment VALUES ($1)", [amount]);
            paying(amount);
            return { amount, paid: new Date(0), key: s.idempotencyKey.length };
          },
          { retry: { backoff: 1 } },
        ),
      ),
    rows: async () => {
      const paid = await db.query("SELECT amount FROM payment ORDER BY amount");
      const ledger = await db.query("SELECT count(*)::int AS count FROM runtara_ledger");
      return { paid: paid.rows.map(({ amount }) => amount), ledger: ledger.rows[0].count };
    },
  };
}

/** The store as a process sees it that dies when it is about to save: nothing it asks is carried out or answered from then on. */
function dyingStore(store: Store): Store {
  let isDead = false;
  return new Proxy(store, {
    get(target, member) {
      const value: unknown = Reflect.get(target, member);
      if (typeof value !== "function") return value;
      const call = value.bind(target) as (...args: unknown[]) => unknown;
      if (member !== "submit" && member !== "run") return call;
      return (...args: unknown[]) => {
        const { kind } = args[0] as { kind: string };
        if (kind === "saveBatch" || kind === "saveCheckpoint") isDead = true;
        if (!isDead) return call(...args);
        return member === "run" ? new Promise(() => {}) : undefined;
      };
    },
  });
}

async function runtime(t: TestContext, store: Store, workflows: readonly AnyWorkflow[]) {
  const opened = await open({ store, workflows, lease: "1s" });
  // A store that has died never answers, so its runtime can't be closed to the end.
  t.after(() => Promise.race([opened.close({ drain: 0 }), new Promise((resolve) => setTimeout(resolve, 1_000))]));
  return opened;
}

for (const [name, database] of [
  ["sqlite", async (t: TestContext) => onSqlite(t)],
  ["PostgreSQL", onPostgres],
] as const) {
  test(`${name}: a process that dies between the commit and its checkpoint has paid once`, async (t) => {
    const payments = await database(t);
    const store = openMemoryStore();
    t.after(() => store.close());
    let lives = 0;
    const pay = payments.workflow(() => lives++);
    const first = await runtime(t, dyingStore(store), [pay]);
    const handle = await first.start(pay, 50, { id: "p" });
    while ((await payments.rows().catch(() => undefined))?.ledger !== 1) await new Promise(setImmediate);
    const second = await runtime(t, store, [pay]);
    const result = await second.get(pay, handle.id).result();
    assert.deepEqual(result, { amount: 50, paid: new Date(0), key: 36 });
    assert.deepEqual(await payments.rows(), { paid: [50], ledger: 1 });
    assert.equal(lives, 1, "what is in the ledger is not run again");
  });

  test(`${name}: an attempt that fails leaves nothing behind`, async (t) => {
    const payments = await database(t);
    const store = openMemoryStore();
    t.after(() => store.close());
    let attempts = 0;
    const pay = payments.workflow(() => {
      if (++attempts < 3) throw new Error(`no ${attempts}`);
    });
    const opened = await runtime(t, store, [pay]);
    await opened.run(pay, 7);
    assert.equal(attempts, 3);
    assert.deepEqual(await payments.rows(), { paid: [7], ledger: 1 });
  });

  test(`${name}: many at once, the table being made by all of them`, async (t) => {
    const payments = await database(t);
    const store = openMemoryStore();
    t.after(() => store.close());
    const pay = payments.workflow();
    const opened = await runtime(t, store, [pay]);
    const amounts = Array.from({ length: 30 }, (_, index) => index);
    await Promise.all(amounts.map((amount) => opened.run(pay, amount)));
    assert.deepEqual(await payments.rows(), { paid: amounts, ledger: 30 });
  });
}

test("PostgreSQL: of two that run the same step at the same time one commits, and both give its result", async (t) => {
  const db = await pool(t);
  await db.query("CREATE TABLE payment (amount integer)");
  const { inPostgres } = await import("./postgres.ts");
  const place = { tenantId: "t", instanceId: "i", checkpointId: "c", key: crypto.randomUUID() };
  const s = { name: "pay", signal: new AbortController().signal } as Parameters<typeof inPostgres>[3];
  let isIn = 0;
  let meet: (value?: unknown) => void = () => {};
  const both = new Promise((resolve) => {
    meet = resolve;
  });
  const attempt = (amount: number): Promise<number> =>
    inPostgres(
      db as PgPoolLike<PgClientLike>,
      place,
      async (tx) => {
        await tx.query("INSERT INTO payment VALUES ($1)", [amount]);
        if (++isIn === 2) meet();
        await both;
        return amount;
      },
      s,
    );
  // The table is there before, so that both begin at once.
  await inPostgres(db as PgPoolLike<PgClientLike>, { ...place, key: crypto.randomUUID() }, async () => 0, s);
  const [one, other] = await Promise.all([attempt(1), attempt(2)]);
  assert.equal(one, other);
  assert.deepEqual((await db.query("SELECT amount FROM payment")).rows, [{ amount: one }]);
});

test("PostgreSQL: a connection that is lost while the function waits fails the attempt, not the process", async (t) => {
  const db = await pool(t);
  await db.query("CREATE TABLE payment (amount integer)");
  db.on("error", () => {});
  const store = openMemoryStore();
  t.after(() => store.close());
  let attempts = 0;
  const cut = workflow("cut", () =>
    transaction(
      db,
      "pay",
      async (tx) => {
        const { rows } = await tx.query("INSERT INTO payment VALUES (1) RETURNING pg_backend_pid() AS pid");
        if (++attempts === 1) {
          await db.query("SELECT pg_terminate_backend($1)", [rows[0].pid]);
          // Until the client has heard of it, with no query of its own under way.
          await new Promise((resolve) => tx.once("end", resolve));
        }
        return attempts;
      },
      { retry: { backoff: 1 } },
    ),
  );
  const opened = await runtime(t, store, [cut]);
  assert.equal(await opened.run(cut), 2);
  assert.deepEqual((await db.query("SELECT amount FROM payment")).rows, [{ amount: 1 }]);
});

test("PostgreSQL: what an attempt wrote that was given up is not committed later", async (t) => {
  const db = await pool(t);
  await db.query("CREATE TABLE payment (amount integer)");
  const store = openMemoryStore();
  t.after(() => store.close());
  let released: () => void = () => {};
  const isReleased = new Promise<void>((resolve) => {
    released = resolve;
  });
  const told: PgPoolLike<PgClientLike> = {
    connect: async () => {
      const client = await db.connect();
      const query = (text: string, values?: readonly unknown[]) => client.query(text, values as unknown[]);
      return {
        query,
        release: (destroy) => {
          client.release(destroy);
          released();
        },
      };
    },
  };
  const late = workflow("late", () =>
    transaction(
      told,
      "pay",
      async (tx, s) => {
        await tx.query("INSERT INTO payment VALUES (1)");
        if (!s.signal.aborted) await new Promise((resolve) => s.signal.addEventListener("abort", resolve));
        return "paid";
      },
      { retry: false, timeout: 1_000 },
    ),
  );
  const opened = await runtime(t, store, [late]);
  await assert.rejects(opened.run(late), (error: InstanceFailedError) => /took longer than/.test(String(error.cause)));
  await isReleased;
  assert.deepEqual((await db.query("SELECT amount FROM payment")).rows, []);
});

test("misuse is told: no database, a promise on SQLite, an unstorable result, outside a workflow", async (t) => {
  const db = new DatabaseSync(":memory:");
  t.after(() => db.close());
  db.exec("CREATE TABLE x (a)");
  const store = openMemoryStore();
  t.after(() => store.close());
  const wrong = workflow("wrong", async (what: string) => {
    if (what === "nothing") await transaction({} as typeof db, "t", () => 1);
    if (what === "promise")
      await transaction(db, "t", (async (tx: typeof db) => {
        tx.exec("INSERT INTO x VALUES (1)");
        throw new Error("nobody hears this, and the process goes on");
      }) as never);
    if (what === "result")
      await transaction(db, "t", ((tx: typeof db) => {
        tx.exec("INSERT INTO x VALUES (1)");
        return { go: () => {} };
      }) as never);
    if (what === "nested") await step("s", () => transaction(db, "t", () => 1), { retry: false });
  });
  const opened = await runtime(t, store, [wrong]);
  const failsWith = (what: string, message: RegExp): Promise<void> =>
    assert.rejects(opened.run(wrong, what), (error: InstanceFailedError) => message.test(String(error.cause)));
  await failsWith("nothing", /the first argument must be a pg pool, or a DatabaseSync/);
  await failsWith("promise", /FatalError: transaction "t": its function returned a promise/);
  await failsWith("result", /transaction "t" returned a value that can't be stored: result\.go is a function/);
  await failsWith("nested", /steps don't nest/);
  assert.equal(db.prepare("SELECT count(*) AS n FROM x").get()?.n, 0, "nothing was committed");
  assert.throws(() => transaction(db, "t", () => 1), /transaction\(\) was called outside a workflow/);
});
