import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, test } from "node:test";
import { promisify } from "node:util";
import { openStore, StoreError, type StoreErrorCode } from "@runtara/store";
import { checkDatabase, openSqliteStore } from "@runtara/store/sqlite";
import { migrate } from "./migrate.ts";
import { migrations } from "./migrations/index.ts";
import { schemaVersion } from "./schema.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "runtara-open-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function refused(url: string, code: StoreErrorCode, text: RegExp): Promise<void> {
  await assert.rejects(openStore(url), (error) => {
    assert.ok(error instanceof StoreError);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, text);
    assert.ok(!error.message.includes("\n"));
    return true;
  });
}

test("I1: the settings that promises rest on are in force", async () => {
  const path = join(folder, "deep", "er", "store.db");
  const store = await openStore(`sqlite:${path}`);
  const second = new DatabaseSync(path);
  assert.equal(second.prepare("PRAGMA journal_mode").get()?.journal_mode, "wal");
  second.close();
  await store.close();
  assert.deepEqual(readdirSync(join(folder, "deep", "er")), ["store.db"]);
});

test("a directory, a parent that is a file, a missing file with mode=rw: one line each, nothing left behind", async () => {
  writeFileSync(join(folder, "file"), "x");
  await refused(`sqlite:${folder}`, "OPEN_FAILED", /it is a directory; name a file/);
  await refused(
    `sqlite:${folder}/file/store.db`,
    "OPEN_FAILED",
    /cannot open database .*file.store\.db: .*look at the path/,
  );
  await refused(`sqlite:${folder}/new/store.db?mode=rw`, "OPEN_FAILED", /no such file; create it with \?mode=rwc/);
  assert.deepEqual(readdirSync(folder), ["file"]);
});

test("a directory that nobody may write to: one line, nothing left behind", async () => {
  await refused(
    "sqlite:/proc/runtara/store.db",
    "OPEN_FAILED",
    /cannot create directory \/proc\/runtara .*choose a path/,
  );
  await refused("sqlite:/proc/store.db", "OPEN_FAILED", /^cannot open database \/proc\/store\.db: .*look at the path/);
});

test("a file that is no database stays as it was", async () => {
  const path = join(folder, "letter.txt");
  const text = "Dear reader, this is a letter and no database. ".repeat(200);
  writeFileSync(path, text);
  await refused(`sqlite:${path}`, "NOT_A_DATABASE", /letter\.txt: file is not a database; .*choose another path/);
  assert.equal(readFileSync(path, "utf8"), text);
  assert.deepEqual(readdirSync(folder), ["letter.txt"]);
});

test("tables of other programs are not touched, one of ours in another program's hands is refused", async () => {
  const path = join(folder, "shared.db");
  const other = new DatabaseSync(path);
  other.exec("CREATE TABLE notes (text); INSERT INTO notes VALUES ('mine'); CREATE TABLE _sqlx_migrations (version)");
  await (await openStore(path)).close();
  assert.equal(other.prepare("SELECT text FROM notes").get()?.text, "mine");
  other.close();

  const foreign = join(folder, "foreign.db");
  const original = new DatabaseSync(foreign);
  original.exec("CREATE TABLE instances (instance_id TEXT PRIMARY KEY)");
  await refused(
    foreign,
    "SCHEMA_FOREIGN",
    /already has a table 'instances' that another program made; give a path of its own/,
  );
  const tables = original.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  assert.deepEqual(
    tables.map(({ name }) => name),
    ["instances"],
  );
  original.close();
});

test("a schema from the future is refused", async () => {
  const path = join(folder, "store.db");
  await (await openStore(path)).close();
  const database = new DatabaseSync(path);
  database.exec("INSERT INTO runtara_migrations VALUES (999, 'later', 0)");
  database.close();
  await refused(path, "SCHEMA_NEWER", /has schema version 999, this program knows up to \d+; use the newer program/);
});

