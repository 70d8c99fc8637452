import { create, type instance, management, type ServerCall } from "@runtara/protocol";
import type { Answer } from "../../answer.ts";
import type { Core } from "../../core.ts";
import { CoreError } from "../../core-error.ts";
import type { ManagementArm } from "../management-wire/management-dispatcher.ts";
import { Peer } from "../peer.ts";
import { whole } from "../words.ts";
import { batchMessage, batchRequest, tooMuchFound } from "./batch.ts";
import { BatchResults, tooManyBatches } from "./batches.ts";
import { outgoing } from "./outgoing.ts";
import { ownCheckpointsMessage } from "./own-listing.ts";
import type { Replies } from "./replies.ts";
import { childMessage, childRequest } from "./start.ts";
import { suspendMessage, suspendRequest } from "./suspension.ts";
import { waitMessage, waitRequest } from "./waiting.ts";
import { claimMessage, claimRequest, releaseMessage, releaseRequest, renewMessage } from "./work.ts";

/** The calls that 1.4.1 does not have. Those of an instance carry its epoch themselves. */
export class Extensions {
  readonly #core: Core;
  readonly #replies: Replies;
  readonly #management: ManagementArm;

  constructor(core: Core, replies: Replies, management: ManagementArm) {
    this.#core = core;
    this.#replies = replies;
    this.#management = management;
  }

  /** Returns false for a call that is none of them. */
  dispatch(call: ServerCall): boolean {
    const { request } = call;
    switch (request.case) {
      case "checkpointBatch":
        this.#batch(call, request.value);
        return true;
      case "listOwnCheckpoints":
        this.#listOwn(call, request.value);
        return true;
      case "waitSignals":
        this.#wait(call, request.value);
        return true;
      case "suspendUntil":
        this.#suspend(call, request.value);
        return true;
      case "startChild":
        this.#startChild(call, request.value);
        return true;
      case "publish":
        this.#publish(call, request.value);
        return true;
      case "checkpointBatches":
        this.#batches(call, request.value);
        return true;
      case "claimWork":
        this.#claim(call, request.value);
        return true;
      case "renewLease":
        this.#renew(call, request.value);
        return true;
      case "releaseWork":
        this.#release(call, request.value);
        return true;
      case "management":
        this.#manage(call, request.value);
        return true;
      default:
        return false;
    }
  }

  #batch(call: ServerCall, request: instance.CheckpointBatchRequest): void {
    const plain = batchRequest(request);
    this.#core.batches.save(
      plain,
      this.#noting(plain, (error, response) => {
        if (error !== undefined) return this.#replies.refuse(call, error);
        const tooMuch = tooMuchFound(response);
        if (tooMuch === undefined) call.respond(batchMessage(request.instanceId, response));
        else this.#replies.refuse(call, tooMuch);
      }),
    );
  }

  /** All in one tick, so that they are one commit; answered when each is. */
  #batches(call: ServerCall, { batches }: instance.CheckpointBatchesRequest): void {
    const tooMany = tooManyBatches(batches.length);
    if (tooMany !== undefined) {
      this.#replies.refuse(call, tooMany);
      return;
    }
    const gathered = new BatchResults(batches.length, (message) => call.respond(message));
    for (const [index, batch] of batches.entries()) {
      const plain = batchRequest(batch);
      this.#core.batches.save(
        plain,
        this.#noting(plain, (error, response) => {
          if (error === undefined) gathered.answered(index, batch.instanceId, response);
          else gathered.refused(index, this.#replies.partError("CHECKPOINT_BATCH_ERROR", error));
        }),
      );
    }
  }

  #publish(call: ServerCall, { instanceId, epoch, run, messages }: instance.PublishRequest): void {
    const request = { instanceId, epoch: whole(epoch), run, messages: messages.map(outgoing) };
    const answer = this.#replies.answer(call, ({ lastNumber }: { readonly lastNumber: number }) => ({
      $typeName: "runtara.instance.PublishResponse" as const,
      lastNumber: BigInt(lastNumber),
    }));
    this.#core.batches.publish(request, this.#noting(request, answer));
  }

  #listOwn(call: ServerCall, request: instance.ListOwnCheckpointsRequest): void {
    const { instanceId, cursor, checkpointIdPrefix: prefix, stateBytesMax, pageBytesMax } = request;
    const { behindCheckpointId: behind } = request;
    const epoch = whole(request.epoch);
    this.#core.ownCheckpoints.list(
      { instanceId, epoch, cursor, behind, prefix, stateBytesMax, pageBytesMax },
      this.#noting({ instanceId, epoch }, this.#replies.answer(call, ownCheckpointsMessage)),
    );
  }

  #suspend(call: ServerCall, request: instance.SuspendUntilRequest): void {
    const plain = suspendRequest(request);
    if (plain instanceof CoreError) {
      this.#replies.refuse(call, plain);
      return;
    }
    const answer = this.#replies.answer(call, (response: Parameters<typeof suspendMessage>[1]) =>
      suspendMessage(request.instanceId, response),
    );
    this.#core.suspension.suspendUntil(plain, this.#noting(plain, answer));
  }

  #wait(call: ServerCall, request: instance.WaitSignalsRequest): void {
    const plain = waitRequest(request);
    if (plain instanceof CoreError) {
      this.#replies.refuse(call, plain);
      return;
    }
    const poll = this.#core.waiter.wait(call.connection, plain, this.#replies.answer(call, waitMessage));
    call.onAborted = () => poll.abandon();
  }

  #startChild(call: ServerCall, request: instance.StartChildRequest): void {
    const plain = childRequest(request);
    if (plain instanceof CoreError) {
      this.#replies.refuse(call, plain);
      return;
    }
    this.#core.work.start(
      plain,
      this.#replies.answer(call, (response) => childMessage(plain.instanceId, response)),
    );
  }

  #claim(call: ServerCall, request: instance.ClaimWorkRequest): void {
    const { connection } = call;
    const poll = this.#core.work.claim(connection, claimRequest(request), (error, response) => {
      if (error !== undefined) return this.#replies.refuse(call, error);
      for (const { instanceId, facts } of response.work) {
        if (Peer.of(connection).stamps.set(instanceId, facts.epoch)) this.#replies.logForgottenStamp(call);
      }
      const { clock, stateBytesMax } = this.#core;
      call.respond(claimMessage(response, { nowMs: clock.now(), stateBytesMax }));
    });
    call.onAborted = () => poll.abandon();
  }

  #renew(call: ServerCall, { workerId, leaseMs }: instance.RenewLeaseRequest): void {
    this.#core.work.renew({ workerId, leaseMs }, this.#replies.answer(call, renewMessage));
  }

  #release(call: ServerCall, request: instance.ReleaseWorkRequest): void {
    this.#core.work.release(
      releaseRequest(request),
      this.#replies.answer<void>(call, () => releaseMessage),
    );
  }

  #manage(call: ServerCall, { call: inner = create(management.RpcRequestSchema) }: instance.ManagementRequest): void {
    this.#management(inner, call, (answer) =>
      call.respond({ $typeName: "runtara.instance.ManagementResponse", answer }),
    );
  }

  /** The same answer, and the instance counts as heard if it is a good one. */
  #noting<Response>(
    { instanceId, epoch }: { readonly instanceId: string; readonly epoch: number },
    answer: Answer<Response>,
  ): Answer<Response> {
    return (...outcome) => {
      if (outcome[0] === undefined) this.#core.background.liveness.heard(instanceId, epoch);
      answer(...outcome);
    };
  }
}
