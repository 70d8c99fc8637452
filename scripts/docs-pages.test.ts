// The docs as a whole: every page is linked, every link leads somewhere, commands exist, and the reference is what the code says.
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { stalePages } from "./api-pages.ts";

const docs = join(import.meta.dirname, "../docs");
const pages = globSync("{.,guide,concepts,coming-from,api}/*.md", { cwd: docs }).map((page) => join(docs, page));
const concepts = [
  ...["workflow", "step", "instance", "replay", "ids", "determinism", "time", "signals", "retries", "errors"],
  ...["transactions", "sagas", "cancellation", "children", "continue-as-new", "publishing", "values", "codecs"],
  ...["versions", "modes", "schedules", "leases", "testing"],
];

const linksOf = (page: string): string[] =>
  [...readFileSync(page, "utf8").matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target));

test("there is a page for each concept, and the list of concepts links them all", () => {
  const linked = new Set(linksOf(join(docs, "concepts/README.md")));
  for (const concept of concepts) {
    assert.ok(existsSync(join(docs, `concepts/${concept}.md`)), concept);
    assert.ok(linked.has(`${concept}.md`), `${concept} is not in the list`);
  }
  const files = globSync("*.md", { cwd: join(docs, "concepts") }).filter((file) => file !== "README.md");
  assert.deepEqual(files.sort(), concepts.map((concept) => `${concept}.md`).sort());
});

test("every link between pages leads to a file", () => {
  for (const page of pages) {
    for (const target of linksOf(page)) {
      assert.ok(existsSync(join(dirname(page), target)), `${relative(docs, page)} links ${target}`);
    }
  }
});

test("every command that a page names exists", () => {
  const sources = globSync("**/*.ts", { cwd: join(docs, "../packages/cli/src") }).map((file) =>
    readFileSync(join(docs, "../packages/cli/src", file), "utf8"),
  );
  const known = new Set(sources.flatMap((text) => [...text.matchAll(/\.command\("([a-z]+)/g)].map(([, name]) => name)));
  for (const page of pages) {
    for (const [, name] of readFileSync(page, "utf8").matchAll(/npx runtara ([a-z]+)/g)) {
      assert.ok(known.has(name), `${relative(docs, page)} names npx runtara ${name}`);
    }
  }
});

test("the reference says what the code says: node scripts/api-pages.ts", () => {
  assert.deepEqual(stalePages(), []);
});
