import type { ErrorDetails, management, ServerCall } from "@runtara/protocol";
import type { ManagementArm } from "./management-dispatcher.ts";

type AdminCall = ServerCall<management.RpcRequest, management.RpcResponse>;

/** Answers a call of the admin port through the arm. */
export function answerAdminCall(arm: ManagementArm, call: AdminCall): void {
  const request: management.RpcRequest = { $typeName: "runtara.management.RpcRequest", request: call.request };
  arm(request, call, ({ response }) => {
    if (response.case === undefined) throw new Error("an answer of management is empty");
    if (response.case !== "error") {
      call.respond(response.value);
      return;
    }
    const { code, message, fineCode, retryable } = response.value;
    // The arm makes its errors of the fine codes alone.
    const details = { fineCode, retryable } as ErrorDetails;
    call.respondError(code, message, details);
  });
}
