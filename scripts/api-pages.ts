// Writes the API reference, docs/api, from the comments in the compiled declarations: node scripts/api-pages.ts. With --check it writes nothing and
// exits 1 if a page is not fresh.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exportsOf } from "./api/declarations.ts";
import { pageOf } from "./api/page.ts";

const root = join(import.meta.dirname, "..");
const folder = join(root, "docs/api");

const entries = [
  { page: "sdk.md", entry: "@runtara/sdk", file: "sdk/dist/index.d.ts", what: "What a workflow file imports." },
  {
    page: "embedded.md",
    entry: "@runtara/sdk/embedded",
    file: "sdk/dist/embedded/index.d.ts",
    what: "Workflows in your own program, on a database.",
  },
  {
    page: "worker.md",
    entry: "@runtara/sdk/worker",
    file: "sdk/dist/worker/index.d.ts",
    what: "Processes that work for a core: a worker with many instances, or one process for each.",
  },
  {
    page: "codec.md",
    entry: "@runtara/sdk/codec",
    file: "sdk/dist/codec/index.d.ts",
    what: "Values as stored text, encryption and compression.",
  },
  {
    page: "raw.md",
    entry: "@runtara/sdk/raw",
    file: "sdk/dist/raw/index.d.ts",
    what: "The instance protocol call by call, and the durable functions of the Rust SDK.",
  },
  {
    page: "testkit.md",
    entry: "@runtara/testkit",
    file: "testkit/dist/index.d.ts",
    what: "Tests of workflows: a clock that skips, crashes, random schedules, replays.",
  },
];

/** The pages as they should be, by file name. */
export function apiPages(): Map<string, string> {
  const pages = new Map(
    entries.map(({ page, entry, file, what }) => [page, pageOf(entry, what, exportsOf(join(root, "packages", file)))]),
  );
  const rows = entries.map(({ page, entry, what }) => `| [\`${entry}\`](${page}) | ${what} |`);
  const index = ["# API reference", "", "From the comments in the code.", "", "| import | what for |", "| --- | --- |"];
  return pages.set("README.md", `${[...index, ...rows].join("\n")}\n`);
}

/** Names of pages that differ from what the code says. */
export function stalePages(): string[] {
  return [...apiPages()]
    .filter(([page, text]) => {
      const path = join(folder, page);
      return !existsSync(path) || readFileSync(path, "utf8") !== text;
    })
    .map(([page]) => page);
}

if (import.meta.main) {
  if (process.argv.includes("--check")) {
    const stale = stalePages();
    if (stale.length > 0) console.error(`docs/api is not fresh: ${stale.join(", ")}; run node scripts/api-pages.ts`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    mkdirSync(folder, { recursive: true });
    for (const [page, text] of apiPages()) writeFileSync(join(folder, page), text);
    console.log(`wrote ${entries.length + 1} pages to docs/api`);
  }
}
