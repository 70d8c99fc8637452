/** Known to every installed copy of this package. */
const brand = Symbol.for("runtara.continuation/1");

/** What `continueAsNew` returns, and the workflow function with it: the next run of the same instance begins with this input. */
export class Continuation {
  readonly input: unknown;
  constructor(input: unknown) {
    this.input = input;
  }
}

Object.defineProperty(Continuation.prototype, brand, { value: true });

export function isContinuation(value: unknown): value is Continuation {
  return typeof value === "object" && value !== null && brand in value;
}
