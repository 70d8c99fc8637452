import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { limits as protocolLimits } from "@runtara/protocol";
import { storeLimits } from "@runtara/store";
import { limits } from "../limits.ts";
import { configurationPath, freshPage, limitsPath, limitsTable } from "./configuration-page.test.helper.ts";

const page = readFileSync(limitsPath, "utf8");

test("the tables in docs/limits.md are those of the sources", () => {
  assert.ok(
    freshPage(page) === page,
    "write them anew: node --conditions=runtara-src packages/core/src/server/configuration-page.test.helper.ts",
  );
});

test("every limit is in a table, with its value and a text", () => {
  for (const table of [limits, storeLimits, protocolLimits]) {
    for (const [name, value] of Object.entries(table)) {
      const row = page.split("\n").find((line) => line.startsWith(`| \`${name}\` | `)) ?? "";
      assert.match(row, /^\| `\w+` \| .+ \| \S.* \|$/, `${name}: ${row}`);
      if (typeof value === "number")
        assert.ok(page.includes(`| \`${name}\` | ${value.toLocaleString("en-US")} |`), name);
    }
  }
});

test("a limit needs a comment of its own", () => {
  const source = (entries: string) => `export const limits = {\n${entries}} as const;\n`;
  const entries = "  /**\n   * One\n   * and two.\n   */\n  a: 1_000,\n  /** c | d */\n  c: { x: 1 },\n";
  const rows = limitsTable(source(entries)).split("\n").slice(2, -1);
  assert.deepEqual(rows, ["| `a` | 1,000 | One and two. |", "| `c` | { x: 1 } | c \\| d |"]);
  assert.throws(() => limitsTable(source(`${entries}  d: -2,\n`)), /limit d has no comment/);
});

test("every variable that a core reads is on the page", () => {
  const configuration = readFileSync(configurationPath, "utf8");
  const folders = ["../../../server-kit/src", "../../../protocol/src/server", ".", "../../../server-kit/src/logs"];
  const sources = folders.flatMap((folder) => {
    const path = join(import.meta.dirname, folder);
    const files = readdirSync(path).filter((name) => name.endsWith(".ts") && !name.includes(".test."));
    return files.map((name) => readFileSync(join(path, name), "utf8"));
  });
  const read = sources.flatMap((source) => source.match(/"(RUNTARA_[A-Z0-9_]+|DATA_DIR|RUST_LOG)"/g) ?? []);
  const variables = new Set([...read.map((quoted) => quoted.slice(1, -1)), "RUNTARA_HTTP2"]);
  assert.ok(variables.size > 35, String(variables.size));
  for (const variable of variables) {
    if (variable !== "RUNTARA_HANDLER_FAILED") assert.ok(configuration.includes(`\`${variable}\``), variable);
  }
});
