// The packages of the native addon, as packages/quic/npm has them (packages/quic/scripts/platforms.ts writes that).
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Manifest } from "./pack-manifest.ts";

const root = resolve(import.meta.dirname, "../packages/quic");

export interface AddonPackage {
  readonly name: string;
  readonly version: string;
  /** With package.json, README.md and, once it is built, quic.node. */
  readonly folder: string;
  readonly manifest: Manifest;
  /** The addon that `npm run setup` has built, if the package is that of this machine. */
  readonly built: string | undefined;
}

export const addonPackages: readonly AddonPackage[] = readdirSync(join(root, "npm")).map((id) => {
  const folder = join(root, "npm", id);
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  const built = isForThisMachine(manifest) ? join(root, "native/quic.node") : undefined;
  return { name: manifest.name, version: manifest.version, folder, manifest, built };
});

function isForThisMachine({ os, cpu, libc }: Manifest): boolean {
  const [mine] = (libc as string[] | undefined) ?? [];
  return [os].flat().includes(process.platform) && [cpu].flat().includes(process.arch) && mine === libcHere();
}

/** Node's diagnostic report names the glibc that it runs on; a Node on musl has none to name. */
function libcHere(): string | undefined {
  if (process.platform !== "linux") return undefined;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined ? "musl" : "glibc";
}
