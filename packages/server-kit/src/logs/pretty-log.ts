import type { DescribedError } from "./describe-error.ts";

// Log lines for people: `12:03:04.567 WARN  core: message key=value`. Pure but for the time zone.

interface Entry {
  readonly level: number;
  readonly time: number;
  readonly name?: string;
  readonly msg?: string;
  readonly err?: unknown;
  readonly [detail: string]: unknown;
}

const words: Readonly<Record<number, string>> = { 20: "DEBUG", 30: "INFO", 40: "WARN", 50: "ERROR" };
const colours: Readonly<Record<number, string>> = {
  20: "\u001b[2m",
  30: "\u001b[32m",
  40: "\u001b[33m",
  50: "\u001b[31m",
};
const reset = "\u001b[0m";
const shownApart: ReadonlySet<string> = new Set(["level", "time", "pid", "hostname", "name", "msg", "err"]);

/** A line of pino's JSON as one for people, an error and its stack below it. What is no such line stays as it is. */
export function prettyLine(json: string, isColoured: boolean): string {
  const entry = parse(json);
  if (entry === undefined) return json;
  const word = (words[entry.level] ?? String(entry.level)).padEnd(5);
  const level = isColoured ? `${colours[entry.level] ?? ""}${word}${reset}` : word;
  const name = entry.name === undefined ? "" : `${entry.name}: `;
  const details = Object.entries(entry).filter(([key]) => !shownApart.has(key));
  const shown = details.map(
    ([key, value]) => ` ${key}=${typeof value === "string" ? quoted(value) : JSON.stringify(value)}`,
  );
  return `${clock(entry.time)} ${level} ${name}${entry.msg ?? ""}${shown.join("")}${errorOf(entry)}\n`;
}

function parse(json: string): Entry | undefined {
  try {
    const entry = JSON.parse(json) as Entry | null;
    return typeof entry?.level === "number" && typeof entry.time === "number" ? entry : undefined;
  } catch {
    return undefined;
  }
}

function errorOf({ err }: Entry): string {
  if (err === undefined) return "";
  const text = isDescribed(err) ? errorText(err) : JSON.stringify(err);
  return `\n${text.replaceAll(/^/gm, "    ")}`;
}

function isDescribed(err: unknown): err is DescribedError {
  return typeof err === "object" && err !== null && "type" in err && "message" in err;
}

function errorText({ type, code, message, causes = [], stack }: DescribedError): string {
  const head = `${type}${code === undefined ? "" : ` [${code}]`}: ${message}`;
  const below = causes.map((cause) => `caused by ${[cause.code, cause.message].filter(Boolean).join(": ")}`);
  return [head, ...below, ...(stack === undefined ? [] : [stack])].join("\n");
}

/** Plain words need no quotes; everything else is shown so that one line stays one line. */
function quoted(text: string): string {
  return /^[\w.:/@+-]+$/.test(text) ? text : JSON.stringify(text);
}

function clock(timeMs: number): string {
  const date = new Date(timeMs);
  const two = (part: number, digits = 2) => String(part).padStart(digits, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${two(date.getMilliseconds(), 3)}`;
}
