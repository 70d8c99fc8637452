import type { OutgoingMessage, Store } from "@runtara/store";
import type { Call } from "./calls.ts";
import { instanceIds } from "./calls.ts";
import type { Json } from "./compare.ts";
import type { Model, ModelledOperation } from "./model.ts";

type Result = { readonly outcome?: string; readonly [name: string]: unknown };
/** Carries out operations that were submitted together; results in their order. */
type RunTogether = (operations: readonly ModelledOperation[]) => Promise<readonly Result[]>;

const seed = Uint8Array.from({ length: 16 }, (_, n) => n);
const worker = ({ choice }: Call) => (choice % 2 === 0 ? "worker 1" : "worker 2");
const offers = [{ name: "w", versions: ["1"] }];

export function runOn(store: Store): RunTogether {
  return async (operations) => {
    const results = operations.map((operation) => store.run(operation) as Promise<unknown>);
    store.flush();
    return (await Promise.all(results)) as readonly Result[];
  };
}

export function runOnModel(model: Model): RunTogether {
  return async (operations) => operations.map((operation) => model.run(operation) as Result);
}

/** One of those that are compared. It remembers the numbers that only it gives out, so that calls can name them. */
export class Subject {
  readonly #run: RunTogether;
  readonly #epochs = new Map<string, number>();
  readonly #signals = new Map<string, number[]>();
  readonly #received = new Map<string, number>();

  constructor(run: RunTogether) {
    this.#run = run;
  }

  /** Each answer as text that can be compared. */
  async take(calls: readonly Call[], nowMs: number): Promise<readonly Json[]> {
    const [only] = calls;
    if (only !== undefined && calls.length === 1) return [await this.#alone(only, nowMs)];
    const operations = calls.map((call) => this.#operation(call, nowMs));
    const results = await this.#run(operations);
    return results.map((result, index) => this.#readable(operations[index], result));
  }

  /** What can be read of every instance. */
  async dump(nowMs: number): Promise<readonly Json[]> {
    const seen: Json[] = [];
    const base = { other: "a", id: "", text: "", number: 0, choice: 0, event: "custom", signal: "pause" } as const;
    for (const instance of instanceIds) {
      for (const kind of ["readInstance", "listOwnCheckpoints", "readPublished"] as const) {
        seen.push(await this.#alone({ ...base, kind, instance, epoch: "own" }, nowMs));
      }
    }
    return seen;
  }

  async #alone(call: Call, nowMs: number): Promise<Json> {
    if (call.kind === "claimWork")
      await this.#do({ kind: "renewLease", workerId: worker(call), leaseMs: 5_000, nowMs });
    const whole = this.#operation(call, nowMs);
    const operation = whole.kind === "listOwnCheckpoints" ? { ...whole, pageBytesMax: 1 + call.choice * 100 } : whole;
    const result = await this.#do(operation);
    if (operation.kind === "settleEnded")
      for (let next = result; next.more === true; ) next = await this.#do(operation);
    if (operation.kind === "listOwnCheckpoints")
      return this.#readable(operation, await this.#allPages(operation, result));
    return this.#readable(operation, result);
  }

  async #do(operation: ModelledOperation): Promise<Result> {
    const [result = {}] = await this.#run([operation]);
    return result;
  }

  async #allPages(
    operation: ModelledOperation & { readonly kind: "listOwnCheckpoints" },
    first: Result,
  ): Promise<Result> {
    const pages = [first];
    for (let page = first; typeof page.nextCursor === "string"; pages.push(page)) {
      page = await this.#do({ ...operation, cursor: page.nextCursor });
    }
    const rows = (name: string) => pages.flatMap((page) => (page[name] as readonly unknown[] | undefined) ?? []);
    return first.outcome === "page"
      ? { outcome: "page", checkpoints: rows("checkpoints"), retries: rows("retries") }
      : first;
  }

  #epochOf(instanceId: string): number {
    return this.#epochs.get(instanceId) ?? 0;
  }

