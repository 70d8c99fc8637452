// What a package.json of the checkout becomes when its package is published. Pure.

export type Exports = Record<string, string | Record<string, string>>;

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Exports;
  readonly bin?: Record<string, string>;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
  readonly scripts?: Record<string, string>;
  readonly [field: string]: unknown;
}

/** Fields that npm shows or acts upon, and that every published package must have. */
const required = ["description", "keywords", "license", "type", "engines", "sideEffects", "files", "publishConfig"];

export function isOurs(name: string): boolean {
  return /^(?:runtara$|@runtara\/)/.test(name);
}

/**
 * The manifest to publish: without what only the checkout needs (the condition that names sources, scripts, development dependencies),
 * and with the optional dependencies that can't stand in the checkout's own, because `npm ci` would have to find them published.
 */
export function publishManifest(manifest: Manifest, optionalPackages: readonly string[] = []): Manifest {
  const { scripts: _scripts, devDependencies: _devDependencies, ...kept } = manifest;
  const optional = Object.fromEntries(optionalPackages.map((name) => [name, manifest.version]));
  return {
    ...kept,
    exports: Object.fromEntries(Object.entries(manifest.exports).map(([path, target]) => [path, built(target)])),
    ...(optionalPackages.length > 0 ? { optionalDependencies: optional } : {}),
  };
}

function built(target: string | Record<string, string>): string | Record<string, string> {
  if (typeof target === "string") return target;
  return Object.fromEntries(Object.entries(target).filter(([condition]) => condition !== "runtara-src"));
}

/** What is wrong with a manifest that is to be published; `versions` are those of all packages of the release. */
export function manifestProblems(manifest: Manifest, versions: ReadonlyMap<string, string>): string[] {
  const problems = required.filter((field) => manifest[field] === undefined).map((field) => `has no "${field}"`);
  if (JSON.stringify(manifest).includes("runtara-src")) problems.push("names the condition of the sources");
  if (manifest.private === true) problems.push("is private");
  for (const [path, target] of Object.entries(manifest.exports)) {
    if (typeof target !== "string" && (target.types === undefined || target.default === undefined)) {
      problems.push(`exports ${path} without "types" or "default"`);
    }
  }
  for (const [name, range] of Object.entries({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
    if (isOurs(name) && versions.get(name) !== range) {
      problems.push(`depends on ${name} ${range}, but the release has ${versions.get(name) ?? "none"}`);
    }
    if (!/^\d+\.\d+\.\d+$/.test(range)) problems.push(`depends on ${name} ${range}, which is not an exact version`);
  }
  return problems;
}
