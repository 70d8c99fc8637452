// Makes the tarballs of a release: `npm run pack`, or `npm run pack -- --all --out DIR`.
//
// The addon packages are packed of those platforms whose npm/PLATFORM/quic.node is there (packages/quic/scripts/build-platform.ts makes
// them); for this machine's platform the addon that setup has built stands in. docs/releasing.md has the whole way.
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { bundle } from "./bundle.ts";
import { addonPackages } from "./pack-addons.ts";
import { fileProblems, reach, undeclared, unused } from "./pack-contents.ts";
import { type Manifest, manifestProblems, publishManifest } from "./pack-manifest.ts";

const root = resolve(import.meta.dirname, "..");

/** In the order of publishing: a package stands behind what it depends on, so that no moment has one that can't be installed. */
const published = ["quic", "protocol", "store", "server-kit", "core", "sdk", "testkit", "cli"] as const;
/** Loaded in every process that runs workflows, so they come in few files. */
const bundled: readonly string[] = ["protocol", "store", "core", "sdk", "testkit"];

export interface Packed {
  readonly name: string;
  readonly version: string;
  /** Path of the tarball. */
  readonly file: string;
  readonly bytes: number;
  readonly unpackedBytes: number;
  readonly files: readonly string[];
}

interface Staged {
  readonly folder: string;
  readonly manifest: Manifest;
}

export interface PackOptions {
  /** Folder of the tarballs. */
  readonly out: string;
  /** Only this machine's platform, with the addon that `npm run setup` has built. */
  readonly hostOnly: boolean;
}

