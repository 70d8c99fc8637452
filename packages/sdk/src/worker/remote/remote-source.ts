import { type FeatureName, Features, type instance } from "@runtara/protocol";
import { limits } from "../../limits.ts";
import type {
  ClaimAnswer,
  ClaimedWork,
  ClaimRequest,
  InstanceSession,
  InstanceSignals,
  LeaseKeeper,
  OpenPoll,
  ReleasedWork,
  WaitSignalsRequest,
  WorkSource,
} from "../../ports/source.ts";
import { SourceError } from "../../ports/source-error.ts";
import { BatchCollector } from "./batch-collector.ts";
import { unsupportedText } from "./failures.ts";
import { LinkKeeper } from "./link-keeper.ts";
import { openPoll } from "./open-poll.ts";
import type { RemoteCalls } from "./remote-calls.ts";
import { RemoteSession } from "./remote-session.ts";
import { ServerClock } from "./server-clock.ts";
import { startFacts } from "./start-facts.ts";
import { waitSignals } from "./waiting.ts";

export interface RemoteSourceOptions {
  readonly calls: RemoteCalls;
  readonly workerId: string;
  readonly tenantId: string;
  readonly leaseMs: number;
  /** Proof of the worker's identity, where the server demands one. */
  readonly token?: string | undefined;
  /** How much longer than it was asked to a core may take for a long poll. */
  readonly pollGraceMs: number;
}

/** Work out of a core's queue, over one connection at a time. */
export class RemoteSource implements WorkSource {
  readonly workerId: string;
  readonly tenantId: string;
  readonly clock: ServerClock = new ServerClock();
  readonly #options: RemoteSourceOptions;
  readonly #calls: RemoteCalls;
  readonly #collector: BatchCollector;
  #features = new Features();

  constructor(options: RemoteSourceOptions) {
    this.#options = options;
    this.#calls = options.calls;
    this.#collector = new BatchCollector(options.calls, () => this.#features.has("checkpoint-batches"));
    this.workerId = options.workerId;
    this.tenantId = options.tenantId;
  }

  /** Asks the core what it serves and what its time is. @throws SourceError UNSUPPORTED for the first of `needed` that it lacks */
  async prepare(needed: readonly FeatureName[]): Promise<void> {
    await this.claim({ offers: [], capacity: 0, received: 0, waitMs: 1 }).answer;
    const missing = needed.find((feature) => !this.#features.has(feature));
    if (missing !== undefined) throw new SourceError("UNSUPPORTED", unsupportedText(missing), { feature: missing });
    await this.renew(this.#options.leaseMs);
  }

  claim(request: ClaimRequest): OpenPoll<ClaimAnswer> {
    const { leaseMs, token } = this.#options;
    const message: instance.ClaimWorkRequest = {
      $typeName: "runtara.instance.ClaimWorkRequest",
      workerId: this.workerId,
      tenantId: this.tenantId,
      workflows: request.offers.map(({ name, versions: [version, ...acceptedVersions] }) => ({
        $typeName: "runtara.instance.WorkflowOffer",
        name,
        acceptedVersions,
        ...(version === undefined ? {} : { version }),
      })),
      capacity: request.capacity,
      leaseMs,
      waitMs: request.waitMs,
      received: BigInt(request.received),
      ...(token === undefined ? {} : { token }),
    };
    return openPoll(async (signal) => {
      const timeoutMs = request.waitMs + this.#options.pollGraceMs;
      const answer = await this.#calls.now(message, "work-queue", { signal, timeoutMs });
      this.#features = new Features(answer.features);
      return { sequence: Number(answer.sequence), work: answer.work.map(claimed) };
    });
  }

  async renew(leaseMs: number): Promise<{ readonly lost: readonly string[] }> {
    const sentAtMs = this.clock.elapsedMs;
    const answer = await this.#calls.now(this.#renewal(leaseMs), "work-queue");
    this.clock.heard(Number(answer.serverTimeMs), sentAtMs);
    return { lost: answer.lostInstanceIds };
  }

  async release(work: readonly ReleasedWork[]): Promise<void> {
    const calls: Promise<unknown>[] = [];
    for (let from = 0; from < work.length; from += limits.releasedPerCallMax) {
      const some = work.slice(from, from + limits.releasedPerCallMax).map(releasedMessage);
      const { workerId } = this;
      calls.push(
        this.#calls.once({ $typeName: "runtara.instance.ReleaseWorkRequest", workerId, work: some }, "work-queue"),
      );
    }
    await Promise.all(calls);
  }

  waitSignals(request: WaitSignalsRequest): OpenPoll<readonly InstanceSignals[]> {
    return waitSignals(this.#calls, request, this.#options.pollGraceMs);
  }

  session(work: ClaimedWork): InstanceSession {
    return new RemoteSession({
      calls: this.#calls,
      work,
      features: this.#features,
      collector: this.#collector,
    });
  }

  keeper(leaseMs: number): LeaseKeeper | undefined {
    return new LinkKeeper(this.#calls.link, this.#renewal(leaseMs), leaseMs);
  }

  /** What was saved in this round goes out in one call. */
  flush(): void {
    this.#collector.flush();
  }

  onReconnected(listener: () => void): () => void {
    return this.#calls.link.onReconnected(listener);
  }

  close(): Promise<void> {
    return this.#calls.link.close();
  }

  #renewal(leaseMs: number): instance.RenewLeaseRequest {
    const { token } = this.#options;
    return {
      $typeName: "runtara.instance.RenewLeaseRequest",
      workerId: this.workerId,
      leaseMs,
      ...(token === undefined ? {} : { token }),
    };
  }
}

function claimed({ instanceId, tenantId, start }: instance.ClaimedWork): ClaimedWork {
  if (start) return { instanceId, tenantId, facts: startFacts(start) };
  throw new TypeError(`the core gave out instance ${instanceId} without start facts`);
}

function releasedMessage({ instanceId, epoch, handBack, delayMs, reason }: ReleasedWork): instance.ReleasedWork {
  const $typeName = "runtara.instance.ReleasedWork";
  return { $typeName, instanceId, epoch: BigInt(epoch), handBack, delayMs, reason };
}
