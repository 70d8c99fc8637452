import { ContextError, isRuntaraError } from "../errors.ts";
import { readValue, storeValue } from "../values/index.ts";
import { isContinuation } from "./continuation.ts";
import type { RunEnd, RunOptions } from "./control.ts";
import { storeError } from "./store-error.ts";

/** What the workflow function came to. */
export interface BodyResult {
  readonly outcome: "value" | "error";
  readonly value: unknown;
}

export interface EndFacts {
  readonly workflow: string;
  readonly isCancelled: boolean;
  /** `continueAsNew` was called. */
  readonly hasContinuation: boolean;
  readonly inbox: RunOptions["inbox"];
  readonly at: number;
}

/** The end that a finished function makes. An output that can't be stored is a failure; CancelledError of a cancelled run is its cancel. */
export function endOf(result: BodyResult, facts: EndFacts): RunEnd {
  const { value } = result;
  if (result.outcome === "error") {
    if (facts.isCancelled && isRuntaraError(value, "CANCELLED")) return { is: "cancelled" };
    return { is: "threw", error: value };
  }
  const origin = { root: "output", describe: () => `workflow ${JSON.stringify(facts.workflow)} returned` };
  try {
    if (isContinuation(value)) return continuedWith(value.input, facts);
    if (facts.hasContinuation) throw forgotten(facts.workflow);
    return { is: "returned", value, text: value === undefined ? undefined : storeValue(value, origin) };
  } catch (error) {
    return { is: "threw", error: storeError(error, origin.describe).error };
  }
}

function continuedWith(input: unknown, { workflow, inbox, at }: EndFacts): RunEnd {
  const origin = { root: "input", describe: () => `workflow ${JSON.stringify(workflow)} continued with` };
  const text = input === undefined ? undefined : storeValue(input, origin);
  // As the next process would read it, so that nothing of this run leaks into the next.
  const end = {
    is: "continued",
    input: text === undefined ? undefined : readValue(text),
    inputText: text,
    inbox,
    at,
  } as const;
  // What can't be carried over is the failure of this run.
  if (inbox.length > 0) nextPayload(end, workflow);
  return end;
}

/** The payload of the entry that begins the next run. @throws UnstorableValueError, ValueTooLargeError */
export function nextPayload(end: RunEnd & { readonly is: "continued" }, workflow: string): string {
  const origin = { root: "inbox", describe: () => `workflow ${JSON.stringify(workflow)} continued with` };
  const inbox = end.inbox.length === 0 ? "[]" : storeValue(end.inbox, origin);
  return `{${end.inputText === undefined ? "" : `"input":${end.inputText},`}"inbox":${inbox}}`;
}

function forgotten(workflow: string): ContextError {
  return new ContextError(
    `workflow ${JSON.stringify(workflow)} called continueAsNew and returned something else; write \`return continueAsNew(input)\``,
  );
}
