/** One thing of an instance's history, decoded. `at` of an entry is the time of its delivery, which `now()` gave; of all else when it was stored. */
export type Entry = { readonly at: Date } & (
  | BeginEntry
  | WorkflowEntry
  | CheckpointEntry
  | EventEntry
  | RetryEntry
  | SentEntry
);

/** Always the first: what a replay begins with. `at`: when the instance was started first. */
export interface BeginEntry {
  readonly kind: "begin";
  readonly instanceId: string;
  readonly tenantId: string;
  readonly workflow: string;
  readonly version?: string;
  /** The present one: 1, and one more with each continuation. */
  readonly run: number;
  /** 32 hexadecimal digits. */
  readonly seed: string;
  readonly input: unknown;
}

/** What a workflow has stored. */
export interface WorkflowEntry {
  readonly kind: "step" | "sleep" | "signal" | "child" | "cancel" | "patch" | "start" | "next";
  /** Checkpoint id; `!2.` and so on are before those of later runs. */
  readonly id: string;
  readonly name: string;
  /** The place in the order of delivery, within its run. */
  readonly seq: number;
  /** Where the code made the call, as `src/order.ts:12:30`. */
  readonly src?: string;
  /** The call was made in code that had awaited something that is not durable. */
  readonly foreign?: true;
  readonly outcome: "value" | "error";
  readonly value?: unknown;
  readonly error?: unknown;
}

/** A state that no workflow of this SDK wrote, or one that was too long to be sent along (state undefined, in `watch` alone). */
export interface CheckpointEntry {
  readonly kind: "checkpoint";
  readonly id: string;
  readonly state: Uint8Array | undefined;
}

/** An event: started, suspended, completed, … and with `type` custom those of `emit`. */
export interface EventEntry {
  readonly kind: "event";
  readonly type: string;
  readonly subtype?: string;
  readonly payload?: unknown;
}

/** A retry that was announced: `attempt` is the one to be made. */
export interface RetryEntry {
  readonly kind: "retry";
  readonly id: string;
  readonly attempt: number;
  readonly nextAt?: Date;
  readonly error?: string;
}

/** A signal that was sent to the instance: a named one, or cancel, pause, resume. */
export interface SentEntry {
  readonly kind: "sent";
  readonly name: string;
  readonly payload?: unknown;
  /** It has been taken. */
  readonly delivered: boolean;
}

/** First line of an exported history; JSON lines in UTF-8. Unknown members and lines of an unknown kind are to be passed over; `format` grows by 1
 *  when old readers would err. */
export interface HistoryFileHead {
  readonly $rt: "history";
  readonly format: 1;
  readonly instanceId: string;
  readonly tenantId: string;
  readonly workflow: string;
  readonly version?: string;
  readonly status: string;
  readonly run: number;
  readonly startedAtMs: number;
  /** 32 hexadecimal digits. */
  readonly seed: string;
  /** As stored, coded where a codec was used; absent = none. */
  readonly input?: string;
  readonly inputBase64?: string;
}

/** Every further line, oldest first. States and payloads are as stored: text where they are UTF-8, else in the member with `Base64`. */
export type HistoryFileLine =
  | {
      readonly kind: "checkpoint";
      readonly atMs: number;
      readonly id: string;
      readonly state?: string;
      readonly stateBase64?: string;
    }
  | {
      readonly kind: "retry";
      readonly atMs: number;
      readonly id: string;
      readonly attempt: number;
      readonly nextAtMs?: number;
      readonly error?: string;
    }
  | {
      readonly kind: "event";
      readonly atMs: number;
      readonly type: string;
      readonly subtype?: string;
      readonly payload?: string;
      readonly payloadBase64?: string;
    }
  | {
      readonly kind: "signal";
      readonly atMs: number;
      readonly type?: string;
      readonly name?: string;
      readonly payload?: string;
      readonly payloadBase64?: string;
      readonly delivered: boolean;
    };
