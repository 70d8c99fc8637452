import type { LifecycleEffect, LifecycleEvent } from "./table.ts";

/** Who brings an event, and what it is, for the page. */
export const eventWords: Readonly<Record<LifecycleEvent, readonly [who: string, what: string]>> = {
  register: ["process", "registers, for the first time or again"],
  claim: ["worker", "claims it: its ready time has come, or its holder's lease is over"],
  save: ["process", "saves a checkpoint, a batch or published values"],
  complete: ["process", "reports that it completed"],
  fail: ["process", "reports that it failed"],
  suspend: ["process", "reports a suspension and no reason"],
  suspendPaused: ["process", "reports a suspension that a pause asked for"],
  suspendDiverged: ["process", "reports that its code no longer fits its history"],
  suspendSleeping: ["process", "suspends itself until a time, which has not come"],
  suspendWaiting: ["process", "suspends itself until a signal that is not there yet, or a time"],
  acknowledgeCancel: ["process", "acknowledges a cancel"],
  acknowledgePause: ["process", "acknowledges a pause"],
  acknowledgeResume: ["process", "acknowledges a resume"],
  requestCancel: ["operator", "asks it to cancel; unless a cancel is pending, which is kept"],
  requestPause: ["operator", "asks it to pause; unless a cancel is pending"],
  requestResume: ["operator", "asks it to resume; unless a cancel is pending"],
  signalArrived: ["operator", "sent a custom signal of a name that it waits for"],
  kill: ["operator", "ends it, whatever its process does"],
  timeOut: ["time", "its running time is used up"],
  loseTrack: ["time", "nobody launched it or holds it, and it has been silent for too long"],
  leaseEnded: ["time", "its holder's lease ended long ago and nobody has claimed it"],
  release: ["worker", "hands it back, or has nothing to say about it"],
};

/** What an effect writes. */
export const effectWords: Readonly<Record<LifecycleEffect, string>> = {
  begin:
    "A life begins: epoch + 1, start time, a holder or none, when to look after it; output, error, exit code, reason, ready time and names of the last life are cleared; event `started`.",
  letGo:
    "Holder, ready time, due time and names are gone; running time is added up. A holder that did not do it itself is told by its next renewal.",
  end: "End time; its sleeps are forgotten; what its end means for its parent and its attached children is noted, to be carried out next.",
  acknowledge: "The pending signal counts as acknowledged.",
  slot: "The signal becomes the pending one, in place of a pause or resume.",
  ready: "It may be claimed now, or after the delay that came with it, unless it was ready before.",
  arm: "It may be claimed from the time that it asked for on, and is woken by the names that it asked for.",
  fence: "Epoch + 1: what its process still writes is refused.",
  note: "The server writes an event: `suspended` or `failed` with the reason as its subtype, or `custom` with the subtype `cancelled`.",
};
