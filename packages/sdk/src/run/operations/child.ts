import type { Child } from "../../api/client.ts";
import type { Wait } from "../../api/step.ts";
import type { AnyWorkflow } from "../../api/workflow.ts";
import type { StandardSchemaV1 } from "../../schema.ts";
import { validate } from "../../schema.ts";
import { type Frame, frames } from "../frame.ts";
import type { ChildCall } from "../history.ts";
import type { RunHost, SignalWait } from "../host.ts";
import { Operation } from "../operation.ts";
import type { Source } from "../source.ts";
import { storeError } from "../store-error.ts";
import { endNameOf } from "./child-end.ts";
import { WaitOperation, type WaitPlace } from "./wait.ts";

interface SpawnCall {
  readonly id: string;
  readonly name: string;
  readonly source: Source;
  readonly frame: Frame;
  readonly child: ChildCall;
  readonly input: unknown;
  /** Of the child's input, where the parent has it. */
  readonly schema: StandardSchemaV1 | undefined;
}

/** The start of a child: its entry says that the start is durable, or why there is none. */
export class SpawnOperation extends Operation {
  readonly isWait = false;
  readonly #host: RunHost;
  readonly #call: SpawnCall;

  constructor(host: RunHost, call: SpawnCall) {
    super(call.id, "child", call.name, call.source);
    this.#host = host;
    this.#call = call;
  }

  start(): void {
    const { frame } = this.#call;
    frames
      .run(frame, () => this.#begin())
      .then(
        () => this.#host.complete(this, "value", undefined, undefined),
        (error: unknown) => {
          const stored = storeError(error, () => `spawn ${JSON.stringify(this.name)} (${this.source.text})`);
          this.#host.complete(this, "error", stored.text, stored.error);
        },
      );
  }

  async #begin(): Promise<void> {
    const { schema, input, child } = this.#call;
    if (schema) {
      await this.#host.busyWith(validate(schema, input, `the input of workflow ${JSON.stringify(child.workflow)}`));
    }
    await this.#host.startChild(child);
  }
}

/** Gives the end of a child to whoever waits for it, now or later. */
class ChildEnd implements SignalWait, WaitPlace {
  readonly names: readonly string[];
  readonly child: string;
  readonly #host: RunHost;
  readonly #waits = new Set<SignalWait>();
  #end: { readonly outcome: "value" | "error"; readonly value: unknown } | undefined;

  constructor(host: RunHost, name: string, child: string) {
    this.#host = host;
    this.names = [name];
    this.child = child;
  }

  add(wait: SignalWait): void {
    if (this.#end) {
      wait.take("", this.#end.outcome, this.#end.value);
      return;
    }
    this.#waits.add(wait);
    if (this.#waits.size === 1) this.#host.inbox.add(this);
  }

  remove(wait: SignalWait): void {
    if (this.#waits.delete(wait) && this.#waits.size === 0) this.#host.inbox.remove(this);
  }

  take(_name: string, outcome: "value" | "error", value: unknown): void {
    if (this.#end) return;
    this.#end = { outcome, value };
    const waits = [...this.#waits];
    this.#waits.clear();
    for (const wait of waits) wait.take("", outcome, value);
    this.#host.inbox.remove(this);
  }
}

/** What a child does through its parent's scope. */
interface ChildActions {
  /** The id of a wait for its result. */
  nextWaitId(): string;
  call(operation: Operation): void;
  signal(name: string, payload: unknown): Promise<void>;
  cancel(): Promise<void>;
}

/** The parent's view of a child. */
export class ChildHandle implements Child<AnyWorkflow> {
  readonly id: string;
  readonly started: Promise<void>;
  readonly #host: RunHost;
  readonly #spawn: SpawnOperation;
  readonly #end: ChildEnd;
  readonly #actions: ChildActions;

  constructor(host: RunHost, spawn: SpawnOperation, child: string, actions: ChildActions) {
    this.id = child;
    this.started = spawn.promise as Promise<void>;
    this.#host = host;
    this.#spawn = spawn;
    this.#actions = actions;
    this.#end = new ChildEnd(host, endNameOf(spawn.id), child);
    // One that never started has no end of its own.
    this.started.catch((error: unknown) => this.#end.take("", "error", error));
  }

  result(): Wait<unknown> {
    const { name, source } = this.#spawn;
    const id = this.#actions.nextWaitId();
    const end = this.#end;
    const wait = new WaitOperation(this.#host, end, {
      id,
      name,
      source,
      names: end.names,
      dueAt: undefined,
      give: (_, value) => value,
    });
    this.#actions.call(wait);
    if (!wait.isSettled) end.add(wait);
    return wait.asWait();
  }

  signal(name: string, payload: unknown): Promise<void> {
    return this.#actions.signal(name, payload);
  }

  cancel(): Promise<void> {
    return this.#actions.cancel();
  }
}
