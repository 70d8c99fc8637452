import type { SchemaInput, SchemaOutput, StandardSchemaV1 } from "../schema.ts";

export type { StandardSchemaV1 } from "../schema.ts";

/** Schemas by name: of signals, of published values. */
export type Shapes = Readonly<Record<string, StandardSchemaV1>>;
/** What a schema takes. */
export type In<S extends StandardSchemaV1> = SchemaInput<S>;
/** What it gives. */
export type Out<S extends StandardSchemaV1> = SchemaOutput<S>;
