import type { AnyHandle, AnyWorkflow, Client } from "@runtara/sdk/testing";
import type { StepSummary } from "./types.ts";

/** The finished steps of an instance out of its history. */
export async function stepsOf(client: Client, { id }: AnyHandle): Promise<readonly StepSummary[]> {
  const attempts = new Map<string, number>();
  const steps: { id: string; name: string; outcome: "value" | "error" }[] = [];
  for await (const entry of client.get(anyWorkflow, id).history()) {
    if (entry.kind === "retry") attempts.set(entry.id, Math.max(entry.attempt, attempts.get(entry.id) ?? 1));
    else if (entry.kind === "step") steps.push({ id: entry.id, name: entry.name, outcome: entry.outcome });
  }
  return steps.map((step) => ({ ...step, attempts: attempts.get(step.id) ?? 1 }));
}

/** A handle asks by id alone. */
const anyWorkflow: AnyWorkflow = { name: "any" };
