// Holds the code against ARCHITECTURE.md: which entry may import which package, and how big a file may be.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";

const root = resolve(import.meta.dirname, "..");
const fileBytesMax = 25_000;
const fileBytesMedianMax = 4_000;

/** Entry (package name + export path) → packages of ours that anything reachable from it may import. `true`: any. */
const arrows: Record<string, readonly string[] | true> = {
  "@runtara/quic": [],
  "@runtara/protocol": ["@runtara/quic"],
  "@runtara/store": [],
  "@runtara/store/memory": [],
  "@runtara/store/sqlite": [],
  "@runtara/store/postgres": [],
  "@runtara/store/testing/postgres": [],
  "@runtara/store/testing": [],
  "@runtara/core": ["@runtara/store"],
  "@runtara/core/server": ["@runtara/store", "@runtara/protocol", "@runtara/server-kit"],
  "@runtara/server-kit": [],
  "@runtara/server-kit/testing": [],
  "@runtara/sdk": [],
  "@runtara/sdk/codec": [],
  "@runtara/sdk/embedded": ["@runtara/core", "@runtara/store"],
  "@runtara/sdk/testing": ["@runtara/core", "@runtara/store"],
  "@runtara/testkit": ["@runtara/sdk", "@runtara/store"],
  "@runtara/sdk/worker": ["@runtara/protocol"],
  "@runtara/sdk/raw": ["@runtara/protocol"],
  runtara: true,
};

interface Manifest {
  readonly name: string;
  readonly exports: Record<string, { "runtara-src": string } | string>;
}

const manifests = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard", "packages/*/package.json"],
  { cwd: root, encoding: "utf8" },
)
  .split("\n")
  .filter((path) => path !== "")
  .map((path) => ({
    dir: join(root, dirname(path)),
    manifest: JSON.parse(readFileSync(join(root, path), "utf8")) as Manifest,
  }))
  // Folders within packages that are installed by themselves have a manifest, too.
  .filter(({ manifest }) => manifest.exports !== undefined);

/** Import specifiers of a source, dynamic imports of literals included; types too, because they bind packages as well. */
function specifiers(source: string): string[] {
  const found = source.matchAll(
    /(?:^|[;\n}])\s*(?:import\s*|(?:import|export)\b[^;'"]*?\bfrom\s*)["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/g,
  );
  return [...found].map((match) => match[1] ?? match[2] ?? "");
}

function reachable(entry: string): { files: Set<string>; packages: Map<string, string> } {
  const files = new Set<string>();
  const packages = new Map<string, string>();
  const queue = [entry];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    for (const specifier of specifiers(readFileSync(file, "utf8"))) {
      if (specifier.startsWith(".")) {
        const target = resolve(dirname(file), specifier);
        if (target.endsWith(".ts") && existsSync(target)) queue.push(target);
      } else packages.set(specifier, file);
    }
  }
  return { files, packages };
}

const ours = (specifier: string) => specifier === "runtara" || specifier.startsWith("@runtara/");
const packageOf = (specifier: string) =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");

for (const { dir, manifest } of manifests) {
  for (const [path, target] of Object.entries(manifest.exports)) {
    if (typeof target === "string") continue;
    const entry = manifest.name + path.slice(1);
    test(`${entry} imports only what its room allows`, () => {
      const allowed = arrows[entry] ?? (manifest.name === "runtara" ? true : undefined);
      assert.ok(allowed !== undefined, `${entry} is not in the list of arrows; add it here and to ARCHITECTURE.md`);
      const { packages } = reachable(join(dir, target["runtara-src"]));
      for (const [specifier, file] of packages) {
        if (!ours(specifier) || allowed === true || packageOf(specifier) === manifest.name) continue;
        assert.ok(
          allowed.includes(packageOf(specifier)),
          `${relative(root, file)} imports ${specifier}, which ${entry} may not reach`,
        );
      }
    });
  }
}

const sources = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard", "*.ts", "*.rs", "*.js", "*.mjs"],
  { cwd: root, encoding: "utf8" },
)
  .split("\n")
  .filter((path) => path !== "" && !path.includes("/gen/") && existsSync(join(root, path)));

test("packages are imported by an entry, never by a path into them", () => {
  const entries = new Set(
    manifests.flatMap(({ manifest }) => Object.keys(manifest.exports).map((path) => manifest.name + path.slice(1))),
  );
  for (const path of sources.filter((path) => path.endsWith(".ts"))) {
    for (const specifier of specifiers(readFileSync(join(root, path), "utf8"))) {
      const inside = /^\.\.\/(?:.*\/)?packages\//.test(specifier) || (ours(specifier) && !entries.has(specifier));
      assert.ok(!inside, `${path} imports ${specifier}; use one of the package's entries`);
    }
  }
});

test("files stay small", () => {
  const sizes = sources.map((path) => ({ path, bytes: statSync(join(root, path)).size }));
  const big = sizes.filter(({ bytes }) => bytes > fileBytesMax);
  assert.deepEqual(big, [], `over ${fileBytesMax} bytes; each should do one thing`);
  const code = sizes.filter(({ path }) => !/\.test\.|\/testing\//.test(path)).sort((a, b) => a.bytes - b.bytes);
  const median = code[code.length >> 1]?.bytes ?? 0;
  assert.ok(median <= fileBytesMedianMax, `the median file has ${median} bytes, over ${fileBytesMedianMax}`);
});

test("product texts use the words that programs of the original search for only when they mean them", () => {
  // Rust programs take any error text with these words for a signal or a missing thing.
  const listed = /\b(cancelled|paused|not found)\b/;
  const allowed = JSON.parse(readFileSync(join(import.meta.dirname, "allowed-texts.json"), "utf8")) as Record<
    string,
    string[]
  >;
  for (const path of sources.filter(
    (path) => /^packages\/(core|protocol|quic|store)\/src\/.*\.ts$/.test(path) && !/\.test\.|\/testing\//.test(path),
  )) {
    const lines = readFileSync(join(root, path), "utf8").split("\n");
    for (const [index, line] of lines.entries()) {
      const text = [...line.matchAll(/(["'`])((?:\\.|(?!\1).)*)\1/g)]
        .map((match) => match[2] ?? "")
        .find((text) => text.includes(" ") && listed.test(text));
      if (text === undefined) continue;
      assert.ok(
        allowed[path]?.some((part) => text.includes(part)),
        `${path}:${index + 1} says "${text}"; list it in scripts/allowed-texts.json if it means exactly that`,
      );
    }
  }
});
