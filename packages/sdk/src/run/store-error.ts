import { limits } from "../limits.ts";
import { readValue, type ValueOrigin } from "../values/index.ts";
import { Oversize, Refusal } from "../values/refusal.ts";
import { writeValue } from "../values/write.ts";
import { thrownText } from "./thrown-text.ts";

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
    if (!(error instanceof Refusal || error instanceof Oversize)) throw error;
    if (!(thrown instanceof Error)) {
      const reason = error instanceof Refusal ? `(thrown value${error.path} ${error.reason})` : "(too large)";
      return writeValue(new Error(`${where()} threw a value that can't be stored ${reason}`));
    }
  }
  // An error with too much in it: what it says is kept.
  const short = new Error(String((thrown as Error).message).slice(0, limits.errorTextCharsMax));
  short.name = String((thrown as Error).name).slice(0, limits.nameBytesMax);
  return writeValue(short);
}
