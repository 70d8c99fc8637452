import { type instance, ProtocolError } from "@runtara/protocol";
import { limits } from "../../limits.ts";
import type { BatchAnswer, Done } from "../../ports/source.ts";
import { SourceError } from "../../ports/source-error.ts";
import { batchAnswer } from "./batch.ts";
import { sourceError } from "./failures.ts";
import type { RemoteCalls } from "./remote-calls.ts";

interface Waiting {
  readonly message: instance.CheckpointBatchRequest;
  readonly done: Done<BatchAnswer>;
}

/** Gathers what the instances of a worker save in one round, so that it goes out in one call. */
export class BatchCollector {
  readonly #calls: RemoteCalls;
  readonly #isServed: () => boolean;
  #waiting: Waiting[] = [];

  /** `isServed`: the core takes the batches of several instances in one call. */
  constructor(calls: RemoteCalls, isServed: () => boolean) {
    this.#calls = calls;
    this.#isServed = isServed;
  }

  /** Goes out with the next `flush`, or by itself when what runs now is over. */
  save(message: instance.CheckpointBatchRequest, done: Done<BatchAnswer>): void {
    this.#waiting.push({ message, done });
    if (this.#waiting.length === 1) queueMicrotask(() => this.flush());
  }

  flush(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    if (this.#isServed()) for (const group of groupsOf(waiting)) this.#send(group);
    else for (const one of waiting) this.#sendOne(one);
  }

  #send(group: readonly Waiting[]): void {
    const [first, second] = group;
    if (first && !second) this.#sendOne(first);
    else this.#sendTogether(group);
  }

  #sendOne({ message, done }: Waiting): void {
    this.#calls.once(message, "checkpoint-batch").then(
      (answer) => done(undefined, batchAnswer(answer)),
      (error: SourceError) => done(error, undefined),
    );
  }

  #sendTogether(group: readonly Waiting[]): void {
    const message: instance.CheckpointBatchesRequest = {
      $typeName: "runtara.instance.CheckpointBatchesRequest",
      batches: group.map(({ message: batch }) => batch),
    };
    this.#calls.once(message, "checkpoint-batches").then(
      ({ results }) => {
        for (const [index, { done }] of group.entries()) settle(done, results[index]);
      },
      (error: SourceError) => {
        for (const { done } of group) done(error, undefined);
      },
    );
  }
}

/** In their order, so many and so large as one call should be. */
function groupsOf(waiting: readonly Waiting[]): Waiting[][] {
  const groups: Waiting[][] = [];
  let bytesLeft = 0;
  for (const one of waiting) {
    const bytes = one.message.entries.reduce((sum, { state }) => sum + state.byteLength, 0);
    const last = groups.at(-1);
    if (last && last.length < limits.batchesPerCallMax && bytes <= bytesLeft) {
      last.push(one);
      bytesLeft -= bytes;
    } else {
      groups.push([one]);
      bytesLeft = limits.batchesBytesFull - bytes;
    }
  }
  return groups;
}

function settle(
  done: Done<BatchAnswer>,
  result: instance.CheckpointBatchesResponse["results"][number] | undefined,
): void {
  const { case: kind, value } = result?.result ?? { case: undefined, value: undefined };
  if (kind === "answer") done(undefined, batchAnswer(value));
  else if (kind === "error") done(refusal(value), undefined);
  else done(new SourceError("AWAY", "the core has not answered for this batch"), undefined);
}

function refusal({ code: rpcCode, message, fineCode, retryable, retryAfterMs }: instance.RpcError): SourceError {
  const details = { rpcCode, fineCode, isRetryable: retryable, retryAfterMs };
  return sourceError(new ProtocolError("RPC", message, details), "checkpoint-batch");
}
