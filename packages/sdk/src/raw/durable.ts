import { setTimeout as wait } from "node:timers/promises";
import { limits } from "../limits.ts";
import { thrownText } from "../values/thrown-text.ts";
import { SdkError } from "./errors.ts";
import type { InstanceSdk } from "./instance-sdk.ts";
import { sdk } from "./registry.ts";

export interface DurableOptions {
  /** Part of the key. Default: the function's own name. */
  name?: string;
  /** Executions beyond the first. Default 3. */
  maxRetries?: number;
  /** Before the second execution; doubles each time. Default 1,000. */
  delayMs?: number;
  /** What to do when the core can't be asked, or does not take the result. "warn" goes on without durability, as the original does.
   *  Default "throw". */
  onSaveError?: "throw" | "warn";
}

/** What {@link durable} makes of a function or a method: its first argument is the key. */
export type DurableFunction<This, K extends string | number, A extends unknown[], T> = (
  this: This,
  key: K,
  ...args: A
) => Promise<T>;

/** The standard decorator (TypeScript without experimentalDecorators) that {@link durable} gives when it is given no function. */
export type DurableDecorator = <This, K extends string | number, A extends unknown[], T>(
  method: DurableFunction<This, K, A, T>,
  context: ClassMethodDecoratorContext<This, DurableFunction<This, K, A, T>>,
) => DurableFunction<This, K, A, T>;

/** Makes a function durable under the key `durable::{name}::{first argument}`, with the keys, values and retries of the original's attribute
 *  (spec 11): the result is stored as compact JSON, errors never are, a stored result is returned without a call. It uses the process's
 *  SDK, see `registerSdk`.
 *
 *  `const charge = durable(async function charge(key: string) { … })`, or on a method `@durable() async charge(key: string) { … }`, for code that a
 *  compiler has been at: Node runs no decorators.
 *  @throws what the function threw last; SdkError Config here for a function without a name; SdkError of the calls unless `onSaveError` is "warn" */
export function durable<K extends string | number, A extends unknown[], T>(
  fn: (key: K, ...args: A) => Promise<T>,
  options?: DurableOptions,
): (key: K, ...args: A) => Promise<T>;
export function durable(options?: DurableOptions): DurableDecorator;
export function durable<K extends string | number, A extends unknown[], T>(
  fnOrOptions: ((key: K, ...args: A) => Promise<T>) | DurableOptions = {},
  options: DurableOptions = {},
): ((key: K, ...args: A) => Promise<T>) | DurableDecorator {
  if (typeof fnOrOptions === "function") return makeDurable(fnOrOptions, fnOrOptions.name, options);
  const decorate: DurableDecorator = (method, context) => {
    if (typeof context !== "object" || context.kind !== "method") {
      throw new SdkError(
        "Config",
        "@durable() goes on a method, as a standard decorator (without experimentalDecorators)",
      );
    }
    return makeDurable(method, typeof context.name === "symbol" ? "" : context.name, fnOrOptions);
  };
  return decorate;
}

function makeDurable<This, K extends string | number, A extends unknown[], T>(
  fn: DurableFunction<This, K, A, T>,
  ownName: string,
  options: DurableOptions,
): DurableFunction<This, K, A, T> {
  const { name = ownName, maxRetries = 3, delayMs = 1_000, onSaveError = "throw" } = options;
  if (name === "") throw new SdkError("Config", "durable: the function has no name; pass options.name");
  for (const [option, value] of Object.entries({ maxRetries, delayMs })) {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new SdkError("Config", `durable: ${option} is ${value}; it must be a whole number, not negative`);
  }
  return async function (this: This, key, ...args) {
    const id = `durable::${name}::${key}`;
    const instance = sdk();
    const stored = await readStored(instance, id, onSaveError);
    if (stored) return stored.value as T;
    const value = await runWithRetries(instance, id, () => fn.call(this, key, ...args), maxRetries, delayMs);
    await save(instance, id, value, onSaveError);
    return value;
  };
}

/** What is stored under the id; a state that is not JSON counts as none, and stays. */
async function readStored(
  instance: InstanceSdk,
  id: string,
  onError: "throw" | "warn",
): Promise<{ value: unknown } | undefined> {
  let state: Uint8Array | undefined;
  try {
    state = await instance.getCheckpoint(id);
  } catch (error) {
    if (onError === "throw") throw error;
    process.emitWarning(`durable: ${id} could not be looked up, so it runs: ${(error as Error).message}`);
  }
  if (!state) return undefined;
  try {
    return { value: JSON.parse(new TextDecoder().decode(state)) };
  } catch {
    process.emitWarning(`durable: the state of ${id} is no JSON, so it runs again`);
    return undefined;
  }
}

async function runWithRetries<T>(
  instance: InstanceSdk,
  id: string,
  body: () => Promise<T>,
  maxRetries: number,
  delayMs: number,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await body();
    } catch (error) {
      if (attempt > maxRetries) throw error;
      await wait(Math.min(delayMs * 2 ** Math.min(attempt - 1, 64), limits.timerMsMax));
      // The number sent is the attempt's ordinal: the first retry is 2. Losing the record costs nothing but the record.
      await instance
        .recordRetryAttempt(id, attempt + 1, error instanceof Error ? error.message : thrownText(error))
        .catch((failure: Error) => process.emitWarning(`durable: retry of ${id} not recorded: ${failure.message}`));
    }
  }
}

async function save(instance: InstanceSdk, id: string, value: unknown, onError: "throw" | "warn"): Promise<void> {
  try {
    await instance.checkpoint(id, new TextEncoder().encode(toJson(id, value)));
  } catch (error) {
    if (onError === "throw") throw error;
    process.emitWarning(`durable: the result of ${id} was not stored: ${(error as Error).message}`);
  }
}

function toJson(id: string, value: unknown): string {
  try {
    // A function that returns nothing stores null, as Rust's unit does.
    return JSON.stringify(value) ?? "null";
  } catch (cause) {
    throw new SdkError("Serialization", `the result of ${id} is not JSON: ${(cause as Error).message}`, { cause });
  }
}
