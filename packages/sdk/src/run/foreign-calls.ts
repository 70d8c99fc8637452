import { ContextError } from "../errors.ts";
import type { StoredEntry } from "./entries.ts";
import { outcomeOf, readEnvelope } from "./envelope.ts";
import type { OperationLike } from "./host.ts";
import type { Outgoing } from "./outbox.ts";

/** Calls that were made outside a durable turn: after a crash their order may be another. */
export class ForeignCalls {
  readonly #workflow: string;
  readonly #isStrict: boolean;
  readonly #warn: (key: string, message: string) => void;
  #isSeen = false;

  constructor(workflow: string, isStrict: boolean, warn: (key: string, message: string) => void) {
    this.#workflow = workflow;
    this.#isStrict = isStrict;
    this.#warn = warn;
  }

  /** There has been one. */
  get isSeen(): boolean {
    return this.#isSeen;
  }

  /** @throws ContextError where such calls are an error */
  note(operation: OperationLike, callSite: () => string | undefined): void {
    operation.isForeign = true;
    this.#isSeen = true;
    const what = `${operation.kind} ${JSON.stringify(operation.name)} (${callSite() ?? "?"})`;
    const message =
      `workflow ${JSON.stringify(this.#workflow)}: ${what} was called after the code awaited something that is not durable ` +
      "(fetch, a timer, a file …). After a crash its order may differ: put that into a step.";
    if (this.#isStrict) throw new ContextError(message);
    this.#warn("foreign", message);
  }
}

/** The entry that was found for a foreign call after the replay, ready to be delivered. @throws UnreadableValueError */
export function foundEntry(found: StoredEntry, operation: OperationLike): Omit<Outgoing, "isSaved"> {
  const envelope = readEnvelope(found.text);
  const { outcome, seq, at, kind } = envelope;
  const value = outcomeOf(envelope);
  return { id: found.id, head: { seq, at, kind }, outcome, payload: undefined, operation, value };
}
