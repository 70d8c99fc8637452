import type { LifecycleEvent } from "../lifecycle/table.ts";
import type { SignalType } from "../model.ts";
import type { Draft } from "./draft.ts";

const events: Readonly<Record<SignalType, LifecycleEvent>> = {
  cancel: "requestCancel",
  pause: "requestPause",
  resume: "requestResume",
};

/** Lets a signal to the whole instance take effect. A pending cancel is kept, with its payload, whatever comes after it (I6). */
export function request(
  signal: { readonly type: SignalType; readonly payload: Uint8Array | null },
  text: string | null,
  draft: Draft,
): void {
  if (draft.row.pendingSignal === "cancel") return;
  draft.happen(events[signal.type], { signal, text, notePayload: signal.payload });
}
