// The standard decorator: compiled by tsc, since Node runs none, then run against a core.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { TestCore } from "../testing/core-in-process.ts";
import { temporaryFolder } from "../testing/processes.ts";
import { durable, SdkError } from "./index.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../../..", import.meta.url));

/** A project with this source, and what tsc says of it. */
async function compile(
  t: TestContext,
  source: string,
  options: object = {},
): Promise<{ folder: string; says: string }> {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "node_modules/@runtara"), { recursive: true });
  symlinkSync(join(root, "packages/sdk"), join(folder, "node_modules/@runtara/sdk"));
  symlinkSync(join(root, "node_modules/@types"), join(folder, "node_modules/@types"));
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  writeFileSync(join(folder, "main.ts"), source);
  const compilerOptions = {
    ...{ target: "es2022", module: "nodenext", strict: true, skipLibCheck: true, types: ["node"], lib: ["esnext"] },
    ...{ customConditions: ["runtara-src"], allowImportingTsExtensions: true, rewriteRelativeImportExtensions: true },
    ...{ rootDir: ".", outDir: "out" },
    ...options,
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["main.ts"] }));
  // The sources of the package are checked elsewhere; only what is said of this file counts.
  const says = await run(join(root, "node_modules/.bin/tsc"), ["-p", folder, "--noEmitOnError", "false"]).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
  const ofMain = says.split("\n").filter((line) => line.includes("main.ts"));
  return { folder, says: ofMain.join("\n") };
}

const source = `
import { durable, RuntaraSdk } from "@runtara/sdk/raw";

class Shop {
  readonly rate = 2;
  runs = 0;
  @durable()
  async charge(key: string, amount: number): Promise<number> {
    this.runs++;
    return amount * this.rate;
  }
  @durable({ name: "flaky-call", maxRetries: 2, delayMs: 1 })
  async flaky(key: number): Promise<string> {
    if (++this.runs < 4) throw new Error("not yet");
    return "done " + key;
  }
  @durable()
  static async shout(key: string): Promise<string> {
    return key.toUpperCase();
  }
}
const sdk = new RuntaraSdk({
  instanceId: "decorated", tenantId: "t", serverAddr: process.env.CORE ?? "", dangerouslySkipVerification: true,
});
await sdk.init();
const shop = new Shop();
const first: number = await shop.charge("o1", 21);
const text = async (id: string) => new TextDecoder().decode(await sdk.getCheckpoint(id));
console.log(first, await shop.charge("o1", 99), shop.runs, await text("durable::charge::o1"));
console.log(await shop.flaky(7), shop.runs, await text("durable::flaky-call::7"));
console.log((await sdk.getCheckpoint("durable::flaky-call::7::retry::2")) !== undefined);
console.log(await Shop.shout("a"), await text("durable::shout::a"));
await sdk.close();
`;

test("@durable() on methods: this, keys, retries and records as with durable(fn)", async (t) => {
  const core = await TestCore.start(t);
  const { folder, says } = await compile(t, source);
  assert.equal(says, "");
  const { stdout } = await run(process.execPath, ["--conditions=runtara-src", join(folder, "out/main.js")], {
    env: { ...process.env, CORE: core.address, NODE_NO_WARNINGS: "1" },
  });
  assert.equal(stdout, '42 42 1 42\ndone 7 4 "done 7"\ntrue\nA "A"\n');
});

test("@durable() on what has no key, or no promise, does not compile", async (t) => {
  const wrong = `
import { durable } from "@runtara/sdk/raw";
export class Wrong {
  @durable() async none(): Promise<void> {}
  @durable() notAsync(key: string): number { return key.length; }
  @durable() async object(key: { id: string }): Promise<string> { return key.id; }
  @durable() field = 1;
}
`;
  const { says } = await compile(t, wrong, { noEmit: true });
  for (const line of [5, 6, 7]) assert.match(says, new RegExp(`main\\.ts\\(${line},`), says);
});

test("@durable() elsewhere is refused when the class is made", () => {
  const decorate = durable() as unknown as (...args: unknown[]) => unknown;
  const refused = (error: unknown): boolean =>
    error instanceof SdkError && error.code === "Config" && /goes on a method/.test(error.message);
  assert.throws(() => decorate(undefined, { kind: "field", name: "x" }), refused);
  assert.throws(() => decorate({}, "legacy", {}), refused);
  assert.throws(() => decorate(async () => 1, { kind: "method", name: Symbol("s") }), /has no name/);
});
