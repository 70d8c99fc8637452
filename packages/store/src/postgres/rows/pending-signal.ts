import type { PendingSignal, SignalType } from "../../model.ts";
import { emptyBytes } from "../bytes.ts";

/** From the columns of `pending_signals`; NULL where there is none. */
export function pendingSignalOf(type: SignalType | null, payload: Uint8Array | null): PendingSignal | undefined {
  return type === null ? undefined : { type, payload: payload ?? emptyBytes };
}
