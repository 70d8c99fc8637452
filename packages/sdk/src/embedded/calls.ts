import type { Answer, OpenPoll as CorePoll } from "@runtara/core";
import type { OpenPoll } from "../ports/source.ts";
import { sourceError } from "./core-failures.ts";

/** One call of core as a promise that rejects with `SourceError` alone. */
export function asked<Response>(call: (answer: Answer<Response>) => void): Promise<Response> {
  return new Promise((resolve, reject) => {
    call((error, response) => {
      if (error === undefined) resolve(response);
      else reject(sourceError(error));
    });
  });
}

/** A call that core holds open. */
export function polled<Response>(call: (answer: Answer<Response>) => CorePoll): OpenPoll<Response> {
  let poll: CorePoll | undefined;
  const answer = asked<Response>((answered) => {
    poll = call(answered);
  });
  return { answer, abandon: () => poll?.abandon() };
}

/** What core's management promises, with its failures as `SourceError`. */
export async function managed<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (failure) {
    throw sourceError(failure);
  }
}
