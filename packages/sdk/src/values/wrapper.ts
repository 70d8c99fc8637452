// Values outside entries. Plain ones are their stored text. What a codec made lies in an object that begins with {"$rt":1,"enc":"NAME";
// a plain value whose text begins like that is put into one with no name, so that nothing is taken for what it is not.

import { UnreadableValueError } from "../errors.ts";
import { after } from "./after.ts";
import type { CodecContext, Sealed, Sealer, Wrapper } from "./codec-port.ts";
import { storeValue } from "./index.ts";
import { parseJson, readValue } from "./read.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const prefix = '{"$rt":1,"enc":"';
const escaped = `${prefix}","data":`;

/** Values outside entries, through the codecs of the runtime. */
export function createWrapper(sealer: Sealer): Wrapper {
  const wrapText: Wrapper["wrapText"] = (text, at) => {
    if (text === undefined) return undefined;
    return after(sealer.seal(text, at), (sealed) => encoder.encode(textOf(sealed, at)));
  };
  return {
    wrap: (value, at, what) => {
      const root = rootOf(at.id);
      return wrapText(value === undefined ? undefined : storeValue(value, { root, describe: () => what }), at);
    },
    wrapText,
    unwrap: (bytes, at) => {
      const text = jsonIn(bytes);
      if (text !== undefined) return after(openText(sealer, text, at), readValue);
      return bytes && bytes.byteLength > 0 ? bytes : undefined;
    },
    unwrapText: (bytes, at) => {
      const text = jsonIn(bytes);
      return text === undefined ? undefined : openText(sealer, text, at);
    },
  };
}

function textOf(sealed: Sealed, at: CodecContext): string {
  if (sealed.is === "plain") return sealed.text.startsWith(prefix) ? `${escaped}${sealed.text}}` : sealed.text;
  const schedule = at.id === "!schedule" ? `,"schedule":${JSON.stringify(at.instanceId)}` : "";
  return `${prefix}${sealed.enc}"${schedule},"data":"${sealed.data}"}`;
}

function openText(sealer: Sealer, text: string, at: CodecContext): string | Promise<string> {
  if (!text.startsWith(prefix)) return text;
  if (text.startsWith(escaped)) return text.slice(escaped.length, -1);
  const { enc, data, schedule } = parseJson(text) as { enc: string; data: unknown; schedule?: unknown };
  if (typeof data !== "string") throw new UnreadableValueError(`${at.id} names the codec ${enc} and has no data`);
  return sealer.open({ is: "coded", enc, data }, placeOf(at, schedule));
}

/** The input of a scheduled instance was written before there was one: it is bound to the schedule, whose id the instance's begins with. */
function placeOf(at: CodecContext, schedule: unknown): CodecContext {
  if (typeof schedule !== "string") return at;
  const isOfIt = at.id === "!schedule" || (at.id === "!input" && at.instanceId.startsWith(`${schedule}-`));
  if (!isOfIt) throw new UnreadableValueError(`${at.id} of instance ${at.instanceId} was written for another place`);
  return { ...at, instanceId: schedule, id: "!schedule" };
}

/** The text of bytes that are JSON in UTF-8; undefined for others, and for none. */
function jsonIn(bytes: Uint8Array | null | undefined): string | undefined {
  if (!bytes || bytes.byteLength === 0) return undefined;
  try {
    const text = decoder.decode(bytes);
    JSON.parse(text);
    return text;
  } catch {
    return undefined;
  }
}

/** What paths begin with. */
function rootOf(id: string): string {
  const word = /^!(\w+)/.exec(id)?.[1];
  switch (word) {
    case "input":
    case "output":
      return word;
    case "schedule":
      return "input";
    case "failure":
      return "error";
    case "signal":
    case "event":
      return "payload";
    default:
      return "value";
  }
}
