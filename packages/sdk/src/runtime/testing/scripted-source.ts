// A source of work in which a test plays the store: every call is kept, and answered when and how the test says.

import type { Clock } from "../../ports/clock.ts";
import type {
  Batch,
  BatchAnswer,
  ChildStart,
  ClaimAnswer,
  ClaimedWork,
  ClaimRequest,
  Done,
  InstanceSession,
  InstanceSignals,
  OpenPoll,
  OwnPage,
  ReleasedWork,
  Report,
  RetryRecord,
  SessionServes,
  SignalType,
  StartFacts,
  Suspension,
  SuspensionAnswer,
  WaitSignalsRequest,
  WorkSource,
} from "../../ports/source.ts";

/** A call that waits for the test. */
export interface Call<Request, Answer> {
  readonly request: Request;
  answer(answer: Answer): void;
  fail(error: unknown): void;
}

export interface OpenCall<Request, Answer> extends Call<Request, Answer> {
  readonly isAbandoned: boolean;
}

export const noFacts: StartFacts = {
  epoch: 1,
  checkpointCount: 0,
  input: null,
  firstStartedAtMs: 1_700_000_000_000,
  seed: new Uint8Array(16),
  run: 1,
  workflow: "w",
  version: null,
  parentInstanceId: null,
  signal: undefined,
};

export function workOf(instanceId: string, facts: Partial<StartFacts> = {}): ClaimedWork {
  return { instanceId, tenantId: "t", facts: { ...noFacts, ...facts } };
}

export class ScriptedSource implements WorkSource {
  readonly workerId = "worker";
  readonly tenantId = "t";
  readonly clock: Clock;
  readonly claims: OpenCall<ClaimRequest, ClaimAnswer>[] = [];
  readonly polls: OpenCall<WaitSignalsRequest, readonly InstanceSignals[]>[] = [];
  readonly renewals: Call<number, { readonly lost: readonly string[] }>[] = [];
  readonly released: ReleasedWork[] = [];
  readonly sessions: Map<string, ScriptedSession> = new Map();
  flushes = 0;
  signs = 0;
  isKeeperClosed = false;
  #onReconnected: () => void = () => {};

  constructor(clock: Clock) {
    this.clock = clock;
  }

  claim(request: ClaimRequest): OpenPoll<ClaimAnswer> {
    return open(this.claims, request);
  }

  waitSignals(request: WaitSignalsRequest): OpenPoll<readonly InstanceSignals[]> {
    return open(this.polls, request);
  }

  renew(leaseMs: number): Promise<{ readonly lost: readonly string[] }> {
    return kept(this.renewals, leaseMs);
  }

  async release(work: readonly ReleasedWork[]): Promise<void> {
    this.released.push(...work);
  }

  session(work: ClaimedWork): ScriptedSession {
    const session = new ScriptedSession(work);
    this.sessions.set(work.instanceId, session);
    return session;
  }

  keeper(): { sign(): void; close(): Promise<void> } {
    return {
      sign: () => {
        this.signs++;
      },
      close: async () => {
        this.isKeeperClosed = true;
      },
    };
  }

  flush(): void {
    this.flushes++;
  }

  onReconnected(listener: () => void): () => void {
    this.#onReconnected = listener;
    return () => {
      this.#onReconnected = () => {};
    };
  }

  reconnect(): void {
    this.#onReconnected();
  }

  async close(): Promise<void> {}
}

export class ScriptedSession implements InstanceSession {
  readonly work: ClaimedWork;
  readonly serves: SessionServes = {
    batches: true,
    suspendUntil: true,
    retryTimes: true,
    children: true,
    publish: true,
    signalQueue: true,
  };
  readonly saves: { readonly batch: Batch; readonly done: Done<BatchAnswer> }[] = [];
  readonly retries: Call<RetryRecord, void>[] = [];
  readonly suspensions: Call<Suspension, SuspensionAnswer>[] = [];
  readonly children: Call<ChildStart, { readonly created: boolean }>[] = [];
  readonly reports: Call<Report, void>[] = [];
  readonly notes: string[] = [];
  readonly acknowledged: SignalType[] = [];
  /** What `list` gives, a page after the other. */
  pages: OwnPage[] = [];
  readonly listed: { readonly cursor?: string | undefined; readonly behind?: string | undefined }[] = [];
  readonly states: Map<string, Uint8Array> = new Map();
  readonly found: string[] = [];
  heartbeats = 0;

  constructor(work: ClaimedWork) {
    this.work = work;
  }

  save(batch: Batch, done: Done<BatchAnswer>): void {
    this.saves.push({ batch, done });
  }

  /** Answers the last save: everything in it is new. */
  saved(signal?: BatchAnswer["signal"]): void {
    const last = this.saves.at(-1);
    last?.done(undefined, { entries: last.batch.entries.map(() => ({ state: undefined })), signal });
  }

  async list(page: { readonly cursor?: string | undefined; readonly behind?: string | undefined }): Promise<OwnPage> {
    this.listed.push(page);
    const index = page.cursor === undefined ? 0 : Number(page.cursor);
    return this.pages[index] ?? { checkpoints: [], retries: [], nextCursor: undefined };
  }

  async find(checkpointId: string): Promise<Uint8Array | undefined> {
    this.found.push(checkpointId);
    return this.states.get(checkpointId);
  }

  recordRetry(record: RetryRecord): Promise<void> {
    return kept(this.retries, record);
  }

  suspendUntil(suspension: Suspension): Promise<SuspensionAnswer> {
    return kept(this.suspensions, suspension);
  }

  startChild(child: ChildStart): Promise<{ readonly created: boolean }> {
    return kept(this.children, child);
  }

  async note(subtype: string): Promise<void> {
    this.notes.push(subtype);
  }

  async acknowledge(type: SignalType): Promise<void> {
    this.acknowledged.push(type);
  }

  report(report: Report): Promise<void> {
    return kept(this.reports, report);
  }

  heartbeat(): void {
    this.heartbeats++;
  }
}

function kept<Request, Answer>(calls: Call<Request, Answer>[], request: Request): Promise<Answer> {
  return new Promise((resolve, reject) => {
    calls.push({ request, answer: resolve, fail: reject });
  });
}

function open<Request, Answer>(calls: OpenCall<Request, Answer>[], request: Request): OpenPoll<Answer> {
  const call = { request, isAbandoned: false, answer: (_: Answer): void => {}, fail: (_: unknown): void => {} };
  const answer = new Promise<Answer>((resolve, reject) => {
    call.answer = resolve;
    call.fail = reject;
  });
  calls.push(call);
  return {
    answer,
    abandon: () => {
      call.isAbandoned = true;
    },
  };
}
