// Standard Schema (https://standardschema.dev, version 1): what zod, valibot, arktype and others offer under `~standard`.

import { ConfigError, ValidationError } from "./errors.ts";

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

/** The validated value, which may differ from the given one (defaults, transforms).
 *  @throws ValidationError with the issues and their paths; ConfigError when the schema itself fails */
export async function validate(schema: StandardSchemaV1, value: unknown, what: string): Promise<unknown> {
  let result: SchemaResult<unknown>;
  try {
    result = await schema["~standard"].validate(value);
  } catch (cause) {
    throw new ConfigError(`${what}: its schema threw ${String(cause)}`, { cause });
  }
  if (!result.issues) return result.value;
  const issues = result.issues.map(({ message, path }) => ({ message, path: pathText(path ?? []) }));
  const list = issues.map((issue) => `${issue.path === "" ? "" : `${issue.path}: `}${issue.message}`).join("; ");
  throw new ValidationError(`${what} is not valid: ${list}`, issues);
}

function pathText(path: NonNullable<SchemaIssue["path"]>): string {
  return path
    .map((part) => (typeof part === "object" ? part.key : part))
    .map((key, index) => (typeof key === "number" ? `[${key}]` : `${index === 0 ? "" : "."}${String(key)}`))
    .join("");
}
