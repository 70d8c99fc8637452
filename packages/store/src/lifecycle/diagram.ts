import { type InstanceStatus, instanceStatuses, type StatusReason } from "../model.ts";
import { rules } from "./rules.ts";
import { type LifecycleEvent, type LifecycleState, lifecycleEvents, type Outcome, type Rule } from "./table.ts";
import { isFinal, transition } from "./transition.ts";
import { effectWords, eventWords } from "./words.ts";

/** Which states a column of the matrix shows. */
interface Column {
  readonly title: string;
  readonly status: InstanceStatus;
  readonly claimable?: boolean;
}

const columns: readonly Column[] = [
  { title: "pending", status: "pending" },
  { title: "running", status: "running" },
  { title: "suspended, claimable", status: "suspended", claimable: true },
  { title: "suspended, not claimable", status: "suspended", claimable: false },
  { title: "completed, failed, cancelled", status: "completed" },
];

/** The page of the docs, made of nothing but the lines of the table. */
export function lifecyclePage(): string {
  return `# The life of an instance

Generated from \`packages/store/src/lifecycle/rules.ts\` by \`node packages/store/src/lifecycle/write-diagram.ts\`; do not edit.

Every change of an instance's status is a line of one table, carried out in one transaction with the event that it writes. An instance is
*claimable* if it was started under a workflow name, so that a worker can wake it; others are woken by whoever launched them.

\`\`\`mermaid
${mermaid()}
\`\`\`

## Events

${table(
  ["event", "who", "what"],
  lifecycleEvents.map((event) => [`\`${event}\``, ...eventWords[event]]),
)}

## The table

A cell names the status that an event leads to, its reason, and the effects. Where it has several lines the first that fits counts.
*Refused*: the caller is told, nothing changes. *Ignored*: answered as done, nothing changes. *Recorded*: the instance's history has the pending signal.

${table(
  ["event", ...columns.map(({ title }) => title)],
  lifecycleEvents.map((event) => [`\`${event}\``, ...columns.map((column) => cell(event, column))]),
)}

## Effects

${table(
  ["effect", "what it writes"],
  Object.entries(effectWords).map(([effect, words]) => [`\`${effect}\``, words]),
)}

## What wakes a suspended instance

*Ready*: a worker can claim it at once. *Kept*: the signal waits for the next life.

${table(["reason", "named signal", "cancel, claimable", "cancel, not claimable", "resume, claimable", "resume, not claimable"], wakings())}
`;
}

/** The statuses and what leads from one to another. */
export function mermaid(): string {
  const edges = instanceStatuses.flatMap((from) =>
    instanceStatuses
      .filter((to) => to !== from)
      .map((to) => ({ from, to, events: lifecycleEvents.filter((event) => leads(event, from, to)) }))
      .filter(({ events }) => events.length > 0),
  );
  return [
    "stateDiagram-v2",
    "  [*] --> pending",
    ...edges.map(({ from, to, events }) => `  ${from} --> ${to}: ${events.join(", ")}`),
    ...instanceStatuses.filter(isFinal).map((status) => `  ${status} --> [*]`),
  ].join("\n");
}

function leads(event: LifecycleEvent, from: InstanceStatus, to: InstanceStatus): boolean {
  return rules.some(
    ({ on, from: statuses, outcome }) =>
      on === event && statuses.includes(from) && typeof outcome === "object" && outcome.to === to,
  );
}

/** The lines that can count in this column, up to the first without a condition. */
function cell(event: LifecycleEvent, column: Column): string {
  const lines: string[] = [];
  for (const rule of rules) {
    if (rule.on !== event || !rule.from.includes(column.status)) continue;
    if (rule.claimable !== undefined && column.claimable !== undefined && rule.claimable !== column.claimable) continue;
    const conditions = conditionsOf(rule, column);
    lines.push(`${conditions.length === 0 ? "" : `${conditions.join(", ")}: `}${outcomeText(rule.outcome)}`);
    if (conditions.length === 0) break;
  }
  return lines.join("<br>");
}

function conditionsOf({ claimable, pending, reasons, recorded }: Rule, column: Column): string[] {
  const conditions: string[] = [];
  if (claimable !== undefined && column.claimable === undefined)
    conditions.push(claimable ? "claimable" : "not claimable");
  if (pending !== undefined) conditions.push(`${pending.join(" or ")} pending`);
  if (recorded !== undefined) conditions.push(recorded ? "recorded" : "not recorded");
  if (reasons !== undefined) conditions.push(reasons.map((reason) => reason ?? "no reason").join(" or "));
  return conditions;
}

function outcomeText(outcome: Rule["outcome"]): string {
  if (typeof outcome === "string") return `*${outcome}*`;
  const target =
    outcome.to === "same" ? "stays" : `**${outcome.to}**${outcome.reason === null ? "" : ` (${outcome.reason})`}`;
  return outcome.effects.length === 0 ? target : `${target}; ${outcome.effects.join(", ")}`;
}

const suspendedReasons: readonly (StatusReason | null)[] = [
  "sleeping",
  "waiting",
  "paused",
  "diverged",
  "lost",
  "handedBack",
  null,
];

function wakings(): string[][] {
  return suspendedReasons.map((reason) => [
    reason ?? "none",
    wakes("signalArrived", reason, true),
    wakes("requestCancel", reason, true),
    wakes("requestCancel", reason, false),
    wakes("requestResume", reason, true),
    wakes("requestResume", reason, false),
  ]);
}

function wakes(event: LifecycleEvent, reason: StatusReason | null, claimable: boolean): string {
  const state: LifecycleState = { status: "suspended", reason, claimable, pending: null, recorded: false };
  return wakingText(transition(state, event));
}

function wakingText(outcome: Outcome): string {
  if (typeof outcome === "string") return "no";
  if (isFinal(outcome.to)) return `ends as ${outcome.to}`;
  return outcome.effects.includes("ready") ? "ready" : "kept";
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
