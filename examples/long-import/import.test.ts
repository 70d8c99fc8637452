import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createTest, everyCrash } from "@runtara/testkit";
import { importFile } from "./import.ts";
import { tableOf } from "./target.ts";

const folder = mkdtempSync(join(tmpdir(), "import-"));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, "lines.csv");
const count = 2_000;
writeFileSync(
  path,
  Array.from({ length: count }, (_, line) => (line === 777 ? "no value" : `id-${line};value ${line}`)).join("\n"),
);

test("all lines arrive, and the bad one is named", async () => {
  await using rt = await createTest({ workflows: [importFile] });
  const handle = await rt.start(importFile, { path, target: "a" });
  assert.deepEqual(await handle.result(), { lines: count - 1, bad: ["no value"] });
  assert.equal(tableOf("a").size, count - 1);
  assert.equal((await handle.published("progress"))?.lines, count - 1);
});

test("cancelled in the middle, it takes back what it had imported", async () => {
  await using rt = await createTest({ workflows: [importFile] });
  const handle = await rt.start(importFile, { path, target: "b" }, { id: "b" });
  rt.crashAfter("block(8191)");
  await handle.cancel("wrong file");
  await rt.advance("1m");
  assert.equal((await handle.status()).status, "cancelled");
  assert.equal(tableOf("b").size, 0);
});

test("a crash anywhere imports each line once", async () => {
  await everyCrash(importFile, { path, target: "c" }, { reset: () => tableOf("c").clear(), pairs: false });
  assert.equal(tableOf("c").size, count - 1);
});
