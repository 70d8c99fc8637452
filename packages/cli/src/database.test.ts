import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { administer, testDatabase } from "@runtara/store/testing/postgres";
import { database, runtara, startCore, temporaryFolder, workflows } from "./testing.ts";

/** A failed command: one line on stderr that matches, nothing on stdout, exit 1. */
function assertRefused(ended: { code: number | null; stdout: string; stderr: string }, text: RegExp): void {
  assert.equal(ended.stdout, "");
  assert.match(ended.stderr, text);
  assert.equal(ended.stderr.trimEnd().split("\n").length, 1, ended.stderr);
  assert.equal(ended.code, 1);
}

test("migrate makes the tables, and again changes nothing; check finds them sound", async (t) => {
  const folder = temporaryFolder(t);
  for (let n = 0; n < 2; n += 1) {
    const made = await runtara(t, ["database", "migrate", "--json", ...database(folder)]);
    assert.deepEqual([JSON.parse(made.stdout), made.code], [{ engine: "sqlite", upToDate: true }, 0]);
  }
  const checked = await runtara(t, ["database", "check", ...database(folder)]);
  assert.deepEqual([checked.stdout, checked.code], ["the database is sound\n", 0]);
  const json = await runtara(t, ["database", "check", "--json", ...database(folder)]);
  assert.deepEqual(JSON.parse(json.stdout), { sound: true, faults: [] });
});

test("a backup of a database in use can be served, and vacuum leaves what is in it", async (t) => {
  const folder = temporaryFolder(t);
  const core = await startCore(t, folder);
  const args = [
    "run",
    workflows,
    "--workflow",
    "greet",
    "--server",
    core.address,
    "--instance",
    "one",
    "--input",
    '"Ada"',
  ];
  const ran = await runtara(t, args);
  assert.equal(ran.code, 0, ran.stderr);
  const copy = join(folder, "copy");
  const backup = await runtara(t, ["database", "backup", "--json", `${copy}.db`, ...database(folder)]);
  const made = { file: `${copy}.db`, bytes: statSync(`${copy}.db`).size };
  assert.deepEqual([JSON.parse(backup.stdout), backup.code], [made, 0]);
  assertRefused(await runtara(t, ["database", "backup", `${copy}.db`, ...database(folder)]), /copy\.db/);
  core.kill("SIGTERM");
  await core.ended;
  const vacuumed = await runtara(t, ["database", "vacuum", "--json", ...database(folder)]);
  const { bytesBefore, bytesAfter } = JSON.parse(vacuumed.stdout) as { bytesBefore: number; bytesAfter: number };
  assert.deepEqual([bytesBefore > 0, bytesAfter], [true, statSync(join(folder, "core.db")).size]);
  const restored = await startCore(t, temporaryFolder(t), ["--database-url", `sqlite:${copy}.db`]);
  const again = await runtara(t, [...args.slice(0, 5), restored.address, ...args.slice(6), "--json"]);
  assert.equal((JSON.parse(again.stdout) as { earlier: boolean }).earlier, true, again.stderr);
});

test("a damaged database is told, exit 1; what is no database, or not there, is refused and left alone", async (t) => {
  const folder = temporaryFolder(t);
  const letter = join(folder, "letter.txt");
  writeFileSync(letter, "Dear reader, ".repeat(1_000));
  const check = (url: string) => runtara(t, ["database", "check", "--database-url", url]);
  assertRefused(await check(letter), /letter\.txt/);
  assertRefused(await check(`sqlite:${folder}/absent.db`), /absent\.db/);
  assert.deepEqual(readdirSync(folder), ["letter.txt"]);
  await runtara(t, ["database", "migrate", ...database(folder)]);
  const path = join(folder, "core.db");
  const bytes = readFileSync(path);
  bytes.fill(0xee, 8_192, 16_384);
  writeFileSync(path, bytes);
  const damaged = await check(`sqlite:${path}`);
  assert.equal(damaged.code, 1);
  assert.notEqual(damaged.stdout + damaged.stderr, "");
});

test("what PostgreSQL does by itself is said so", async (t) => {
  const url = ["--database-url", "postgres://127.0.0.1:1/none"];
  assertRefused(await runtara(t, ["database", "vacuum", ...url]), /autovacuum/);
  const target = join(temporaryFolder(t), "x");
  assertRefused(await runtara(t, ["database", "backup", target, ...url]), /pg_dump/);
  assert.equal(existsSync(target), false);
});

test("of PostgreSQL, check tells whether our tables are there, and makes none", async (t) => {
  await using postgres = await testDatabase();
  const url = ["--database-url", postgres.url];
  const before = await runtara(t, ["database", "check", ...url]);
  assert.deepEqual([before.code, before.stderr], [1, ""]);
  assert.match(before.stdout, /no tables of this version; .*runtara database migrate/);
  const tables = "SELECT count(*)::int FROM pg_class WHERE relnamespace = 'public'::regnamespace";
  assert.deepEqual(await administer(postgres.url, tables), [["0"]]);
  const made = await runtara(t, ["database", "migrate", "--json", ...url]);
  assert.deepEqual([JSON.parse(made.stdout), made.code], [{ engine: "postgres", upToDate: true }, 0], made.stderr);
  const after = await runtara(t, ["database", "check", "--json", ...url]);
  assert.deepEqual([JSON.parse(after.stdout), after.code], [{ sound: true, faults: [] }, 0], after.stderr);
});
