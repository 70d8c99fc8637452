/** What was thrown, as text. Never fails, whatever it is: an object without a prototype has no text of its own. */
export function thrownText(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return "a value that has no text";
  }
}
