import { type instance, respondUnserved, type ServerCall } from "@runtara/protocol";
import type { Answer } from "../answer.ts";
import type { CheckpointResponse } from "../checkpoints/index.ts";
import type { Core } from "../core.ts";
import type { EventResponse } from "../life/index.ts";
import type { RegisterResponse } from "../registration/index.ts";
import type { Acknowledged } from "../signals/index.ts";
import { Extensions } from "./instance-wire/extensions.ts";
import { Replies } from "./instance-wire/replies.ts";
import type { ManagementArm } from "./management-wire/management-dispatcher.ts";
import {
  checkpointMessage,
  eventMessage,
  eventRequest,
  getCheckpointMessage,
  pollMessage,
  registerMessage,
  sleepMessage,
  statusMessage,
} from "./messages.ts";
import { type Connection, Peer } from "./peer.ts";
import type { RepeatedLog } from "./repeated-log.ts";
import { signalWord, whole, wholeOf } from "./words.ts";

export interface CallDispatcherOptions {
  readonly core: Core;
  readonly log: RepeatedLog;
  /** Carries out what comes in the arm for management calls. */
  readonly management: ManagementArm;
}

/** Turns calls of the wire into calls of the services, and their answers into answers of the wire. */
export class CallDispatcher {
  readonly #core: Core;
  readonly #replies: Replies;
  readonly #extensions: Extensions;

  constructor({ core, log, management }: CallDispatcherOptions) {
    this.#core = core;
    this.#replies = new Replies(log);
    this.#extensions = new Extensions(core, this.#replies, management);
  }

