// What each entry loads: the root nothing but node:async_hooks, the codec nothing at all, and neither these nor the embedded one the protocol.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

/** The modules outside this package that loading a file loads; type imports load nothing. */
function loadedBy(file: URL, seen: Set<string> = new Set()): Set<string> {
  if (seen.has(file.href)) return new Set();
  seen.add(file.href);
  const outside = new Set<string>();
  const source = readFileSync(file, "utf8");
  for (const [, isType, from, bare] of source.matchAll(
    /^(?:import|export)\s+(type\s)?[\w\s{},*$]*?from "([^"]+)"|^import "([^"]+)"/gm,
  )) {
    const target = from ?? bare ?? "";
    if (isType) continue;
    if (target.startsWith(".")) for (const module of loadedBy(new URL(target, file), seen)) outside.add(module);
    else outside.add(target);
  }
  return outside;
}

const entry = (path: string): string[] => [...loadedBy(new URL(path, import.meta.url))].sort();

test("entries load what is documented, and no more", () => {
  assert.deepEqual(entry("./index.ts"), ["node:async_hooks"]);
  assert.deepEqual(entry("./codec/index.ts"), []);
  assert.deepEqual(entry("./raw/index.ts"), ["@runtara/protocol", "node:timers/promises"]);
  assert.ok(entry("./worker/index.ts").includes("@runtara/protocol"));
  const embedded = entry("./embedded/index.ts");
  assert.ok(embedded.includes("@runtara/core") && embedded.includes("@runtara/store"));
  assert.ok(!embedded.includes("@runtara/protocol"), "the embedded mode has no wire");
});
