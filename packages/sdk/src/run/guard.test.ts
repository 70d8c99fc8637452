import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { MemoryStore } from "../testing/memory-history.ts";
import { runProcess } from "../testing/run-once.ts";
import type { EngineEvent } from "./control.ts";

/** A workflow in a file of its own: what this package calls is not looked at. */
const careless = `
export async function careless(input, c) {
  const all = () => [Date.now(), new Date(), Date(), Math.random(), crypto.randomUUID(), performance.now(), new Date(5)];
  all();
  clearTimeout(setTimeout(() => {}, 1));
  await c.step("inside", () => all() && 1);
  await c.step("later", async () => {
    await c.log;
    return Math.random();
  });
  for (let index = 0; index < 3; index++) Math.random();
  return [new Date(7) instanceof Date, new Date(7).constructor === Date, Object.prototype.toString.call(new Date(7))];
}
`;

test("what differs from replay to replay is warned about with its place, once; steps and other code are let be", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "guard-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, "careless.mjs");
  writeFileSync(file, careless);
  const module = (await import(pathToFileURL(file).href)) as { careless: () => Promise<unknown> };
  const warnings: string[] = [];
  const tell = (event: EngineEvent): void => {
    if (event.type === "warning") warnings.push(event.message);
  };
  const { end } = await runProcess({
    store: new MemoryStore(),
    body: module.careless,
    tell,
    settings: { guard: true },
  });
  assert.equal(end?.is, "returned");
  assert.deepEqual(end.value, [true, true, "[object Date]"]);
  const line = (text: string): string =>
    /^workflow "test": (.*) was called outside a step \(.*careless\.mjs:(\d+):\d+\), and differs from replay to replay: (.*)$/
      .exec(text)
      ?.slice(1)
      .join(" | ") ?? text;
  assert.deepEqual(warnings.map(line), [
    "Date.now() | 3 | use now()",
    "new Date() | 3 | use now()",
    "Date() | 3 | use now()",
    "Math.random() | 3 | use random()",
    "crypto.randomUUID() | 3 | use uuid(), or for a secret a step",
    "performance.now() | 3 | use now()",
    "setTimeout() | 5 | use sleep()",
    "Math.random() | 11 | use random()",
  ]);

  // The watch stays; whoever is not watched hears nothing of it.
  warnings.length = 0;
  await runProcess({ store: new MemoryStore(), body: module.careless, tell });
  Math.random();
  assert.deepEqual(warnings, []);
});
