import type { instance, ServerCall } from "@runtara/protocol";
import type { Answer } from "../../answer.ts";
import type { CoreError } from "../../core-error.ts";
import { Peer } from "../peer.ts";
import type { RepeatedLog } from "../repeated-log.ts";

type ResponseMessage = Parameters<ServerCall["respond"]>[0];

/** Answers of the services as answers of the wire. The outer code names the operation, whatever the cause (spec 2.2). */
export class Replies {
  readonly #log: RepeatedLog;

  constructor(log: RepeatedLog) {
    this.#log = log;
  }

  answer<Response>(call: ServerCall, toMessage: (response: Response) => ResponseMessage): Answer<Response> {
    return (error, response) => {
      if (error === undefined) call.respond(toMessage(response));
      else this.refuse(call, error);
    };
  }

  refuse(call: ServerCall, error: CoreError): void {
    this.#logStorageFailure(error);
    call.respondError(call.kind.errorCode, error.message, {
      fineCode: error.code,
      retryable: isRepeatable(call, error),
    });
  }

  /** A refusal that stands inside an answer, for a part that would have been a call by itself. */
  partError(code: string, error: CoreError): instance.RpcError {
    this.#logStorageFailure(error);
    return {
      $typeName: "runtara.instance.RpcError",
      code,
      message: error.message,
      fineCode: error.code,
      // Batches are idempotent.
      retryable: isPassing(error),
    };
  }

  /** For calls whose answer is the end of the stream alone, once the services have answered for all of their `parts`. */
  finish<Response>(call: ServerCall, parts: number): Answer<Response> {
    const failures: CoreError[] = [];
    let left = parts;
    return (error, _) => {
      if (error !== undefined) {
        failures.push(error);
        this.#logUnanswered(call, error);
      }
      left -= 1;
      if (left === 0) endUnanswered(call, failures, parts);
    };
  }

  /** A failure that is told inside an answer. */
  logInBand(reason: string): void {
    this.#log.write("error", { reason }, "the store failed");
  }

  logForgottenStamp({ connection }: ServerCall): void {
    const details = { peer: connection.remoteAddress, client: Peer.known(connection)?.client };
    this.#log.write("warn", details, "a connection has registered more instances than are remembered for fencing");
  }

  #logStorageFailure(error: CoreError): void {
    if (isPassing(error)) this.#log.write("error", { err: error }, "the store failed");
  }

  #logUnanswered({ request, connection }: ServerCall, error: CoreError): void {
    const client = Peer.known(connection)?.client;
    const details = {
      call: request.case,
      peer: connection.remoteAddress,
      ...(client === undefined ? {} : { client }),
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
function endUnanswered(call: ServerCall, failures: readonly CoreError[], parts: number): void {
  const error = failures.find(isPassing) ?? failures[0];
  if (error === undefined || !(call.isHeard || isPassing(error))) {
    call.finish();
    return;
  }
  const retryable = failures.length === parts && failures.every((failure) => isRepeatable(call, failure));
  call.fail(call.kind.errorCode, error.message, { fineCode: error.code, retryable });
}

/** The store failed: that is no judgement on the call. */
function isPassing({ repeatable }: CoreError): boolean {
  return repeatable !== "never";
}

/** The same call may succeed later, and nothing speaks against trying. */
function isRepeatable({ kind }: ServerCall, { repeatable }: CoreError): boolean {
  return repeatable === "always" || (repeatable === "ifIdempotent" && kind.isIdempotent);
}
