import { type AppendEvent, type EventType, isFinal, type Store } from "@runtara/store";
import { type Answer, onResult } from "../answer.ts";
import { CoreError } from "../core-error.ts";
import { caller, type OwnCall, refusal } from "../refusals.ts";
import { eventTime, failureText, invalidText, isStorableId, unstorableId } from "../validation.ts";

export interface EventRequest extends OwnCall {
  readonly type: Exclude<EventType, "started">;
  readonly checkpointId?: string | undefined;
  readonly payload: Uint8Array;
  /** The client's clock; one outside of the calendar counts as now. */
  readonly timestampMs: number;
  readonly subtype?: string | undefined;
  /** Of a failed instance: the error with its structure. */
  readonly failure?: Uint8Array | undefined;
  /** Of a suspended one: why. Undefined = see AppendEvent of the store. */
  readonly reason?: string | undefined;
}
export interface EventResponse {
  /** The instance has ended, with this event or before. */
  readonly ended: boolean;
}

const suspensions = ["paused", "diverged"] as const;
type Suspension = (typeof suspensions)[number];

/** What an instance reports of itself (spec 2.7). */
export class EventService {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #onUnsettled: () => void;

  /** `onUnsettled`: an end has effects on other instances that are to be carried out now. */
  constructor(store: Store, now: () => number, onUnsettled: () => void) {
    this.#store = store;
    this.#now = now;
    this.#onUnsettled = onUnsettled;
  }

  /** Event and change of status are one transaction; on a finished instance the event is kept and nothing else changes. */
  append(request: EventRequest, answer: Answer<EventResponse>): void {
    const invalid = invalidEvent(request);
    if (invalid !== undefined) {
      answer(invalid, undefined);
      return;
    }
    this.#store.submit(
      storedEvent(request, this.#now()),
      onResult(answer, (result) => {
        if (result.outcome !== "stored") return answer(refusal(request, result), undefined);
        answer(undefined, { ended: isFinal(result.status) });
        if (result.unsettled) this.#onUnsettled();
      }),
    );
  }
}

function invalidEvent({ instanceId, type, checkpointId, subtype, reason }: EventRequest): CoreError | undefined {
  if (instanceId === "") return CoreError.validation("instance_id", "instance_id is required");
  if (checkpointId !== undefined && !isStorableId(checkpointId)) return unstorableId("checkpoint_id", checkpointId);
  const invalid = invalidText("subtype", subtype);
  if (invalid !== undefined) return invalid;
  if (type === "suspended" && reason !== undefined && !isSuspension(reason)) {
    return CoreError.validation("reason", `'${reason}' is none that this server knows; send diverged, or none`);
  }
  return isStorableId(instanceId) ? undefined : CoreError.instanceNotFound(instanceId);
}

function isSuspension(reason: string): reason is Suspension {
  return (suspensions as readonly string[]).includes(reason);
}

function storedEvent(request: EventRequest, nowMs: number): AppendEvent {
  const { type, checkpointId, payload, subtype, timestampMs } = request;
  return {
    kind: "appendEvent",
    ...caller(request),
    type,
    ...(checkpointId === undefined ? {} : { checkpointId }),
    ...(payload.byteLength === 0 ? {} : { payload }),
    ...(subtype === undefined ? {} : { subtype }),
    createdAtMs: eventTime(timestampMs, nowMs),
    ...outcomeOf(request),
    nowMs,
  };
}

/** What a report leaves behind beside its event. */
function outcomeOf({ type, payload, failure, reason }: EventRequest): Partial<AppendEvent> {
  switch (type) {
    case "completed":
      return payload.byteLength === 0 ? {} : { output: payload };
    case "failed":
      return { error: failureText(payload), ...(failure === undefined ? {} : { failure }) };
    case "suspended":
      return reason !== undefined && isSuspension(reason) ? { reason } : {};
    default:
      return {};
  }
}
