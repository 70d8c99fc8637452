// Makes few files of a package's many modules. Node spends half a millisecond on each module that it loads, whatever its size, so a first
// workflow would otherwise wait longer for modules than for all else.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { buildSync } from "esbuild";
import { programsOf } from "./pack-contents.ts";

/**
 * Writes a package's JavaScript to `target`: a file for each entry, and chunks in `dist` of what several entries, or a dynamic import, have in
 * common. Each module is in one file, so no class exists twice. Nothing is shortened or renamed but for names that two modules of a file share,
 * and other packages stay imports.
 *
 * `entries`: paths of compiled modules below `folder`, without their extension.
 */
export function bundle(folder: string, target: string, entries: readonly string[]): void {
  buildSync({
    absWorkingDir: folder,
    entryPoints: entries.map((entry) => ({ in: `${entry}.js`, out: relative("dist", entry) })),
    outdir: join(target, "dist"),
    bundle: true,
    splitting: true,
    packages: "external",
    format: "esm",
    platform: "node",
    target: "node22.18",
    chunkNames: "[name]-[hash]",
    logLevel: "error",
  });
  for (const file of javaScriptIn(target)) keepPrograms(folder, target, file);
}

/** What runs in a thread is found beside the file that starts it. Where that has become a chunk, a file of one line stands in. */
function keepPrograms(folder: string, target: string, file: string): void {
  for (const program of programsOf(readFileSync(file, "utf8"))) {
    const expected = join(dirname(file), program);
    if (existsSync(expected)) continue;
    const [real, another] = javaScriptIn(target).filter((path) => path.endsWith(program.replace(/^\./, "")));
    if (real === undefined || another !== undefined) {
      throw new Error(`${folder}: ${program}, which ${relative(target, file)} names, is not one of the entries`);
    }
    mkdirSync(dirname(expected), { recursive: true });
    writeFileSync(expected, `import "./${relative(dirname(expected), real)}";\n`);
  }
}

function javaScriptIn(target: string): string[] {
  const dist = join(target, "dist");
  const names = readdirSync(dist, { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(".js")).map((name) => join(dist, name));
}
