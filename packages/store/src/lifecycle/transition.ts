import { type InstanceStatus, instanceStatuses } from "../model.ts";
import { rules } from "./rules.ts";
import type { LifecycleEvent, LifecycleState, Outcome, Rule } from "./table.ts";

const rulesByEvent = Map.groupBy(rules, (rule) => rule.on);

/** Whether nothing leads out of a status. */
export function isFinal(status: InstanceStatus): boolean {
  return status === "completed" || status === "failed" || status === "cancelled";
}

/**
 * The one transition function: what an event does to an instance, by the first line of `rules` that fits. Total: there is a line for every
 * event and state. Pure; the caller holds the lock under which it read the state.
 */
export function transition(state: LifecycleState, event: LifecycleEvent): Outcome {
  const rule = rulesByEvent.get(event)?.find((candidate) => fits(candidate, state));
  if (rule === undefined)
    throw new TypeError(`the lifecycle table has no line for '${event}' in ${JSON.stringify(state)}`);
  const { outcome } = rule;
  if (typeof outcome === "string") return outcome;
  return outcome.to === "same" ? { to: state.status, reason: state.reason, effects: outcome.effects } : outcome;
}

/** Whether a line of the table speaks of this state. */
export function fits(rule: Rule, state: LifecycleState): boolean {
  return (
    rule.from.includes(state.status) &&
    (rule.reasons === undefined || rule.reasons.includes(state.reason)) &&
    (rule.claimable === undefined || rule.claimable === state.claimable) &&
    (rule.pending === undefined || rule.pending.includes(state.pending)) &&
    (rule.recorded === undefined || rule.recorded === state.recorded)
  );
}

/** The statuses in which no line refuses an event, for the hot statements of SQL engines ("save": running). */
export function acceptingStatuses(event: LifecycleEvent): readonly InstanceStatus[] {
  const refused = new Set(rulesByEvent.get(event)?.flatMap(({ outcome, from }) => (outcome === "refused" ? from : [])));
  return instanceStatuses.filter((status) => !refused.has(status));
}
