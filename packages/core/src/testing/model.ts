import fc from "fast-check";

/** One call of the services, with everything any of them needs. */
export interface Call {
  readonly kind:
    | "register"
    | "checkpoint"
    | "get"
    | "event"
    | "status"
    | "poll"
    | "acknowledge"
    | "send"
    | "sendCustom"
    | "retry";
  readonly instanceId: string;
  readonly checkpointId: string;
  readonly text: string;
  readonly event: "heartbeat" | "completed" | "failed" | "suspended" | "custom";
  readonly signal: "cancel" | "pause" | "resume";
}

export const callArbitrary: fc.Arbitrary<Call> = fc.record({
  kind: fc.oneof(
    { weight: 5, arbitrary: fc.constant("checkpoint" as const) },
    { weight: 3, arbitrary: fc.constantFrom("register" as const, "event" as const, "send" as const) },
    {
      weight: 6,
      arbitrary: fc.constantFrom(...(["get", "status", "poll", "acknowledge", "sendCustom", "retry"] as const)),
    },
  ),
  instanceId: fc.constantFrom("a", "b"),
  checkpointId: fc.constantFrom("", "x", "y", "x::retry::1"),
  text: fc.constantFrom("", "1", "2", "long ".repeat(50)),
  event: fc.constantFrom("heartbeat", "completed", "failed", "suspended", "custom"),
  signal: fc.constantFrom("cancel", "pause", "resume"),
});

interface ModelInstance {
  status: string;
  pointer: string | undefined;
  startedAtMs: number;
  finishedAtMs: number | undefined;
  output: string | undefined;
  error: string | undefined;
  signal: { type: string; payload: string } | undefined;
  readonly checkpoints: Map<string, string>;
  readonly customs: Map<string, string>;
  readonly retries: Set<string>;
}

/**
 * What the instance protocol promises, written down a second time and as plainly as possible: no batches, no store, no table of
 * transitions. Answers are JSON with bytes as text.
 */
export class Model {
  readonly #instances = new Map<string, ModelInstance>();

  answer(call: Call, nowMs: number): string {
    const instance = this.#instances.get(call.instanceId);
    const missing = `error: Instance '${call.instanceId}' not found`;
    switch (call.kind) {
      case "register":
        return this.#register(call, instance, nowMs);
      case "status":
        return JSON.stringify(statusOf(call.instanceId, instance));
      case "poll":
        return JSON.stringify(instance === undefined ? {} : signalsFor(instance, call.checkpointId));
      case "sendCustom":
        if (call.checkpointId === "") return "error: Validation error for 'checkpoint_id': checkpoint_id is required";
        instance?.customs.set(call.checkpointId, call.text);
        return instance === undefined ? missing : "null";
      default:
        return instance === undefined ? missing : answerOf(call, instance, nowMs);
    }
  }

  #register({ instanceId }: Call, instance: ModelInstance | undefined, nowMs: number): string {
    if (instance !== undefined && isFinal(instance.status)) {
      const error = `Instance '${instanceId}' is in invalid state: expected 'pending, running or suspended', got '${instance.status}'`;
      return JSON.stringify({ success: false, error });
    }
    this.#instances.set(instanceId, {
      pointer: undefined,
      signal: undefined,
      checkpoints: new Map(),
      customs: new Map(),
      retries: new Set(),
      ...instance,
      status: "running",
      startedAtMs: nowMs,
      finishedAtMs: undefined,
      output: undefined,
      error: undefined,
    });
    return JSON.stringify({ success: true, error: "" });
  }
}

function answerOf(call: Call, instance: ModelInstance, nowMs: number): string {
  const { instanceId, checkpointId, text } = call;
  if (call.kind === "checkpoint") {
    if (instance.status !== "running") {
      return `error: Instance '${instanceId}' is in invalid state: expected 'running', got '${instance.status}'`;
    }
    const stored = instance.checkpoints.get(checkpointId);
    if (stored === undefined) {
      instance.checkpoints.set(checkpointId, text);
      instance.pointer = checkpointId;
    }
    return JSON.stringify({ found: stored !== undefined, state: stored ?? "", ...signalsFor(instance, checkpointId) });
  }
  if (call.kind === "get") {
    const state = instance.checkpoints.get(checkpointId) ?? (instance.retries.has(checkpointId) ? "" : undefined);
    return JSON.stringify({ found: state !== undefined, state: state ?? "" });
  }
  if (call.kind === "retry") {
    instance.retries.add(`${checkpointId}::retry::1`);
    return "null";
  }
  if (call.kind === "event") return happened(call, instance, nowMs);
  if (call.kind === "send") return sent(call, instance, nowMs);
  return acknowledged(call, instance, nowMs);
}

function happened({ event, text }: Call, instance: ModelInstance, nowMs: number): string {
  if (isFinal(instance.status) || event === "heartbeat" || event === "custom") return "null";
  if (event === "completed") end(instance, "completed", nowMs, text === "" ? undefined : text, undefined);
  else if (event === "failed") end(instance, "failed", nowMs, undefined, text === "" ? "Unknown error" : text);
  else if (instance.signal?.type === "cancel") end(instance, "cancelled", nowMs, instance.output, instance.error);
  else instance.status = "suspended";
  return "null";
}

function sent({ signal, text }: Call, instance: ModelInstance, nowMs: number): string {
  if (isFinal(instance.status))
    return `error: Cannot send signal to instance in '${instance.status}' state (terminal state)`;
  if (instance.signal?.type === "cancel") return "null";
  instance.signal = { type: signal, payload: text };
  if (signal === "cancel" && instance.status !== "running") {
    end(instance, "cancelled", nowMs, instance.output, instance.error);
  }
  return "null";
}

function acknowledged({ signal }: Call, instance: ModelInstance, nowMs: number): string {
  const pending = instance.signal?.type;
  if (pending === undefined) return "null";
  if (pending !== signal) {
    return `error: Validation error for 'signal_type': ${signal} was acknowledged while ${pending} is pending`;
  }
  instance.signal = undefined;
  if (signal === "cancel" && !isFinal(instance.status))
    end(instance, "cancelled", nowMs, instance.output, instance.error);
  return "null";
}

function signalsFor(instance: ModelInstance, checkpointId: string): object {
  const custom = instance.customs.get(checkpointId);
  instance.customs.delete(checkpointId);
  return {
    signal: instance.signal,
    ...(custom === undefined ? {} : { custom: { checkpointId, payload: custom } }),
  };
}

function statusOf(instanceId: string, instance: ModelInstance | undefined): object {
  if (instance === undefined) return { instanceId, status: "unknown", startedAtMs: 0, error: "Instance not found" };
  const { status, pointer, startedAtMs, finishedAtMs, output, error } = instance;
  return { instanceId, status, checkpointId: pointer, startedAtMs, finishedAtMs, output, error };
}

function end(
  instance: ModelInstance,
  status: string,
  nowMs: number,
  output: string | undefined,
  error: string | undefined,
): void {
  Object.assign(instance, { status, finishedAtMs: nowMs, output, error });
}

function isFinal(status: string): boolean {
  return ["completed", "failed", "cancelled"].includes(status);
}
