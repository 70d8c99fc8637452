import type { Change, Handle, InstanceState } from "../api/client.ts";
import type { Entry } from "../api/history.ts";
import type { Shapes, StandardSchemaV1 } from "../api/schema.ts";
import type { AnyWorkflow } from "../api/workflow.ts";
import { type Duration, durationMs } from "../durations.ts";
import { ContextError, NotFoundError, WaitTimeoutError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { End, Operator } from "../ports/operator.ts";
import { escapeName } from "../run/keys.ts";
import { isEndOfChild } from "../run/operations/child-end.ts";
import { validate } from "../schema.ts";
import type { CodecContext, Sealer, Wrapper } from "../values/codec-port.ts";
import { knownDefinition } from "../workflow.ts";
import type { Calls } from "./calls.ts";
import { readHistory } from "./history.ts";
import { outcomeOf } from "./outcome.ts";
import { stateOf } from "./state.ts";
import { watchInstance } from "./watch.ts";

/** What handles share. */
export interface HandleParts {
  readonly operator: Operator;
  readonly tenantId: string;
  readonly sealer: Sealer;
  readonly wrapper: Wrapper;
  readonly calls: Calls;
}

const neverAborted = new AbortController().signal;

/** One instance as its clients see it. It keeps nothing and asks nothing until it is used. */
export class InstanceHandle implements Handle<AnyWorkflow> {
  readonly id: string;
  readonly #parts: HandleParts;
  readonly #workflow: AnyWorkflow;

  constructor(parts: HandleParts, workflow: AnyWorkflow, id: string) {
    this.#parts = parts;
    this.#workflow = workflow;
    this.id = id;
  }

  async result({ timeout, signal }: { timeout?: Duration; signal?: AbortSignal } = {}): Promise<unknown> {
    const { clock } = this.#parts.calls;
    const what = this.#what("result");
    const untilMs =
      timeout === undefined ? Number.POSITIVE_INFINITY : clock.now() + durationMs(timeout, `${what}: timeout`);
    for (;;) {
      signal?.throwIfAborted();
      const end = await this.#waitResult(what, untilMs, signal);
      const outcome = await outcomeOf(end, this.#place(), this.#parts.wrapper);
      if (outcome) {
        if ("error" in outcome) throw outcome.error;
        return outcome.value;
      }
      signal?.throwIfAborted();
      if (clock.now() >= untilMs) {
        throw new WaitTimeoutError(
          `instance ${this.id} has not ended within ${String(timeout)}; it is ${end.status} and goes on`,
        );
      }
    }
  }

  async status(): Promise<InstanceState> {
    const { operator, calls } = this.#parts;
    const details = await calls.once(this.#what("status"), () => operator.read(this.id));
    if (!details) throw new NotFoundError(`there is no instance ${this.id}`);
    return stateOf(details, calls.clock.now());
  }

  async signal(name: string, payload: unknown): Promise<void> {
    const { operator, wrapper, calls } = this.#parts;
    const what = this.#what(`signal(${JSON.stringify(name)})`);
    escapeName(name, what);
    if (isEndOfChild(name)) {
      throw new ContextError(`${what}: the name is kept for the ends of children`);
    }
    const schema = this.#declared("signals", name, what);
    // What goes out is the given payload; the instance validates it again.
    if (schema) await validate(schema, payload, `the payload of ${what}`);
    const bytes = await wrapper.wrap(payload, this.#at(`!signal:${name}`), `${what} was given`);
    const messageId = crypto.randomUUID();
    const request = { instanceId: this.id, name, payload: bytes ?? new Uint8Array(0), messageId };
    await calls.once(what, () => operator.sendSignal(request));
  }

  async published(key: string): Promise<never> {
    const { operator, wrapper, calls } = this.#parts;
    const what = this.#what(`published(${JSON.stringify(key)})`);
    this.#declared("published", key, what);
    const bytes = await calls.once(what, () => operator.published(this.id, key));
    return (await wrapper.unwrap(bytes, this.#at(`!published:${key}`))) as never;
  }

  cancel(reason?: string): Promise<void> {
    return this.#order("cancel", reason);
  }

  kill(reason?: string): Promise<void> {
    return this.#order("kill", reason);
  }

  pause(): Promise<void> {
    return this.#order("pause");
  }

  resume(): Promise<void> {
    return this.#order("resume");
  }

  history(): AsyncIterable<Entry> {
    return readHistory(this.#parts, this.id, this.#what("history"));
  }

  watch({ signal }: { signal?: AbortSignal } = {}): AsyncIterable<Change> {
    return watchInstance(this.#parts, this.id, this.#what("watch"), signal ?? neverAborted);
  }

  /** The end, or how it is when the time is up. */
  #waitResult(what: string, untilMs: number, signal: AbortSignal | undefined): Promise<End> {
    const { operator, calls } = this.#parts;
    return calls.until(what, untilMs, signal, () => {
      const leftMs = untilMs - calls.clock.now();
      // 0 would mean the server's default.
      const waitMs = Math.min(Math.max(Math.ceil(leftMs), 1), limits.clientPollMs);
      return operator.waitResult(this.id, waitMs, signal ?? neverAborted);
    });
  }

  async #order(order: "cancel" | "kill" | "pause" | "resume", reason?: string): Promise<void> {
    const { operator, calls } = this.#parts;
    await calls.once(this.#what(order), () => operator.order(this.id, order, reason));
  }

  /** The schema of a name. @throws ContextError: the workflow declares others, and not this one */
  #declared(option: "signals" | "published", name: string, what: string): StandardSchemaV1 | undefined {
    const shapes: Shapes | undefined = knownDefinition(this.#workflow)?.[option];
    if (!shapes || Object.keys(shapes).length === 0) return undefined;
    if (Object.hasOwn(shapes, name)) return shapes[name];
    throw new ContextError(
      `${what}: workflow ${JSON.stringify(this.#workflow.name)} declares no ${JSON.stringify(name)} under ${option}; it has ${Object.keys(shapes).join(", ")}`,
    );
  }

  #what(call: string): string {
    return `${call} of instance ${this.id}`;
  }

  #place(): { readonly tenantId: string; readonly instanceId: string } {
    return { tenantId: this.#parts.tenantId, instanceId: this.id };
  }

  #at(id: string): CodecContext {
    return { ...this.#place(), id };
  }
}
