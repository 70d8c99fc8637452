// Standard Schema (https://standardschema.dev, version 1): what zod, valibot, arktype and others offer under `~standard`.

import { ConfigError, ValidationError } from "./errors.ts";
import { thrownText } from "./values/thrown-text.ts";

/** The part of the Standard Schema interface that is used here. */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The type a schema takes. */
export type SchemaInput<S extends StandardSchemaV1> = NonNullable<S["~standard"]["types"]>["input"];
/** The type a schema gives. */
export type SchemaOutput<S extends StandardSchemaV1> = NonNullable<S["~standard"]["types"]>["output"];

/** A schema that checks nothing and gives a type: `workflow("order", { input: type<Order>() }, …)`. */
export function type<T>(): StandardSchemaV1<T> {
  return { "~standard": { version: 1, vendor: "runtara", validate: (value) => ({ value: value as T }) } };
}

/** True for what has the interface. arktype's types are functions. */
export function isSchema(value: unknown): value is StandardSchemaV1 {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard = (value as { "~standard"?: unknown })["~standard"];
  return (
    typeof standard === "object" &&
    standard !== null &&
    typeof (standard as { validate?: unknown }).validate === "function"
  );
}

/** The validated value, which may differ from the given one (defaults, transforms).
 *  @throws ValidationError with the issues and their paths; ConfigError when the schema itself fails */
export async function validate(schema: StandardSchemaV1, value: unknown, what: string): Promise<unknown> {
  try {
    return validatedValue(await schema["~standard"].validate(value), what);
  } catch (cause) {
    throw ownError(cause, what);
  }
}

/** As {@link validate}, for what can't be awaited. @throws ConfigError also when the schema answers with a promise */
export function validateNow(schema: StandardSchemaV1, value: unknown, what: string): unknown {
  try {
    const result = schema["~standard"].validate(value);
    if (!isThenable(result)) return validatedValue(result, what);
    Promise.resolve(result).catch(() => {});
  } catch (cause) {
    throw ownError(cause, what);
  }
  throw new ConfigError(`${what}: its schema is asynchronous; use one that answers at once`);
}

function isThenable<T extends object>(result: T | PromiseLike<T>): result is PromiseLike<T> {
  return typeof (result as Partial<PromiseLike<T>>).then === "function";
}

function validatedValue(result: SchemaResult<unknown>, what: string): unknown {
  if (!result.issues) return result.value;
  const issues = result.issues.map(({ message, path }) => ({ message, path: pathText(path ?? []) }));
  const list = issues.map((issue) => `${issue.path === "" ? "" : `${issue.path}: `}${issue.message}`).join("; ");
  throw new ValidationError(`${what} is not valid: ${list}`, issues);
}

function ownError(cause: unknown, what: string): Error {
  return cause instanceof ValidationError
    ? cause
    : new ConfigError(`${what}: its schema threw ${thrownText(cause)}`, { cause });
}

function pathText(path: NonNullable<SchemaIssue["path"]>): string {
  return path
    .map((part) => (typeof part === "object" ? part.key : part))
    .map((key, index) => (typeof key === "number" ? `[${key}]` : `${index === 0 ? "" : "."}${String(key)}`))
    .join("");
}
