// Builds the Rust peers of interop/ and prints the folder that holds the programs. Progress goes to stderr.
// The target folder lies outside the checkout, named after what it depends on, so a fresh clone finds it again.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const crate = join(import.meta.dirname, "..", "interop");

function cargoVersion(): string {
  try {
    return execFileSync("rustc", ["--version"], { encoding: "utf8" });
  } catch {
    process.stderr.write(
      "The peers need Rust: install rustup's stable toolchain or Debian's `cargo`, then try again.\n",
    );
    process.exit(1);
  }
}

const key = createHash("sha256")
  .update(readFileSync(join(crate, "Cargo.lock")))
  .update(cargoVersion())
  .digest("hex");
const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
const target = join(cache, "runtara", `interop-${key.slice(0, 16)}`);

const first = existsSync(target) ? "" : " for the first time, which takes minutes";
process.stderr.write(`Building the Rust peers${first} in ${target}\n`);
const built = spawnSync("cargo", ["build", "--release", "--locked", "--message-format", "short"], {
  cwd: crate,
  env: { ...process.env, CARGO_TARGET_DIR: target },
  stdio: ["ignore", 2, 2],
});
if (built.error !== undefined) process.stderr.write(`cargo could not be started: ${built.error.message}\n`);
if (built.status !== 0) process.exit(1);
process.stdout.write(`${join(target, "release")}\n`);
