import type {
  AppendEvent,
  BeginSleep,
  EndSleep,
  OutgoingMessage,
  PendingSignal,
  Publish,
  RecordRetry,
  SaveBatch,
  SaveCheckpoint,
  SignalType,
  StartFacts,
  SuspendUntil,
} from "@runtara/store";

export interface ModelSignal {
  readonly signalId: number;
  readonly name: string;
  readonly payload: Uint8Array;
  readonly createdAtMs: number;
  readonly queued: boolean;
}

const empty = new Uint8Array(0);

const shownMembers = [
  ...(["instanceId", "tenantId", "workflow", "version", "tags", "checkpointId"] as const),
  ...([
    "status",
    "reason",
    "reasonText",
    "waitingFor",
    "run",
    "epoch",
    "holder",
    "output",
    "error",
    "failure",
  ] as const),
  ...(["createdAtMs", "firstStartedAtMs", "startedAtMs", "finishedAtMs", "readyAtMs"] as const),
] as const;

/** One instance of the model: its members are what is promised to be kept, its methods what may happen to it. */
export class ModelInstance {
  readonly instanceId: string;
  readonly tenantId: string;
  readonly createdAtMs: number;
  status: "pending" | "running" | "suspended" | "completed" | "failed" | "cancelled" = "pending";
  reason: string | null = null;
  reasonText: string | null = null;
  epoch = 0;
  run = 1;
  lastMessage = 0;
  workflow: string | null = null;
  version: string | null = null;
  tags: Readonly<Record<string, string>> = {};
  input: Uint8Array | null = null;
  seed: Uint8Array | null = null;
  firstStartedAtMs: number | null = null;
  startedAtMs: number | null = null;
  finishedAtMs: number | null = null;
  lastSeenAtMs: number | null = null;
  checkpointId: string | null = null;
  output: Uint8Array | null = null;
  error: string | null = null;
  failure: Uint8Array | null = null;
  timeoutMs: number | null = null;
  usedMs = 0;
  readyAtMs: number | null = null;
  waitingFor: readonly string[] = [];
  holder: string | null = null;
  claimSequence = 0;
  parentId: string | null = null;
  resultSignal: string | null = null;
  detached = false;
  hasChildren = false;
  isUnsettled = false;
  pending: PendingSignal | undefined;
  #recorded: SignalType | undefined;
  #pauseAcknowledged = false;
  #signals: ModelSignal[] = [];
  /** In the order of saving, retry records among them. */
  #rows: {
    checkpointId: string;
    attempt?: number;
    state: Uint8Array;
    createdAtMs: number;
    nextAtMs: number | null;
    error: string | null;
  }[] = [];
  #sleeps: { checkpointId: string; ordinal: number; epoch: number; finished: boolean; wakeAtMs: number }[] = [];
  readonly #messageIds = new Map<string, number>();
  readonly #published = new Map<string, { value: Uint8Array; updatedAtMs: number }>();

  constructor(identity: { readonly instanceId: string; readonly tenantId: string; readonly createdAtMs: number }) {
    this.instanceId = identity.instanceId;
    this.tenantId = identity.tenantId;
    this.createdAtMs = identity.createdAtMs;
  }

  get isFinal(): boolean {
    return this.status === "completed" || this.status === "failed" || this.status === "cancelled";
  }

  begin(seed: Uint8Array | null, nowMs: number, holder: string | null): StartFacts {
    this.#letGo(nowMs);
    Object.assign(this, { status: "running", reason: null, reasonText: null });
    Object.assign(this, { output: null, error: null, failure: null });
    Object.assign(this, { startedAtMs: nowMs, finishedAtMs: null, lastSeenAtMs: nowMs, holder });
    this.epoch += 1;
    this.firstStartedAtMs ??= nowMs;
    this.seed ??= seed;
    this.#pauseAcknowledged = false;
    return this.facts();
  }

  facts(): StartFacts {
    const { epoch, input, run, workflow, version } = this;
    return {
      epoch,
      input,
      run,
      workflow,
      version,
      checkpointCount: this.#rows.length,
      firstStartedAtMs: this.firstStartedAtMs ?? 0,
      seed: this.seed ?? empty,
      parentInstanceId: this.parentId,
      signal: this.pending,
    };
  }

  /** As readInstance shows it. */
  shown(): object {
    const checkpointCount = this.#rows.filter(({ attempt }) => attempt === undefined).length;
    const members = Object.fromEntries(shownMembers.map((name) => [name, this[name]]));
    return { outcome: "found", instance: { ...members, parentInstanceId: this.parentId, checkpointCount } };
  }

  save({ checkpointId, state, nowMs }: SaveCheckpoint): object {
    if (this.status !== "running") return { outcome: "refused", status: this.status };
    const stored = this.#keep(checkpointId, state, nowMs);
    return {
      outcome: stored === undefined ? "saved" : "found",
      state: stored ?? empty,
      ...this.signalsFor(checkpointId),
    };
  }

  saveBatch({ entries, messages, beginsRun, nowMs }: SaveBatch): object {
    if (this.status !== "running") return { outcome: "refused", status: this.status };
    const isRepeated = beginsRun === this.run && entries.every(({ checkpointId }) => this.#checkpoint(checkpointId));
    if (beginsRun !== undefined && beginsRun !== this.run + 1 && !isRepeated)
      return { outcome: "runMismatch", run: this.run };
    const answers = entries.map(({ checkpointId, state, consumesSignalId }) => {
      const stored = this.#keep(checkpointId, state, nowMs);
      if (stored === undefined) this.#signals = this.#signals.filter(({ signalId }) => signalId !== consumesSignalId);
      return { state: stored };
    });
    if (!isRepeated) {
      this.#send(messages, nowMs);
      if (beginsRun !== undefined) Object.assign(this, { run: beginsRun, lastMessage: 0 });
    }
    return { outcome: "saved", entries: answers, signal: this.pending };
  }

  publish({ run, messages, nowMs }: Publish): object {
    if (this.status !== "running") return { outcome: "refused", status: this.status };
    if (run > this.run) return { outcome: "runMismatch", run: this.run };
    if (run === this.run) this.#send(messages, nowMs);
    return { outcome: "published", lastNumber: this.lastMessage };
  }

  readPublished(key: string | undefined): object {
    const values = [...this.#published]
      .filter(([one]) => key === undefined || one === key)
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
    return { outcome: "found", values: values.map(([one, value]) => ({ key: one, ...value })) };
  }

  load(checkpointId: string): { outcome: "found"; state: Uint8Array; createdAtMs: number } | { outcome: "missing" } {
    const row =
      this.#checkpoint(checkpointId) ??
      this.#rows.find(
        (one) => one.attempt !== undefined && `${one.checkpointId}::retry::${one.attempt}` === checkpointId,
      );
    return row === undefined
      ? { outcome: "missing" }
      : { outcome: "found", state: row.state, createdAtMs: row.createdAtMs };
  }

  own(prefix: string): object {
    const rows = this.#rows.filter(({ checkpointId }) => checkpointId.startsWith(prefix));
    const newest = new Map(rows.filter(({ attempt }) => attempt !== undefined).map((row) => [row.checkpointId, row]));
    return {
      outcome: "page",
      checkpoints: rows
        .filter(({ attempt }) => attempt === undefined)
        .map(({ checkpointId, state, createdAtMs }) => ({
          checkpointId,
          state,
          stateBytes: state.length,
          createdAtMs,
        })),
      retries: rows
        .filter((row) => newest.get(row.checkpointId) === row)
        .map(({ checkpointId, attempt, createdAtMs, nextAtMs, error }) => ({
          checkpointId,
          attempt,
          createdAtMs,
          nextAtMs,
          error,
        })),
    };
  }

  recordRetry({ checkpointId, attempt, error, nextAtMs, nowMs }: RecordRetry): object {
    this.#rows = this.#rows.filter((row) => row.checkpointId !== checkpointId || row.attempt !== attempt);
    this.#rows.push({
      checkpointId,
      attempt,
      state: empty,
      createdAtMs: nowMs,
      nextAtMs: nextAtMs ?? null,
      error: error ?? null,
    });
    this.lastSeenAtMs = nowMs;
    const isAsleep = this.status === "suspended" && (this.reason === "waiting" || this.reason === "sleeping");
    if (isAsleep && nextAtMs !== undefined && nextAtMs > nowMs && this.#checkpoint(checkpointId) === undefined) {
      this.readyAtMs = Math.min(this.readyAtMs ?? nextAtMs, nextAtMs);
    }
    return { outcome: "recorded" };
  }

  happened({ type, output, error, failure, reason, nowMs }: AppendEvent): object {
    this.lastSeenAtMs = nowMs;
    if (type === "completed" && !this.isFinal) {
      this.end("completed", "reported", nowMs);
      this.output = output ?? null;
    } else if (type === "failed" && !this.isFinal) {
      this.end("failed", "reported", nowMs);
      Object.assign(this, { error: error ?? null, failure: failure ?? null });
    } else if (type === "suspended" && (this.status === "pending" || this.status === "running")) {
      this.#suspendedItself(reason ?? (this.#pauseAcknowledged ? "paused" : null), nowMs);
    }
    return { outcome: "stored", status: this.status };
  }

  suspendUntil({ untilMs, names, recordedSignal, afterSignalId, nowMs }: SuspendUntil): object {
    // It did so itself; what has happened since (a resume, an operator's pause) does not make the repetition wrong.
    if (this.status === "suspended" && !["lost", "diverged", "handedBack"].includes(this.reason ?? ""))
      return { outcome: "suspended" };
    if (this.status !== "running") return { outcome: "refused", status: this.status };
    const signal = this.pending?.type === recordedSignal ? undefined : this.pending;
    const queued = this.waitingSignals(names, afterSignalId);
    if (signal !== undefined || queued.length > 0 || (untilMs !== undefined && untilMs <= nowMs)) {
      return { outcome: "notYet", signal, queued };
    }
    this.suspend(names.length > 0 || untilMs === undefined ? "waiting" : "sleeping", nowMs);
    const retries = this.#rows.flatMap(({ checkpointId, nextAtMs }) =>
      nextAtMs !== null && nextAtMs > nowMs && this.#checkpoint(checkpointId) === undefined ? [nextAtMs] : [],
    );
    const wakes = untilMs === undefined ? retries : [untilMs, ...retries];
    this.readyAtMs = wakes.length === 0 ? null : Math.min(...wakes);
    this.waitingFor = names;
    this.#recorded = recordedSignal;
    return { outcome: "suspended" };
  }

  acknowledge(signal: SignalType, nowMs: number): object {
    if (this.pending?.type !== signal) return { outcome: "notPending", pending: this.pending?.type };
    this.pending = undefined;
    this.#pauseAcknowledged = signal === "pause";
    if (signal === "cancel" && !this.isFinal) this.end("cancelled", "cancelled", nowMs);
    return { outcome: "acknowledged", status: this.status };
  }

  /** A signal to the whole instance, from outside. */
  sent(type: SignalType, payload: Uint8Array | undefined, nowMs: number): object {
    if (this.isFinal) return { outcome: "refused", status: this.status };
    if (this.pending?.type === "cancel") return { outcome: "cancelKept", status: this.status };
    const canWake = this.workflow !== null;
    const isIdle = this.status === "pending" || this.status === "suspended";
    const store = () => {
      this.pending = { type, payload: payload ?? empty };
    };
    if (!isIdle) store();
    else if (type === "cancel" && this.status === "suspended" && canWake) {
      store();
      this.#wake(nowMs);
    } else if (type === "cancel") this.end("cancelled", "cancelled", nowMs);
    else if (!canWake) store();
    else if (type === "pause" && !["paused", "diverged"].includes(this.reason ?? "")) this.suspend("paused", nowMs);
    else if (type === "resume" && this.status === "suspended") {
      Object.assign(this, { reason: null, waitingFor: [] });
      // A pause that was not obeyed would undo it at once.
      if (this.pending?.type === "pause") this.pending = undefined;
      this.#wake(nowMs);
    }
    return { outcome: "sent", status: this.status };
  }

  /** A signal with a name. */
  named(
    {
      name,
      payload,
      queued,
      messageId,
      nowMs,
    }: { name: string; payload?: Uint8Array; queued: boolean; messageId?: string; nowMs: number },
    signalId: number,
  ): object {
    const earlier = messageId === undefined || !queued ? undefined : this.#messageIds.get(messageId);
    if (earlier !== undefined) return { outcome: "duplicate", signalId: earlier };
    if (queued && this.isFinal) return { outcome: "refused", status: this.status };
    if (!queued) this.#signals = this.#signals.filter((signal) => signal.queued || signal.name !== name);
    this.#signals.push({ signalId, name, payload: payload ?? empty, createdAtMs: nowMs, queued });
    if (messageId !== undefined) this.#messageIds.set(messageId, signalId);
    if (this.status === "suspended" && this.reason === "waiting" && this.waitingFor.includes(name)) this.#wake(nowMs);
    return { outcome: "sent", signalId };
  }

  waitingSignals(names: readonly string[], afterSignalId: number): Omit<ModelSignal, "queued">[] {
    const waiting = this.#signals.filter(({ name, signalId }) => names.includes(name) && signalId > afterSignalId);
    return waiting.map(({ queued: _, ...shown }) => shown);
  }

  /** What a checkpoint or poll with this id brings: the signal stays, the named one is taken. */
  signalsFor(name: string | undefined): { signal: PendingSignal | undefined; custom: object | undefined } {
    const taken = this.#signals.find((signal) => signal.name === name);
    this.#signals = this.#signals.filter((signal) => signal !== taken);
    return { signal: this.pending, custom: taken && { checkpointId: name, payload: taken.payload } };
  }

  beginSleep({ checkpointId, epoch, durationMs, nowMs }: BeginSleep): object {
    if (this.isFinal || (epoch !== undefined && epoch !== this.epoch)) return { outcome: "unrecorded" };
    const mine = this.#sleeps.filter((sleep) => sleep.checkpointId === checkpointId && sleep.epoch === this.epoch);
    const unfinished = mine.find(({ finished }) => !finished);
    const ordinal = mine.length + 1;
    const earlier = this.#sleeps.find((sleep) => sleep.checkpointId === checkpointId && sleep.ordinal === ordinal);
    const record = unfinished ??
      earlier ?? { checkpointId, ordinal, epoch: 0, finished: false, wakeAtMs: nowMs + durationMs };
    if (unfinished === undefined) record.epoch = this.epoch;
    if (unfinished === undefined && earlier === undefined) this.#sleeps.push(record);
    return {
      outcome: "sleeping",
      ordinal: record.ordinal,
      wakeAtMs: record.wakeAtMs,
      continued: (unfinished ?? earlier) !== undefined,
    };
  }

  endSleep({ checkpointId, ordinal, epoch = this.epoch }: EndSleep): void {
    const record = this.#sleeps.find((sleep) => sleep.checkpointId === checkpointId && sleep.ordinal === ordinal);
    if (record !== undefined && record.epoch === epoch) record.finished = true;
  }

  end(status: "completed" | "failed" | "cancelled", reason: string, nowMs: number): void {
    this.#letGo(nowMs);
    Object.assign(this, {
      status,
      reason,
      finishedAtMs: nowMs,
      holder: null,
      output: null,
      error: null,
      failure: null,
    });
    this.reasonText = null;
    this.#sleeps = [];
    this.isUnsettled = (this.parentId !== null && this.resultSignal !== null) || this.hasChildren;
  }

  endCancelled(nowMs: number): void {
    this.pending = undefined;
    this.end("cancelled", "cancelled", nowMs);
  }

  suspend(reason: string | null, nowMs: number): void {
    this.#letGo(nowMs);
    Object.assign(this, { status: "suspended", reason, reasonText: null, holder: null });
  }

  /** What its parent is sent. */
  resultBytes(): Uint8Array {
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    const failure = this.failure === null ? "" : `,"failure":${text(this.failure)}`;
    if (this.status === "failed")
      return Buffer.from(`{"status":"failed","error":${JSON.stringify(this.error)}${failure}}`);
    const base64 = () => Buffer.from(this.output ?? empty).toString("base64");
    const isJson = this.output !== null && parses(text(this.output));
    const told = isJson ? `,"output":${text(this.output ?? empty)}` : `,"outputBase64":"${base64()}"`;
    const output = this.output === null ? "" : told;
    return Buffer.from(this.status === "completed" ? `{"status":"completed"${output}}` : `{"status":"cancelled"}`);
  }

  #suspendedItself(reason: string | null, nowMs: number): void {
    if (this.pending?.type === "cancel" && this.#recorded !== "cancel") {
      this.endCancelled(nowMs);
      return;
    }
    const wasResumed = this.pending?.type === "resume" && this.workflow !== null && reason !== "diverged";
    this.suspend(wasResumed ? null : reason, nowMs);
    if (!wasResumed) return;
    this.pending = undefined;
    this.readyAtMs = nowMs;
  }

  /** One that is ready already keeps its place. */
  #wake(nowMs: number): void {
    this.readyAtMs = Math.min(this.readyAtMs ?? nowMs, nowMs);
  }

  #letGo(nowMs: number): void {
    if (this.status === "running") this.usedMs += nowMs - (this.startedAtMs ?? nowMs);
    Object.assign(this, { readyAtMs: null, waitingFor: [] });
    this.#recorded = undefined;
  }

  #checkpoint(checkpointId: string) {
    return this.#rows.find((row) => row.attempt === undefined && row.checkpointId === checkpointId);
  }

  /** What is stored already, or undefined after having stored it. */
  #keep(checkpointId: string, state: Uint8Array, nowMs: number): Uint8Array | undefined {
    const stored = this.#checkpoint(checkpointId);
    if (stored !== undefined) return stored.state;
    this.#rows.push({ checkpointId, state, createdAtMs: nowMs, nextAtMs: null, error: null });
    Object.assign(this, { checkpointId, lastSeenAtMs: nowMs });
    return undefined;
  }

  #send(messages: readonly OutgoingMessage[], nowMs: number): void {
    for (const { number, content } of messages) {
      if (number <= this.lastMessage) continue;
      this.lastMessage = number;
      if (content.kind === "published") this.#published.set(content.key, { value: content.value, updatedAtMs: nowMs });
    }
  }
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
