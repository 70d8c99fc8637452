// The samples of docs/guide, docs/concepts and docs/coming-from. Each page is a folder: a block that begins with `// name.ts` is a file of it.
// A program that is followed by a text block prints it; `again` is the second time. Files that end in .test.ts are run as tests. All compile.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";

const root = join(import.meta.dirname, "..");
// Below the checkout, so that packages are found.
const folder = join(root, ".cache", `docs-samples-${process.pid}`);

interface Program {
  readonly file: string;
  readonly prints: string;
}

interface Page {
  readonly name: string;
  readonly folder: string;
  readonly files: ReadonlyMap<string, string>;
  readonly programs: readonly Program[];
}

function pageOf(path: string): Page {
  const files = new Map<string, string>();
  const programs: Program[] = [];
  let last = "";
  for (const [, info = "", code = ""] of readFileSync(join(root, path), "utf8").matchAll(
    /^```(\S+(?: again)?)\n(.*?)^```$/gms,
  )) {
    if (info === "ts") {
      last = /^\/\/ ([a-z-]+(?:\.test)?\.ts)\n/.exec(code)?.[1] ?? "";
      assert.notEqual(last, "", `${path}: a sample without a file name: ${code.slice(0, 60)}`);
      assert.ok(!files.has(last), `${path}: two samples are called ${last}`);
      files.set(last, code);
    } else if (info.startsWith("text")) {
      programs.push({ file: last, prints: code });
    }
  }
  return { name: path, folder: join(folder, path.replaceAll(/[/.]/g, "-")), files, programs };
}

const pages = globSync("docs/{guide,concepts,coming-from}/*.md", { cwd: root }).sort().map(pageOf);
for (const page of pages) {
  mkdirSync(page.folder, { recursive: true });
  // What the first page of a folder defines, its other pages may import.
  const shared = pages.find(({ name }) => name === join(dirname(page.name), "README.md"));
  for (const [name, code] of shared?.files ?? []) writeFileSync(join(page.folder, name), code);
  for (const [name, code] of page.files) writeFileSync(join(page.folder, name), code);
}
writeFileSync(
  join(folder, "tsconfig.json"),
  JSON.stringify({
    extends: "../../tsconfig.base.json",
    compilerOptions: {
      noEmit: true,
      composite: false,
      declaration: false,
      sourceMap: false,
      isolatedDeclarations: false,
    },
    include: ["*/*.ts"],
  }),
);
after(() => rmSync(folder, { recursive: true }));

test("all samples of the docs compile", { timeout: 120_000 }, async () => {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const { code, printed } = await run(folder, [tsc, "-p", "."]);
  assert.equal(code, 0, printed);
});

for (const { name, folder, files, programs } of pages) {
  if (programs.length > 0) {
    test(`the programs of ${name} print what it says`, async () => {
      for (const { file, prints } of programs) {
        const { code, printed } = await run(folder, ["--conditions=runtara-src", file]);
        assert.equal(code, 0, printed);
        assert.equal(printed, prints, file);
      }
    });
  }
  for (const file of [...files.keys()].filter((file) => file.endsWith(".test.ts"))) {
    test(`${file} of ${name} passes`, async () => {
      const { code, printed } = await run(folder, ["--conditions=runtara-src", "--test", file]);
      assert.equal(code, 0, printed);
    });
  }
}

/** A program to its end, in a folder; what it complains about is printed, too. */
async function run(cwd: string, args: readonly string[]): Promise<{ code: unknown; printed: string }> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("RUNTARA_") && name !== "NODE_TEST_CONTEXT"),
  );
  const child = spawn(process.execPath, args, {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...env, NODE_NO_WARNINGS: "1", NO_COLOR: "1" },
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      printed += chunk;
    });
  }
  const [code] = await once(child, "close");
  return { code, printed };
}
