// Builds what `npm run test:environment` runs beside our core, and prints where it is, as JSON by the tests' variables:
// the original's environment server, as published, and the workflow program for its images.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { buildCrate, cache, run, rustc, say, stop } from "./cargo.ts";

const version = "1.4.1";

/** The container runtime, which the environment starts images with. */
function ensureCrun(): void {
  if (spawnSync("crun", ["--version"], { stdio: "ignore" }).status === 0) return;
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    stop("The test starts containers: it needs Linux, root and crun (Debian, Ubuntu: apt-get install crun).");
  run(join(import.meta.dirname, "install-packages"), ["crun"]);
}

/** The server exactly as it is published, with the versions that it was published with. */
function environmentServer(): string {
  const root = join(cache, `environment-${version}`);
  const program = join(root, "bin", "runtara-environment");
  if (existsSync(program)) return program;
  say(`Building runtara-environment ${version} for the first time, which takes 10 to 20 minutes, in ${root}`);
  const crates = ["runtara-environment", "--version", `=${version}`, "--locked"];
  // A folder of its own, so that an interrupted build goes on where it was.
  run("cargo", ["install", ...crates, "--root", root], { CARGO_TARGET_DIR: join(root, "target") });
  return program;
}

/** Linked statically: an image holds one program and nothing else, no libraries either. */
function workflowProgram(): string {
  const host = /^host: (\S+)$/m.exec(rustc("--version", "--verbose"))?.[1] ?? stop("rustc does not name its host");
  const name = "environment-workflow";
  const target = buildCrate("the workflow program", name, ["--target", host, "--bin", name], {
    RUSTFLAGS: "-C target-feature=+crt-static",
  });
  return join(target, host, "release", name);
}

ensureCrun();
const built = { RUNTARA_ENVIRONMENT_BIN: environmentServer(), RUNTARA_ENVIRONMENT_WORKFLOW: workflowProgram() };
process.stdout.write(`${JSON.stringify(built)}\n`);
