import { AsyncLocalStorage } from "node:async_hooks";
import { ContextError } from "../errors.ts";
import { slot } from "../slot.ts";
import type { RunContext } from "./context.ts";

/** What the running code belongs to: a scope of a run, and the step whose body it is, if it is one. */
export interface Frame {
  readonly context: RunContext;
  /** Name of the step whose body is running. */
  readonly step: string | undefined;
}

const shared = slot();
shared.frames ??= new AsyncLocalStorage<unknown>();
export const frames: AsyncLocalStorage<Frame> = shared.frames as AsyncLocalStorage<Frame>;

/** The context of the running workflow. @throws ContextError naming the function, outside a workflow */
export function currentContext(functionName: string): RunContext {
  const frame = frames.getStore();
  if (frame === undefined) {
    throw new ContextError(
      `${functionName}() was called outside a workflow; it works in the function given to workflow() and what that calls`,
    );
  }
  return frame.context;
}
