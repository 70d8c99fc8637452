import type { Duration } from "../durations.ts";
import type { Entry } from "./history.ts";
import type { In, Out } from "./schema.ts";
import type { Wait } from "./step.ts";
import type { AnyWorkflow, InputOf, OutputOf, PublishedOf, SignalsOf } from "./workflow.ts";

/** Where an instance is in its life; the last three are ends. */
export type Status = "pending" | "running" | "suspended" | "completed" | "failed" | "cancelled";

/** The input may be left out where the workflow takes undefined. */
export type Args<I, O> = undefined extends I ? [input?: I, options?: O] : [input: I, options?: O];

/** How an instance is started. */
export interface StartOptions {
  /** Any text of up to 2,704 bytes. A start with the same id, workflow, version and input attaches to the instance that is there. Default: a new
   *  UUID (version 7). */
  id?: string;
  /** To be found by: at most 64, names and values of up to 256 bytes. Not compared when an id is used again. */
  tags?: Readonly<Record<string, string>>;
  /** Not before this time. */
  startAt?: Date;
  /** Running time, suspensions left out, after which the instance fails, where it stands: its compensations don't run. Default none. */
  timeout?: Duration;
}

/** How a child is started. */
export interface SpawnOptions {
  /** Default: the parent's id, a dot and the checkpoint id. */
  id?: string;
  /** In checkpoint ids and listings. Default: the workflow's name. */
  name?: string;
  /** It goes on when the parent ends; else it is cancelled then. Default false. */
  detached?: boolean;
}

/** A child as its parent sees it. What is done through it is stored in the parent's history. */
export interface Child<W extends AnyWorkflow> {
  readonly id: string;
  /** Settles when the start is durable. @throws StartConflictError, UnsupportedError */
  readonly started: Promise<void>;
  /** Its output, once it has ended. A parent that waits long gives its process back meanwhile.
   *  @throws InstanceFailedError with the child's own error as cause; CancelledError: the child was, or this instance is */
  result(): Wait<OutputOf<W>>;
  /** Sends it a signal, once. */
  signal(name: string, payload: unknown): Promise<void>;
  /** Asks it to cancel, once. */
  cancel(): Promise<void>;
}

/** Starts instances and gives handles of them. Giving up waiting for a call changes nothing; calls are repeated for 30 s while the store or the core
 *  is away (`result` and `watch` for as long as they wait), then they throw ConnectionError. */
export interface Client {
  /** Idempotent by id: an instance of the same workflow and version with an equal input is attached to, finished or not.
   *  @throws ValidationError, UnstorableValueError, ValueTooLargeError for the input: nothing was sent; StartConflictError naming what differs;
   *  ConfigError, ConnectionError */
  start<W extends AnyWorkflow>(workflow: W, ...args: Args<InputOf<W>, StartOptions>): Promise<Handle<W>>;
  /** `start`, then `result`. @throws like both */
  run<W extends AnyWorkflow>(workflow: W, ...args: Args<InputOf<W>, StartOptions>): Promise<OutputOf<W>>;
  /** A handle of an instance that is there already. Asks nothing until it is used. */
  get<W extends AnyWorkflow>(workflow: W, id: string): Handle<W>;
  /** Instances that fit, newest first, read page by page as you go. */
  list(filter?: ListFilter): AsyncIterable<InstanceSummary>;
  readonly schedules: Schedules;
}

/** What all listed instances have. */
export interface ListFilter {
  workflow?: string;
  status?: Status | readonly Status[];
  /** Both exclusive. */
  createdAfter?: Date;
  createdBefore?: Date;
  /** All of these. */
  tags?: Readonly<Record<string, string>>;
}

/** A row of `list`. `reason` as in {@link InstanceState}. */
export interface InstanceSummary {
  readonly id: string;
  readonly workflow?: string;
  readonly status: Status;
  readonly reason?: string;
  readonly version?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdAt: Date;
  readonly startedAt?: Date;
  readonly finishedAt?: Date;
}

