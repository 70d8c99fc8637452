import type { ReadSignalsResult, Store } from "@runtara/store";
import { type Answer, onResult } from "../answer.ts";
import { CoreError } from "../core-error.ts";
import { limits } from "../limits.ts";
import { type Clock, systemClock } from "./clock.ts";
import { Interests, type SignalInterest, type Standing } from "./interests.ts";
import type { Liveness, Sign } from "./liveness.ts";
import { LongPoll, type OpenPoll } from "./long-poll.ts";

export interface SignalWaiterOptions {
  readonly store: Store;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Gets to know which instances an open poll waits for. */
  readonly liveness?: Liveness;
}

export interface WaitSignalsRequest {
  /** Higher than in every poll before on this connection. */
  readonly revision: number;
  /** What has changed since then. */
  readonly interests: readonly SignalInterest[];
  /** Forget every instance that is not named here. */
  readonly replacesAll: boolean;
  /** 0 = `limits.pollWaitMs`. */
  readonly waitMs: number;
}

/** What has arrived for one instance. Fenced: it is taken over, has ended or is unknown, and is not waited for any more. */
export type InstanceSignals = ReadSignalsResult["instances"][number];

type SignalsPoll = LongPoll<readonly InstanceSignals[]>;

interface Member {
  readonly interests: Interests;
  revision: number;
  poll: SignalsPoll | undefined;
  pollEndedAtMs: number;
  isReading: boolean;
}

/**
 * Waiting for signals: one poll per connection for all its instances. Nothing is consumed. Each interest is read once when it arrives and then
 * only after a notice that something happened to its instance; notices are listened to before the first read, so nothing is missed.
 */
export class SignalWaiter {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #liveness: Liveness | undefined;
  readonly #members = new Map<object, Member>();
  readonly #waitingFor = new Map<string, Member[]>();
  readonly #stopListening: readonly (() => void)[];
  #isDraining = false;

  constructor({ store, clock = systemClock, liveness }: SignalWaiterOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#liveness = liveness;
    const unwatch = store.watch((notice) => {
      if (notice.topic === "signal" || (notice.topic === "instance" && notice.ended)) this.#happened(notice.instanceId);
      else if (notice.topic === "anything") this.#anythingHappened();
    });
    const removeSource = liveness?.addSource((sinceMs) => this.#signsSince(sinceMs));
    this.#stopListening = removeSource === undefined ? [unwatch] : [unwatch, removeSource];
  }

  /** Number of polls that are held open. */
  get open(): number {
    return this.#members.values().reduce((count, { poll }) => count + (poll === undefined ? 0 : 1), 0);
  }

  /**
   * Answers as soon as something is there for one of the instances that were named on this connection, or empty: when the time is up, when a
   * later poll of the connection takes over, or when the server drains. A poll that a later one has overtaken on its way adds its
   * interests where no later ones stand, and is answered empty at once. Refused, with nothing changed, beyond the bounds of a connection.
   */
  wait(connection: object, request: WaitSignalsRequest, answer: Answer<readonly InstanceSignals[]>): OpenPoll {
    const { revision, interests, replacesAll, waitMs } = request;
    const member = this.#members.get(connection) ?? newMember(this.#clock.now());
    const change = member.interests.apply(revision, interests, replacesAll);
    if (change instanceof CoreError) {
      answer(change, undefined);
      return { abandon: () => {} };
    }
    this.#members.set(connection, member);
    for (const instanceId of change.added) this.#index(instanceId, member);
    for (const instanceId of change.removed) this.#unindex(instanceId, member);
    const poll: SignalsPoll = new LongPoll<readonly InstanceSignals[]>({
      clock: this.#clock,
      waitMs,
      empty: () => [],
      answer,
      onOver: () => this.#pollIsOver(member, poll),
    });
    if (this.#isDraining || revision < member.revision) {
      poll.end();
    } else {
      const earlier = member.poll;
      member.revision = revision;
      member.poll = poll;
      earlier?.end();
    }
    this.#read(member);
    return poll;
  }

  /** The connection has closed: no answers, and nothing of it is kept. */
  forget(connection: object): void {
    const member = this.#members.get(connection);
    if (member === undefined) return;
    this.#members.delete(connection);
    member.poll?.abandon();
    for (const { interest } of member.interests.all()) {
      this.#unindex(interest.instanceId, member);
      this.#liveness?.heard(interest.instanceId, interest.epoch);
    }
  }

  /** Answers all polls empty, and later ones at once. */
  drain(): void {
    this.#isDraining = true;
    for (const { poll } of this.#members.values()) poll?.end();
  }

  /** Drains, and lets go of the store. Idempotent. */
  close(): void {
    this.drain();
    for (const stop of this.#stopListening) stop();
  }

  #pollIsOver(member: Member, poll: SignalsPoll): void {
    if (member.poll !== poll) return;
    member.poll = undefined;
    member.pollEndedAtMs = this.#clock.now();
  }

  #happened(instanceId: string): void {
    for (const member of this.#waitingFor.get(instanceId) ?? []) {
      member.interests.markUnread(instanceId);
      this.#read(member);
    }
  }

  #anythingHappened(): void {
    for (const member of this.#members.values()) {
      member.interests.markAllUnread();
      this.#read(member);
    }
  }

