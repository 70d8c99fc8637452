// Errors as data: name, message, stack, cause, errors and the members that can be stored. Built-in classes and those of this
// package come back as themselves, all others as an Error that keeps its name.

import { errorClasses } from "../errors.ts";
import { thrownText } from "./thrown-text.ts";
import type { Writer } from "./write.ts";

interface MessageErrorClass {
  new (message: string): Error;
  readonly prototype: Error;
}
const builtinClasses = new Map<string, MessageErrorClass>(
  [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError].map((errorClass) => [
    errorClass.name,
    errorClass,
  ]),
);
/** Written on their own, so never as ordinary members. */
const ownWords = new Set(["name", "message", "stack", "cause", "errors"]);

export function isError(value: object): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === "[object Error]";
}

/** Never refuses: members that can't be stored are left out. */
export function writeError(error: Error, writer: Writer): string {
  const text = (key: "name" | "message" | "stack"): string => writer.quote(textOf(error, key));
  const parts = [`"name":${text("name")}`, `"message":${text("message")}`];
  if (typeof read(error, "stack") === "string") parts.push(`"stack":${text("stack")}`);
  for (const word of ["cause", "errors"]) {
    if (!Object.hasOwn(error, word)) continue;
    const written = writer.tryAt(`.${word}`, read(error, word));
    if (written !== undefined) parts.push(`"${word}":${written}`);
  }
  // Its prototype has the code; written, it tells this class from others of the same name.
  if (isDomException(error)) parts.push(`"code":${error.code}`);
  for (const key of Object.keys(error)) {
    if (ownWords.has(key)) continue;
    const written = writer.tryAt(`.${key}`, read(error, key));
    if (written !== undefined) parts.push(`${JSON.stringify(key)}:${written}`);
  }
  return `{"$rt:Error":{${parts.join()}}}`;
}

/** The error that the data of an Error tag describes; undefined when it does not describe one. */
export function readError(data: unknown): Error | undefined {
  if (typeof data !== "object" || data === null || Array.isArray(data)) return undefined;
  const { name, message } = data as { name?: unknown; message?: unknown };
  if (typeof name !== "string" || typeof message !== "string") return undefined;
  const error = construct(name, message, (data as { code?: unknown }).code);
  if (error.name !== name) hide(error, "name", name);
  // An error without a stored stack has none, rather than the one of this reader.
  hide(error, "stack", Object.hasOwn(data, "stack") ? (data as { stack?: unknown }).stack : undefined);
  for (const [key, value] of Object.entries(data)) {
    if (key === "cause" || key === "errors") hide(error, key, value);
    // A DOMException has its code from its name.
    else if (!ownWords.has(key) && !(key === "code" && isDomException(error))) {
      Object.defineProperty(error, key, { value, enumerable: true, configurable: true, writable: true });
    }
  }
  return error;
}

function construct(name: string, message: string, code: unknown): Error {
  const ours = errorClasses.get(name);
  const { stackTraceLimit } = Error;
  // The stack comes from the stored text; taking one here would be work for nothing.
  Error.stackTraceLimit = 0;
  try {
    if (ours !== undefined && ours.code === code)
      return Object.setPrototypeOf(new Error(message), ours.prototype) as Error;
    if (name === "AggregateError") return new AggregateError([], message);
    if (typeof code === "number" && typeof DOMException === "function") {
      const exception = new DOMException(message, name);
      if (exception.code === code && (code > 0 || name === "OperationError")) return exception;
    }
    return new (builtinClasses.get(name) ?? Error)(message);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function isDomException(error: Error): error is DOMException {
  return typeof DOMException === "function" && error instanceof DOMException;
}

function hide(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, enumerable: false, configurable: true, writable: true });
}

function textOf(error: Error, key: "name" | "message" | "stack"): string {
  const value = read(error, key);
  return typeof value === "string" ? value : value === undefined ? "" : thrownText(value);
}

/** A getter on a thrown value may throw itself; then the member counts as absent. */
function read(error: Error, key: string): unknown {
  try {
    return (error as unknown as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}
