import type { ErrorDetails } from "../errors.ts";

interface UnservedCall {
  readonly request: { readonly case: string };
  respondError(code: string, message: string, details?: ErrorDetails): void;
}

/**
 * Answers an extension that the server does not serve: EMPTY_REQUEST, as 1.4.1 answers an arm that it does not know, with
 * the fine code UNSUPPORTED. Servers do it by themselves for features that are not among theirs; it is for an `onCall` that
 * knows better.
 */
export function respondUnserved(call: UnservedCall): void {
  const message = `RpcRequest contained no request that this server serves: ${call.request.case}`;
  call.respondError("EMPTY_REQUEST", message, { fineCode: "UNSUPPORTED", retryable: false });
}
