/** What a text costs in JSON, with quotation marks and escapes. */
function jsonLength(text: string): number {
  return JSON.stringify(text).length;
}

/** Stands where there was no room. */
export const cutMark = "…";
/** Room for one such value, which every member has reserved. */
const cutLength = jsonLength(cutMark);
/** Room for `"…":4294967295,` and two brackets. */
const frameLength = 2 + cutLength + 12;

/** Characters of JSON that may still be written. Every part is paid for before it is made, so the sum is a promise. */
export class Budget {
  #left: number;

  constructor(characters: number) {
    this.#left = characters;
  }

  #take(characters: number): boolean {
    if (characters > this.#left) return false;
    this.#left -= characters;
    return true;
  }

  /** For an object or list with its brackets and the note of what was left out; its place is reserved. */
  takeFrame(): boolean {
    return this.#take(frameLength);
  }

  /** For a key, or "" for an item of a list, and for a value that may have to be `cutMark`. */
  takePlace(key: string): boolean {
    return this.#take((key === "" ? 0 : jsonLength(key) + 1) + 1 + cutLength);
  }

  /** `value` if there is room for it in its place, else `cutMark`. */
  fit<Value extends string | number | boolean>(value: Value): Value | typeof cutMark {
    const length = typeof value === "string" ? jsonLength(value) : String(value).length;
    return this.#take(Math.max(0, length - cutLength)) ? value : cutMark;
  }
}
