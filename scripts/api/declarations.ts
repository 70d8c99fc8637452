// Reads declaration files as tsc writes them: statements with their comments, and what an entry exports.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

interface Statement {
  /** The comment before it, as written; empty = none. */
  readonly doc: string;
  readonly code: string;
}

export interface Declaration {
  readonly name: string;
  readonly doc: string;
  /** Overloads stand one below the other, each with its own comment but the first. */
  readonly code: string;
}

/** The top-level statements of a declaration file. */
function statementsOf(text: string): Statement[] {
  const statements: Statement[] = [];
  let doc = "";
  let place = 0;
  while (place < text.length) {
    const space = /\s*/y;
    space.lastIndex = place;
    space.exec(text);
    place = space.lastIndex;
    if (place >= text.length) break;
    if (text.startsWith("/*", place) || text.startsWith("//", place)) {
      const end = endOfComment(text, place);
      if (text.startsWith("/**", place)) doc = text.slice(place, end);
      place = end;
      continue;
    }
    const end = endOfStatement(text, place);
    statements.push({ doc, code: text.slice(place, end) });
    doc = "";
    place = end;
  }
  return statements;
}

function endOfComment(text: string, from: number): number {
  const closing = text.startsWith("/*", from) ? "*/" : "\n";
  const end = text.indexOf(closing, from + 2);
  return end < 0 ? text.length : end + closing.length;
}

/** Behind the semicolon on the outside, or behind the brace that closes a class, interface or module. */
function endOfStatement(text: string, from: number): number {
  const isBlock = /^(?:export )?(?:declare )?(?:abstract )?(?:class|interface|module|namespace|global)\b/.test(
    text.slice(from, from + 80),
  );
  let depth = 0;
  for (let place = from; place < text.length; place++) {
    const character = text[place] ?? "";
    if (text.startsWith("/*", place) || text.startsWith("//", place)) place = endOfComment(text, place) - 1;
    else if (/["'`]/.test(character)) place = endOfString(text, place, character);
    else if (/[{([]/.test(character)) depth += 1;
    else if (/[})\]]/.test(character)) {
      depth -= 1;
      if (depth === 0 && isBlock && character === "}") return place + 1;
    } else if (character === ";" && depth === 0) return place + 1;
  }
  return text.length;
}

function endOfString(text: string, from: number, quote: string): number {
  let place = from + 1;
  while (place < text.length && text[place] !== quote) place += text[place] === "\\" ? 2 : 1;
  return place;
}

const declared =
  /^(?:export )?(?:declare )?(?:abstract )?(?:function|class|interface|type|const|let|var)\s+([A-Za-z_$][\w$]*)/;

/** All that an entry exports, in the order of its file; what comes from other packages is left out. */
export function exportsOf(entry: string): Declaration[] {
  return [...collect(entry, new Map()).values()];
}

function collect(file: string, found: Map<string, Declaration>): Map<string, Declaration> {
  const imports = new Map<string, { readonly from: string; readonly name: string }>();
  for (const { doc, code } of statementsOf(readFileSync(file, "utf8"))) {
    const from = /\bfrom\s+"(\.[^"]*)";$/.exec(code)?.[1];
    if (code.startsWith("import ") && from !== undefined) {
      for (const { name, as } of namesIn(code)) imports.set(as, { from, name });
    } else if (/^export (?:type )?\*/.test(code) && from !== undefined) collect(fileOf(file, from), found);
    else if (/^export (?:type )?\{/.test(code)) {
      for (const { name, as } of namesIn(code)) {
        const origin = from === undefined ? imports.get(name) : { from, name };
        if (origin !== undefined) add(found, { ...declarationOf(fileOf(file, origin.from), origin.name), name: as });
      }
    } else if (code.startsWith("export ")) {
      const name = declared.exec(code)?.[1];
      if (name !== undefined) add(found, { name, doc, code });
    }
  }
  return found;
}

/** Overloads of one function are one declaration. */
function add(found: Map<string, Declaration>, { name, doc, code }: Declaration): void {
  const before = found.get(name);
  const text = before === undefined ? code : [before.code, doc, code].filter((part) => part !== "").join("\n");
  found.set(name, { name, doc: before?.doc ?? doc, code: text });
}

function namesIn(code: string): { name: string; as: string }[] {
  const list = /\{([^}]*)\}/.exec(code)?.[1] ?? "";
  return list
    .split(",")
    .map((part) => part.trim().replace(/^type\s+/, ""))
    .filter((part) => part !== "")
    .map((part) => {
      const [name = "", as = name] = part.split(/\s+as\s+/);
      return { name, as };
    });
}

/** Declared in the file, or passed on by it. @throws Error: neither */
function declarationOf(file: string, name: string): Declaration {
  const local = new Map<string, Declaration>();
  for (const { doc, code } of statementsOf(readFileSync(file, "utf8"))) {
    if (declared.exec(code)?.[1] === name) add(local, { name, doc, code });
  }
  const declaration = local.get(name) ?? collect(file, new Map()).get(name);
  if (declaration === undefined) throw new Error(`${file} declares no ${name}`);
  return declaration;
}

function fileOf(from: string, specifier: string): string {
  return join(dirname(from), specifier.replace(/(?:\.d)?\.[jt]s$/, ".d.ts"));
}
