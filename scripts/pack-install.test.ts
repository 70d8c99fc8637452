// What a user of the published packages does: install them into an empty folder, outside of the checkout, and run things there under plain
// Node. The packages are the packed tarballs; npm fetches them from a registry on loopback.
import assert from "node:assert/strict";
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { type Packed, pack } from "./pack.ts";
import { addonPackages } from "./pack-addons.ts";
import type { Exports } from "./pack-manifest.ts";
import { type Registry, startRegistry } from "./pack-registry.ts";

const root = resolve(import.meta.dirname, "..");
const mine = addonPackages.find(({ built }) => built !== undefined)?.name;
const folder = mkdtempSync(join(tmpdir(), "runtara-install-"));
const app = join(folder, "app");
let packed: Packed[];
/** Names of the packages that are installed by name; the addon comes by itself. */
let modules: string[];
let registry: Registry;

/** The environment of a user's shell: nothing of the test runner, of npm scripts, or of Runtara; and no settings of npm but these. */
const env: NodeJS.ProcessEnv = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|RUNTARA_|NODE_(OPTIONS|TEST_CONTEXT)$)/i.test(name)),
  ),
  npm_config_userconfig: join(folder, "npmrc"),
  npm_config_cache: join(folder, "cache"),
  npm_config_loglevel: "error",
};

async function run(command: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, [...args], { cwd: app, env, timeout: 120_000 });
  return stdout.trim();
}

/** Runs a module that lies in the user's folder. */
function runModule(name: string, source: string, node: string = process.execPath): Promise<string> {
  writeFileSync(join(app, name), source);
  return run(node, [name]);
}

/** This Node, and every other one on the PATH that the packages' `engines` allow. */
const nodes = new Map([[process.version, process.execPath]]);
for (const path of (process.env.PATH ?? "").split(delimiter).map((part) => join(part, "node"))) {
  if (!existsSync(path)) continue;
  const version = execFileSync(path, ["--version"], { encoding: "utf8" }).trim();
  const [major = 0, minor = 0] = version.slice(1).split(".").map(Number);
  if ((major > 22 || (major === 22 && minor >= 18)) && !nodes.has(version)) nodes.set(version, path);
}

before(async () => {
  packed = pack({ out: join(folder, "tarballs"), hostOnly: true });
  const others = addonPackages
    .filter(({ name }) => name !== mine)
    .map(({ name, version, manifest }) => ({ name, version, manifest }));
  registry = await startRegistry([...packed, ...others], join(root, "node_modules"));
  mkdirSync(app);
  writeFileSync(
    join(app, "package.json"),
    `{ "name": "app", "version": "1.0.0", "private": true, "type": "module" }\n`,
  );
  modules = packed.map(({ name }) => name).filter((name) => name !== mine);
  const quiet = ["--no-audit", "--no-fund", "--no-update-notifier"];
  await run("npm", ["install", ...modules, `--registry=${registry.url}`, ...quiet]);
  const certificate = `
    import { writeFileSync } from "node:fs";
    import { generateSelfSigned } from "@runtara/quic";
    const { certPem, keyPem } = generateSelfSigned({ names: ["localhost"] });
    writeFileSync("certificate.pem", certPem);
    writeFileSync("key.pem", keyPem);`;
  await runModule("certificate.js", certificate);
});

after(async () => {
  await registry?.close();
  rmSync(folder, { recursive: true, force: true });
});

test("npm installs this platform's addon, fetches no other's, and asks for nothing that is not served", () => {
  assert.ok(mine && existsSync(join(app, "node_modules", mine, "quic.node")));
  const addons = addonPackages.map(({ name }) => name).filter((name) => registry.fetched.has(name));
  assert.deepEqual(addons, [mine]);
  // pg names it as an optional peer: npm looks it up and does not install it.
  assert.deepEqual(
    [...registry.unknown].filter((name) => name !== "pg-native"),
    [],
  );
  assert.ok(!existsSync(join(app, "node_modules/pg-native")));
  const names = readdirSync(join(app, "node_modules/@runtara"));
  assert.deepEqual(
    names.filter((name) => name.startsWith("quic-")),
    [mine.replace("@runtara/", "")],
  );
});

test("every tarball has a licence, a README and no test", () => {
  for (const { name, files } of packed) {
    for (const needed of ["LICENSE", "README.md", "package.json"])
      assert.ok(files.includes(needed), `${name}: ${needed}`);
    assert.deepEqual(
      files.filter((path) => /\.test\.|\.map$|testdata|(?<!\.d)\.ts$/.test(path)),
      [],
      name,
    );
  }
});

test("the SDK is small: at most 2 MB and five dependencies, of which no database driver and no addon of another platform", () => {
  const sdk = packed.find(({ name }) => name === "@runtara/sdk");
  assert.ok(sdk !== undefined && sdk.unpackedBytes <= 2_000_000, `${sdk?.unpackedBytes} bytes`);
  const manifest = JSON.parse(readFileSync(join(app, "node_modules/@runtara/sdk/package.json"), "utf8"));
  const names = Object.keys(manifest.dependencies);
  assert.ok(names.length <= 5 && names.every((name) => name.startsWith("@runtara/")), names.join(", "));
  assert.equal(manifest.peerDependenciesMeta.pg.optional, true);
});

