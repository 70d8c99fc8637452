import type { OpenPoll } from "../../ports/source.ts";

/** A call that is held open. Given up, it settles nothing. */
export function openPoll<Answer>(call: (signal: AbortSignal) => Promise<Answer>): OpenPoll<Answer> {
  const abort = new AbortController();
  const answer = new Promise<Answer>((resolve, reject) => {
    call(abort.signal).then(
      (value) => abort.signal.aborted || resolve(value),
      (error: unknown) => abort.signal.aborted || reject(error),
    );
  });
  return { answer, abandon: () => abort.abort() };
}
