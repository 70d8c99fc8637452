// What the scripts that build Rust programs of interop/ share. Progress goes to stderr; what fails ends the process.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const crate = join(import.meta.dirname, "..", "interop");

/** Outside the checkout, so that a fresh clone finds again what is in it. */
export const cache: string = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "runtara");

export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function stop(text: string): never {
  say(text);
  process.exit(1);
}

/** What `rustc` prints. */
export function rustc(...args: string[]): string {
  try {
    return execFileSync("rustc", args, { encoding: "utf8" });
  } catch {
    return stop("This needs Rust: install rustup's stable toolchain or Debian's `cargo`, then try again.");
  }
}

/** Runs a program in the folder of the crate. */
export function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  const ran = spawnSync(program, args, { cwd: crate, env: { ...process.env, ...env }, stdio: ["ignore", 2, 2] });
  if (ran.error !== undefined) stop(`${program} could not be started: ${ran.error.message}`);
  if (ran.status !== 0) process.exit(1);
}

/** Builds the crate, in a folder that is named after what the result depends on; returns that folder. */
export function buildCrate(
  what: string,
  folderName: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): string {
  const key = createHash("sha256")
    .update(readFileSync(join(crate, "Cargo.lock")))
    .update(rustc("--version"))
    .digest("hex");
  const target = join(cache, `${folderName}-${key.slice(0, 16)}`);
  say(`Building ${what}${existsSync(target) ? "" : " for the first time, which takes minutes"} in ${target}`);
  const build = ["build", "--release", "--locked", "--message-format", "short", ...args];
  run("cargo", build, { ...env, CARGO_TARGET_DIR: target });
  return target;
}