  dispatch(call: ServerCall): void {
    const { request } = call;
    switch (request.case) {
      case "checkpoint":
        this.#checkpoint(call, request.value);
        break;
      case "getCheckpoint":
        this.#getCheckpoint(call, request.value);
        break;
      case "instanceEvent":
        this.#event(call, request.value);
        break;
      case "instanceEventBatch":
        this.#eventBatch(call, request.value);
        break;
      case "registerInstance":
        this.#register(call, request.value);
        break;
      case "getInstanceStatus":
        this.#core.status.read(request.value.instanceId, this.#replies.answer(call, statusMessage));
        break;
      case "pollSignals":
        this.#poll(call, request.value);
        break;
      case "signalAck":
        this.#acknowledge(call, request.value);
        break;
      case "retryAttempt":
        this.#retry(call, request.value);
        break;
      case "sleep":
        this.#sleep(call, request.value);
        break;
      default:
        if (!this.#extensions.dispatch(call)) respondUnserved(call);
    }
  }

  /** To be told when a client has gone. */
  connectionClosed(connection: Connection): void {
    this.#core.waiter.forget(connection);
    this.#core.work.forget(connection);
  }

  #register(call: ServerCall, request: instance.RegisterInstanceRequest): void {
    const { instanceId, wantsStartFacts = false, client } = request;
    Peer.of(call.connection).client = client;
    this.#core.registration.register(request, (_, response) => {
      if (response !== undefined) this.#registered(call, instanceId, wantsStartFacts, response);
    });
  }

  #registered(call: ServerCall, instanceId: string, wantsStartFacts: boolean, response: RegisterResponse): void {
    if (response.success) {
      const isFull = Peer.of(call.connection).stamps.set(instanceId, response.facts.epoch);
      if (isFull) this.#replies.logForgottenStamp(call);
    } else if (response.repeatable !== "never") {
      this.#replies.logInBand(response.error);
    }
    const { clock, stateBytesMax } = this.#core;
    call.respond(
      registerMessage(instanceId, response, wantsStartFacts ? { nowMs: clock.now(), stateBytesMax } : undefined),
    );
  }

  #checkpoint(call: ServerCall, { instanceId, checkpointId, state, epoch: sent }: instance.CheckpointRequest): void {
    const epoch = epochOf(call, instanceId, sent);
    const toMessage = (response: CheckpointResponse) => {
      // A save has moved the time by itself.
      if (response.found) this.#heard(instanceId, epoch);
      return checkpointMessage(instanceId, response);
    };
    this.#core.checkpoints.save({ instanceId, epoch, checkpointId, state }, this.#replies.answer(call, toMessage));
  }

  #getCheckpoint(call: ServerCall, { instanceId, checkpointId }: instance.GetCheckpointRequest): void {
    const epoch = epochOf(call, instanceId, undefined);
    const answer = this.#replies.answer(call, (response: Parameters<typeof getCheckpointMessage>[0]) => {
      this.#heard(instanceId, epoch);
      return getCheckpointMessage(response);
    });
    this.#core.checkpoints.get({ instanceId, checkpointId }, answer);
  }

  #poll(call: ServerCall, { instanceId, checkpointId, epoch: sent }: instance.PollSignalsRequest): void {
    const epoch = epochOf(call, instanceId, sent);
    const answer = this.#replies.answer(call, (response: Parameters<typeof pollMessage>[1]) => {
      this.#heard(instanceId, epoch);
      return pollMessage(instanceId, response);
    });
    this.#core.signals.poll({ instanceId, epoch, checkpointId }, answer);
  }

  #event(call: ServerCall, event: instance.InstanceEvent): void {
    const epoch = epochOf(call, event.instanceId, event.epoch);
    const answer = this.#replies.answer<EventResponse>(call, () => eventMessage);
    this.#core.events.append(eventRequest(event, epoch), forgettingEnded(call, event.instanceId, answer));
  }

  /** Each event stands for itself: one that fails is logged and the next one follows. */
  #eventBatch(call: ServerCall, { events }: instance.InstanceEventBatch): void {
    if (events.length === 0) call.finish();
    const finish = this.#replies.finish<EventResponse>(call, events.length);
    for (const event of events) {
      const epoch = epochOf(call, event.instanceId, event.epoch);
      this.#core.events.append(eventRequest(event, epoch), forgettingEnded(call, event.instanceId, finish));
    }
  }

  #acknowledge(call: ServerCall, { instanceId, signalType, acknowledged, epoch: sent }: instance.SignalAck): void {
    const epoch = epochOf(call, instanceId, sent);
    const finish = forgettingEnded(call, instanceId, this.#replies.finish<Acknowledged>(call, 1));
    this.#core.signals.acknowledge({ instanceId, epoch, signal: signalWord(signalType), acknowledged }, finish);
  }

  #retry(call: ServerCall, request: instance.RetryAttemptEvent): void {
    const { instanceId, checkpointId, attemptNumber: attempt, errorMessage: error, nextAtMs } = request;
    const epoch = epochOf(call, instanceId, request.epoch);
    this.#core.checkpoints.recordRetry(
      { instanceId, epoch, checkpointId, attempt, error, nextAtMs: wholeOf(nextAtMs) },
      this.#replies.finish(call, 1),
    );
  }

  #sleep(call: ServerCall, request: instance.SleepRequest): void {
    const { instanceId, checkpointId, state } = request;
    const epoch = epochOf(call, instanceId, request.epoch);
    const letGo = this.#core.background.liveness.hold(instanceId, epoch);
    const durationMs = Number(request.durationMs);
    const sleep = this.#core.sleeps.sleep({ instanceId, epoch, checkpointId, state, durationMs }, () => {
      letGo();
      call.respond(sleepMessage);
    });
    call.onAborted = () => {
      letGo();
      sleep.abandon();
    };
  }

  #heard(instanceId: string, epoch: number | undefined): void {
    this.#core.background.liveness.heard(instanceId, epoch);
  }
}

/** The epoch that a call is held to: its own, else the one that was registered on its connection. */
function epochOf({ connection }: ServerCall, instanceId: string, sent: bigint | undefined): number | undefined {
  return sent === undefined ? Peer.known(connection)?.stamps.get(instanceId) : whole(sent);
}

/** The same answer; the connection needs no epoch of what has ended, which is refused by its status. */
function forgettingEnded<Response extends { readonly ended: boolean }>(
  { connection }: ServerCall,
  instanceId: string,
  answer: Answer<Response>,
): Answer<Response> {
  return (...outcome) => {
    if (outcome[1]?.ended) Peer.known(connection)?.stamps.delete(instanceId);
    answer(...outcome);
  };
}
