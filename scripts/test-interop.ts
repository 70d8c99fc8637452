// `npm run test:interop`: builds the Rust peers, then runs the tests that drive them. Arguments go to the tests' runner.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const built = spawnSync(process.execPath, [join(import.meta.dirname, "build-peers.ts")], {
  stdio: ["ignore", "pipe", "inherit"],
  encoding: "utf8",
});
if (built.status !== 0) process.exit(1);

const main = join(import.meta.dirname, "..", "interop", "src", "main.ts");
const ran = spawnSync(process.execPath, ["--conditions=runtara-src", main, ...process.argv.slice(2)], {
  stdio: "inherit",
  env: { ...process.env, RUNTARA_INTEROP_BIN: built.stdout.trim() },
});
process.exitCode = ran.status ?? 1;
