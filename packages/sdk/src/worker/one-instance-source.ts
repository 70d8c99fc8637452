import type { Clock } from "../ports/clock.ts";
import type {
  ClaimAnswer,
  InstanceSession,
  InstanceSignals,
  OpenPoll,
  WaitSignalsRequest,
  WorkSource,
} from "../ports/source.ts";
import type { Link } from "./link.ts";

export interface OneInstance {
  readonly link: Link;
  readonly clock: Clock;
  /** Registered. */
  readonly session: InstanceSession;
  waitSignals(request: WaitSignalsRequest): OpenPoll<readonly InstanceSignals[]>;
}

/** A source for the process of one instance, which its first claim gives out: this process has registered it, so there is no queue, no lease, and
 *  nothing to give back. */
export function oneInstanceSource({ link, clock, session, waitSignals }: OneInstance): WorkSource {
  const { instanceId, tenantId } = session.work;
  const nothing: ClaimAnswer = { sequence: 1, work: [] };
  let isGiven = false;
  let endEarlier: () => void = () => {};
  const claim = (capacity: number): Promise<ClaimAnswer> => {
    endEarlier();
    if (capacity === 0) return Promise.resolve(nothing);
    if (isGiven) {
      return new Promise((resolve) => {
        endEarlier = () => resolve(nothing);
      });
    }
    isGiven = true;
    return Promise.resolve({ sequence: 1, work: [session.work] });
  };
  return {
    workerId: instanceId,
    tenantId,
    clock,
    claim: ({ capacity }) => ({ answer: claim(capacity), abandon: () => {} }),
    renew: async () => ({ lost: [] }),
    release: async () => {},
    waitSignals,
    session: () => session,
    keeper: () => undefined,
    flush: () => {},
    onReconnected: (listener) => link.onReconnected(listener),
    close: () => link.close(),
  };
}
