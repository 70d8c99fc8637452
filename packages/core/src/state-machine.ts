import { type InstanceStatus, instanceStatuses, type Transition } from "@runtara/store";

/** What can happen to an instance. */
export const triggers = [
  "register",
  "checkpoint",
  "complete",
  "fail",
  "suspend",
  "requestSignal",
  "requestCancel",
  "acknowledgeCancel",
] as const;
export type Trigger = (typeof triggers)[number];

/** What a trigger leads to: a status, "refused" (told to the caller), or "ignored" (accepted, nothing changes). */
export type Move = InstanceStatus | "refused" | "ignored";

const final = {
  register: "refused",
  checkpoint: "refused",
  complete: "ignored",
  fail: "ignored",
  suspend: "ignored",
  requestSignal: "refused",
  requestCancel: "refused",
  acknowledgeCancel: "ignored",
} as const satisfies Record<Trigger, Move>;

/**
 * The whole life of an instance. Every status change of the product goes through this table: services ask it which changes exist and
 * hand those to the store as data, which carries them out under the same guard in its own transaction.
 */
const table: Readonly<Record<InstanceStatus, Readonly<Record<Trigger, Move>>>> = {
  pending: {
    register: "running",
    checkpoint: "refused",
    complete: "completed",
    fail: "failed",
    suspend: "suspended",
    requestSignal: "pending",
    requestCancel: "cancelled",
    acknowledgeCancel: "cancelled",
  },
  running: {
    register: "running",
    checkpoint: "running",
    complete: "completed",
    fail: "failed",
    suspend: "suspended",
    requestSignal: "running",
    requestCancel: "running", // It is told and acknowledges.
    acknowledgeCancel: "cancelled",
  },
  suspended: {
    register: "running",
    checkpoint: "refused",
    complete: "completed",
    fail: "failed",
    suspend: "suspended",
    requestSignal: "suspended",
    requestCancel: "cancelled", // Nobody is there to acknowledge.
    acknowledgeCancel: "cancelled",
  },
  completed: final,
  failed: final,
  cancelled: final,
};

/** Whether nothing leads out of a status. */
export function isFinal(status: InstanceStatus): boolean {
  return table[status] === final;
}

/** The one transition function. `cancelPending`: a cancel has been sent and not been acknowledged. */
export function move(status: InstanceStatus, trigger: Trigger, cancelPending: boolean): Move {
  const to = table[status][trigger];
  return trigger === "suspend" && to === "suspended" && cancelPending ? "cancelled" : to;
}

/** The statuses in which a trigger is not refused. */
export function acceptingStatuses(trigger: Trigger): readonly InstanceStatus[] {
  return instanceStatuses.filter((status) => table[status][trigger] !== "refused");
}

/** The changes of status that a trigger can cause, most particular first, as data for the store. */
export function transitionsOf(trigger: Trigger): readonly Transition[] {
  return [true, false].flatMap((cancelPending) => transitionsWhen(trigger, cancelPending));
}

function transitionsWhen(trigger: Trigger, cancelPending: boolean): Transition[] {
  const byTarget = Map.groupBy(
    instanceStatuses.filter((from) => isChange(from, trigger, cancelPending)),
    (from) => move(from, trigger, cancelPending) as InstanceStatus,
  );
  return [...byTarget].map(([to, from]) => ({
    from,
    ...(cancelPending ? { whenPending: "cancel" as const } : {}),
    to,
    ends: isFinal(to),
  }));
}

/** With a cancel pending only what differs from the ordinary case needs a line of its own. */
function isChange(from: InstanceStatus, trigger: Trigger, cancelPending: boolean): boolean {
  const to = move(from, trigger, cancelPending);
  if (to === "refused" || to === "ignored") return false;
  return !cancelPending || to !== move(from, trigger, false);
}

/** The same changes with the columns that go with them: output and error of an end that the instance reports, and its time. */
export function transitionsWith(
  transitions: readonly Transition[],
  nowMs: number,
  report?: { readonly output: Uint8Array | null; readonly error: string | null },
): readonly Transition[] {
  return transitions.map((transition) =>
    isFinal(transition.to)
      ? { ...transition, set: { finishedAtMs: nowMs, ...(transition.to === "cancelled" ? {} : report) } }
      : transition,
  );
}