/** Packs everything that is published, in the order of publishing. @throws Error that lists every problem of every package */
export function pack({ out, hostOnly }: PackOptions): Packed[] {
  build();
  const stage = mkdtempSync(join(tmpdir(), "runtara-pack-"));
  try {
    const staged = [
      ...stageAddons(stage, hostOnly),
      ...published.map((name) => stagePackage(join(root, "packages", name), stage)),
    ];
    const versions = new Map(staged.map(({ manifest }) => [manifest.name, manifest.version]));
    for (const { name, version } of addonPackages) versions.set(name, version);
    mkdirSync(out, { recursive: true });
    const packed = npmPack(
      staged.map(({ folder }) => folder),
      out,
    );
    const problems = staged.flatMap(({ manifest }) => {
      const files = packed.find(({ name }) => name === manifest.name)?.files ?? [];
      const found = [...manifestProblems(manifest, versions), ...fileProblems(manifest, files)];
      return found.map((problem) => `${manifest.name} ${problem}`);
    });
    if (problems.length > 0) throw new Error(`not fit for publishing:\n${problems.join("\n")}`);
    return packed;
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

function build(): void {
  const folders = published.map((name) => join(root, "packages", name));
  const { status, stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["-b", ...folders], { encoding: "utf8" });
  if (status !== 0) throw new Error(`the TypeScript build failed:\n${stdout}`);
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}

/** A folder that holds exactly what is published of a package. */
function stagePackage(folder: string, stage: string): Staged {
  const source = readManifest(folder);
  const target = join(stage, basename(folder));
  const contents = reach(folder, source);
  const problems = [...undeclared(source, contents), ...unused(source, contents, peersOf(source))];
  if (problems.length > 0) throw new Error(`${source.name}: ${problems.join("\n")}`);
  const isBundled = bundled.includes(basename(folder));
  for (const module of contents.modules) {
    for (const file of isBundled ? [`${module}.d.ts`] : [`${module}.js`, `${module}.d.ts`]) {
      mkdirSync(dirname(join(target, file)), { recursive: true });
      writeFileSync(join(target, file), withoutMap(readFileSync(join(folder, file), "utf8")));
    }
  }
  if (isBundled) bundle(folder, target, contents.entries);
  const others = (source.files as string[]).filter((path) => !path.startsWith("dist") && !path.startsWith("!"));
  for (const path of others) cpSync(join(folder, path), join(target, path), { recursive: true });
  const optional = source.name === "@runtara/quic" ? addonPackages.map(({ name }) => name) : [];
  return finish(target, publishManifest(source, optional));
}

/** What our packages that this one depends on leave to their users to install. */
function peersOf({ dependencies = {} }: Manifest): ReadonlySet<string> {
  const ours = published.filter((name) => `@runtara/${name}` in dependencies);
  const manifests = ours.map((name) => readManifest(join(root, "packages", name)));
  return new Set(manifests.flatMap(({ peerDependencies = {} }) => Object.keys(peerDependencies)));
}

/** Source maps lead to sources that are not published; the compiled lines are the sources' own, less their types. */
function withoutMap(text: string): string {
  return text.replace(/\n?\/\/# sourceMappingURL=\S+\s*$/, "\n");
}

function stageAddons(stage: string, hostOnly: boolean): Staged[] {
  const staged: Staged[] = [];
  for (const { folder, manifest, built } of addonPackages) {
    const released = join(folder, "quic.node");
    const addon = existsSync(released) && !hostOnly ? released : built;
    if (addon === undefined) continue;
    const target = join(stage, basename(folder));
    mkdirSync(target);
    cpSync(join(folder, "README.md"), join(target, "README.md"));
    cpSync(addon, join(target, "quic.node"));
    chmodSync(join(target, "quic.node"), 0o644);
    staged.push(finish(target, publishManifest(manifest)));
  }
  return staged;
}

function finish(folder: string, manifest: Manifest): Staged {
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  cpSync(join(root, "LICENSE"), join(folder, "LICENSE"));
  return { folder, manifest };
}

interface NpmPacked {
  readonly name: string;
  readonly version: string;
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

function npmPack(folders: readonly string[], out: string): Packed[] {
  const json = execFileSync(
    "npm",
    ["pack", "--json", "--ignore-scripts", "--loglevel=error", "--pack-destination", out, ...folders],
    {
      cwd: dirname(folders[0] ?? "."),
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  return (JSON.parse(json) as NpmPacked[]).map((packed) => ({
    name: packed.name,
    version: packed.version,
    file: join(out, packed.filename.replace("@", "").replace("/", "-")),
    bytes: packed.size,
    unpackedBytes: packed.unpackedSize,
    files: packed.files.map(({ path }) => path),
  }));
}

/** Removes the tarballs of an earlier release from a folder, and nothing else, whatever folder it is. */
function removeEarlier(out: string): void {
  if (!existsSync(out)) return;
  for (const name of readdirSync(out)) {
    if (name === "order.txt" || /^runtara-.*\.tgz$/.test(name)) rmSync(join(out, name));
  }
}

function main(): void {
  const { values } = parseArgs({
    options: {
      out: { type: "string", default: join(root, ".cache/pack") },
      all: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(
      "usage: npm run pack -- [--out DIR] [--all]\n--all fails unless the addons of all platforms are there.",
    );
    return;
  }
  const out = resolve(values.out);
  removeEarlier(out);
  const packed = pack({ out, hostOnly: false });
  for (const { name, version, bytes, unpackedBytes, files } of packed) {
    const size = `${(bytes / 1e3).toFixed(0)} kB packed, ${(unpackedBytes / 1e3).toFixed(0)} kB in ${files.length} files`;
    console.log(`${`${name}@${version}`.padEnd(40)} ${size}`);
  }
  const missing = addonPackages.map(({ name }) => name).filter((name) => !packed.some((one) => one.name === name));
  if (missing.length > 0) {
    const text = `without an addon, so not packed: ${missing.join(", ")} (see docs/releasing.md)`;
    if (values.all) throw new Error(text);
    console.log(text);
  }
  writeFileSync(join(out, "order.txt"), packed.map(({ file }) => `${basename(file)}\n`).join(""));
  console.log(`the tarballs are in ${out}, and order.txt has the order of publishing`);
}

if (process.argv[1] === import.meta.filename) {
  try {
    main();
  } catch (error) {
    console.error(`pack: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
