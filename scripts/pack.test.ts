import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { bundle } from "./bundle.ts";
import { fileProblems, programsOf, reach, specifiersOf, undeclared, unused } from "./pack-contents.ts";
import { type Manifest, manifestProblems, publishManifest } from "./pack-manifest.ts";

const source: Manifest = {
  name: "@runtara/thing",
  version: "1.2.3",
  description: "A thing",
  keywords: ["thing"],
  license: "Apache-2.0",
  type: "module",
  engines: { node: ">=22.18" },
  sideEffects: false,
  exports: {
    ".": { "runtara-src": "./src/index.ts", types: "./dist/index.d.ts", default: "./dist/index.js" },
    "./package.json": "./package.json",
  },
  files: ["dist"],
  scripts: { bench: "node bench.ts" },
  dependencies: { "@runtara/other": "1.2.3", pino: "10.4.0" },
  devDependencies: { zod: "4.6.7" },
  publishConfig: { access: "public" },
};
const versions = new Map([["@runtara/other", "1.2.3"]]);

test("a published manifest has neither the sources' condition nor what only the checkout needs", () => {
  const published = publishManifest(source, ["@runtara/thing-linux"]);
  assert.deepEqual(published.exports["."], { types: "./dist/index.d.ts", default: "./dist/index.js" });
  assert.equal(published.exports["./package.json"], "./package.json");
  assert.ok(!("scripts" in published) && !("devDependencies" in published));
  assert.deepEqual(published.optionalDependencies, { "@runtara/thing-linux": "1.2.3" });
  assert.ok(!("optionalDependencies" in publishManifest(source)));
  assert.deepEqual(manifestProblems(publishManifest(source), versions), []);
});

test("problems of a manifest are named", () => {
  const cases: [Partial<Manifest>, RegExp][] = [
    [{ license: undefined }, /has no "license"/],
    [{ exports: source.exports }, /condition of the sources/],
    [{ private: true }, /is private/],
    [{ exports: { ".": { default: "./dist/index.js" } } }, /exports \. without "types"/],
    [{ dependencies: { "@runtara/other": "1.2.4" } }, /@runtara\/other 1\.2\.4, but the release has 1\.2\.3/],
    [{ dependencies: { "@runtara/none": "1.2.3" } }, /the release has none/],
    [{ dependencies: { pino: "^10.4.0" } }, /pino \^10\.4\.0, which is not an exact version/],
  ];
  for (const [change, expected] of cases) {
    const problems = manifestProblems({ ...publishManifest(source), ...change }, versions);
    assert.equal(problems.length, 1, problems.join("\n"));
    assert.match(problems[0] ?? "", expected);
  }
});

test("imports of every form are seen, and nothing else", () => {
  const text = `import "./a.js";
import b, { type B } from "./b.js";
import * as c from 'pkg/c';
export * from "./d.js";
export {
  e,
} from "./e.js";
export declare function f(g: import("@scope/h").H): "i";
const j = await import("./j.js");
new Worker(new URL("./k.js", import.meta.url));
export const l = "./l.js"; // import "./m.js"
 * import { n } from "./n.js";`;
  const found = ["./a.js", "./b.js", "pkg/c", "./d.js", "./e.js", "@scope/h", "./j.js", "./k.js"];
  assert.deepEqual(specifiersOf(text), found);
  assert.deepEqual(programsOf(text), ["./k.js"]);
});

