import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { loadDotEnv } from "./index.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "runtara-dotenv-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("the nearest .env above is read and never overrides", () => {
  const inner = join(folder, "a", "b");
  mkdirSync(inner, { recursive: true });
  writeFileSync(join(folder, ".env"), "A=far\nB=far\n");
  writeFileSync(join(folder, "a", ".env"), "# comment\nA=near\nC='with space'\nD=file\n");
  const env: Record<string, string | undefined> = { D: "set" };
  assert.equal(loadDotEnv(inner, env), join(folder, "a", ".env"));
  assert.deepEqual(env, { A: "near", C: "with space", D: "set" });
});

test("an empty variable counts as set", () => {
  writeFileSync(join(folder, ".env"), "A=file\n");
  const env = { A: "" };
  loadDotEnv(folder, env);
  assert.equal(env.A, "");
});

test("a directory called .env is passed over", () => {
  mkdirSync(join(folder, "x", ".env"), { recursive: true });
  writeFileSync(join(folder, ".env"), "A=1\n");
  const env: Record<string, string | undefined> = {};
  assert.equal(loadDotEnv(join(folder, "x"), env), join(folder, ".env"));
});
