import { ProtocolError } from "../errors.ts";

/** What ends the waiting for something. */
export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  /** In milliseconds; absent or 0 = none. */
  readonly timeoutMs?: number | undefined;
}

/**
 * What `begin` brings, or the failure of whoever gives it up first; what it brings afterwards goes to `discard`. Nothing is
 * begun under a signal that is aborted already. `doing` says in the error what was waited for.
 *
 * @throws ProtocolError CALL_TIMEOUT, CALL_ABORTED with the signal's reason as cause
 */
export async function unlessGivenUp<T>(
  begin: () => Promise<T>,
  { signal, timeoutMs = 0 }: WaitOptions,
  doing: string,
  discard: (late: T) => void = () => {},
): Promise<T> {
  const aborted = (): ProtocolError =>
    new ProtocolError("CALL_ABORTED", `read error: aborted while ${doing}`, { cause: signal?.reason });
  if (signal?.aborted === true) throw aborted();
  const work = begin();
  if (signal === undefined && timeoutMs === 0) return work;
  const over = Promise.withResolvers<never>();
  const giveUp = (error: ProtocolError): void => {
    over.reject(error);
    work.then(discard, () => {});
  };
  const abort = (): void => giveUp(aborted());
  const late = (): void =>
    giveUp(new ProtocolError("CALL_TIMEOUT", `read error: still ${doing} after ${timeoutMs} ms`));
  const timer = timeoutMs > 0 ? setTimeout(late, timeoutMs) : undefined;
  signal?.addEventListener("abort", abort);
  try {
    return await Promise.race([over.promise, work]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