  /** One that was sent to the instance, or 0. */
  #signalOf({ instance, number }: Call): number {
    return this.#signals.get(instance)?.at(-number) ?? 0;
  }

  #operation(call: Call, nowMs: number): ModelledOperation {
    const { instance: instanceId, id, text, number, choice } = call;
    const payload = new TextEncoder().encode(text);
    const present = this.#epochOf(instanceId);
    const epoch = call.epoch === "earlier" ? present - 1 : present;
    const from = call.epoch === "none" ? { instanceId } : { instanceId, epoch };
    const names = choice % 2 === 0 ? [] : choice % 4 === 1 ? ["x"] : ["x", "y"];
    const recorded = choice > 5 && instanceId.startsWith("w") ? { recordedSignal: call.signal } : {};
    switch (call.kind) {
      case "registerInstance": {
        const checkpoint = choice === 7 ? { checkpointId: id } : {};
        const tenantId = choice === 6 ? "other" : "t";
        return {
          kind: call.kind,
          instanceId,
          tenantId,
          checkTenant: true,
          ...checkpoint,
          seed,
          nowMs,
          staleAfterMs: 500_000,
        };
      }
      case "saveCheckpoint":
        return { kind: call.kind, ...from, checkpointId: id, state: payload, nowMs };
      case "saveBatch":
        return { ...this.#batch(call), kind: call.kind, instanceId, epoch, nowMs };
      case "publish":
        return { kind: call.kind, instanceId, epoch, run: choice === 7 ? 2 : 1, messages: messages(call), nowMs };
      case "loadCheckpoint":
        return { kind: call.kind, instanceId, checkpointId: id };
      case "listOwnCheckpoints":
        return {
          kind: call.kind,
          instanceId,
          epoch,
          prefix: id === "y" ? "y" : "",
          stateBytesMax: 1_000,
          pageBytesMax: 1e6,
        };
      case "recordRetry": {
        const next = choice % 2 === 0 ? {} : { nextAtMs: nowMs + 2 * number };
        return {
          kind: call.kind,
          ...from,
          checkpointId: id,
          attempt: number,
          ...(text === "" ? {} : { error: text }),
          ...next,
          nowMs,
        };
      }
      case "appendEvent": {
        const output = call.event === "completed" && text !== "" ? { output: payload } : {};
        const error = call.event === "failed" ? { error: text } : {};
        const reason = choice === 7 ? { reason: "diverged" as const } : {};
        return {
          kind: call.kind,
          ...from,
          type: call.event,
          payload,
          createdAtMs: 5,
          ...output,
          ...error,
          ...reason,
          nowMs,
        };
      }
      case "suspendUntil": {
        const until = number === 0 ? {} : { untilMs: nowMs + number - 1 };
        return {
          kind: call.kind,
          instanceId,
          epoch,
          ...until,
          names,
          ...recorded,
          afterSignalId: this.#signalOf(call),
          bytesMax: 1e6,
          nowMs,
        };
      }
      case "pollSignals":
        return { kind: call.kind, ...from, ...(choice < 4 ? {} : { checkpointId: id }), nowMs };
      case "acknowledgeSignal":
        return { kind: call.kind, ...from, signal: call.signal, nowMs };
      case "sendSignal":
        return { kind: call.kind, instanceId, signal: call.signal, payload, nowMs };
      case "sendCustomSignal": {
        const queued = choice % 2 === 0;
        const message = queued && number === 4 ? { messageId: "m" } : {};
        return { kind: call.kind, instanceId, name: id, payload, queued, ...message, nowMs };
      }
      case "controlInstance": {
        const order = (["cancel", "kill", "pause", "resume"] as const)[choice % 4] ?? "kill";
        return { kind: call.kind, instanceId, order, ...(text === "" ? {} : { text }), nowMs };
      }
      case "beginSleep":
        return { kind: call.kind, ...from, checkpointId: id, state: payload, durationMs: number, nowMs };
      case "endSleep":
        return { kind: call.kind, ...from, checkpointId: id, ordinal: 1 + (choice % 2) };
      case "readInstance":
        return { kind: call.kind, instanceId, ...(choice === 7 ? { tenantId: "other" } : {}) };
      case "readPublished":
        return { kind: call.kind, instanceId, ...(choice < 4 ? {} : { key: id }) };
      default:
        return this.#shared(call, nowMs);
    }
  }

  #shared(call: Call, nowMs: number): ModelledOperation {
    const { instance: instanceId, other, text, number, choice } = call;
    switch (call.kind) {
      case "startInstance": {
        const workflow = instanceId === "a" || instanceId === "b" ? {} : { workflow: "w" };
        const version = choice === 1 ? { version: "1" } : choice === 2 ? { version: "2" } : {};
        const parent = { instanceId: other, epoch: this.#epochOf(other), resultSignal: "x", detached: choice === 3 };
        const isChild = instanceId.startsWith("c") && !other.startsWith("c");
        const times = choice === 4 ? { startAtMs: nowMs + 5 } : choice === 5 ? { timeoutMs: 5_000 } : {};
        const input = number === 0 ? {} : { input: new TextEncoder().encode(String(number % 2)) };
        const more = { ...workflow, ...version, ...input, ...times, ...(isChild ? { parent } : {}) };
        return { kind: call.kind, instanceId, tenantId: "t", tags: { n: text }, seed, ...more, nowMs };
      }
      case "claimWork": {
        const workerId = worker(call);
        const received = number === 0 ? 0 : (this.#received.get(workerId) ?? 0);
        return {
          kind: call.kind,
          workerId,
          tenantId: "t",
          offers,
          capacity: 100,
          received,
          leaseMs: 5_000,
          runningMax: 0,
          bytesMax: 1e6,
          nowMs,
        };
      }
      case "releaseWork": {
        const work = [
          { instanceId, epoch: this.#epochOf(instanceId), handBack: choice < 4, delayMs: number, reason: text },
        ];
        return { kind: call.kind, workerId: worker(call), work, nowMs };
      }
      case "readSignals": {
        const interest = {
          instanceId,
          epoch: this.#epochOf(instanceId),
          names: ["x", "y"],
          afterSignalId: this.#signalOf(call),
        };
        const interests = [{ ...interest, ...(choice === 0 ? { seenSignal: call.signal } : {}) }];
        return { kind: call.kind, interests, bytesMax: 1e6 };
      }
      case "fireDue":
        return { kind: call.kind, nowMs, staleAfterMs: 500_000, limit: 1_000 };
      case "settleEnded":
        return { kind: call.kind, nowMs, limit: 1_000 };
      default:
        return { kind: "renewLease", workerId: worker(call), leaseMs: 5_000, nowMs };
    }
  }

  #batch(call: Call) {
    const consumed = this.#signalOf(call);
    const consumes = consumed === 0 ? {} : { consumesSignalId: consumed };
    const second = call.choice % 3 === 0 ? [] : [{ checkpointId: `${call.id}+`, state: new Uint8Array(call.number) }];
    const entries = [{ checkpointId: call.id, state: new TextEncoder().encode(call.text), ...consumes }, ...second];
    return {
      entries,
      messages: call.choice % 2 === 0 ? messages(call) : [],
      ...(call.choice > 5 ? { beginsRun: call.number } : {}),
    };
  }

  #readable(operation: ModelledOperation | undefined, result: Result): Json {
    this.#note(operation, result);
    const signals =
      operation !== undefined && "instanceId" in operation ? this.#signals.get(operation.instanceId) : undefined;
    return readable(result, (id) => signals?.indexOf(id) ?? -1);
  }

  #note(operation: ModelledOperation | undefined, result: Result): void {
    if (operation?.kind === "registerInstance" && result.outcome === "registered") {
      this.#epochs.set(operation.instanceId, (result.facts as { epoch: number }).epoch);
    } else if (operation?.kind === "claimWork") {
      this.#received.set(operation.workerId, result.sequence as number);
      for (const { instanceId, facts } of result.work as readonly { instanceId: string; facts: { epoch: number } }[]) {
        this.#epochs.set(instanceId, facts.epoch);
      }
    } else if (operation?.kind === "sendCustomSignal" && result.outcome === "sent") {
      const ids = this.#signals.get(operation.instanceId) ?? [];
      this.#signals.set(operation.instanceId, [...ids, result.signalId as number]);
    }
  }
}

