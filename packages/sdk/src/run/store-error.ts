import { limits } from "../limits.ts";
import { readValue, type ValueOrigin } from "../values/index.ts";
import { Oversize, Refusal } from "../values/refusal.ts";
import { thrownText } from "../values/thrown-text.ts";
import { writeValue } from "../values/write.ts";

export type ErrorOrigin = ValueOrigin["describe"];

/** The stored text of what was thrown, and the error as it will be read from there: in the first run, too, the workflow sees only that.
 *  Never refuses. `where` begins the message for things that can't be kept. */
export function storeError(thrown: unknown, where: ErrorOrigin): { text: string; error: unknown } {
  const text = textOf(thrown, where);
  try {
    return { text, error: readValue(text) };
  } catch (error) {
    // A registered class that can't read what it wrote: its failure is the error.
    const plain = writeValue(
      new Error(`${where()} threw ${thrownText(thrown)}, which can't be read back: ${thrownText(error)}`),
    );
    return { text: plain, error: readValue(plain) };
  }
}

function textOf(thrown: unknown, where: ErrorOrigin): string {
  try {
    const text = writeValue(thrown);
    if (text.length <= limits.valueBytesMax / 4) return text;
  } catch (error) {
    if (!(thrown instanceof Error)) {
      return writeValue(new Error(`${where()} threw a value that can't be stored (${reasonOf(error)})`));
    }
  }
  // An error with too much in it: what it says is kept.
  const short = new Error(memberText(thrown, "message").slice(0, limits.errorTextCharsMax));
  short.name = memberText(thrown, "name").slice(0, limits.nameBytesMax);
  return writeValue(short);
}

/** Why it can't be stored; a registered class may have failed in words of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof Refusal) return `thrown value${error.path} ${error.reason}`;
  return error instanceof Oversize ? "too large" : thrownText(error);
}

function memberText(error: unknown, member: "name" | "message"): string {
  try {
    return thrownText((error as Error)[member]);
  } catch {
    return "";
  }
}
