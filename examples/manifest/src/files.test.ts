import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { hashFiles, inBatches, listFiles, manifestLine, writeManifest } from "./files.ts";

function temporaryFolder(t: { after: (fn: () => void) => void }): string {
  const dir = mkdtempSync(join(tmpdir(), "runtara-files-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

test("lists regular files only, sorted, without the folders to skip", async (t) => {
  const dir = temporaryFolder(t);
  for (const folder of ["a", "a/.git", "b"]) mkdirSync(join(dir, folder));
  for (const file of ["z", "a/x", "a/.git/HEAD", "b/y"]) writeFileSync(join(dir, file), file);
  symlinkSync("z", join(dir, "link"));
  assert.deepEqual(await listFiles(dir, [".git"]), ["a/x", "b/y", "z"]);
  assert.deepEqual(await listFiles(dir, []), ["a/.git/HEAD", "a/x", "b/y", "z"]);
});

test("sha256sum agrees on empty, large and awkwardly named files, and notices a change", async (t) => {
  const dir = temporaryFolder(t);
  const names = [
    "empty",
    "large",
    "with space",
    "back\\slash",
    "line\nbreak",
    "carriage\rreturn",
    "ünïcode",
    "-dash",
    "\\",
  ];
  for (const name of names)
    writeFileSync(join(dir, name), name === "empty" ? "" : name.repeat(name === "large" ? 500_000 : 1));
  const hashes = await hashFiles(dir, await listFiles(dir, []));
  assert.equal(hashes.length, names.length);
  assert.equal(hashes.find(({ path }) => path === "large")?.bytes, 2_500_000);

  const manifest = `${dir}.sha256`;
  t.after(() => rmSync(manifest, { force: true }));
  await writeManifest(manifest, hashes);
  const check = () => spawnSync("sha256sum", ["--check", "--strict", manifest], { cwd: dir, encoding: "utf8" });
  const good = check();
  assert.equal(good.status, 0, good.stdout + good.stderr);
  assert.equal(good.stdout.split("\n").length - 1, names.length);

  writeFileSync(join(dir, "with space"), "something else");
  assert.equal(check().status, 1);
});

test("a plain name has no escape", () => {
  assert.equal(manifestLine({ path: "a b", sha256: "00", bytes: 1 }), "00  a b\n");
  assert.equal(manifestLine({ path: "a\nb", sha256: "00", bytes: 1 }), "\\00  a\\nb\n");
});

test("batches hold every item once, in order", () => {
  assert.deepEqual(inBatches([1, 2, 3, 4, 5], 2), [[1, 2], [3, 4], [5]]);
  assert.deepEqual(inBatches([], 2), []);
});
