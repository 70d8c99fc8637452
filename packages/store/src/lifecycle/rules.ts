import type { InstanceStatus } from "../model.ts";
import type { Rule } from "./table.ts";

// The life of an instance, line by line. Of the lines of one event the first that fits counts; docs/lifecycle.md is made of them.

const open: readonly InstanceStatus[] = ["pending", "running", "suspended"];
const ended: readonly InstanceStatus[] = ["completed", "failed", "cancelled"];
/** Where the instance's process may still say how it went on. */
const unsuspended: readonly InstanceStatus[] = ["pending", "running"];

/** An exit with a cancel that nobody has acknowledged is a cancelled end, unless the history has that cancel. */
const cancelWins = {
  pending: ["cancel"],
  recorded: false,
  outcome: { to: "cancelled", reason: "cancelled", effects: ["acknowledge", "letGo", "end"] },
} as const;
/** A resume that came before the suspension is obeyed at once. */
const resumeWins = {
  claimable: true,
  pending: ["resume"],
  outcome: { to: "suspended", reason: null, effects: ["letGo", "acknowledge", "ready"] },
} as const;
/** Of one that no worker can wake: nobody is left to acknowledge a cancel, whatever it has recorded. */
const cancelOfUnclaimable = {
  from: ["suspended"],
  claimable: false,
  pending: ["cancel"],
  outcome: { to: "cancelled", reason: "cancelled", effects: ["acknowledge", "letGo", "end"] },
} as const;
const cancelledByOrder = { to: "cancelled", reason: "cancelled", effects: ["letGo", "end", "note"] } as const;
const slot = { to: "same", effects: ["slot"] } as const;

const starts: readonly Rule[] = [
  { on: "register", from: ["pending"], outcome: { to: "running", reason: null, effects: ["begin"] } },
  {
    on: "register",
    from: ["running", "suspended"],
    outcome: { to: "running", reason: null, effects: ["letGo", "begin"] },
  },
  { on: "register", from: ended, outcome: "refused" },
  // The caller has seen that the ready time has come, or that the holder's lease is over.
  { on: "claim", from: ["pending"], claimable: true, outcome: { to: "running", reason: null, effects: ["begin"] } },
  {
    on: "claim",
    from: ["running", "suspended"],
    claimable: true,
    outcome: { to: "running", reason: null, effects: ["letGo", "begin"] },
  },
  { on: "claim", from: open, claimable: false, outcome: "refused" },
  { on: "claim", from: ended, outcome: "refused" },
];

const reports: readonly Rule[] = [
  { on: "save", from: ["running"], outcome: { to: "same", effects: [] } },
  { on: "save", from: ["pending", "suspended", ...ended], outcome: "refused" },
  { on: "complete", from: open, outcome: { to: "completed", reason: "reported", effects: ["letGo", "end"] } },
  { on: "complete", from: ended, outcome: "ignored" },
  { on: "fail", from: open, outcome: { to: "failed", reason: "reported", effects: ["letGo", "end"] } },
  { on: "fail", from: ended, outcome: "ignored" },
];

const suspensions: readonly Rule[] = [
  { on: "suspend", from: unsuspended, ...cancelWins },
  { on: "suspend", from: unsuspended, ...resumeWins },
  { on: "suspend", from: unsuspended, outcome: { to: "suspended", reason: null, effects: ["letGo"] } },
  { on: "suspend", ...cancelOfUnclaimable },
  { on: "suspend", from: ["suspended", ...ended], outcome: "ignored" },
  { on: "suspendPaused", from: unsuspended, ...cancelWins },
  { on: "suspendPaused", from: unsuspended, ...resumeWins },
  { on: "suspendPaused", from: unsuspended, outcome: { to: "suspended", reason: "paused", effects: ["letGo"] } },
  { on: "suspendPaused", ...cancelOfUnclaimable },
  { on: "suspendPaused", from: ["suspended", ...ended], outcome: "ignored" },
  { on: "suspendDiverged", from: unsuspended, ...cancelWins },
  { on: "suspendDiverged", from: unsuspended, outcome: { to: "suspended", reason: "diverged", effects: ["letGo"] } },
  { on: "suspendDiverged", ...cancelOfUnclaimable },
  { on: "suspendDiverged", from: ["suspended", ...ended], outcome: "ignored" },
  // The caller has seen that nothing of what it awaits is there yet.
  {
    on: "suspendSleeping",
    from: ["running"],
    outcome: { to: "suspended", reason: "sleeping", effects: ["letGo", "arm", "note"] },
  },
  { on: "suspendSleeping", from: ["pending", "suspended", ...ended], outcome: "refused" },
  {
    on: "suspendWaiting",
    from: ["running"],
    outcome: { to: "suspended", reason: "waiting", effects: ["letGo", "arm", "note"] },
  },
  { on: "suspendWaiting", from: ["pending", "suspended", ...ended], outcome: "refused" },
];

