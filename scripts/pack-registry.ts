// A package registry on loopback for tests: the tarballs of a release, and third-party packages as they lie in the checkout's node_modules.
// So an installation is npm's own, with its choice of optional packages by platform, and needs no network.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface RegistryPackage {
  readonly name: string;
  readonly version: string;
  /** A tarball, or undefined for a package that is listed and whose download fails. */
  readonly file?: string;
  /** Needed without a file: what the registry says about the package. */
  readonly manifest?: object;
}

export interface Registry {
  readonly url: string;
  /** Names of packages whose tarballs were fetched. */
  readonly fetched: ReadonlySet<string>;
  /** Names that were asked for in vain. */
  readonly unknown: ReadonlySet<string>;
  close(): Promise<void>;
}

/** `nodeModules`: the folder that third-party packages are taken from, as they are asked for. */
export async function startRegistry(packages: readonly RegistryPackage[], nodeModules: string): Promise<Registry> {
  const folder = mkdtempSync(join(tmpdir(), "runtara-registry-"));
  const known = new Map(packages.map((entry) => [entry.name, entry]));
  const fetched = new Set<string>();
  const unknown = new Set<string>();

  const find = (name: string): RegistryPackage | undefined => {
    const entry = known.get(name) ?? tarballOf(name, nodeModules, folder);
    if (entry !== undefined) known.set(name, entry);
    return entry;
  };
  const server = createServer((request, response) => {
    const [name = "", rest] = decodeURIComponent(request.url ?? "")
      .slice(1)
      .split("/-/");
    const entry = find(name);
    if (entry === undefined) unknown.add(name);
    else if (rest !== undefined) fetched.add(name);
    if (entry === undefined || (rest !== undefined && entry.file === undefined)) {
      response.writeHead(404).end("{}");
    } else if (rest === undefined) {
      const url = `http://${request.headers.host}/${name}/-/${entry.version}.tgz`;
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(packument(entry, url)));
    } else response.writeHead(200).end(readFileSync(entry.file ?? ""));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    fetched,
    unknown,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function packument({ name, version, file, manifest }: RegistryPackage, tarball: string): object {
  const integrity = file && `sha512-${createHash("sha512").update(readFileSync(file)).digest("base64")}`;
  const described =
    manifest ?? JSON.parse(execFileSync("tar", ["-xzOf", file ?? "", "package/package.json"], { encoding: "utf8" }));
  return {
    name,
    "dist-tags": { latest: version },
    versions: { [version]: { ...described, dist: { tarball, integrity } } },
  };
}

/** A tarball of a package that is installed in a node_modules folder. */
function tarballOf(name: string, nodeModules: string, folder: string): RegistryPackage | undefined {
  const source = join(nodeModules, name);
  if (name === "" || !existsSync(join(source, "package.json"))) return undefined;
  const { version } = JSON.parse(readFileSync(join(source, "package.json"), "utf8")) as { version: string };
  const target = mkdtempSync(join(folder, "package-"));
  cpSync(source, join(target, "package"), { recursive: true, dereference: true });
  const file = join(target, "package.tgz");
  execFileSync("tar", ["-czf", file, "-C", target, "package"]);
  return { name, version, file };
}
