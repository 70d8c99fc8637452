import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../limits.ts";
import { WalKeeper } from "./wal-keeper.ts";

function keeper(): { readonly wal: WalKeeper; readonly asked: string[] } {
  const asked: string[] = [];
  const wal = new WalKeeper({
    move: () => asked.push("move"),
    finish: (all) => asked.push(all ? "finish all" : "finish"),
  });
  return { wal, asked };
}

test("at the bound the pages are moved beside the writer, then the writer finishes, once at a time", () => {
  const { wal, asked } = keeper();
  wal.grown(limits.sqliteWalPagesMax - 1);
  assert.deepEqual(asked, []);
  wal.grown(limits.sqliteWalPagesMax);
  wal.grown(limits.sqliteWalPagesMax + 50);
  assert.deepEqual(asked, ["move"]);
  wal.moved(limits.sqliteWalPagesMax + 100);
  wal.finished(limits.sqliteWalPagesMax + 100);
  assert.deepEqual(asked, ["move", "finish"]);
});

test("a log that a reader holds is tried again when it has grown by as much, and above the hard bound readers wait", () => {
  const { wal, asked } = keeper();
  const round = (pages: number) => {
    wal.grown(pages);
    wal.moved(pages);
    wal.finished(pages);
  };
  round(limits.sqliteWalPagesMax);
  wal.grown(limits.sqliteWalPagesMax + 10);
  assert.equal(asked.length, 2);
  const huge = limits.sqliteWalBytesMax / 4_096 + 1;
  round(huge);
  assert.deepEqual(asked.slice(2), ["move", "finish all"]);
});

test("a log that has begun anew counts from its beginning; an end of a thread frees what waited for it", () => {
  const { wal, asked } = keeper();
  wal.grown(limits.sqliteWalPagesMax);
  wal.reset();
  wal.grown(limits.sqliteWalPagesMax);
  wal.moved(limits.sqliteWalPagesMax);
  wal.finished(limits.sqliteWalPagesMax);
  wal.grown(5);
  wal.grown(limits.sqliteWalPagesMax);
  assert.deepEqual(asked, ["move", "move", "finish", "move"]);
});
