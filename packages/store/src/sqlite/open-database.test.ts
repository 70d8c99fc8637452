import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, test } from "node:test";
import { openStore, StoreError, type StoreErrorCode } from "@runtara/store";

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
  assert.deepEqual(original.prepare("SELECT count(*) AS n FROM runtara_migrations").get()?.n, 0);
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

test("postgres is told apart from a path", async () => {
  await refused(
    "postgres://u:pw@h/d",
    "URL_UNSUPPORTED",
    /'postgres:\/\/u:\*\*\*@h\/d': this version has no PostgreSQL engine yet/,
  );
  assert.ok(!existsSync("postgres:"));
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
  const { spawn } = await import("node:child_process");
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
  assert.equal(database.prepare("SELECT count(*) AS n FROM runtara_migrations").get()?.n, 1);
  database.close();
});
