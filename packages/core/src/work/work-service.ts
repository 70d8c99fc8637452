import type { StartInstanceResult, Store } from "@runtara/store";
import { type Answer, onResult } from "../answer.ts";
import { CoreError } from "../core-error.ts";
import { limits } from "../limits.ts";
import { newSeed } from "../seed.ts";
import { type Clock, systemClock } from "../timers/clock.ts";
import type { OpenPoll } from "../timers/long-poll.ts";
import { invalidClaim, invalidRelease, invalidRenewal, invalidStart } from "./checks.ts";
import { ClaimQueue } from "./claim-queue.ts";
import type {
  ClaimRequest,
  ClaimResponse,
  ReleaseRequest,
  RenewRequest,
  RenewResponse,
  StartRequest,
  StartResponse,
} from "./requests.ts";

export interface WorkServiceOptions {
  readonly store: Store;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Claims leave no more instances than this running on the whole database; 0 = no limit, the default. */
  readonly runningMax?: number;
}

/**
 * The work queue: instances are started, claimed by workers, and given back. A worker holds all that it runs by one lease; when that ends, what it
 * had may be claimed by others, and it is fenced: its late writes are refused.
 */
export class WorkService {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #claims: ClaimQueue;

  constructor({ store, clock = systemClock, runningMax = 0 }: WorkServiceOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#claims = new ClaimQueue({ store, clock, runningMax });
  }

  /**
   * Starts an instance that waits for a worker (or, without a workflow, for somebody who launches it), or attaches to the one that has this
   * id. Idempotent. Errors: START_CONFLICT (the id has another tenant, workflow, version, input or parent), of the parent INSTANCE_NOT_FOUND,
   * FENCED, INVALID_INSTANCE_STATE, and VALIDATION_ERROR; nothing is changed then.
   */
  start(request: StartRequest, answer: Answer<StartResponse>): void {
    const invalid = invalidStart(request);
    if (invalid !== undefined) {
      answer(invalid, undefined);
      return;
    }
    const { instanceId, tenantId, workflow, version, input, tags, startAtMs, timeoutMs } = request;
    this.#store.submit(
      {
        kind: "startInstance",
        instanceId,
        tenantId,
        ...(workflow === undefined ? {} : { workflow }),
        ...(version === undefined ? {} : { version }),
        ...(input === undefined ? {} : { input }),
        tags,
        ...(startAtMs === undefined ? {} : { startAtMs }),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        seed: newSeed(),
        ...parentOf(request),
        nowMs: this.#clock.now(),
      },
      onResult(answer, (result) => {
        const outcome = startOutcome(request, result);
        if (outcome instanceof CoreError) answer(outcome, undefined);
        else answer(undefined, outcome);
      }),
    );
  }

  /**
   * Gives the worker instances to run, at once or as soon as there are any: pending ones, due ones, and those whose worker's lease has ended. Claiming is
   * registering; the epoch in the answer is the worker's. Without work it is answered empty when the time is up, when a later claim of the
   * same connection takes over, or when the server drains. Of several open claims with equal offers the oldest is served first.
   *
   * An answer that is lost on its way loses no work: the next claim, which says what was received, gets it again. From its first work on a
   * worker has to renew its lease for as long as it lives, also while it holds nothing: else its open claim gets nothing any more.
   */
  claim(connection: object, request: ClaimRequest, answer: Answer<ClaimResponse>): OpenPoll {
    const invalid = invalidClaim(request);
    if (invalid === undefined) return this.#claims.claim(connection, request, answer);
    answer(invalid, undefined);
    return { abandon: () => {} };
  }

  /** Prolongs the worker's lease; it never shrinks. Names what the worker has lost to others. */
  renew(request: RenewRequest, answer: Answer<RenewResponse>): void {
    const invalid = invalidRenewal(request);
    if (invalid !== undefined) {
      answer(invalid, undefined);
      return;
    }
    const { workerId } = request;
    const leaseMs = request.leaseMs === 0 ? limits.leaseMs : request.leaseMs;
    const nowMs = this.#clock.now();
    this.#store.submit(
      { kind: "renewLease", workerId, leaseMs, nowMs },
      onResult(answer, ({ leaseUntilMs, lost }) => {
        this.#claims.renewed(workerId);
        answer(undefined, { leaseUntilMs, serverTimeMs: nowMs, lost });
      }),
    );
  }

  /** The worker runs these no longer: they have ended or are suspended, or it hands them back for the next worker. Repeatable. */
  release(request: ReleaseRequest, answer: Answer<void>): void {
    const invalid = invalidRelease(request);
    if (invalid !== undefined) {
      answer(invalid, undefined);
      return;
    }
    const { workerId, work } = request;
    this.#store.submit(
      { kind: "releaseWork", workerId, work, nowMs: this.#clock.now() },
      onResult(answer, () => answer(undefined, undefined)),
    );
  }

  /** Number of claims that are held open. */
  get open(): number {
    return this.#claims.open;
  }

  /** The connection has closed: its claim is not answered any more. */
  forget(connection: object): void {
    this.#claims.forget(connection);
  }

  /** Answers all open claims empty, or with what is just being claimed for them, and later ones at once. */
  drain(): void {
    this.#claims.drain();
  }

  /** Drains and lets go of the store; resolves when no claim is under way. Idempotent. */
  close(): Promise<void> {
    return this.#claims.close();
  }
}

function parentOf({ parent }: StartRequest) {
  if (parent === undefined) return {};
  const { instanceId, epoch, resultSignal, detached } = parent;
  return { parent: { instanceId, epoch, ...(resultSignal === undefined ? {} : { resultSignal }), detached } };
}

function startOutcome({ instanceId, parent }: StartRequest, result: StartInstanceResult): StartResponse | CoreError {
  const parentId = parent?.instanceId ?? "";
  switch (result.outcome) {
    case "created":
    case "attached":
      return { created: result.outcome === "created", status: result.status };
    case "conflict":
      return CoreError.startConflict(instanceId, result.differs);
    case "parentUnknown":
      return CoreError.instanceNotFound(parentId);
    case "parentRefused":
      return CoreError.invalidState(parentId, "running", result.status);
    case "fenced":
      return CoreError.fenced(parentId, result.epoch, parent?.epoch);
  }
}
