// The value codec on its own: no Node modules, runs everywhere (but for zstd, which loads node:zlib when it is first used).

import { UnreadableValueError, UnstorableValueError, ValueTooLargeError } from "../errors.ts";
import type { ValueOrigin } from "../values/index.ts";
import { readValue, storeValue } from "../values/index.ts";

export type { ClassSpec } from "../values/classes.ts";
export { registerClass } from "../values/classes.ts";
export type { Codec, CodecContext } from "../values/codec-port.ts";
export { aesGcm } from "./aes-gcm.ts";
export { zstd } from "./zstd.ts";
export { UnreadableValueError, UnstorableValueError, ValueTooLargeError };

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const origin: ValueOrigin = { root: "value", describe: () => "encode() was given" };

/** The stored text of a value. Plain JSON is stored as exactly that; Date, Map, Set, bigint, typed arrays, errors, registered classes
 *  and so on as objects with one `$rt:` key. Shared references are copied.
 *  @throws UnstorableValueError naming the path; ValueTooLargeError */
export function encode(value: unknown): string {
  return storeValue(value, origin);
}

/** The value of stored text (or its UTF-8 bytes): deep-equal to what was encoded, with the same prototypes.
 *  @throws UnreadableValueError for broken UTF-8 or JSON, an unknown tag, a class that is not registered */
export function decode(stored: string | Uint8Array): unknown {
  return readValue(typeof stored === "string" ? stored : textOf(stored));
}

function textOf(stored: Uint8Array): string {
  try {
    return decoder.decode(stored);
  } catch (cause) {
    throw new UnreadableValueError("stored text is not UTF-8", { cause });
  }
}
