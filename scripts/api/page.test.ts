// The reference's reader of declarations, on a small package.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { exportsOf } from "./declarations.ts";
import { pageOf } from "./page.ts";

const files = {
  "index.d.ts": `import { c as see } from "./b.js";
export { a, b as two } from "./a.js";
export type { Shape } from "./a.js";
export * from "./b.js";
export type { Outside } from "elsewhere";
/** Declared here; \`}\` and "};" in a comment end nothing. */
export interface Here {
    /** One; */
    readonly one: "};" | \`\${string}}\`;
}
export { see };
`,
  "a.d.ts": `/** Doubles. See {@link Shape}.
 *  A second line.
 *
 *  @throws Error for a
 *  bad number @returns twice as much */
export declare function a(value: number): number;
/** For texts. */
export declare function a(value: string, options?: {
    deep?: boolean;
}): string;
export declare const b: number;
declare const hidden: number;
/** What is drawn. */
export declare class Shape {
    #private;
    area(): number;
}
//# sourceMappingURL=a.d.ts.map
`,
  "b.d.ts": `export type C = { x: 1 } | { y: (z: number) => void };
export declare function c(): C;
`,
};

test("what an entry exports, by whatever way, becomes a page", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "api-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const declarations = exportsOf(join(folder, "index.d.ts"));
  assert.deepEqual(
    declarations.map(({ name }) => name),
    ["a", "two", "Shape", "C", "c", "Here", "see"],
  );
  const page = pageOf("pkg", "A package.", declarations);
  assert.match(page, /^# pkg\n\nA package\.\n\n## Functions and values\n\n\[a\]\(#a\) · \[two\]\(#two\)/);
  assert.ok(
    page.includes(
      "Doubles. See `Shape`. A second line.\n\n**Throws** Error for a bad number\n\n**Returns** twice as much",
    ),
  );
  assert.ok(
    page.includes(
      "function a(value: number): number;\n/** For texts. */\nfunction a(value: string, options?: {\n  deep?: boolean;\n}): string;",
    ),
  );
  assert.ok(page.includes("class Shape {\n  area(): number;\n}"));
  assert.ok(page.includes("type C = { x: 1 } | { y: (z: number) => void };"));
  assert.ok(page.includes(`interface Here {\n  /** One; */\n  readonly one: "};" | \`\${string}}\`;\n}`));
  assert.ok(!page.includes("hidden") && !page.includes("Outside"));
});

test("a name that nobody declares is an error, not a gap", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "api-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "index.d.ts"), 'export { gone } from "./a.js";\n');
  writeFileSync(join(folder, "a.d.ts"), "export declare const here: 1;\n");
  assert.throws(() => exportsOf(join(folder, "index.d.ts")), /a\.d\.ts declares no gone/);
});
