import type { DivergenceReport } from "./report.ts";

/** What a run tells while it goes. */
export type EngineEvent =
  /** The replay is over: so many stored entries were delivered, new bodies run from here. */
  | { type: "live"; replayed: number; tookMs: number }
  /** An entry is durable. */
  | {
      type: "saved";
      id: string;
      kind: "step" | "sleep" | "cancel";
      name: string;
      seq: number;
      outcome: "value" | "error";
      bytes: number;
    }
  | { type: "attemptFailed"; id: string; name: string; attempt: number; error: unknown; nextInMs: number }
  | { type: "abandoned"; names: readonly string[] }
  | { type: "warning"; message: string }
  | { type: "diverged"; report: DivergenceReport };