  /** Reads what may have news, a piece at a time, until there is some or all is known. Only while somebody waits. */
  #read(member: Member): void {
    if (member.isReading || member.poll === undefined) return;
    const asked = member.interests.take(limits.interestsPerRead);
    if (asked.length === 0) return;
    member.isReading = true;
    this.#store.submit(
      { kind: "readSignals", interests: asked.map(toStore), bytesMax: limits.signalAnswerBytesMax },
      onResult(
        (error) => {
          member.isReading = false;
          markUnread(member, asked);
          member.poll?.fail(error);
        },
        (result) => {
          member.isReading = false;
          this.#found(member, asked, result);
          this.#read(member);
        },
      ),
    );
  }

  #found(member: Member, asked: readonly Standing[], { instances, more }: ReadSignalsResult): void {
    const byId = new Map(asked.map((standing) => [standing.interest.instanceId, standing]));
    const news = instances.filter(({ instanceId }) => {
      const standing = byId.get(instanceId);
      return standing !== undefined && member.interests.stands(standing);
    });
    const told = new Set(news.map(({ instanceId }) => instanceId));
    if (more) {
      markUnread(
        member,
        asked.filter(({ interest }) => !told.has(interest.instanceId)),
      );
    }
    // What is told is there until the client says otherwise. It comes last next time, so that others have their turn.
    for (const instanceId of told) member.interests.markUnread(instanceId);
    const { poll } = member;
    if (news.length === 0 || poll === undefined) return;
    for (const { instanceId, fenced } of news) {
      if (!fenced) continue;
      member.interests.remove(instanceId);
      this.#unindex(instanceId, member);
    }
    poll.respond(news);
  }

  #index(instanceId: string, member: Member): void {
    const members = this.#waitingFor.get(instanceId);
    if (members === undefined) this.#waitingFor.set(instanceId, [member]);
    else members.push(member);
  }

  #unindex(instanceId: string, member: Member): void {
    const others = this.#waitingFor.get(instanceId)?.filter((other) => other !== member) ?? [];
    if (others.length === 0) this.#waitingFor.delete(instanceId);
    else this.#waitingFor.set(instanceId, others);
  }

  *#signsSince(sinceMs: number): Iterable<Sign> {
    const nowMs = this.#clock.now();
    for (const { poll, pollEndedAtMs, interests } of this.#members.values()) {
      if (poll === undefined && pollEndedAtMs < sinceMs) continue;
      const atMs = poll === undefined ? pollEndedAtMs : nowMs;
      for (const { interest } of interests.all())
        yield { instanceId: interest.instanceId, epoch: interest.epoch, atMs };
    }
  }
}

function newMember(nowMs: number): Member {
  return {
    interests: new Interests(),
    revision: 0,
    poll: undefined,
    pollEndedAtMs: nowMs,
    isReading: false,
  };
}

function markUnread({ interests }: Member, standings: readonly Standing[]): void {
  for (const { interest } of standings) interests.markUnread(interest.instanceId);
}

function toStore({ interest }: Standing) {
  const { instanceId, epoch, names, afterSignalId, seenSignal } = interest;
  return { instanceId, epoch, names, afterSignalId, ...(seenSignal === undefined ? {} : { seenSignal }) };
}