/** Everything that the installed packages export, but for the addon, which has no declarations. */
function entries(): string[] {
  return modules.flatMap((name) => {
    const manifest = JSON.parse(readFileSync(join(app, "node_modules", name, "package.json"), "utf8"));
    const paths = Object.keys(manifest.exports as Exports).filter((path) => path !== "./package.json");
    return paths.map((path) => name + path.slice(1));
  });
}

for (const [version, node] of nodes) {
  test(`every public entry of every package imports under Node ${version}`, async () => {
    const all = entries();
    assert.ok(all.length >= modules.length);
    const source = `
      const found = {};
      for (const entry of ${JSON.stringify(all)}) found[entry] = Object.keys(await import(entry)).length;
      console.log(JSON.stringify(found));`;
    const found = JSON.parse(await runModule("entries.js", source, node)) as Record<string, number>;
    assert.deepEqual(Object.keys(found), all);
    for (const [entry, names] of Object.entries(found)) assert.ok(names > 0, `${entry} exports nothing`);
  });
}

/** Starts a server that answers status requests, calls it, and prints what came back. */
const echo = (server: string, client: string): string => `
  import { readFileSync } from "node:fs";
  import { create, http2Transport, instance, QuicClient, QuicServer } from "@runtara/protocol";
  const certPem = readFileSync("certificate.pem", "utf8");
  const server = await QuicServer.listen({ bindAddr: "127.0.0.1:0", ${server}
    onCall(call) {
      const { instanceId } = call.request.value;
      call.respond(create(instance.GetInstanceStatusResponseSchema, { instanceId, status: instance.InstanceStatus.STATUS_RUNNING }));
    },
  });
  const client = new QuicClient({ serverAddr: server.address, ${client} });
  const answer = await client.request(instance.GetInstanceStatusRequestSchema, { instanceId: "order-7" });
  console.log(answer.instanceId, answer.status === instance.InstanceStatus.STATUS_RUNNING);
  await client.close();
  await server.close();`;

for (const [version, node] of nodes) {
  test(`a call goes to and fro over QUIC under Node ${version}`, async () => {
    assert.equal(await runModule("quic.js", echo("", ""), node), "order-7 true");
  });
}

test("a strict TypeScript project compiles against the declarations, those of dependencies included", async () => {
  writeFileSync(
    join(app, "consumer.ts"),
    `import { createCore } from "@runtara/core";
     import { startCore } from "@runtara/core/server";
     import { create, instance, QuicClient, QuicServer } from "@runtara/protocol";
     import { connect, QuicError, type QuicErrorCode } from "@runtara/quic";
     import { sleep, step, workflow } from "@runtara/sdk";
     import { openStore } from "@runtara/store";
     import { ConfigError } from "@runtara/server-kit";

     export const order = workflow("order", async (input: { readonly total: number }) => {
       const receipt: string = await step("charge", (s) => \`\${input.total} \${s.idempotencyKey}\`);
       await sleep("cooling-off", "2s");
       return { receipt };
     });
     // @ts-expect-error a workflow's name is a text
     workflow(7, async () => 1);

     export async function status(address: string): Promise<string> {
       const client = new QuicClient({ serverAddr: address });
       const answer = await client.request(instance.GetInstanceStatusRequestSchema, { instanceId: "order-7" });
       // @ts-expect-error an answer has no such field
       answer.nonsense;
       return answer.instanceId;
     }
     export const codeOf = (error: unknown): QuicErrorCode | undefined => (error instanceof QuicError ? error.code : undefined);
     export const all: unknown[] = [createCore, startCore, create, QuicServer, connect, openStore, ConfigError];
     ${entries()
       .map((entry, index) => `import * as entry${index} from ${JSON.stringify(entry)}; all.push(entry${index});`)
       .join("\n")}`,
  );
  const types = join(app, "node_modules/@types");
  mkdirSync(types, { recursive: true });
  symlinkSync(join(root, "node_modules/@types/node"), join(types, "node"));
  const options = [
    "--strict",
    "--noEmit",
    "--module",
    "nodenext",
    "--target",
    "es2024",
    "--types",
    "node",
    "--skipLibCheck",
    "false",
  ];
  const done = run(join(root, "node_modules/.bin/tsc"), [
    ...options,
    "--exactOptionalPropertyTypes",
    "--noUncheckedIndexedAccess",
    "consumer.ts",
  ]);
  assert.equal(await done.catch((error: { stdout: string }) => error.stdout), "");
});