test("a file of the first schema gets the present one, with its signals and retries in their new places", async () => {
  const path = join(folder, "first.db");
  const first = new DatabaseSync(path);
  migrate(first, path, migrations.slice(0, 1));
  first.exec(`
    INSERT INTO instances (instance_key, instance_id, tenant_id, status, epoch, created_at, pending_signal, custom_signal_count)
      VALUES (1, 'i', 't', 'running', 3, 5, 'pause', 1);
    INSERT INTO checkpoints VALUES (1, 1, 'a', 6, x'01');
    INSERT INTO retry_attempts VALUES (1, 'b', 1, 'first', 7), (1, 'b', 2, 'second', 8);
    INSERT INTO pending_signals VALUES (1, 'pause', x'02', 9, NULL);
    INSERT INTO pending_checkpoint_signals VALUES (1, 'go', 10, x'03')`);
  first.close();
  const said: string[] = [];
  const progress = (text: string) => said.push(text);
  const store = await openSqliteStore({ engine: "sqlite", path, create: false }, { progress });
  assert.deepEqual(said, ["schema step 2, life", "schema step 3, schedules"]);
  const polled = await store.run({ kind: "pollSignals", instanceId: "i", epoch: 3, checkpointId: "go", nowMs: 11 });
  assert.deepEqual(polled, {
    outcome: "polled",
    signal: { type: "pause", payload: Uint8Array.of(2) },
    custom: { checkpointId: "go", payload: Uint8Array.of(3) },
  });
  const save = {
    kind: "saveCheckpoint",
    instanceId: "i",
    checkpointId: "c",
    state: new Uint8Array(1),
    nowMs: 12,
  } as const;
  assert.equal((await store.run(save)).outcome, "saved");
  const listed = await store.run({ kind: "listCheckpoints", instanceId: "i", limit: 10 });
  await store.close();
  assert.ok(listed.outcome === "page");
  assert.deepEqual(
    listed.checkpoints.map(({ checkpointId }) => checkpointId),
    ["c", "b::retry::2", "b::retry::1", "a"],
  );
  assert.deepEqual(await checkDatabase({ engine: "sqlite", path, create: false }), []);
});

test("a new file and a known one are opened without a word of progress; only the new one loads the steps of the schema", async () => {
  const path = join(folder, "store.db");
  const program = `
    import { registerHooks } from "node:module";
    const loaded = [];
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
    const { openStore } = await import("@runtara/store");
    const said = [];
    await (await openStore(${JSON.stringify(path)}, { progress: (text) => said.push(text) })).close();
    const isOfSteps = (url) => /\\/sqlite\\/(migrat|adopt)/.test(url);
    console.log(JSON.stringify([said.length, loaded.some((url) => url.includes("/sqlite/schema.")), loaded.some(isOfSteps)]));`;
  const open = async () => {
    const words = ["--conditions=runtara-src", "--input-type=module", "-e", program];
    const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: import.meta.dirname });
    return JSON.parse(stdout) as unknown;
  };
  assert.deepEqual(await open(), [0, true, true]);
  assert.deepEqual(await open(), [0, true, false]);
});

test("the steps of the schema are numbered from 1 up to the version that an open looks for", () => {
  const versions = migrations.map(({ version }) => version);
  assert.deepEqual(
    versions,
    Array.from({ length: schemaVersion }, (_, index) => index + 1),
  );
});

test("the schema is the one in schema.golden.sql", async () => {
  const path = join(folder, "store.db");
  await (await openStore(path)).close();
  const database = new DatabaseSync(path);
  const rows = database.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type DESC, name").all();
  database.close();
  const schema = rows.map(({ sql }) => `${String(sql)};\n`).join("\n");
  const golden = new URL("./schema.golden.sql", import.meta.url);
  if (process.env.UPDATE_GOLDEN === "1") writeFileSync(golden, schema);
  assert.equal(schema, readFileSync(golden, "utf8"));
});

test("starters at the same moment all open, and each step of the schema is applied once", async () => {
  const path = join(folder, "together", "store.db");
  mkdirSync(join(folder, "together"));
  const { promise: opened, resolve } = Promise.withResolvers<number[]>();
  const program = `const { openStore } = await import("@runtara/store"); const store = await openStore(${JSON.stringify(path)}); await store.close();`;
  const codes: number[] = [];
  const starters = 6;
  for (let n = 0; n < starters; n += 1) {
    const child = spawn(process.execPath, ["--conditions=runtara-src", "--input-type=module", "-e", program], {
      cwd: import.meta.dirname,
      stdio: "inherit",
    });
    child.on("close", (code) => {
      codes.push(code ?? -1);
      if (codes.length === starters) resolve(codes);
    });
  }
  assert.deepEqual(await opened, Array(starters).fill(0));
  const database = new DatabaseSync(path);
  assert.equal(database.prepare("SELECT count(*) AS n FROM runtara_migrations").get()?.n, schemaVersion);
  database.close();
});
