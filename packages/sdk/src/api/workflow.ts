import type { Duration } from "../durations.ts";
import type { Storable } from "../values/storable.ts";
import type { Context } from "./context.ts";
import type { Shapes, StandardSchemaV1 } from "./schema.ts";
import type { Retry } from "./step.ts";

declare const types: unique symbol;
declare const continuation: unique symbol;

/** A workflow: a name and a function. It starts nothing by itself. */
export interface Workflow<N extends string, I, O, S extends Shapes = Shapes, P extends Shapes = Shapes> {
  readonly name: N;
  readonly version?: string;
  /** Only there for the type checker. */
  readonly [types]?: { readonly input: I; readonly output: O; readonly signals: S; readonly published: P };
}

/** A workflow of whatever types. */
export type AnyWorkflow = Workflow<string, unknown, unknown, Shapes, Shapes>;

type TypesOf<W extends AnyWorkflow> = NonNullable<W[typeof types]>;
/** What a workflow is started with. */
export type InputOf<W extends AnyWorkflow> = TypesOf<W>["input"];
/** What it returns. */
export type OutputOf<W extends AnyWorkflow> = TypesOf<W>["output"];
/** The schemas of its signals by name. */
export type SignalsOf<W extends AnyWorkflow> = TypesOf<W>["signals"];
/** The schemas of what it publishes, by key. */
export type PublishedOf<W extends AnyWorkflow> = TypesOf<W>["published"];

/** What `continueAsNew` makes; to be returned. */
export interface ContinueAsNew {
  readonly [continuation]: true;
}

/** What a workflow function ends with, less the continuation. */
export type Ended<R> = Exclude<R, ContinueAsNew>;

/** A workflow function. An output that can't be stored fails to compile. */
export type Body<I, R, S extends Shapes = Shapes, P extends Shapes = Shapes> = ((
  input: I,
  ctx: Context<S, P>,
) => Promise<R>) &
  Storable<Ended<R>>;

/** What a workflow is beside its name, its input and its function. */
export interface WorkflowOptions<S extends Shapes = Shapes, P extends Shapes = Shapes> {
  /** Absent: any code may continue any instance. Given: an instance keeps its version and runs only where that is served. */
  version?: string;
  /** Older versions whose instances this code may continue. */
  accepts?: readonly string[];
  /** Payload schemas by signal name: they type `ctx.waitFor` and `handle.signal`, and are checked on arrival. A payload that does not fit is put
   *  aside, with an event `signal_rejected`, and the wait goes on. Absent: names are free, payloads unknown. */
  signals?: S;
  /** The same for `publish` and `handle.published`; these must answer at once. */
  published?: P;
  /** Defaults for every step. */
  step?: { retry?: Retry | false; timeout?: Duration };
}

/** What the run engine needs of a workflow. Global symbol, so that the runner of one installed copy runs the workflow of another. */
export interface WorkflowDefinition {
  readonly name: string;
  readonly version: string | undefined;
  readonly accepts: readonly string[];
  readonly body: (input: unknown, ctx: Context<Shapes, Shapes>) => unknown;
  readonly schema: StandardSchemaV1 | undefined;
  readonly signals: Shapes;
  readonly published: Shapes;
  readonly step: { readonly retry?: Retry | false; readonly timeout?: Duration };
}
