import { readFileSync } from "node:fs";

/** Engines that both cores have. */
export type EngineName = "sqlite" | "postgres";

/** What to put into the store before a call; members as the columns of spec 8.2, times in ms, bytes as `utf8:…` or `hex:…`. */
export type SetupOperation =
  | {
      readonly op: "insert_instance";
      readonly instance_id: string;
      readonly tenant_id: string;
      readonly status: string;
      readonly created_at: number;
      readonly checkpoint_id?: string | null;
      readonly started_at?: number | null;
      readonly finished_at?: number | null;
      readonly sleep_until?: number | null;
      readonly output?: string | null;
      readonly error?: string | null;
    }
  | {
      readonly op: "insert_checkpoint";
      readonly instance_id: string;
      readonly checkpoint_id: string;
      readonly state: string;
    }
  | {
      readonly op: "put_signal";
      readonly instance_id: string;
      readonly signal_type: string;
      readonly payload?: string | null;
    }
  | {
      readonly op: "put_custom_signal";
      readonly instance_id: string;
      readonly checkpoint_id: string;
      readonly payload?: string | null;
    }
  | { readonly op: "sql"; readonly text: string };

export type Step =
  | { readonly write: string }
  | { readonly fill: number; readonly count: number }
  | { readonly sleep_ms: number }
  | { readonly fin: true }
  | { readonly reset: number }
  | { readonly stop: number };

export interface RecordedCall {
  readonly name: string;
  readonly setup?: readonly SetupOperation[];
  /** The same as statements on the tables of the engine that it was recorded with. */
  readonly setup_sql?: readonly string[];
  readonly request_hex?: string;
  readonly tail_hex?: string;
  readonly finish: boolean;
  readonly steps?: readonly Step[];
  readonly group?: string;
  readonly timeout_ms?: number;
  readonly at_least_ms?: number;
  readonly response: {
    readonly kind: "frame" | "fin" | "none" | "unread";
    readonly hex?: string;
    readonly length?: number;
    readonly hex_head?: string;
  };
  readonly volatile?: readonly string[];
  readonly driver_text?: readonly string[];
  readonly racy?: string;
}

export interface Scenario {
  readonly name: string;
  readonly needs?: string;
  readonly calls: readonly RecordedCall[];
}

/** Conversations recorded from the original core 1.4.1 on that engine. */
export function readConversations(engine: EngineName): readonly Scenario[] {
  const file = new URL(`../../testdata/core-${engine}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { readonly scenarios: readonly Scenario[] }).scenarios;
}
