// Runs every test but interop and bench: `npm test`, or `npm test -- packages/sdk` for a part, `npm test -- --only PATTERN` by test name.
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: "string", short: "t" },
    concurrency: { type: "string", default: "2" },
    watch: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

if (values.help) {
  console.log(
    "usage: npm test -- [FOLDER ...] [--only PATTERN] [--concurrency N] [--watch]\nRuns the tests beside the sources; all folders when none is given.",
  );
  process.exit(0);
}

const roots = positionals.length > 0 ? positionals : ["packages", "examples", "bench", "scripts"];
const files = roots.flatMap((root) =>
  root.endsWith(".test.ts")
    ? [root]
    : globSync(`${root}/**/*.test.ts`, { exclude: ["**/node_modules/**", "**/dist/**"] }),
);
if (files.length === 0) {
  console.error(`no tests in ${roots.join(", ")}; name a folder such as packages/sdk`);
  process.exit(1);
}

const { status, signal } = spawnSync(
  process.execPath,
  [
    "--conditions=runtara-src",
    "--test",
    `--test-concurrency=${values.concurrency}`,
    // A file that hangs is a failure with a name, not a stuck run.
    "--test-timeout=300000",
    ...(values.only ? [`--test-name-pattern=${values.only}`] : []),
    ...(values.watch ? ["--watch"] : []),
    ...files.sort(),
  ],
  {
    stdio: "inherit",
    // Every file is a process, and many start further ones and threads: each loads the sources in half the time once they are compiled.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "..", ".cache", "compiled"), ...process.env },
    // The runner does not end a file whose process stays alive behind its tests.
    ...(values.watch ? {} : { timeout: 45 * 60_000 }),
  },
);
if (signal) console.error(`the tests were ended by ${signal}; files that did not finish are named above`);
process.exit(signal ? 1 : (status ?? 1));
