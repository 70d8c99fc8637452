// Builds what `npm run test:environment` runs beside our core, and prints where it is, as JSON by the tests' variables:
// the original's environment server, as published, and the workflow program for its images. Progress goes to stderr.
// Both lie outside the checkout, named after what they depend on, so a fresh clone finds them again.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const version = "1.4.1";
const crate = join(import.meta.dirname, "..", "interop");
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "runtara");

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function stop(text: string): never {
  say(text);
  process.exit(1);
}

function rust(...args: string[]): string {
  try {
    return execFileSync("rustc", args, { encoding: "utf8" });
  } catch {
    return stop("This needs Rust: install rustup's stable toolchain or Debian's `cargo`, then try again.");
  }
}

/** Ends this process when it fails. */
function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  const ran = spawnSync(program, args, { cwd: crate, env: { ...process.env, ...env }, stdio: ["ignore", 2, 2] });
  if (ran.error !== undefined) stop(`${program} could not be started: ${ran.error.message}`);
  if (ran.status !== 0) process.exit(1);
}

/** The container runtime, which the environment starts images with. */
function ensureCrun(): void {
  if (spawnSync("crun", ["--version"], { stdio: "ignore" }).status === 0) return;
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    stop("The test starts containers: it needs Linux, root and crun (Debian, Ubuntu: apt-get install crun).");
  say("Installing crun with apt-get");
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const install = ["install", "-y", "--no-install-recommends", "-qq", "crun"];
  if (spawnSync("apt-get", install, { env: { ...process.env, ...env }, stdio: "ignore" }).status === 0) return;
  // The package lists of a fresh machine may be absent or old.
  run("apt-get", ["update", "-qq"], env);
  run("apt-get", install, env);
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
  const key = createHash("sha256")
    .update(readFileSync(join(crate, "Cargo.lock")))
    .update(rust("--version"))
    .digest("hex");
  const target = join(cache, `environment-workflow-${key.slice(0, 16)}`);
  say(
    `Building the workflow program${existsSync(target) ? "" : " for the first time, which takes minutes"} in ${target}`,
  );
  const host = /^host: (\S+)$/m.exec(rust("--version", "--verbose"))?.[1] ?? stop("rustc does not name its host");
  const name = "environment-workflow";
  run("cargo", ["build", "--release", "--locked", "--message-format", "short", "--target", host, "--bin", name], {
    CARGO_TARGET_DIR: target,
    RUSTFLAGS: "-C target-feature=+crt-static",
  });
  return join(target, host, "release", name);
}

ensureCrun();
const built = { RUNTARA_ENVIRONMENT_BIN: environmentServer(), RUNTARA_ENVIRONMENT_WORKFLOW: workflowProgram() };
process.stdout.write(`${JSON.stringify(built)}\n`);
