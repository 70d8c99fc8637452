import type { EntryKind } from "./entries.ts";
import type { Outgoing } from "./outbox.ts";
import type { ReplayedEntry } from "./replayer.ts";

/** A result whose turn it is, of this process or of the history. */
export interface Delivery {
  readonly id: string;
  readonly seq: number;
  readonly at: number;
  readonly kind: EntryKind;
  readonly outcome: "value" | "error";
  readonly value: unknown;
}

export function deliveryOf({ id, head: { seq, at, kind }, outcome, value }: Outgoing): Delivery {
  return { id, seq, at, kind, outcome, value };
}

export function storedDelivery({ id, envelope: { seq, at, kind, outcome }, value }: ReplayedEntry): Delivery {
  return { id, seq, at, kind, outcome, value };
}
