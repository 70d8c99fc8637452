// Declarations as a page of Markdown.
import type { Declaration } from "./declarations.ts";

const groups = [
  { title: "Functions and values", is: /^(?:export )?(?:declare )?(?:function|const)/ },
  { title: "Classes", is: /^(?:export )?(?:declare )?(?:abstract )?class/ },
  { title: "Types", is: /^(?:export )?(?:declare )?(?:interface|type)/ },
];

/** A page: what an entry exports, in groups, each in the order of the entry's file. */
export function pageOf(entry: string, what: string, declarations: readonly Declaration[]): string {
  const parts = [`# ${entry}`, what];
  for (const { title, is } of groups) {
    const members = declarations.filter(({ code }) => is.test(code));
    if (members.length === 0) continue;
    parts.push(`## ${title}`, members.map(({ name }) => `[${name}](#${name.toLowerCase()})`).join(" · "));
    for (const { name, doc, code } of members) parts.push(`### ${name}`, textOf(doc), block(code));
  }
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function block(code: string): string {
  const shown = code
    .replaceAll(/^export declare /gm, "")
    .replaceAll(/^export (?=interface|type|class|abstract)/gm, "")
    .replaceAll(/^\s*#private;\n/gm, "")
    .replaceAll(/^(?: {4})+/gm, (spaces) => " ".repeat(spaces.length / 2));
  return `\`\`\`ts\n${shown.trimEnd()}\n\`\`\``;
}

/** A comment as paragraphs. */
function textOf(doc: string): string {
  const text = doc
    .replace(/^\/\*\*/, "")
    .replace(/\*\/$/, "")
    .replaceAll(/^[ \t]*\*[ ]{0,2}/gm, "")
    .replaceAll(/\{@link ([^}]+)\}/g, "`$1`");
  const marked = text
    .replaceAll(/\s*@throws\s+/g, "\n\n**Throws** ")
    .replaceAll(/\s*@returns\s+/g, "\n\n**Returns** ")
    .replaceAll(/\s*@param\s+(\w+)\s+/g, "\n\n`$1`: ");
  return marked
    .trim()
    .split(/\n{2,}/)
    .map((paragraph) => (/^- /m.test(paragraph) ? paragraph : paragraph.replaceAll(/\s*\n\s*/g, " ")))
    .join("\n\n");
}