test("a bundle has a file for each entry, each module once, and programs where they are looked for", async (t) => {
  const folder = folderWith(t, {
    "package.json": '{ "type": "module" }',
    ...module("index", 'export { start } from "./deep/start.js";\nexport { Shared } from "./shared.js";'),
    ...module("other/index", 'export { start } from "../deep/start.js";\nexport { Shared } from "../shared.js";'),
    ...module("deep/start", 'export const start = () => new URL("./program.js", import.meta.url).href;'),
    ...module("deep/program", 'import { Shared } from "../shared.js";\nexport default Shared.name;'),
    ...module("shared", 'import "node:fs";\nexport class Shared {}'),
  });
  const exports = { ".": { default: "./dist/index.js" }, "./other": { default: "./dist/other/index.js" } };
  const { entries } = reach(folder, { ...source, exports });
  assert.deepEqual(entries, ["dist/deep/program", "dist/index", "dist/other/index"]);
  const target = join(folder, "target");
  mkdirSync(target);
  writeFileSync(join(target, "package.json"), '{ "type": "module" }');
  bundle(folder, target, entries);
  const files = readdirSync(join(target, "dist"), { recursive: true, encoding: "utf8" });
  const isEntry = (name: string): boolean => entries.includes(`dist/${name.replace(/\.js$/, "")}`);
  const chunks = files.filter((name) => name.endsWith(".js") && !isEntry(name) && name !== "program.js");
  const load = (path: string) => import(pathToFileURL(join(target, "dist", path)).href);
  const [index, other] = [await load("index.js"), await load("other/index.js")];
  assert.equal(index.Shared, other.Shared);
  assert.ok(chunks.length > 0 && chunks.length < 4, chunks.join(", "));
  const program = await import(index.start());
  assert.ok(program !== undefined);
  assert.equal((await load("deep/program.js")).default, "Shared");
  const statements = files
    .filter((name) => name.endsWith(".js"))
    .map((name) => readFileSync(join(target, "dist", name), "utf8"));
  assert.equal(statements.filter((text) => /Shared = class|class Shared/.test(text)).length, 1);
});

test("a dependency that nothing imports is in order where it is brought along for a package of ours", (t) => {
  const folder = folderWith(t, module("index", 'import "@runtara/other";'));
  const manifest = { ...source, dependencies: { "@runtara/other": "1.2.3", pg: "8.0.0" } };
  const contents = reach(folder, manifest);
  assert.equal(unused(manifest, contents).length, 1);
  assert.deepEqual(unused(manifest, contents, new Set(["pg"])), []);
  const peer = { ...source, dependencies: {}, peerDependencies: { "@runtara/other": "1.2.3" } };
  assert.deepEqual(undeclared(peer, contents), []);
});

function folderWith(t: TestContext, files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "runtara-contents-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

/** A module as source, JavaScript and declarations. */
function module(name: string, js: string, types = ""): Record<string, string> {
  return { [`src/${name}.ts`]: "", [`dist/${name}.js`]: js, [`dist/${name}.d.ts`]: types };
}

test("what the entries reach is published, through declarations too; tests and leftovers are not", (t) => {
  const folder = folderWith(t, {
    ...module("index", 'import { a } from "./a.js";\nimport pino from "pino";', 'import type { T } from "./types.ts";'),
    ...module("a", 'import "node:fs";\nimport "@runtara/other/deep";'),
    ...module("types", "export {};"),
    ...module("a.test", 'import "./a.js";'),
    ...module("helper", ""),
    "dist/gone.js": "",
    "dist/gone.d.ts": "",
  });
  const contents = reach(folder, source);
  assert.deepEqual(contents.modules, ["dist/a", "dist/index", "dist/types"]);
  assert.deepEqual([...contents.packages.keys()].sort(), ["@runtara/other", "pino"]);
  assert.deepEqual([...undeclared(source, contents), ...unused(source, contents)], []);
  assert.match(undeclared({ ...source, dependencies: {} }, contents)[0] ?? "", /imports (pino|@runtara\/other), which/);
  assert.match(unused({ ...source, dependencies: { zod: "1.0.0" } }, contents)[0] ?? "", /names zod, which nothing/);
});

test("a compiled module without a source is refused", (t) => {
  const folder = folderWith(t, { ...module("index", 'import "./gone.js";'), "dist/gone.js": "", "dist/gone.d.ts": "" });
  assert.throws(
    () => reach(folder, source),
    /@runtara\/thing: dist\/gone has no source; remove dist\/ and build again/,
  );
});

test("problems of a tarball's files are named", () => {
  const manifest = { ...publishManifest(source), bin: { thing: "./bin/thing.js" } };
  const good = ["package.json", "README.md", "LICENSE", "dist/index.js", "dist/index.d.ts", "bin/thing.js"];
  assert.deepEqual(fileProblems(manifest, good), []);
  for (const file of good) {
    const problems = fileProblems(
      manifest,
      good.filter((path) => path !== file),
    );
    assert.ok(problems.length > 0 && problems.every((problem) => problem.includes(file)), `${file}: ${problems}`);
  }
  for (const bad of [
    "dist/a.test.js",
    "dist/index.js.map",
    "src/index.ts",
    "testdata/x.json",
    ".env",
    "native/target/x",
  ]) {
    assert.deepEqual(fileProblems(manifest, [...good, bad]), [`has ${bad}, which is not for publishing`]);
  }
});
