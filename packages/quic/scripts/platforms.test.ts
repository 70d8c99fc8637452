import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { addonPlatforms, packageName } from "../src/platforms.ts";
import { buildPlan } from "./build-platform.ts";
import { npmFolder, platformFiles } from "./platforms.ts";

test("the folders of npm/ are those of the table", () => {
  assert.deepEqual(readdirSync(npmFolder).sort(), addonPlatforms.map(({ id }) => id).sort());
  for (const platform of addonPlatforms) {
    for (const [name, text] of Object.entries(platformFiles(platform))) {
      const there = readFileSync(join(npmFolder, platform.id, name), "utf8");
      assert.equal(there, text, `npm/${platform.id}/${name} is old; run node packages/quic/scripts/platforms.ts`);
    }
  }
});

test("the checkout's own manifests and lockfile name no platform package, as npm ci could not install an unpublished one", () => {
  const quic = resolve(import.meta.dirname, "..");
  for (const file of [join(quic, "package.json"), resolve(quic, "../../package-lock.json")]) {
    const text = readFileSync(file, "utf8");
    for (const platform of addonPlatforms) assert.ok(!text.includes(packageName(platform)), `${file}: ${platform.id}`);
  }
});

test("every platform has a way to be built, on one of the systems of the matrix", () => {
  for (const platform of addonPlatforms) {
    const host = { linux: "linux", darwin: "darwin", win32: "win32" }[platform.os];
    const plan = buildPlan(platform, host);
    assert.ok(!("problem" in plan), platform.id);
    assert.ok(
      plan.args.some((arg) => arg.startsWith(platform.rustTarget)),
      plan.args.join(" "),
    );
    assert.match(plan.library, /^(lib)?runtara_quic\.(so|dylib|dll)$/);
    for (const other of ["linux", "darwin", "win32"].filter((os) => os !== host)) {
      const elsewhere = buildPlan(platform, other);
      if (platform.os === "linux" && other === "darwin") assert.ok(!("problem" in elsewhere));
      else assert.ok("problem" in elsewhere, `${platform.id} on ${other}`);
    }
  }
});

test("the release workflow builds exactly the platforms of the table", () => {
  const workflow = readFileSync(resolve(import.meta.dirname, "../../../.github/workflows/release.yml"), "utf8");
  const listed = [...workflow.matchAll(/\{ target: ([\w-]+), os: ([\w.-]+) \}/g)].map(([, target, os]) => ({
    target,
    os,
  }));
  assert.deepEqual(
    listed.map(({ target }) => target).sort(),
    addonPlatforms.map(({ rustTarget }) => rustTarget).sort(),
  );
  for (const { target, os } of listed) {
    const platform = addonPlatforms.find(({ rustTarget }) => rustTarget === target);
    const runner = { linux: "ubuntu", darwin: "macos", win32: "windows" }[platform?.os ?? "linux"];
    assert.ok(os?.startsWith(runner), `${target} is built on ${os}`);
  }
  const page = readFileSync(resolve(import.meta.dirname, "../../../docs/releasing.md"), "utf8");
  for (const { rustTarget, id } of addonPlatforms) assert.ok(page.includes(rustTarget) && page.includes(id), id);
});
