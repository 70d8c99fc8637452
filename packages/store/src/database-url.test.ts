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

test("PostgreSQL is recognised in both spellings", () => {
  for (const url of ["postgres://u@h/d", "postgresql://u@h/d"]) {
    assert.deepEqual(parseDatabaseUrl(url), { engine: "postgres", url });
  }
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
  ]) {
    assert.match(refusal(url), /^cannot use database URL '.*': .*; supported: /s, url);
  }
});
