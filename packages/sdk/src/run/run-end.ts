import { type FencedError, isRuntaraError, type NonDeterminismError } from "../errors.ts";
import { storeValue } from "../values/index.ts";
import { storeError } from "./store-error.ts";

/** How a run ended in this process. */
export type RunEnd =
  | { readonly is: "returned"; readonly value: unknown; readonly text: string | undefined }
  | { readonly is: "threw"; readonly error: unknown }
  | { readonly is: "cancelled" }
  | { readonly is: "diverged"; readonly error: NonDeterminismError }
  | { readonly is: "fenced"; readonly error: FencedError }
  | { readonly is: "paused" }
  /** Dropped: by request, or because the history gave up with an error. */
  | { readonly is: "stopped"; readonly error: unknown };

/** What the workflow function came to. */
export interface BodyResult {
  readonly outcome: "value" | "error";
  readonly value: unknown;
}

/** The end that a finished function makes. An output that can't be stored is a failure; CancelledError of a cancelled run is its cancel. */
export function endOf(result: BodyResult, workflow: string, isCancelled: boolean): RunEnd {
  if (result.outcome === "error") {
    if (isCancelled && isRuntaraError(result.value, "CANCELLED")) return { is: "cancelled" };
    return { is: "threw", error: result.value };
  }
  const origin = { root: "output", describe: () => `workflow ${JSON.stringify(workflow)} returned` };
  try {
    const text = result.value === undefined ? undefined : storeValue(result.value, origin);
    return { is: "returned", value: result.value, text };
  } catch (error) {
    return { is: "threw", error: storeError(error, origin.describe).error };
  }
}