test("an embedded workflow runs on SQLite; the threads of store and SDK find their programs", async () => {
  const source = `
    import assert from "node:assert/strict";
    import { open } from "@runtara/sdk/embedded";
    import { RetryableError, isRuntaraError, step, workflow } from "@runtara/sdk";
    import { openStore } from "@runtara/store";
    const warnings = [];
    const logger = { debug() {}, info() {}, error() {}, warn: (_, message) => warnings.push(message) };
    const greet = workflow("greet", async (name) => {
      await step("compute", () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500));
      return step("greet", () => "Hello, " + name);
    });
    const runtime = await open({ store: "sqlite:embedded.db", workflows: [greet], lease: "1s", logger });
    console.log(await runtime.run(greet, "Ada"));
    while (warnings.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.match(warnings[0], /another thread has kept the lease/);
    await runtime.close();
    for (const sqliteHost of ["inline", "assisted", "thread"]) {
      const store = await openStore("sqlite:embedded.db", { sqliteHost });
      assert.equal((await store.run({ kind: "checkHealth" })).outcome, "healthy");
      const start = { instanceId: sqliteHost, tenantId: "t", workflow: "w", tags: {}, seed: new Uint8Array(16), nowMs: 1 };
      assert.equal((await store.run({ kind: "startInstance", ...start })).outcome, "created");
      await store.close();
    }
    const error = new RetryableError("later");
    assert.deepEqual([error.name, error.constructor.name, isRuntaraError(error)], ["RetryableError", "RetryableError", true]);`;
  assert.equal(await runModule("embedded.js", source), "Hello, Ada");
});

/** The core as `npx runtara core` starts it, once it has said that it is ready. */
async function startCore(): Promise<{ core: ChildProcess; address: string }> {
  const args = ["runtara", "core", "--port", "0", "--database-url", "sqlite:core.db"];
  const core = spawn("npx", ["--offline", ...args], {
    cwd: app,
    env: { ...env, RUNTARA_LOG_LEVEL: "error" },
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  for await (const line of createInterface({ input: core.stdout })) {
    const address = /^ready core (\S+)$/.exec(line)?.[1];
    if (address !== undefined) return { core, address };
  }
  throw new Error("the core ended before it was ready");
}

test("npx runtara core and npx runtara run carry out workflows in JavaScript and in TypeScript", async (t) => {
  const source = (type: string): string => `
    import { step, workflow } from "@runtara/sdk";
    export const greet = workflow("greet", async (input${type}) => {
      const greeting = await step("greet", () => "Hello, " + input.name);
      return { greeting };
    });`;
  writeFileSync(join(app, "greet.mjs"), source(""));
  writeFileSync(join(app, "greet.ts"), source(": { name: string }"));
  const { core, address } = await startCore();
  t.after(async () => {
    const ended = once(core, "close");
    // npx starts the command as a child of a shell, so the group is ended.
    if (core.pid !== undefined) process.kill(-core.pid, "SIGTERM");
    await ended;
  });
  for (const file of ["greet.mjs", "greet.ts"]) {
    const args = ["runtara", "run", file, "--input", '{"name":"Ada"}', "--server", address, "--progress", "none"];
    assert.equal(await run("npx", ["--offline", ...args]), '{"greeting":"Hello, Ada"}', file);
  }
  assert.ok(existsSync(join(app, "core.db")));
});

/** As where releases have no addon, or npm was told to leave optional packages out. */
function removeAddon(): void {
  assert.ok(mine);
  rmSync(join(app, "node_modules", mine), { recursive: true, force: true });
}

test("without the platform's package the error says what to install", async () => {
  removeAddon();
  const out = await runModule(
    "missing.js",
    `import { listen } from "@runtara/quic";
     await listen({ host: "127.0.0.1", port: 0, certificate: "self-signed" }, { onCall() {} }).catch((error) =>
       console.log(error.code, error.message));`,
  );
  assert.match(out, /^ADDON_MISSING no QUIC addon for /);
  assert.ok(out.includes(`install ${mine}`), out);
  assert.ok(out.includes(join(app, "node_modules/@runtara/quic/scripts/build")), out);
});

test("the sources that the error tells to build are in the package", async () => {
  const quic = join(app, "node_modules/@runtara/quic");
  assert.ok(statSync(join(quic, "scripts/build")).mode & 0o100, "the script can be executed");
  const native = join(quic, "native");
  const args = [
    "metadata",
    "--no-deps",
    "--offline",
    "--format-version",
    "1",
    "--manifest-path",
    join(native, "Cargo.toml"),
  ];
  const { packages } = JSON.parse(await run("cargo", args)) as { packages: { targets: { src_path: string }[] }[] };
  const files = packages.flatMap(({ targets }) => targets.map(({ src_path }) => src_path));
  assert.deepEqual(files.sort(), [join(native, "build.rs"), join(native, "src/lib.rs")]);
  assert.deepEqual(readdirSync(join(native, "src")), readdirSync(join(root, "packages/quic/native/src")));
});

for (const transport of ["http2", "auto"]) {
  test(`without the addon a call goes to and fro with transport ${transport}`, async () => {
    removeAddon();
    const server = `transport: http2Transport, certificate: { certPem, keyPem: readFileSync("key.pem", "utf8") },`;
    assert.equal(
      await runModule(`${transport}.js`, echo(server, `caPem: certPem, transport: "${transport}"`)),
      "order-7 true",
    );
  });
}
