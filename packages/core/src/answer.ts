import type { Done, StoreError } from "@runtara/store";
import { CoreError } from "./core-error.ts";

/** Called once with the response, or with the error and nothing else; after the commit where the call changed anything. */
export type Answer<Response> = (
  ...outcome: [error: undefined, response: Response] | [error: CoreError, response: undefined]
) => void;

/** A promise around a service call, for everything that is not a hot path. */
export function answered<Response>(call: (answer: Answer<Response>) => void): Promise<Response> {
  return new Promise((resolve, reject) => {
    call((error, response) => {
      if (error === undefined) resolve(response);
      else reject(error);
    });
  });
}

/** Passes a store's result on to `use` and turns its failures into the caller's error. */
export function onResult<Result>(
  fail: (error: CoreError, response: undefined) => void,
  use: (result: Result) => void,
  toError: (cause: StoreError) => CoreError = CoreError.database,
): Done<Result> {
  return (error, result) => {
    if (error === undefined) use(result);
    else fail(toError(error), undefined);
  };
}
