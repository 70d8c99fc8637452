import { driver } from "./driver.ts";

type Parser = (text: string) => unknown;

// By the object ids of types (pg_type); results come as text.
const parsers: ReadonlyMap<number, Parser> = new Map<number, Parser>([
  [16, (text) => text === "t"],
  [17, parseBytes],
  // int8: our values stay below 2^53.
  [20, Number],
  [21, Number],
  [23, Number],
  [26, Number],
  [114, JSON.parse],
  [701, Number],
  [1000, parseBooleans],
  [1007, parseNumbers],
  [1009, parseTextArray],
  [1016, parseNumbers],
  [3802, JSON.parse],
]);

let textArrayParser: Parser | undefined;

/** Texts of an array may be quoted: the driver knows how. */
function parseTextArray(text: string): unknown {
  textArrayParser ??= driver().types.getTypeParser(1009 as number) as Parser;
  return textArrayParser(text);
}

function asText(text: string): string {
  return text;
}

function parseBytes(text: string): Buffer {
  return Buffer.from(text.slice(2), "hex");
}

function parseNumbers(text: string): (number | null)[] {
  return elements(text).map((element) => (element === "NULL" ? null : Number(element)));
}

function parseBooleans(text: string): (boolean | null)[] {
  return elements(text).map((element) => (element === "NULL" ? null : element === "t"));
}

/** Of arrays whose elements are never quoted. */
function elements(text: string): string[] {
  return text === "{}" ? [] : text.slice(1, -1).split(",");
}

/** How columns become values, in the form that pg wants. */
export const valueParsers: { getTypeParser(type: number): Parser } = {
  getTypeParser: (type) => parsers.get(type) ?? asText,
};
