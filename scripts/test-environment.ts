// `npm run test:environment`: builds the original's environment server (10 to 20 minutes the first time), then runs the
// test that drives it beside our core. Arguments go to Node's test runner.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const built = spawnSync(process.execPath, [join(import.meta.dirname, "build-environment.ts")], {
  stdio: ["ignore", "pipe", "inherit"],
  encoding: "utf8",
});
if (built.status !== 0) process.exit(1);

const test = join(import.meta.dirname, "..", "interop", "src", "environment.test.ts");
const ran = spawnSync(process.execPath, ["--conditions=runtara-src", "--test", ...process.argv.slice(2), test], {
  stdio: "inherit",
  env: { ...process.env, ...(JSON.parse(built.stdout) as Record<string, string>) },
});
process.exitCode = ran.status ?? 1;
