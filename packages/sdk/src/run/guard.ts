// Tells of what differs from run to run where code has to do the same in every replay. For development and tests: it wraps a few globals of the
// whole process, once, and looks only at workflow code outside steps.

import { frames } from "./frame.ts";
import { callSite, relative } from "./source.ts";

/** This package: what it calls for its own ends is no fault of a workflow. */
const ownFiles = new URL("..", import.meta.url).href;

const clockHint = "use now()";
const stepHint = "put it into a step";

let isInstalled = false;

/** Installs the watch, unless it is there already. It stays: runs that are not watched don't notice it. */
export function watchGlobals(): void {
  if (isInstalled) return;
  isInstalled = true;
  watchDate();
  watchFunction(Math, "Math", "random", "use random()");
  watchFunction(performance, "performance", "now", clockHint);
  watchFunction(crypto, "crypto", "randomUUID", "use uuid(), or for a secret a step");
  watchFunction(crypto, "crypto", "getRandomValues", stepHint);
  watchFunction(globalThis, "", "fetch", stepHint);
  watchFunction(globalThis, "", "setTimeout", "use sleep()");
  watchFunction(globalThis, "", "setInterval", "use sleep()");
}

type Holder = Record<string, unknown>;
type AnyFunction = (...parameters: unknown[]) => unknown;

function watchFunction(holder: object, of: string, name: string, hint: string): void {
  const original = (holder as Holder)[name];
  if (typeof original !== "function") return;
  const what = of === "" ? `${name}()` : `${of}.${name}()`;
  // A proxy, so that whatever hangs on the function (promisify's symbol, a length) stays as it is.
  const apply = (target: AnyFunction, self: unknown, parameters: unknown[]): unknown => {
    notice(what, hint, apply);
    return Reflect.apply(target, self, parameters);
  };
  const watched = new Proxy(original as AnyFunction, { apply });
  Object.defineProperty(holder, name, { value: watched, configurable: true, writable: true });
}

function watchDate(): void {
  watchFunction(Date, "Date", "now", clockHint);
  // biome-ignore lint/complexity/noBannedTypes: as the trap has it
  const construct = (target: DateConstructor, parameters: unknown[], newTarget: Function): object => {
    if (parameters.length === 0) notice("new Date()", clockHint, construct);
    return Reflect.construct(target, parameters, newTarget) as object;
  };
  const apply = (target: DateConstructor, self: unknown, parameters: unknown[]): unknown => {
    notice("Date()", clockHint, apply);
    return Reflect.apply(target, self, parameters as []);
  };
  const watched = new Proxy(Date, { construct, apply });
  Object.defineProperty(Date.prototype, "constructor", { value: watched, configurable: true, writable: true });
  Object.defineProperty(globalThis, "Date", { value: watched, configurable: true, writable: true });
}

/** `above`: the trap; its caller is who is told. */
// biome-ignore lint/complexity/noBannedTypes: what captureStackTrace takes
function notice(what: string, hint: string, above: Function): void {
  const frame = frames.getStore();
  if (frame === undefined || frame.step !== undefined || !frame.context.isWatched) return;
  const place = callSite(above);
  if (place === undefined || place.startsWith("node:") || place.startsWith(relative(ownFiles))) return;
  frame.context.warn(
    `guard ${what} ${place}`,
    `${what} was called outside a step (${place}), and differs from replay to replay: ${hint}`,
  );
}
