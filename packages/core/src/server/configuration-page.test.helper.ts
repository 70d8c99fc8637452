/**
 * The tables in docs/limits.md, made of the sources: `node --conditions=runtara-src
 * packages/core/src/server/configuration-page.test.helper.ts` writes them anew.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../../../../", import.meta.url);
export const limitsPath: string = fileURLToPath(new URL("docs/limits.md", root));
export const configurationPath: string = fileURLToPath(new URL("docs/configuration.md", root));

/** Packages whose bounds a server obeys. */
const packages = ["store", "core", "protocol", "server-kit"] as const;

/** The page with its tables as the sources are now. */
export function freshPage(page: string): string {
  return packages.reduce((text, name) => {
    const source = readFileSync(new URL(`packages/${name}/src/limits.ts`, root), "utf8");
    const begin = `<!-- limits of ${name} -->\n`;
    const end = `<!-- end of limits of ${name} -->`;
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`docs/limits.md has no place for the limits of ${name}`);
    return `${text.slice(0, from + begin.length)}\n${limitsTable(source)}\n${text.slice(to)}`;
  }, page);
}

/** A row for each entry of the object `limits` in the source, with the comment right above it; one without is an error. */
export function limitsTable(source: string): string {
  const [, body = ""] = /export const limits = \{\n(.*?)\n\} as const;/s.exec(source) ?? [];
  const rows: string[] = [];
  let comment = "";
  for (const [, doc, name, value] of body.matchAll(/^ {2}(?:\/\*\*\s*(.*?)\s*\*\/|(\w+): ([^\n]*),)$/gms)) {
    if (doc !== undefined)
      comment = doc
        .replace(/^\*\s*/, "")
        .replaceAll(/\s*\n\s*\*\s*/g, " ")
        .replaceAll("|", "\\|");
    else {
      if (comment === "") throw new Error(`the limit ${name} has no comment of its own`);
      rows.push(`| \`${name}\` | ${(value ?? "").replaceAll(/(?<=\d)_(?=\d)/g, ",")} | ${comment} |\n`);
      comment = "";
    }
  }
  return `| limit | value | what it bounds |\n| --- | --- | --- |\n${rows.join("")}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(limitsPath, freshPage(readFileSync(limitsPath, "utf8")));
}
