import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { QuicError } from "./errors.ts";
import { addonPackage, addonPackagesOf, addonPlatforms, type Host, thisHost } from "./platforms.ts";

const require = createRequire(import.meta.url);
const built = fileURLToPath(new URL("../native/quic.node", import.meta.url));
const buildScript = fileURLToPath(new URL("../scripts/build", import.meta.url));

/** A file or a package that may be the addon, and why it was not when it was tried. */
interface Attempt {
  readonly what: string;
  readonly cause: unknown;
}

/**
 * Loads the addon: the file that RUNTARA_QUIC_ADDON names and no other if it is set; else the one that scripts/build has made in this
 * package; else that of the platform's own package.
 *
 * @throws QuicError ADDON_MISSING, whose message names the platform, what was tried, and what to do
 */
export function loadAddon(): unknown {
  const override = process.env.RUNTARA_QUIC_ADDON;
  if (override !== undefined && override !== "") {
    try {
      return require(override);
    } catch (cause) {
      throw overrideUnusable(override, cause);
    }
  }
  const failed: Attempt[] = [];
  for (const what of candidates()) {
    try {
      return require(what);
    } catch (cause) {
      failed.push({ what, cause });
    }
  }
  throw addonMissing(thisHost(), failed);
}

/** What there is to load, the best first. The C library is asked for only if packages for both are installed, as it takes long. */
function candidates(): string[] {
  const installed = addonPackagesOf(process.platform, process.arch).filter(isInstalled);
  const packages = installed.length > 1 ? installed.filter((name) => name === addonPackage(thisHost())) : installed;
  return existsSync(built) ? [built, ...packages] : packages;
}

function isInstalled(name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** The error for a machine on which nothing could be loaded. */
export function addonMissing(host: Host, failed: readonly Attempt[]): QuicError {
  const name = addonPackage(host);
  const machine = [host.os, host.cpu, ...(host.libc === undefined ? [] : [host.libc])].join(" ");
  const tried = failed.map(({ what, cause }) => `${what} cannot be loaded (${reason(cause)})`);
  if (name === undefined) tried.push(`releases bring it for ${addonPlatforms.map(({ id }) => id).join(", ")} only`);
  else if (!failed.some(({ what }) => what === name)) tried.push(`${name} is not installed`);
  const remedies = [
    ...(name === undefined ? [] : [`install ${name} (npm leaves it out with --omit=optional)`]),
    `build the addon with ${buildScript} (needs Rust and a C compiler; \`npm run setup\` does it in a checkout)`,
    'use a transport that needs none, as is transport "http2"',
  ];
  const message = `no QUIC addon for ${machine}: ${tried.join("; ")}. Remedies: ${remedies.join("; ")}`;
  return new QuicError("ADDON_MISSING", message, { cause: failed[0]?.cause });
}

function overrideUnusable(path: string, cause: unknown): QuicError {
  const message = `the QUIC addon cannot be loaded from RUNTARA_QUIC_ADDON=${path} (${reason(cause)})`;
  const remedy = `name a file that ${buildScript} or \`npm run setup\` has built, or leave the variable unset`;
  return new QuicError("ADDON_MISSING", `${message}; ${remedy}`, { cause });
}

function reason(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split("\n", 1)[0] ?? "";
}
