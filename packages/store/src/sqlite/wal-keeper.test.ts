import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { limits } from "../limits.ts";
import { openDatabase, openThreadDatabase } from "./open-database.ts";
import { type WalBounds, WalKeeper } from "./wal-keeper.ts";

function keeper(bounds?: WalBounds, now?: () => number): { readonly wal: WalKeeper; readonly asked: string[] } {
  const asked: string[] = [];
  const wal = new WalKeeper({ move: () => asked.push("move"), finish: () => asked.push("finish") }, bounds, now);
  return { wal, asked };
}

test("at the bound the pages are moved beside the writer, then the writer finishes, once at a time", () => {
  const { wal, asked } = keeper();
  wal.grown(limits.sqliteWalPagesMax - 1);
  assert.deepEqual(asked, []);
  wal.grown(limits.sqliteWalPagesMax);
  wal.grown(limits.sqliteWalPagesMax + 50);
  assert.deepEqual(asked, ["move"]);
  wal.moved(0);
  wal.finished(limits.sqliteWalPagesMax + 100);
  assert.deepEqual(asked, ["move", "finish"]);
});

test("a log that a reader holds is tried again when it has grown by as much or after a while, above the bound only after a while", () => {
  let nowMs = 0;
  const { wal, asked } = keeper({ pages: 10, pagesMax: 30, retryMs: 1_000, finishPages: 0 }, () => nowMs);
  const attempts = (pages: number) => {
    const before = asked.length;
    wal.grown(pages);
    wal.moved(0);
    wal.finished(pages);
    return asked.slice(before);
  };
  const whole = ["move", "finish"];
  assert.deepEqual(attempts(10), whole);
  assert.deepEqual(attempts(19), []);
  assert.deepEqual(attempts(20), whole);
  assert.deepEqual(attempts(35), whole);
  for (const pages of [45, 100, 1_000]) assert.deepEqual(attempts(pages), []);
  nowMs += 999;
  assert.deepEqual(attempts(1_000), []);
  nowMs += 1;
  assert.deepEqual(attempts(1_000), whole);
  assert.deepEqual(attempts(2_000), []);
  assert.deepEqual(attempts(5), []);
  assert.deepEqual(attempts(10), whole, "the reader has gone, the log has begun anew");
});

test("what the writer adds meanwhile is moved beside it, too, until little is left or it does not grow less", () => {
  const { wal, asked } = keeper({ pages: 100, pagesMax: 1_000, retryMs: 1_000, finishPages: 5 });
  wal.grown(100);
  for (const left of [40, 16, 6]) {
    wal.moved(left);
    assert.equal(asked.pop(), "move");
    assert.ok(!asked.includes("finish"));
  }
  wal.moved(5);
  assert.deepEqual(asked, ["move", "finish"]);
  wal.finished(105);
  wal.grown(205);
  for (let move = 1; move < limits.walMovesMax; move += 1) wal.moved(90);
  assert.equal(asked.at(-1), "move");
  wal.moved(90);
  assert.equal(asked.at(-1), "finish");
});

test("writes go on while a reader holds a log above its bound; when it has gone the log begins anew", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "runtara-wal-"));
  const path = join(folder, "store.db");
  const [writer, mover] = [await openDatabase({ engine: "sqlite", path, create: true }), openThreadDatabase(path)];
  const reader = new DatabaseSync(path, { readOnly: true });
  t.after(() => {
    for (const database of [writer, mover, reader]) database.close();
    rmSync(folder, { recursive: true });
  });
  writer.exec("PRAGMA wal_autocheckpoint = 0; CREATE TABLE written (value BLOB)");
  let nowMs = 0;
  let attempts = 0;
  const pages = () => Number(writer.prepare("PRAGMA wal_checkpoint(NOOP)").get()?.log);
  const wal = new WalKeeper(
    {
      move: () => mover.exec("PRAGMA wal_checkpoint(PASSIVE)"),
      finish: () => {
        attempts += 1;
        writer.exec("PRAGMA wal_checkpoint(PASSIVE)");
      },
    },
    { pages: 20, pagesMax: 100, retryMs: 1_000, finishPages: 0 },
    () => nowMs,
  );
  const write = () => {
    writer.exec("INSERT INTO written VALUES (zeroblob(40000))");
    wal.grown(pages());
    wal.moved(0);
    wal.finished(pages());
  };
  reader.exec("BEGIN; SELECT count(*) FROM written");
  for (let n = 0; n < 100; n += 1) write();
  assert.ok(pages() > 1_000, `${pages()} pages`);
  assert.ok(attempts < 20, `${attempts} attempts`);
  assert.equal(writer.prepare("SELECT count(*) AS n FROM written").get()?.n, 100);
  reader.exec("COMMIT");
  nowMs += 1_000;
  write();
  write();
  assert.ok(pages() < 40, `${pages()} pages`);
  assert.ok(statSync(`${path}-wal`).size <= 2 * limits.sqliteWalPagesMax * 4_096);
});

test("a log that has begun anew counts from its beginning; an end of a thread frees what waited for it", () => {
  const { wal, asked } = keeper();
  wal.grown(limits.sqliteWalPagesMax);
  wal.reset();
  wal.grown(limits.sqliteWalPagesMax);
  wal.moved(0);
  wal.finished(limits.sqliteWalPagesMax);
  wal.grown(5);
  wal.grown(limits.sqliteWalPagesMax);
  assert.deepEqual(asked, ["move", "move", "finish", "move"]);
});
