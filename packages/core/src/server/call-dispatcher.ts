import { type instance, respondUnserved, type ServerCall } from "@runtara/protocol";
import type { Answer } from "../answer.ts";
import type { Core } from "../core.ts";
import type { CoreError } from "../core-error.ts";
import type { CheckpointResponse, PollSignalsResponse } from "../requests.ts";
import {
  checkpointMessage,
  eventMessage,
  eventRequest,
  getCheckpointMessage,
  pollMessage,
  registerMessage,
  sleepMessage,
  statusMessage,
} from "./messages.ts";
import type { RepeatedLog } from "./repeated-log.ts";
import { signalWord } from "./words.ts";

/** The outer error codes of the wire: they name the operation, whatever the cause (spec 2.2). */
type ErrorCode =
  | "CHECKPOINT_ERROR"
  | "GET_CHECKPOINT_ERROR"
  | "INSTANCE_EVENT_ERROR"
  | "INSTANCE_EVENT_BATCH_ERROR"
  | "GET_INSTANCE_STATUS_ERROR"
  | "POLL_SIGNALS_ERROR"
  | "REGISTER_INSTANCE_ERROR"
  | "RETRY_ATTEMPT_ERROR"
  | "SIGNAL_ACK_ERROR"
  | "SLEEP_ERROR";

/** Turns calls of the wire into calls of the services, and their answers into answers of the wire. */
export class CallDispatcher {
  readonly #core: Core;
  readonly #log: RepeatedLog;

  constructor(core: Core, log: RepeatedLog) {
    this.#core = core;
    this.#log = log;
  }

  dispatch(call: ServerCall): void {
    const { request } = call;
    const { lifecycle, checkpoints, signals } = this.#core;
    switch (request.case) {
      case "checkpoint":
        this.#checkpoint(call, request.value);
        break;
      case "getCheckpoint":
        checkpoints.get(request.value, this.#answer(call, "GET_CHECKPOINT_ERROR", getCheckpointMessage));
        break;
      case "instanceEvent":
        lifecycle.event(
          eventRequest(request.value),
          this.#answer(call, "INSTANCE_EVENT_ERROR", () => eventMessage),
        );
        break;
      case "instanceEventBatch":
        this.#eventBatch(call, request.value);
        break;
      case "registerInstance":
        lifecycle.register(request.value, this.#answer(call, "REGISTER_INSTANCE_ERROR", registerMessage));
        break;
      case "getInstanceStatus":
        lifecycle.status(request.value.instanceId, this.#answer(call, "GET_INSTANCE_STATUS_ERROR", statusMessage));
        break;
      case "pollSignals":
        this.#poll(call, request.value);
        break;
      case "signalAck": {
        const { instanceId, signalType, acknowledged } = request.value;
        const finish = this.#finish(call, "SIGNAL_ACK_ERROR", 1);
        signals.acknowledge({ instanceId, signal: signalWord(signalType), acknowledged }, finish);
        break;
      }
      case "retryAttempt": {
        const { instanceId, checkpointId, attemptNumber: attempt, errorMessage: error } = request.value;
        const finish = this.#finish(call, "RETRY_ATTEMPT_ERROR", 1);
        checkpoints.recordRetry({ instanceId, checkpointId, attempt, error }, finish);
        break;
      }
      case "sleep":
        this.#sleep(call, request.value);
        break;
      default:
        respondUnserved(call);
    }
  }

  #checkpoint(call: ServerCall, request: instance.CheckpointRequest): void {
    const toMessage = (response: CheckpointResponse) => checkpointMessage(request.instanceId, response);
    this.#core.checkpoints.save(request, this.#answer(call, "CHECKPOINT_ERROR", toMessage));
  }

  #poll(call: ServerCall, request: instance.PollSignalsRequest): void {
    const toMessage = (response: PollSignalsResponse) => pollMessage(request.instanceId, response);
    this.#core.signals.poll(request, this.#answer(call, "POLL_SIGNALS_ERROR", toMessage));
  }

  /** Each event stands for itself: one that fails is logged and the next one follows. */
  #eventBatch(call: ServerCall, { events }: instance.InstanceEventBatch): void {
    if (events.length === 0) call.finish();
    const finish = this.#finish(call, "INSTANCE_EVENT_BATCH_ERROR", events.length);
    for (const event of events) this.#core.lifecycle.event(eventRequest(event), finish);
  }

  #sleep(call: ServerCall, { instanceId, checkpointId, state, durationMs }: instance.SleepRequest): void {
    const sleep = this.#core.sleeps.sleep({ instanceId, checkpointId, state, durationMs: Number(durationMs) }, () =>
      call.respond(sleepMessage),
    );
    call.onAborted = () => sleep.abandon();
  }

  #answer<Response>(
    call: ServerCall,
    code: ErrorCode,
    toMessage: (response: Response) => Parameters<ServerCall["respond"]>[0],
  ): Answer<Response> {
    return (error, response) => {
      if (error === undefined) {
        call.respond(toMessage(response));
      } else {
        this.#logStorageFailure(error);
        call.respondError(code, error.message, { fineCode: error.code, retryable: isPassing(error) });
      }
    };
  }

  /** For calls whose answer is the end of the stream alone, once the services have answered for all of their `parts`. */
  #finish(call: ServerCall, code: ErrorCode, parts: number): Answer<void> {
    const failures: CoreError[] = [];
    let left = parts;
    return (error, _) => {
      if (error !== undefined) {
        failures.push(error);
        this.#logUnanswered(call, error);
      }
      left -= 1;
      if (left > 0) return;
      endUnanswered(call, code, failures, parts);
    };
  }

  #logStorageFailure(error: CoreError): void {
    if (isPassing(error)) {
      this.#log.write("error", { err: error }, "the store failed");
    }
  }

  #logUnanswered(call: ServerCall, error: CoreError): void {
    const details = {
      call: call.request.case,
      peer: call.connection.remoteAddress,
      code: error.code,
      reason: error.message,
    };
    this.#log.write("warn", details, "a call without an answer had no effect");
    this.#logStorageFailure(error);
  }
}

/**
 * The end of the stream says that all is stored, or, to clients of 1.4.1, that it was refused for good and logged (spec
 * 1.9). A store that failed must never look like that. Repeating a batch is safe only if no part of it was stored.
 */
function endUnanswered(call: ServerCall, code: ErrorCode, failures: readonly CoreError[], parts: number): void {
  const error = failures.find(isPassing) ?? failures[0];
  if (error === undefined || !(call.isHeard || isPassing(error))) call.finish();
  else {
    const retryable = failures.length === parts && failures.every(isPassing);
    call.fail(code, error.message, { fineCode: error.code, retryable });
  }
}

/** The store failed and nothing was changed: the same call may succeed later. */
function isPassing({ code }: CoreError): boolean {
  return code === "DATABASE_ERROR" || code === "CHECKPOINT_SAVE_FAILED";
}
