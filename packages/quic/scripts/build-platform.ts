#!/usr/bin/env node
// Builds the addon of one platform into npm/PLATFORM/quic.node: `node packages/quic/scripts/build-platform.ts TARGET [CARGO OPTION ...]`.
// TARGET is a Rust target of src/platforms.ts. For the machine at hand alone, scripts/build is enough.
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { type AddonPlatform, addonPackage, addonPlatforms, packageName, thisHost } from "../src/platforms.ts";
import { npmFolder } from "./platforms.ts";

const native = resolve(import.meta.dirname, "../native");

/** The oldest glibc that Node 22 and 24 run on themselves, so that no addon is pickier than its Node. */
const glibcOldest = "2.28";

/** How a platform's addon is built: cargo's arguments, its environment beside the inherited one, and the library that comes out. */
export interface BuildPlan {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly library: string;
}

/** The plan for a platform on an operating system (in Node's words), or why it has to be built elsewhere. */
export function buildPlan(platform: AddonPlatform, os: string): BuildPlan | { readonly problem: string } {
  const target = platform.rustTarget;
  const common = ["--release", "--locked", "--lib", "--target"];
  switch (platform.os) {
    case "linux": {
      if (os === "win32") return { problem: `${target} is built on Linux or macOS` };
      // Zig links against any glibc and against musl, for both processors, and brings the C compiler that ring needs.
      const linked = platform.libc === "glibc" ? `${target}.${glibcOldest}` : target;
      // Rust links musl into everything unless told otherwise, and can't make a shared library that way.
      const flags = platform.libc === "musl" ? { RUSTFLAGS: "-C target-feature=-crt-static" } : {};
      return { args: ["zigbuild", ...common, linked], env: flags, library: "libruntara_quic.so" };
    }
    case "darwin":
      if (os !== "darwin")
        return { problem: `${target} needs Apple's SDK: build it on macOS (xcode-select --install)` };
      return {
        args: ["build", ...common, target],
        // The oldest macOS that Node 22 supports.
        env: { MACOSX_DEPLOYMENT_TARGET: "11.0" },
        library: "libruntara_quic.dylib",
      };
    case "win32":
      if (os !== "win32")
        return { problem: `${target} needs Microsoft's linker: build it on Windows (Build Tools for C++)` };
      // Without it the addon asks for a redistributable that not every Windows has.
      return {
        args: ["build", ...common, target],
        env: { RUSTFLAGS: "-C target-feature=+crt-static" },
        library: "runtara_quic.dll",
      };
  }
}

/** The inherited environment and the plan's; flags for rustc that are there already stay. */
function withFlags({ env }: BuildPlan): NodeJS.ProcessEnv {
  const flags = [process.env.RUSTFLAGS, env.RUSTFLAGS].filter((text) => text !== undefined && text !== "");
  return { ...process.env, ...env, ...(flags.length > 0 ? { RUSTFLAGS: flags.join(" ") } : {}) };
}

function stop(message: string): never {
  console.error(`build-platform: ${message}`);
  process.exit(1);
}

function main(argv: readonly string[]): void {
  const [target, ...extra] = argv;
  const platform = addonPlatforms.find(({ rustTarget }) => rustTarget === target);
  if (platform === undefined) {
    stop(
      `usage: build-platform.ts TARGET [CARGO OPTION ...]; TARGET is one of ${addonPlatforms.map((p) => p.rustTarget).join(", ")}`,
    );
  }
  const plan = buildPlan(platform, process.platform);
  if ("problem" in plan) stop(plan.problem);
  if (plan.args[0] === "zigbuild" && spawnSync("cargo", ["zigbuild", "--help"], { stdio: "ignore" }).status !== 0) {
    stop("cargo-zigbuild is missing; install it and Zig: pip install cargo-zigbuild ziglang");
  }
  const { status } = spawnSync("cargo", [...plan.args, ...extra], {
    cwd: native,
    env: withFlags(plan),
    stdio: "inherit",
  });
  if (status !== 0) stop(`cargo failed; if it misses the target's standard library: rustup target add ${target}`);

  const built = resolve(native, process.env.CARGO_TARGET_DIR ?? "target", platform.rustTarget, "release", plan.library);
  const addon = join(npmFolder, platform.id, "quic.node");
  copyFileSync(built, `${addon}.new`);
  chmodSync(`${addon}.new`, 0o644);
  renameSync(`${addon}.new`, addon);
  const megabytes = (statSync(addon).size / 1e6).toFixed(1);
  const here = packageName(platform) === addonPackage(thisHost());
  if (here) tryOut(addon);
  console.log(
    `${packageName(platform)}: ${megabytes} MB${here ? ", works here" : ", not tried: made for another machine"}`,
  );
}

/** In a process of its own: an addon stays mapped in the process that has loaded it. */
function tryOut(addon: string): void {
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, "smoke.ts")], {
    env: { ...process.env, RUNTARA_QUIC_ADDON: addon },
    stdio: "inherit",
  });
  if (status === 0) return;
  rmSync(addon);
  stop("what was built does not work here; its messages stand above");
}

if (process.argv[1] === import.meta.filename) main(process.argv.slice(2));
