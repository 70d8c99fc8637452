// Writes the folders npm/*: the packages that have the addon, one a platform, out of the table in src/platforms.ts.
// `node packages/quic/scripts/platforms.ts` after a change of that table, of the version or of what all of our packages say of themselves.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type AddonPlatform, addonPlatforms, packageName } from "../src/platforms.ts";

const root = resolve(import.meta.dirname, "..");
export const npmFolder: string = join(root, "npm");

/** File name → text, for every file of a platform's folder but the addon itself. */
export function platformFiles(platform: AddonPlatform): Record<string, string> {
  const { version, license, engines, publishConfig } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  ) as Record<string, unknown>;
  const manifest = {
    name: packageName(platform),
    version,
    description: `The native addon of @runtara/quic for ${describe(platform)}`,
    keywords: ["quic", "addon", platform.os, platform.cpu],
    license,
    type: "commonjs",
    engines,
    sideEffects: true,
    os: [platform.os],
    cpu: [platform.cpu],
    ...(platform.libc === undefined ? {} : { libc: [platform.libc] }),
    main: "quic.node",
    exports: { ".": "./quic.node", "./package.json": "./package.json" },
    files: ["quic.node"],
    publishConfig,
  };
  const readme = [
    `# ${packageName(platform)}`,
    "",
    `The native addon of \`@runtara/quic\` for ${describe(platform)}, built from its sources for \`${platform.rustTarget}\`.`,
    "",
    "It is an optional dependency of `@runtara/quic`, which loads it; npm installs it where it fits. Nothing else is in here.",
    "",
  ];
  return { "package.json": `${JSON.stringify(manifest, null, 2)}\n`, "README.md": readme.join("\n") };
}

function describe(platform: AddonPlatform): string {
  const name = { linux: "Linux", darwin: "macOS", win32: "Windows" }[platform.os];
  return [name, platform.cpu, ...(platform.libc === undefined ? [] : [`(${platform.libc})`])].join(" ");
}

if (process.argv[1] === import.meta.filename) {
  const ids = addonPlatforms.map(({ id }) => id);
  mkdirSync(npmFolder, { recursive: true });
  for (const gone of readdirSync(npmFolder).filter((name) => !ids.includes(name))) {
    rmSync(join(npmFolder, gone), { recursive: true });
  }
  for (const platform of addonPlatforms) {
    const folder = join(npmFolder, platform.id);
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of Object.entries(platformFiles(platform))) writeFileSync(join(folder, name), text);
  }
  console.log(`npm/ has ${ids.length} platforms: ${ids.join(", ")}`);
}
