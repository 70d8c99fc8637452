/** "step" is not written. `next` is the entry that ends a run by continueAsNew. */
export type EntryKind = "step" | "sleep" | "signal" | "child" | "cancel" | "patch" | "start" | "next";

export interface EntryHead {
  readonly seq: number;
  readonly at: number;
  readonly kind: EntryKind;
  /** JSON of the call site. */
  readonly src?: string | undefined;
  readonly foreign?: boolean;
  /** Messages of the run that went out before it: they are durable if this entry is. */
  readonly out?: number | undefined;
  /** Sparse histories only: [seq, count, id] of what had been delivered. */
  readonly after?: readonly [seq: number, count: number, id: string] | undefined;
}

/** An entry on its way. The history seals the payload, makes the envelope and saves it, in the order in which entries and messages were given. */
export interface OutgoingEntry {
  readonly id: string;
  readonly head: EntryHead;
  readonly outcome: "value" | "error";
  /** Stored text of the value; undefined for none. */
  readonly payload: string | undefined;
  readonly consumesSignalId?: number | undefined;
  /** This entry begins the next run. */
  readonly beginsRun?: number | undefined;
}

/** An entry as it was stored, opened. */
export interface StoredEntry {
  readonly id: string;
  readonly text: string;
  /** Undefined: the state under this id was not written by a workflow. */
  readonly seq: number | undefined;
  /** Why its text can't be had: no such codec here, or it failed. */
  readonly fault?: Error | undefined;
}

export interface RunMessage {
  readonly number: number;
  readonly content:
    | { readonly kind: "published"; readonly key: string; readonly text: string }
    | { readonly kind: "event"; readonly subtype: string; readonly text: string; readonly at: number };
}