function messages({ number, text, id, choice }: Call): readonly OutgoingMessage[] {
  const value = new TextEncoder().encode(text);
  const published = { number: number + 1, content: { kind: "published" as const, key: `k${id}`, value } };
  const event = { kind: "event" as const, subtype: "note", payload: value, createdAtMs: 9 };
  return choice < 3 ? [published] : [published, { number: number + 2, content: event }];
}

const idLists: ReadonlySet<string> = new Set(["lost", "abandoned", "timedOut"]);

/** Lists that have no promised order are sorted; numbers of signals become their place among those sent to the instance. */
function readable(value: unknown, placeOf: (signalId: number) => number): Json {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
  if (Array.isArray(value)) {
    const members = value.map((member) => readable(member, placeOf));
    const isUnordered = value.every((member) => typeof member === "object" && member !== null && "facts" in member);
    return isUnordered ? members.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : members;
  }
  if (typeof value !== "object" || value === null) return value as Json;
  const members: { [name: string]: Json } = {};
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined || name === "nextCursor") continue;
    if (name === "signalId") members[name] = placeOf(member as number);
    else members[name] = readable(idLists.has(name) ? (member as string[]).toSorted() : member, placeOf);
  }
  return members;
}

/** What of `actual` the model speaks of, in its own form. */
export function projected(actual: Json, expected: Json): Json {
  if (Array.isArray(actual) && Array.isArray(expected)) {
    return actual.map((member, index) => projected(member, (expected as readonly Json[])[index] ?? null));
  }
  if (!isObject(actual) || !isObject(expected)) return actual;
  return Object.fromEntries(
    Object.keys(expected).map((name) => [name, projected(actual[name] ?? null, expected[name] ?? null)]),
  );
}

function isObject(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
