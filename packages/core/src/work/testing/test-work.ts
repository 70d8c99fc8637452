import { answered } from "../../answer.ts";
import type { CoreError } from "../../core-error.ts";
import type { OpenPoll } from "../../timers/long-poll.ts";
import { settled } from "../../timers/testing/fake-clock.ts";
import type { ClaimRequest, ClaimResponse, StartRequest, WorkService } from "../index.ts";

/** A claim that a test has made, and what it was answered so far. */
export interface Claim {
  readonly poll: OpenPoll;
  readonly response: ClaimResponse | undefined;
  readonly error: CoreError | undefined;
  /** Ids of the instances that it got; undefined = not answered. */
  readonly ids: readonly string[] | undefined;
}

/** Claims workflow "w" of version "1" for tenant "t", one instance, as worker `more.workerId` ("w1"). */
export function claim(work: WorkService, connection: object, more: Partial<ClaimRequest> = {}): Claim {
  const answer: { response?: ClaimResponse; error?: CoreError } = {};
  const request = {
    workerId: "w1",
    tenantId: "t",
    offers: [{ name: "w", versions: ["1"] }],
    capacity: 1,
    leaseMs: 0,
    waitMs: 0,
    received: 0,
    ...more,
  };
  const poll = work.claim(connection, request, (error, response) => {
    if (error === undefined) answer.response = response;
    else answer.error = error;
  });
  return {
    poll,
    get response() {
      return answer.response;
    },
    get error() {
      return answer.error;
    },
    get ids() {
      return answer.response?.work.map(({ instanceId }) => instanceId);
    },
  };
}

/** Starts an instance of workflow "w", version "1", tenant "t", and waits until all that it sets off is over. */
export async function start(work: WorkService, instanceId: string, more: Partial<StartRequest> = {}): Promise<void> {
  const request = { instanceId, tenantId: "t", workflow: "w", version: "1", tags: {}, ...more };
  await answered((answer) => work.start(request, answer));
  await settled();
}
