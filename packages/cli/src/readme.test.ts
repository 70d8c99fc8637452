// The front page's workflow, as a newcomer would copy it.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { runtara, startCore, temporaryFolder } from "./testing.ts";

const root = resolve(import.meta.dirname, "../../..");

test("the workflow of README.md runs, and its commands are the ones that exist", async (t) => {
  const page = readFileSync(join(root, "README.md"), "utf8");
  const source = /```ts\n(\/\/ order\.ts\n[\s\S]*?)```/.exec(page)?.[1];
  assert.ok(source, "README.md has a block that begins with // order.ts");
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "node_modules/@runtara"), { recursive: true });
  symlinkSync(join(root, "packages/sdk"), join(folder, "node_modules/@runtara/sdk"));
  const file = join(folder, "order.ts");
  writeFileSync(file, source.replace('"2s"', '"20ms"'));

  const line = /npx runtara run order\.ts (.*)$/m.exec(page)?.[1];
  assert.equal(line, `--input '{"id":"7","total":20}' --instance order-7`);
  const core = await startCore(t);
  const args = ["run", file, "--input", '{"id":"7","total":20}', "--instance", "order-7", "--server", core.address];
  const { code, stdout, stderr } = await runtara(t, args);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^shipping 7$/m);
  assert.match(stdout, /^\{"order":"7","receipt":"20 charged, [0-9a-f-]{36}"\}\n$/);
});