/** What `handle.status()` tells. */
export interface InstanceState {
  readonly status: Status;
  /** As the store words it (sleeping, waiting, paused, diverged, lost, handedBack, timeout, killed …); "unserved": ready for more than
   *  2 s, and no process has taken it. */
  readonly reason?: string;
  readonly version?: string;
  /** From when on it may run: the planned start, or the end of a sleep. */
  readonly wakeAt?: Date;
  /** Names of signals that a suspended one waits for. */
  readonly waitingFor?: readonly string[];
  readonly startedAt?: Date;
  readonly finishedAt?: Date;
}

/** One instance as its clients see it, typed by its workflow. All methods throw NotFoundError for an id that nobody has, and ConnectionError. */
export interface Handle<W extends AnyWorkflow> {
  readonly id: string;
  /** Its output, once it has ended. Giving up waiting, by time or signal, changes nothing.
   *  @throws InstanceFailedError with the workflow's own error as cause; CancelledError; WaitTimeoutError; the signal's reason;
   *  UnreadableValueError */
  result(options?: { timeout?: Duration; signal?: AbortSignal }): Promise<OutputOf<W>>;
  status(): Promise<InstanceState>;
  /** Sends a signal, once; it waits for the instance to take it, whatever that does now. Signals of one name are taken in the order of sending.
   *  @throws ValidationError where the workflow's definition has a schema for it; ContextError: the instance has ended, or the name is not
   *  declared; UnstorableValueError */
  signal<K extends keyof SignalsOf<W> & string>(name: K, payload: In<SignalsOf<W>[K]>): Promise<void>;
  /** The value that was published last under this key; undefined while there is none. */
  published<K extends keyof PublishedOf<W> & string>(key: K): Promise<Out<PublishedOf<W>[K]> | undefined>;
  /** Asks it to end: waits reject with CancelledError, compensations run. Of an ended one: nothing, as with the three that follow. */
  cancel(reason?: string): Promise<void>;
  /** Ends it at once, without its cooperation; no compensation runs. */
  kill(reason?: string): Promise<void>;
  /** Running steps finish, then it is suspended until `resume`. */
  pause(): Promise<void>;
  /** Goes on after a pause, or after a divergence once the code is right again. */
  resume(): Promise<void>;
  /** Everything it has left behind, decoded, oldest first, read page by page. The first entry is of the kind `begin`.
   *  @throws UnreadableValueError, UnsupportedError */
  history(): AsyncIterable<Entry>;
  /** What happens from now on, beginning with the present state. Ends with the instance, or quietly when the signal aborts. */
  watch(options?: { signal?: AbortSignal }): AsyncIterable<Change>;
}
/** A handle of whatever workflow. */
export type AnyHandle = Pick<Handle<AnyWorkflow>, "id">;

/** What `watch` tells. */
export type Change =
  | { readonly kind: "state"; readonly at: Date; readonly state: InstanceState }
  | { readonly kind: "published"; readonly at: Date; readonly key: string; readonly value: unknown }
  | { readonly kind: "entry"; readonly at: Date; readonly entry: Entry };

/** Instances that are started by the clock. They are fired by each process that runs `open` on the store, or by the core. */
export interface Schedules {
  /** Makes or replaces; an equal one stays as it is, so a process may put its schedules at every start. @throws ConfigError for the cron text */
  put(schedule: Schedule): Promise<void>;
  /** In the order of their ids. */
  list(): AsyncIterable<Schedule>;
  /** One that does not exist is none. Instances that it has started go on. */
  delete(id: string): Promise<void>;
}

/** When instances of a workflow are started. A firing starts the instance `<id>-<planned time>`, so that each time is one instance, whoever
 *  fires. */
export interface Schedule {
  id: string;
  /** Its name. The instances are bound to no version. */
  workflow: string;
  input?: unknown;
  /** Five or six fields. */
  cron: string;
  /** IANA name; default UTC. */
  timezone?: string;
  /** While the last one still runs. Default "skip". */
  overlap?: "skip" | "queue" | "all";
  /** For times that passed while nobody fired. Default "none". */
  catchUp?: "none" | "last" | "all";
  /** Kept, and not fired. Default false. */
  paused?: boolean;
}
