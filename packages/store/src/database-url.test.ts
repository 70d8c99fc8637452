import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultDatabaseUrl, parseDatabaseUrl, StoreError } from "@runtara/store";

function refusal(url: string): string {
  try {
    parseDatabaseUrl(url);
  } catch (error) {
    assert.ok(error instanceof StoreError && error.code === "URL_UNSUPPORTED");
    assert.ok(!error.message.includes("\n"));
    return error.message;
  }
  return "accepted";
}

test("every form of a SQLite location", () => {
  const forms: Record<string, [path: string, create: boolean]> = {
    "sqlite:a/b.db": ["a/b.db", true],
    "sqlite:/a/b.db": ["/a/b.db", true],
    "sqlite://a/b.db": ["a/b.db", true],
    "sqlite:///a/b.db": ["/a/b.db", true],
    "sqlite:///a/b.db?mode=rwc": ["/a/b.db", true],
    "sqlite:a.db?mode=rw": ["a.db", false],
    "SQLITE:a.db": ["a.db", true],
    "sqlite:with%20space.db": ["with space.db", true],
    "/a/b.db": ["/a/b.db", true],
    "relative name.db": ["relative name.db", true],
    "what?.db": ["what?.db", true],
    [defaultDatabaseUrl]: [".runtara/runtara.db", true],
  };
  for (const [url, [path, create]] of Object.entries(forms)) {
    assert.deepEqual(parseDatabaseUrl(url), { engine: "sqlite", path, create }, url);
  }
});

test("every form of a PostgreSQL location", () => {
  const usual = { poolConnections: 10, prepare: undefined, statementTimeoutMs: 10_000 };
  const forms: Record<string, [url: string, options?: object]> = {
    "postgres://u@h/d": ["postgres://u@h/d"],
    "postgresql://u:p@h:5433/d": ["postgresql://u:p@h:5433/d"],
    "postgres://u@%2Frun%2Fpostgresql/d": ["postgres://u@%2Frun%2Fpostgresql/d"],
    "postgres:///d?host=/run/postgresql": ["postgres:///d?host=%2Frun%2Fpostgresql"],
    "postgres://u@[::1]:5432/d?sslmode=verify-full": ["postgres://u@[::1]:5432/d?sslmode=verify-full"],
    "postgres://u@h/d?pool=4&prepare=false": ["postgres://u@h/d", { poolConnections: 4, prepare: false }],
    "postgres://u@h/d?prepare=true&application_name=x": ["postgres://u@h/d?application_name=x", { prepare: true }],
    "postgres://u@h/d?statement_timeout_ms=0": ["postgres://u@h/d", { statementTimeoutMs: 0 }],
  };
  for (const [given, [url, options]] of Object.entries(forms)) {
    assert.deepEqual(parseDatabaseUrl(given), { engine: "postgres", url, ...usual, ...options }, given);
  }
});

test("options of PostgreSQL out of their bounds are refused without showing a password", () => {
  for (const option of [
    "pool=3",
    "pool=101",
    "pool=x",
    "prepare=no",
    "statement_timeout_ms=-1",
    "statement_timeout_ms=",
  ]) {
    assert.match(refusal(`postgres://u:secret@h/d?${option}`), new RegExp(`u:\\*\\*\\*@h/d.*'${option}' must be`));
  }
  assert.doesNotMatch(refusal("postgres://h/d?password=secret&pool=1"), /secret/);
});

test("everything else is refused with what is supported", () => {
  assert.match(
    refusal("mysql://u:secret@h/d"),
    /'mysql:\/\/u:\*\*\*@h\/d'.* kind 'mysql' are not supported; supported: sqlite:PATH/,
  );
  for (const url of [
    "",
    "sqlite:",
    "sqlite://",
    "sqlite::memory:",
    ":memory:",
    "sqlite:a?mode=ro",
    "sqlite:a?cache=shared",
    "sqlite:%zz",
    "a\0b",
    "postgres://u@h:port/d",
    "postgres://u@h/d?a?b",
  ]) {
    assert.match(refusal(url), /^cannot use database URL '.*': .*; supported: /s, url);
  }
});
