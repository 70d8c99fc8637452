// Which files of a package are published: what its entries reach, and nothing else. So tests, helpers of tests, and what an earlier build
// has left in dist/ stay out without a list of them.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { isOurs, type Manifest } from "./pack-manifest.ts";

/** Import specifiers in JavaScript or declarations that tsc has written, and the files of `programsOf`. */
export function specifiersOf(text: string): string[] {
  const found = text.matchAll(
    /^(?:import|export)\s(?:[\w\s{},*$]+\sfrom\s)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)|\bnew URL\(\s*["'](\.[^"']+\.js)["'],\s*import\.meta\.url/gm,
  );
  return [...found].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}

/** Files that JavaScript names by `new URL("./x.js", import.meta.url)`: programs of threads and processes. */
export function programsOf(text: string): string[] {
  const found = text.matchAll(/\bnew URL\(\s*["'](\.[^"']+\.js)["'],\s*import\.meta\.url/g);
  return [...found].map((match) => match[1] ?? "");
}

export interface Contents {
  /** Paths below the package's folder of compiled modules, without their extension. */
  readonly modules: readonly string[];
  /** Those of them that something outside of the package's modules names: its exports, and the programs of threads and processes. */
  readonly entries: readonly string[];
  /** Packages that the modules import, and the first module that does. */
  readonly packages: ReadonlyMap<string, string>;
}

/** Follows imports from the entries of a package, through JavaScript and declarations both. */
export function reach(folder: string, manifest: Manifest): Contents {
  const entries = Object.values(manifest.exports).flatMap((target) =>
    typeof target === "string" ? [] : [target.default ?? ""],
  );
  const queue = entries.map((path) => join(folder, path).replace(/\.js$/, ""));
  const named = new Set(queue);
  const packages = new Map<string, string>();
  const note = (specifier: string, from: string): void => {
    const name = packageOf(specifier);
    if (!specifier.startsWith("node:") && name !== manifest.name && !packages.has(name)) packages.set(name, from);
  };
  for (const bin of Object.values(manifest.bin ?? {})) {
    for (const specifier of specifiersOf(readFileSync(join(folder, bin), "utf8"))) note(specifier, bin);
  }
  const modules = new Set<string>();
  for (let module = queue.pop(); module !== undefined; module = queue.pop()) {
    if (modules.has(module)) continue;
    const name = relative(folder, module);
    const source = join(folder, name.replace(/^dist/, "src"));
    if (!existsSync(`${source}.ts`))
      throw new Error(`${manifest.name}: ${name} has no source; remove dist/ and build again`);
    modules.add(module);
    for (const program of programsOf(readFileSync(`${module}.js`, "utf8"))) {
      named.add(resolve(dirname(module), program).replace(/\.js$/, ""));
    }
    for (const file of [`${module}.js`, `${module}.d.ts`]) {
      for (const specifier of specifiersOf(readFileSync(file, "utf8"))) {
        if (specifier.startsWith(".")) queue.push(resolve(dirname(file), specifier).replace(/\.[jt]s$/, ""));
        else note(specifier, name);
      }
    }
  }
  const paths = (found: ReadonlySet<string>): string[] => [...found].map((module) => relative(folder, module)).sort();
  return { modules: paths(modules), entries: paths(named), packages };
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Imports that the manifest does not declare. */
export function undeclared(manifest: Manifest, { packages }: Contents): string[] {
  const declared = new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }));
  return [...packages]
    .filter(([name]) => !declared.has(name))
    .map(([name, module]) => `${module} imports ${name}, which "dependencies" does not name`);
}

/** Dependencies that nothing published imports, and that are not brought along for packages of ours which leave them to their users (`peers`). */
export function unused(manifest: Manifest, { packages }: Contents, peers: ReadonlySet<string> = new Set()): string[] {
  const names = Object.keys(manifest.dependencies ?? {}).filter((name) => !packages.has(name) && !peers.has(name));
  return names.map((name) => `"dependencies" names ${name}, which nothing published imports`);
}

/** What is wrong with the list of files in a packed package. */
export function fileProblems(manifest: Manifest, files: readonly string[]): string[] {
  const problems: string[] = [];
  const has = (path: string): boolean => files.includes(path.replace(/^\.\//, ""));
  for (const name of ["package.json", "README.md", "LICENSE"]) if (!has(name)) problems.push(`has no ${name}`);
  const targets = Object.values(manifest.exports).flatMap((target) =>
    typeof target === "string" ? [target] : Object.values(target),
  );
  for (const target of [...targets, ...Object.values(manifest.bin ?? {})]) {
    if (!has(target)) problems.push(`names ${target}, which is not in it`);
  }
  const never = /(^|\/)(testdata|node_modules|target)\/|\.test\.|\.map$|\.tsbuildinfo$|(?<!\.d)\.ts$|^\.|\/\./;
  for (const file of files) if (never.test(file)) problems.push(`has ${file}, which is not for publishing`);
  if (!isOurs(manifest.name)) problems.push(`is called ${manifest.name}`);
  return problems;
}
