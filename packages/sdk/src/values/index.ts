import { UnstorableValueError, ValueTooLargeError } from "../errors.ts";
import { limits } from "../limits.ts";
import { Oversize, Refusal } from "./refusal.ts";
import { writeValue } from "./write.ts";

export { readValue } from "./read.ts";

/** Where a value comes from, for messages; only asked when something is wrong with it. */
export interface ValueOrigin {
  /** What the paths start with: result, input, output. */
  readonly root: string;
  /** Begins the sentence: `step "load" (src/a.ts:9:3) returned`. */
  describe(): string;
}

/** The stored text. @throws UnstorableValueError, ValueTooLargeError, both in words of the origin */
export function storeValue(value: unknown, origin: ValueOrigin): string {
  let text: string;
  try {
    text = writeValue(value);
  } catch (error) {
    if (error instanceof Refusal) {
      const path = origin.root + error.path;
      throw new UnstorableValueError(
        `${origin.describe()} a value that can't be stored: ${path} ${error.reason}`,
        path,
        "cause" in error ? { cause: error.cause } : undefined,
      );
    }
    if (error instanceof Oversize) throw tooLarge(`more than ${mebibytes(limits.valueBytesMax)} MiB`, origin);
    throw error;
  }
  // A character takes at most three bytes, so most texts need no counting.
  if (text.length * 3 > limits.valueBytesMax - limits.envelopeBytesReserved) checkSize(text, origin);
  return text;
}

function checkSize(text: string, origin: ValueOrigin): void {
  const bytes = byteLength(text);
  if (bytes > limits.valueBytesMax - limits.envelopeBytesReserved) throw tooLarge(`${mebibytes(bytes)} MiB`, origin);
}

function tooLarge(size: string, origin: ValueOrigin): ValueTooLargeError {
  const limit = mebibytes(limits.valueBytesMax);
  return new ValueTooLargeError(
    `${origin.describe()} ${size}; the limit is ${limit} MiB. Store it elsewhere and return a reference.`,
  );
}

function mebibytes(bytes: number): string {
  return (bytes / (1 << 20)).toFixed(1).replace(/\.0$/, "");
}

/** UTF-8 bytes of a text, without encoding it. */
export function byteLength(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}
