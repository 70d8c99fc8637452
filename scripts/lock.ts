// Writes package-lock.json anew from the package.json files: `node scripts/lock.ts`, or `node scripts/lock.ts FOLDER` for a folder that is
// installed by itself.
//
// npm leaves a platform's optional package out of the lockfile when the registry at hand does not serve it, and `npm ci` then refuses
// the lockfile as incomplete. So those packages are put in here; npm fetches one only on its own platform.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

interface LockedPackage {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  license?: string;
  optionalDependencies?: Record<string, string>;
}
interface Lockfile {
  packages: Record<string, LockedPackage>;
}

const folder = resolve(process.argv[2] ?? join(import.meta.dirname, ".."));
const file = join(folder, "package-lock.json");
const { status } = spawnSync("npm", ["install", "--package-lock-only", "--loglevel=error"], {
  cwd: folder,
  stdio: "inherit",
});
if (status !== 0) process.exit(status ?? 1);

const lock = JSON.parse(readFileSync(file, "utf8")) as Lockfile;
const added: string[] = [];
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const target = `node_modules/${name}`;
    if (lock.packages[target] !== undefined || path === "") continue;
    lock.packages[target] = { version, ...(entry.dev ? { dev: true } : {}), optional: true, ...platformOf(name) };
    added.push(name);
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).toSorted(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`package-lock.json is written; ${added.length} packages of other platforms were put in`);

/** Operating system, processor and C library out of a name such as @oxlint/binding-linux-arm-musleabihf. */
function platformOf(name: string): Pick<LockedPackage, "os" | "cpu" | "libc"> {
  const words = (name.split("/").at(-1) ?? "").split("-");
  const os = ["android", "darwin", "freebsd", "linux", "openharmony", "win32", "sunos"].find((word) =>
    words.includes(word),
  );
  const cpus = ["arm64", "arm", "armv7", "x64", "ia32", "ppc64", "riscv64", "s390x", "loong64", "wasm32"];
  const cpu = cpus.find((word) => words.includes(word));
  const musl = words.some((word) => word.startsWith("musl"));
  const gnu = words.some((word) => word.startsWith("gnu"));
  return {
    ...(os === undefined ? {} : { os: [os] }),
    ...(cpu === undefined ? {} : { cpu: [cpu === "armv7" ? "arm" : cpu] }),
    ...(os === "linux" && musl ? { libc: ["musl"] } : os === "linux" && gnu ? { libc: ["glibc"] } : {}),
  };
}
