// Whatever a message, a comment or a README tells to run exists.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const packages = fileURLToPath(new URL("../../", import.meta.url));
/** Words behind our name that are no commands: labels of keys that are derived from others. */
const labels = new Set(["values", "nonces"]);

async function commands(): Promise<Set<string>> {
  const bin = `${packages}cli/bin/runtara.js`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=runtara-src", bin, "--help"]);
  return new Set([...stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name as string));
}

/** `npx runtara worker`, `runtara core` … in a file; with the line for the message. */
function namedIn(path: string): { readonly word: string; readonly at: string }[] {
  const lines = readFileSync(packages + path, "utf8").split("\n");
  return lines.flatMap((line, index) =>
    [...line.matchAll(/\bruntara ([a-z]+)\b/g)].map(([, word]) => ({
      word: word as string,
      at: `${path}:${index + 1}`,
    })),
  );
}

test("every command that a text names is one of the command line", async () => {
  const known = await commands();
  assert.ok(known.has("core") && known.has("run"), `the help names ${[...known].join()}`);
  const files = ["sdk", "core", "store", "cli", "testkit"].flatMap((name) =>
    readdirSync(`${packages}${name}/src`, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts") && !/\.test\.|^testing\b/.test(path))
      .map((path) => `${name}/src/${path}`)
      .concat(`${name}/README.md`),
  );
  const named = files.flatMap(namedIn).filter(({ word }) => !labels.has(word));
  assert.ok(named.length > 10, "texts that name commands were found");
  const wrong = named.filter(({ word }) => !known.has(word)).map(({ word, at }) => `runtara ${word} (${at})`);
  assert.deepEqual(wrong, []);
});
