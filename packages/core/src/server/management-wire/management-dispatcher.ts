import { create, management, managementProtocol, operationErrorCode, type ProtocolError } from "@runtara/protocol";
import { CoreError } from "../../core-error.ts";
import type { Management } from "../../management/index.ts";
import type { RepeatedLog } from "../repeated-log.ts";
import { baseCalls, type Server } from "./base-calls.ts";
import { extensionCalls } from "./extension-calls.ts";
import { scheduleCalls } from "./schedule-calls.ts";

type Request = Exclude<management.RpcRequest["request"], { case: undefined }>;
type Response = management.RpcResponse["response"];

/** What carries a management call: one of the admin port, or one of the instance protocol that has it inside. */
export interface CarryingCall {
  readonly connection: { readonly id: number };
  set onAborted(listener: (why: ProtocolError) => void);
}

/** Answers a management call of either port, exactly once. Never throws. */
export type ManagementArm = (
  request: management.RpcRequest,
  call: CarryingCall,
  answer: (response: management.RpcResponse) => void,
) => void;

export interface ManagementDispatcherOptions {
  readonly management: Management;
  readonly log: RepeatedLog;
  /** Of this software, for the health answer. */
  readonly version: string;
}

/** The management protocol on the services. */
export class ManagementDispatcher {
  readonly #server: Server;
  readonly #log: RepeatedLog;

  constructor({ management: services, log, version }: ManagementDispatcherOptions) {
    const startedMs = performance.now();
    this.#server = { management: services, version, uptimeMs: () => performance.now() - startedMs };
    this.#log = log;
  }

  /** `port`: connections of different ports may have the same number. */
  arm(port: string): ManagementArm {
    return ({ request }, call, answer) => {
      const respond = (response: Response) => answer(create(management.RpcResponseSchema, { response }));
      if (request.case === undefined) {
        respond(unservedError());
        return;
      }
      // The second one also where the answer could not be sent.
      this.#carryOut(request, `${port} ${call.connection.id}`, abortedWith(call, request))
        .then(respond)
        .catch((error: unknown) => respond(this.#errorOf(request, error)));
    };
  }

  async #carryOut(request: Request, caller: string, giveUp: AbortSignal): Promise<Response> {
    const server = this.#server;
    const { case: name, value } = request;
    switch (name) {
      case "healthCheck":
        return { case: name, value: await baseCalls.healthCheck(server) };
      case "sendSignal":
        return { case: name, value: await baseCalls.sendSignal(server, value) };
      case "sendCustomSignal":
        return { case: name, value: await baseCalls.sendCustomSignal(server, value) };
      case "getInstanceStatus":
        return { case: name, value: await baseCalls.getInstanceStatus(server, value) };
      case "listInstances":
        return { case: name, value: await baseCalls.listInstances(server, value, caller) };
      case "listCheckpoints":
        return { case: name, value: await baseCalls.listCheckpoints(server, value, caller) };
      case "getCheckpoint":
        return { case: name, value: await baseCalls.getCheckpoint(server, value) };
      case "startWorkflow":
        return { case: name, value: await extensionCalls.startWorkflow(server, value) };
      case "waitResult":
        return { case: name, value: await extensionCalls.waitResult(server, value, giveUp) };
      case "cancelInstance":
        return { case: name, value: await extensionCalls.cancelInstance(server, value) };
      case "killInstance":
        return { case: name, value: await extensionCalls.killInstance(server, value) };
      case "pauseInstance":
        return { case: name, value: await extensionCalls.pauseInstance(server, value) };
      case "resumeInstance":
        return { case: name, value: await extensionCalls.resumeInstance(server, value) };
      case "queryInstances":
        return { case: name, value: await extensionCalls.queryInstances(server, value) };
      case "getPublished":
        return { case: name, value: await extensionCalls.getPublished(server, value) };
      case "listHistory":
        return { case: name, value: await extensionCalls.listHistory(server, value) };
      case "watchInstance":
        return { case: name, value: await extensionCalls.watchInstance(server, value, giveUp) };
      case "watchInstances":
        return { case: name, value: await extensionCalls.watchInstances(server, value, giveUp) };
      case "putSchedule":
        return { case: name, value: await scheduleCalls.putSchedule(server, value) };
      case "listSchedules":
        return { case: name, value: await scheduleCalls.listSchedules(server, value) };
      case "deleteSchedule":
        return { case: name, value: await scheduleCalls.deleteSchedule(server, value) };
    }
  }

  /** The outer code names the operation, the fine one the cause (spec 2.2). */
  #errorOf({ case: name }: Request, error: unknown): Response {
    const code = operationErrorCode(name);
    if (!(error instanceof CoreError)) {
      this.#log.write("error", { err: error, call: name }, "a management call failed unexpectedly");
      return errorResponse({ code, message: `the handler of ${name} failed`, fineCode: "INTERNAL", retryable: false });
    }
    const { message, code: fineCode, repeatable } = error;
    if (repeatable !== "never") this.#log.write("error", { err: error }, "the store failed");
    const isIdempotent = managementProtocol.idempotent.includes(name);
    const retryable = repeatable === "always" || (repeatable === "ifIdempotent" && isIdempotent);
    return errorResponse({ code, message, fineCode, retryable });
  }
}

const never: AbortSignal = new AbortController().signal;

/** Only calls that wait are worth being told of: it costs a task of the network. */
function abortedWith(call: CarryingCall, { case: name }: Request): AbortSignal {
  if (!managementProtocol.waiting.includes(name)) return never;
  const controller = new AbortController();
  call.onAborted = () => controller.abort();
  return controller.signal;
}

/** Of no arm, or of one that is not known here. */
function unservedError(): Response {
  return errorResponse({
    code: "EMPTY_REQUEST",
    message: "RpcRequest contained no request that this server serves",
  });
}

function errorResponse(error: { code: string; message: string; fineCode?: string; retryable?: boolean }): Response {
  return { case: "error", value: create(management.RpcErrorSchema, error) };
}
