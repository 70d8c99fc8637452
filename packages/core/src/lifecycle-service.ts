import type { Store } from "@runtara/store";
import { type Answer, onResult } from "./answer.ts";
import { CoreError } from "./core-error.ts";
import type { EventRequest, RegisterRequest, RegisterResponse, StatusResponse } from "./requests.ts";
import { acceptingStatuses, transitionsOf, transitionsWith } from "./state-machine.ts";
import { eventTime, failureText, isStorableId, unstorableId } from "./validation.ts";

const registered: RegisterResponse = { success: true, error: "" };
const registrable = acceptingStatuses("register");
const none = { output: null, error: null };

const changes = {
  heartbeat: [],
  custom: [],
  completed: transitionsOf("complete"),
  failed: transitionsOf("fail"),
  suspended: transitionsOf("suspend"),
} as const;

/** Registration, events and status (spec 2.3, 2.7, 2.8). */
export class LifecycleService {
  readonly #store: Store;
  readonly #now: () => number;

  constructor(store: Store, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** Every refusal and failure is told in the response; there is no error. */
  register(request: RegisterRequest, answer: Answer<RegisterResponse>): void {
    const invalid = invalidRegistration(request);
    if (invalid !== undefined) {
      answer(undefined, { success: false, error: invalid });
      return;
    }
    const { instanceId, tenantId, checkpointId } = request;
    const checkpoint = checkpointId === undefined ? {} : { checkpointId };
    const refuse = (error: string) => answer(undefined, { success: false, error });
    this.#store.submit(
      { kind: "registerInstance", instanceId, tenantId, ...checkpoint, allowedIn: registrable, nowMs: this.#now() },
      onResult(
        (error) => refuse(`Failed to create instance: ${error.message}`),
        (result) => {
          if (result.outcome === "registered") return answer(undefined, registered);
          if (result.outcome === "checkpointMissing")
            return refuse(CoreError.checkpointNotFound(checkpointId ?? "").message);
          refuse(CoreError.invalidState(instanceId, "pending, running or suspended", result.status).message);
        },
      ),
    );
  }

  /** Event and change of status are one transaction; on a finished instance the event is kept and nothing else changes. */
  event(request: EventRequest, answer: Answer<void>): void {
    const invalid = invalidEvent(request);
    if (invalid !== undefined) {
      answer(invalid, undefined);
      return;
    }
    const { instanceId, type, checkpointId, payload, subtype, timestampMs } = request;
    const nowMs = this.#now();
    this.#store.submit(
      {
        kind: "appendEvent",
        instanceId,
        type,
        ...(checkpointId === undefined ? {} : { checkpointId }),
        ...(payload.byteLength === 0 ? {} : { payload }),
        ...(subtype === undefined ? {} : { subtype }),
        createdAtMs: eventTime(timestampMs, nowMs),
        transitions: changesOf(request, nowMs),
        nowMs,
      },
      onResult(answer, (result) => {
        if (result.outcome === "unknownInstance") return answer(CoreError.instanceNotFound(instanceId), undefined);
        answer(undefined, undefined);
      }),
    );
  }

  /** An unknown id is no error: its status is "unknown". */
  status(instanceId: string, answer: Answer<StatusResponse>): void {
    this.#store.submit(
      { kind: "readInstance", instanceId },
      onResult(answer, (result) => {
        if (result.outcome === "unknownInstance") return answer(undefined, unknownStatus(instanceId));
        const { instance } = result;
        answer(undefined, {
          instanceId,
          status: instance.status,
          checkpointId: instance.checkpointId ?? undefined,
          startedAtMs: instance.startedAtMs ?? 0,
          finishedAtMs: instance.finishedAtMs ?? undefined,
          output: instance.output ?? undefined,
          error: instance.error ?? undefined,
        });
      }),
    );
  }
}

function invalidRegistration({ instanceId, tenantId, checkpointId }: RegisterRequest): string | undefined {
  if (instanceId === "") return "instance_id is required";
  if (tenantId === "") return "tenant_id is required";
  // An id that cannot be stored cannot be there either.
  if (checkpointId !== undefined && !isStorableId(checkpointId))
    return CoreError.checkpointNotFound(checkpointId).message;
  if (!isStorableId(instanceId)) return unstorableId("instance_id", instanceId).message;
  if (!isStorableId(tenantId)) return unstorableId("tenant_id", tenantId).message;
  return undefined;
}

function invalidEvent({ instanceId, checkpointId, subtype }: EventRequest): CoreError | undefined {
  if (instanceId === "") return CoreError.validation("instance_id", "instance_id is required");
  if (checkpointId !== undefined && !isStorableId(checkpointId)) return unstorableId("checkpoint_id", checkpointId);
  if (subtype?.includes("\0")) return CoreError.validation("subtype", "subtype must not contain U+0000");
  return undefined;
}

function changesOf({ type, payload }: EventRequest, nowMs: number) {
  const transitions = changes[type];
  if (type === "completed") {
    return transitionsWith(transitions, nowMs, { ...none, output: payload.byteLength === 0 ? null : payload });
  }
  if (type === "failed") return transitionsWith(transitions, nowMs, { ...none, error: failureText(payload) });
  return transitionsWith(transitions, nowMs);
}

function unknownStatus(instanceId: string): StatusResponse {
  return {
    instanceId,
    status: "unknown",
    checkpointId: undefined,
    startedAtMs: 0,
    finishedAtMs: undefined,
    output: undefined,
    error: "Instance not found",
  };
}