const acknowledgements: readonly Rule[] = [
  {
    on: "acknowledgeCancel",
    from: open,
    pending: ["cancel"],
    outcome: { to: "cancelled", reason: "cancelled", effects: ["acknowledge", "letGo", "end"] },
  },
  { on: "acknowledgeCancel", from: ended, pending: ["cancel"], outcome: { to: "same", effects: ["acknowledge"] } },
  { on: "acknowledgeCancel", from: [...open, ...ended], outcome: "refused" },
  {
    on: "acknowledgePause",
    from: [...open, ...ended],
    pending: ["pause"],
    outcome: { to: "same", effects: ["acknowledge"] },
  },
  { on: "acknowledgePause", from: [...open, ...ended], outcome: "refused" },
  {
    on: "acknowledgeResume",
    from: [...open, ...ended],
    pending: ["resume"],
    outcome: { to: "same", effects: ["acknowledge"] },
  },
  { on: "acknowledgeResume", from: [...open, ...ended], outcome: "refused" },
];

const orders: readonly Rule[] = [
  { on: "requestCancel", from: ["pending"], outcome: cancelledByOrder },
  { on: "requestCancel", from: ["running"], outcome: slot },
  { on: "requestCancel", from: ["suspended"], claimable: true, outcome: { to: "same", effects: ["slot", "ready"] } },
  { on: "requestCancel", from: ["suspended"], claimable: false, outcome: cancelledByOrder },
  { on: "requestCancel", from: ended, outcome: "refused" },
  {
    on: "requestPause",
    from: ["pending"],
    claimable: true,
    outcome: { to: "suspended", reason: "paused", effects: ["letGo", "note"] },
  },
  { on: "requestPause", from: ["suspended"], claimable: true, reasons: ["paused", "diverged"], outcome: "ignored" },
  {
    on: "requestPause",
    from: ["suspended"],
    claimable: true,
    outcome: { to: "suspended", reason: "paused", effects: ["letGo", "note"] },
  },
  { on: "requestPause", from: open, outcome: slot },
  { on: "requestPause", from: ended, outcome: "refused" },
  { on: "requestResume", from: ["pending"], claimable: true, outcome: "ignored" },
  // A pause that is still pending is over: else the next life would obey it.
  {
    on: "requestResume",
    from: ["suspended"],
    claimable: true,
    pending: ["pause"],
    outcome: { to: "suspended", reason: null, effects: ["acknowledge", "ready"] },
  },
  {
    on: "requestResume",
    from: ["suspended"],
    claimable: true,
    outcome: { to: "suspended", reason: null, effects: ["ready"] },
  },
  { on: "requestResume", from: open, outcome: slot },
  { on: "requestResume", from: ended, outcome: "refused" },
  // The caller has seen that the name is among those waited for.
  { on: "signalArrived", from: ["suspended"], reasons: ["waiting"], outcome: { to: "same", effects: ["ready"] } },
  { on: "signalArrived", from: [...open, ...ended], outcome: "ignored" },
  {
    on: "kill",
    from: open,
    outcome: { to: "cancelled", reason: "killed", effects: ["fence", "letGo", "end", "note"] },
  },
  { on: "kill", from: ended, outcome: "ignored" },
];

const times: readonly Rule[] = [
  {
    on: "timeOut",
    from: ["running"],
    outcome: { to: "failed", reason: "timeout", effects: ["fence", "letGo", "end", "note"] },
  },
  { on: "timeOut", from: ["pending", "suspended", ...ended], outcome: "ignored" },
  { on: "loseTrack", from: ["running"], pending: ["cancel"], recorded: false, outcome: cancelledByOrder },
  { on: "loseTrack", from: ["running"], outcome: { to: "suspended", reason: "lost", effects: ["letGo", "note"] } },
  { on: "loseTrack", from: ["pending", "suspended", ...ended], outcome: "ignored" },
  // Not an exit: the next worker gets a pending cancel, as compensations may be owed.
  {
    on: "leaseEnded",
    from: ["running"],
    outcome: { to: "suspended", reason: "handedBack", effects: ["fence", "letGo", "ready", "note"] },
  },
  { on: "leaseEnded", from: ["pending", "suspended", ...ended], outcome: "ignored" },
  {
    on: "release",
    from: ["running"],
    outcome: { to: "suspended", reason: "handedBack", effects: ["letGo", "ready"] },
  },
  { on: "release", from: ["pending"], outcome: "ignored" },
  { on: "release", from: ["suspended", ...ended], outcome: { to: "same", effects: [] } },
];

/** All lines. */
export const rules: readonly Rule[] = [...starts, ...reports, ...suspensions, ...acknowledgements, ...orders, ...times];
