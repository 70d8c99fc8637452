import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { addonMissing } from "./load-addon.ts";
import { addonPackage, addonPackagesOf, addonPlatforms, libcOf, packageName, thisHost } from "./platforms.ts";

const addon = join(import.meta.dirname, "../native/quic.node");
const mine = addonPackage(thisHost());

test("a machine's package is known by operating system, processor and C library", () => {
  assert.equal(addonPackage({ os: "linux", cpu: "x64", libc: "glibc" }), "@runtara/quic-linux-x64-gnu");
  assert.equal(addonPackage({ os: "linux", cpu: "arm64", libc: "glibc" }), "@runtara/quic-linux-arm64-gnu");
  assert.equal(addonPackage({ os: "linux", cpu: "x64", libc: "musl" }), "@runtara/quic-linux-x64-musl");
  assert.equal(addonPackage({ os: "linux", cpu: "arm64", libc: "musl" }), "@runtara/quic-linux-arm64-musl");
  assert.equal(addonPackage({ os: "darwin", cpu: "x64" }), "@runtara/quic-darwin-x64");
  assert.equal(addonPackage({ os: "darwin", cpu: "arm64" }), "@runtara/quic-darwin-arm64");
  assert.equal(addonPackage({ os: "win32", cpu: "x64" }), "@runtara/quic-win32-x64-msvc");
  for (const [os, cpu] of [
    ["win32", "arm64"],
    ["freebsd", "x64"],
    ["linux", "riscv64"],
  ] as const) {
    assert.equal(addonPackage({ os, cpu, ...(os === "linux" ? { libc: "glibc" } : {}) }), undefined, `${os} ${cpu}`);
  }
  assert.deepEqual(addonPackagesOf("linux", "x64"), ["@runtara/quic-linux-x64-gnu", "@runtara/quic-linux-x64-musl"]);
  assert.equal(new Set(addonPlatforms.map(packageName)).size, addonPlatforms.length);
});

test("a report that names no glibc is one of musl", () => {
  assert.equal(libcOf({ glibcVersionRuntime: "2.36" }), "glibc");
  assert.equal(libcOf({}), "musl");
});

test("the error names the machine, what was tried and what to do", () => {
  const alpine = addonMissing({ os: "linux", cpu: "arm64", libc: "musl" }, []);
  assert.equal(alpine.code, "ADDON_MISSING");
  assert.match(
    alpine.message,
    /^no QUIC addon for linux arm64 musl: @runtara\/quic-linux-arm64-musl is not installed\./,
  );
  assert.match(alpine.message, /install @runtara\/quic-linux-arm64-musl .*scripts[/\\]build .*transport "http2"/);

  const cause = new Error("invalid ELF header\nRequire stack:");
  const broken = addonMissing({ os: "win32", cpu: "x64" }, [{ what: "@runtara/quic-win32-x64-msvc", cause }]);
  assert.match(broken.message, /@runtara\/quic-win32-x64-msvc cannot be loaded \(invalid ELF header\)\. Remedies/);
  assert.equal(broken.cause, cause);

  const exotic = addonMissing({ os: "aix", cpu: "ppc64" }, []);
  assert.match(
    exotic.message,
    /^no QUIC addon for aix ppc64: releases bring it for linux-x64-gnu, .* only\. Remedies: build/,
  );
});

/** A copy of this package's sources in a folder of its own, as an installed package has them: without native/. */
function installed(t: TestContext): {
  add(name: string, file: string | Buffer): void;
  load(env?: object): Promise<string>;
} {
  const folder = mkdtempSync(join(tmpdir(), "runtara-addon-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(import.meta.dirname, join(folder, "quic/src"), {
    recursive: true,
    filter: (path) => !path.includes(".test."),
  });
  writeFileSync(join(folder, "quic/package.json"), `{ "type": "module" }`);
  const script = `
    import { generateCertificate } from "./quic/src/index.ts";
    try {
      console.log(generateCertificate({ names: ["a.example"], usage: "server", days: 1 }).certPem.split("\\n", 1)[0]);
    } catch (error) {
      console.log(error.code, error.message);
    }`;
  return {
    add(name, file) {
      const target = join(folder, "node_modules", name);
      mkdirSync(target, { recursive: true });
      writeFileSync(join(target, "package.json"), JSON.stringify({ name, version: "0.1.0", main: "quic.node" }));
      if (typeof file === "string") copyFileSync(file, join(target, "quic.node"));
      else writeFileSync(join(target, "quic.node"), file);
    },
    async load(env = {}) {
      const clean = { ...process.env, RUNTARA_QUIC_ADDON: "", ...env };
      const args = ["--input-type=module", "--eval", script];
      const { stdout } = await promisify(execFile)(process.execPath, args, {
        cwd: folder,
        env: clean,
        timeout: 30_000,
      });
      return stdout.trim();
    },
  };
}

const works = "-----BEGIN CERTIFICATE-----";

test("without an addon of its own the package takes that of its platform's package", async (t) => {
  assert.ok(mine, "tests run on a platform that releases are made for");
  const { add, load } = installed(t);
  const missing = await load();
  assert.match(missing, /^ADDON_MISSING no QUIC addon for /);
  assert.ok(missing.includes(`${mine} is not installed`), missing);

  add(mine, addon);
  assert.equal(await load(), works);
});

test("with packages of both C libraries installed the right one is loaded", {
  skip: process.platform !== "linux",
}, async (t) => {
  const { add, load } = installed(t);
  for (const name of addonPackagesOf(process.platform, process.arch)) {
    if (name === mine) add(name, addon);
    else add(name, Buffer.from("of another C library"));
  }
  assert.equal(await load(), works);
});

test("an addon that does not load is named with the loader's reason", async (t) => {
  assert.ok(mine);
  const { add, load } = installed(t);
  add(mine, Buffer.from("not an addon"));
  const text = await load();
  assert.match(text, /^ADDON_MISSING /);
  assert.ok(text.includes(`${mine} cannot be loaded (`), text);
});

test("RUNTARA_QUIC_ADDON names the one file that is tried", async (t) => {
  assert.ok(mine);
  const { add, load } = installed(t);
  assert.equal(await load({ RUNTARA_QUIC_ADDON: addon }), works);
  add(mine, addon);
  const text = await load({ RUNTARA_QUIC_ADDON: "/nonexistent/quic.node" });
  assert.match(text, /^ADDON_MISSING .*RUNTARA_QUIC_ADDON=\/nonexistent\/quic\.node .*unset/);
});
